/** The standalone executable of both scripts in `dist`, with what has to lie beside it. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Bun from "./bun.mjs"

const read = (name) => Fs.readFileSync(Path.join("dist", name), "utf8").replace(/^#!.*\n/, "")

/**
 * The plugin, which is the command if it is started by a name of the command, or with that name as its first argument.
 * Any other name is the plugin's: runtimes call it by its own, and a wrapped plugin by that of the plugin. The command
 * is a module of its own, so that the start of the plugin does not evaluate it.
 */
const plugin = () =>
  `"use strict";
var isNamed = process.argv[2] === "cni-passthrough";
if (isNamed || /(?:^|\\/)\\.?cni-passthrough(?:[-.][^/]*)?$/.test(process.argv0)) {
  if (isNamed) process.argv.splice(2, 1);
  var command = "/$bunfs/root/cni-passthrough.js";
  module.require(command);
} else {
${read("passthrough")}
}
`

/**
 * Packs the executable for a target into a folder: the file `passthrough`, and the link `cni-passthrough` to it,
 * unless `hasCommand` is false.
 */
export const pack = (target, folder, { hasCommand = true } = {}) => {
  const modules = { "passthrough": plugin(), "cni-passthrough": read("cni-passthrough") }
  Bun.pack(modules, target, Path.join(folder, "passthrough"))
  if (hasCommand) Fs.symlinkSync("passthrough", Path.join(folder, "cni-passthrough"))
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
