/** The texts of licences, by their SPDX identifiers. */
import * as Fs from "node:fs"

/** The identifiers in an expression, each once. */
export const identifiers = (expressions) =>
  [...new Set(expressions.flatMap((text) => text.split(/ (?:AND|OR|WITH) /)))].sort()

/** A text of the list of SPDX. */
const listed = (identifier) =>
  JSON.parse(Fs.readFileSync(`node_modules/spdx-license-list/licenses/${identifier}.json`, "utf8")).licenseText

/** Those whose text the list has under another identifier, or not at all. */
const others = {
  "LLVM-exception": () => Fs.readFileSync(".ci/licences/LLVM-exception.txt", "utf8"),
  "GCC-exception-3.1": () => listed("GPL-3.0-with-GCC-exception").replace("insert GPL v3 text here", "")
}

/** Breaks the lines of a text that are longer than `width`. */
export const wrapped = (text, width) =>
  text.split("\n").map((line) =>
    line.trimEnd().replaceAll(new RegExp(`(?=.{${width},})(.{1,${width}}) +`, "g"), "$1\n")
  )
    .join("\n")

/** The text of a licence, with short lines. */
export const text = (identifier) => wrapped((others[identifier] ?? (() => listed(identifier)))().trim(), 78)
