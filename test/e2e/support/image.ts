/** What the image of `npm run image` has in it, as a folder: the executables, and the C library of the command. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { command, plugin } from "../../support/plugin.ts"
import type * as Sandbox from "./sandbox.ts"

const libraries = process.arch === "x64"
  ? { loader: "/lib64/ld-linux-x86-64.so.2", folder: "/lib/x86_64-linux-gnu" }
  : { loader: "/lib/ld-linux-aarch64.so.1", folder: "/lib/aarch64-linux-gnu" }

/** Makes it, as `/tmp/container` of the sandbox. */
export const prepare = ({ tmp }: Sandbox.Sandbox): void => {
  const names = ["libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0"]
  const files = [libraries.loader, ...names.map((name) => Path.join(libraries.folder, name))]
  for (const file of files) {
    const copy = Path.join(tmp, "container", file)
    Fs.mkdirSync(Path.dirname(copy), { recursive: true })
    Fs.copyFileSync(file, copy)
  }
  Fs.copyFileSync(command, Path.join(tmp, "container/cni-passthrough"))
  Fs.copyFileSync(plugin, Path.join(tmp, "container/passthrough"))
}
