/** What `npm run release` makes, in a folder of the test. */
import * as ChildProcess from "node:child_process"
import * as Path from "node:path"
import { path, repository } from "../../support/plugin.ts"

/** Makes the release in the folder `to`. The arguments are targets and flags. */
export const release = (to: string, ...args: ReadonlyArray<string>): void => {
  ChildProcess.execFileSync(process.execPath, [".ci/release/release.mjs", "--to", to, ...args], {
    cwd: repository,
    env: { ...process.env, PATH: path, SOURCE_DATE_EPOCH: "1790000000" },
    stdio: ["ignore", "ignore", "inherit"]
  })
}

/** Unpacks a tarball into a folder, without the folder that it has at its top. */
export const unpack = (tarball: string, folder: string): void => {
  ChildProcess.execFileSync("tar", ["-C", folder, "--strip-components=1", "-xzf", Path.resolve(tarball)])
}
