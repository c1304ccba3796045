/** Builds as the build script makes them. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { repository } from "./plugin.ts"

/** Builds and packs the sources in the `src` of a folder, with our build script and packages. */
export const buildIn = (folder: string): void => {
  for (const name of ["esbuild.config.mjs", "package.json", "package-lock.json", "tsconfig.json"]) {
    Fs.copyFileSync(Path.join(repository, name), Path.join(folder, name))
  }
  Fs.cpSync(Path.join(repository, ".ci"), Path.join(folder, ".ci"), { recursive: true })
  Fs.symlinkSync(Path.join(repository, "node_modules"), Path.join(folder, "node_modules"))
  ChildProcess.execFileSync(process.execPath, ["--preserve-symlinks", "esbuild.config.mjs", "--standalone"], {
    cwd: folder
  })
}
