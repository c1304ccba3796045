/** What lies on the disk. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { repository } from "../support/plugin.ts"
import type { Row } from "./measure.ts"

const megabytes = (file: string): number => Fs.statSync(file).size / 1_000_000

/** The files of a folder that end so. */
const filesIn = (folder: string, ending: string): ReadonlyArray<string> =>
  Fs.existsSync(folder)
    ? Fs.readdirSync(folder).filter((name) => name.endsWith(ending)).map((name) => Path.join(folder, name))
    : []

export const disk = (): ReadonlyArray<Row> => {
  const dist = Path.join(repository, "dist")
  const folder = Path.join(dist, "standalone")
  const executables = Fs.readdirSync(folder).map((name) => Path.join(folder, name))
    .filter((file) => Fs.lstatSync(file).isFile() && (Fs.statSync(file).mode & 0o111) !== 0)
  const packages = filesIn(Path.join(dist, "release"), ".deb")
  const sum = (files: ReadonlyArray<string>) => files.map(megabytes).reduce((left, right) => left + right, 0)
  return [
    { what: "all executables of the standalone form", unit: "MB", value: sum(executables), budget: 120 },
    { what: "the script of the plugin", unit: "MB", value: megabytes(Path.join(dist, "passthrough")) },
    { what: "the script of the command", unit: "MB", value: megabytes(Path.join(dist, "cni-passthrough")) },
    packages.length === 0
      ? { what: "the Debian package", unit: "MB", budget: 45, reason: "run npm run release before" }
      : { what: "the Debian package", unit: "MB", budget: 45, value: Math.max(...packages.map(megabytes)) }
  ]
}
