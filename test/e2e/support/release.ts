/** What `npm run release` makes, in a folder of the test. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { path, repository } from "../../support/plugin.ts"

/** Makes the release in the folder `to`. The arguments are targets and flags. */
export const release = (to: string, ...args: ReadonlyArray<string>): void => {
  ChildProcess.execFileSync(process.execPath, [".ci/release/release.mjs", "--to", to, ...args], {
    cwd: repository,
    env: { ...process.env, ...time, PATH: path },
    stdio: ["ignore", "ignore", "inherit"]
  })
}

/** The time that all files of a release get. */
const time = { SOURCE_DATE_EPOCH: "1790000000" }

/** A copy of this repository in a folder, as a user with a strict umask gets it, with nothing built. */
export const cloneInto = (folder: string): void => {
  const tracked = ChildProcess.execFileSync("git", ["ls-files", "-z"], { cwd: repository, encoding: "utf8" })
  for (const name of tracked.split("\0").filter((name) => name !== "")) {
    Fs.cpSync(Path.join(repository, name), Path.join(folder, name))
  }
  ChildProcess.execFileSync("chmod", ["-R", "go=", folder])
  // A symbolic link would be another path to the build: it follows them. Copies are for another file system.
  const packages = [Path.join(repository, "node_modules"), folder]
  const { status } = ChildProcess.spawnSync("cp", ["--archive", "--link", ...packages], { stdio: "ignore" })
  if (status !== 0) ChildProcess.execFileSync("cp", ["--archive", ...packages])
  Fs.utimesSync(Path.join(folder, "package-lock.json"), 0, 0) // the packages are installed
}

/** Runs a program in such a copy as a user with other settings, in another part of the world. */
export const elsewhere = (folder: string, program: string, ...args: ReadonlyArray<string>): void => {
  ChildProcess.execFileSync("sh", ["-c", "umask 077; exec \"$@\"", "sh", program, ...args], {
    cwd: folder,
    env: { ...time, PATH: path, HOME: folder, TZ: "Asia/Kathmandu", LC_ALL: "tr_TR.UTF-8", FORCE_COLOR: "1" },
    stdio: ["ignore", "ignore", "inherit"]
  })
}

/** Unpacks a tarball into a folder, without the folder that it has at its top. */
export const unpack = (tarball: string, folder: string): void => {
  ChildProcess.execFileSync("tar", ["-C", folder, "--strip-components=1", "-xzf", Path.resolve(tarball)])
}
