/** The standalone executables of both scripts in `dist`, with what has to lie beside them. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Bun from "./bun.mjs"

/** The scripts, with options for Bun. */
const scripts = {
  // The working directory of a plugin need not exist: without this Bun ends in a deleted one before our first line.
  "passthrough": { keepsLimits: true, options: ["--compile-exec-argv=--cwd=/"] },
  "cni-passthrough": {}
}

/** Packs the executables for a target into a folder. */
export const pack = (target, folder, names = Object.keys(scripts)) => {
  for (const name of names) Bun.pack(Path.join("dist", name), target, Path.join(folder, name), scripts[name])
  const library = Bun.libraryFor(target)
  if (library !== undefined) Fs.copyFileSync(library, Path.join(folder, Path.basename(library)))
}

const ruler = `\n${"-".repeat(80)}\n\n`

const noticeOfBun = () =>
  `Bun ${Bun.version()} (MIT)

The executable contains Bun, and with it JavaScriptCore (LGPL-2.1) and other libraries. Their licences and how to link
against another JavaScriptCore: https://bun.com/docs/project/licensing

.libstdc++.so, beside executables for musl, is a part of GCC's libstdc++ and libgcc (GPL-3.0 with the GCC Runtime Library
Exception).
`

/** Writes the licences of all that is in the executables into their folder. */
export const writeNotices = (folder) => {
  const file = Path.join(folder, "THIRD_PARTY_NOTICES")
  Fs.writeFileSync(file, Fs.readFileSync("dist/THIRD_PARTY_NOTICES", "utf8") + ruler + noticeOfBun())
}
