/**
 * Says what building the image needs and this host has not, all of it at once, before anything is built.
 *
 *   node .ci/image/needs.mjs   exit status 0: all is there, 2: something is missing
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Musl from "../pack/musl.mjs"

/** The programs, each with its Debian package. */
const programs = { podman: "podman", ldd: "libc-bin", ...Musl.programs(process.arch) }

const folders = (process.env["PATH"] ?? "").split(":").filter((folder) => folder !== "")

const isThere = (program) =>
  folders.some((folder) => {
    try {
      Fs.accessSync(Path.join(folder, program), Fs.constants.X_OK)
      return true
    } catch {
      return false
    }
  })

const missing = Object.keys(programs).filter((program) => !isThere(program))

if (missing.length > 0) {
  process.stderr.write(
    `npm run image needs ${Object.keys(programs).join(", ")}, and found no ${missing.join(", no ")}: ` +
      `apt-get install ${[...new Set(missing.map((program) => programs[program]))].join(" ")}\n`
  )
  process.exitCode = 2
}
