/** The standalone executable of both scripts in `dist`, with what has to lie beside it. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Notices from "../licences/notices.mjs"
import * as Parts from "../licences/parts.mjs"
import * as Bun from "./bun.mjs"
import * as Musl from "./musl.mjs"

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

/** What executables for these targets are made of besides packages of npm. Compilers for all processors are one version. */
export const parts = (targets) => {
  const musl = targets.find((target) => target.endsWith("-musl"))
  return Parts.inside(musl === undefined ? undefined : Musl.compilerVersion(musl.replace("-musl", "")))
}

/** Writes the licences of all that is in executables into their folder, and of further `parts` beside them. */
export const writeNotices = (folder, parts) => {
  const packages = Fs.readFileSync("dist/THIRD_PARTY_NOTICES", "utf8")
  Fs.writeFileSync(Path.join(folder, "THIRD_PARTY_NOTICES"), packages + Notices.ruler + Notices.text(parts))
}
