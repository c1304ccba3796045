/** Whether each plugin is a program that this host can start. */
import * as Path from "node:path"
import type { Check } from "../Check.ts"
import { foundAt, type Placed } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import type { PluginFact } from "../facts/Plugins.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as NearMiss from "../NearMiss.ts"
import * as PluginFields from "../PluginFields.ts"

/** Processors by ELF machine number. Source: ELF, `e_machine`. */
const machines: { readonly [machine: number]: string } = {
  3: "x86",
  20: "ppc",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86-64",
  183: "arm64",
  243: "riscv"
}

const nameOf = (machine: number): string => machines[machine] ?? `processor ${machine}`

/** The problem of a file, and its fix. */
const problemOf = (
  { candidates, file, format, hasInterpreter, isExecutable, type }: PluginFact,
  { cniPath, host, known }: Facts
): Pick<Found, "message" | "fix" | "evidence"> | undefined => {
  if (file === undefined) {
    const [other] = candidates
    if (other !== undefined) {
      return {
        message: other.kind === "dangling"
          ? `${other.path} is a symbolic link to a file that is not there`
          : `${other.path} is ${other.kind === "folder" ? "a folder" : "not a regular file"}, expected the plugin`,
        evidence: candidates.map(({ kind, path }) => `${path}: ${kind}`),
        fix: `install the plugin ${type} into ${Path.dirname(other.path)}`
      }
    }
    const names = [...known, ...PluginFields.types.filter((name) => !known.includes(name))]
    const near = NearMiss.nearest(type, names.filter((name) => name !== type))
    const isThere = near !== undefined && known.includes(near)
    return {
      message: `the plugin ${type} is not in ${cniPath.join(":")}${
        near === undefined ? "" : `: did you mean ${near}?`
      }`,
      evidence: [],
      fix: isThere
        ? `write "type": "${near}", or install ${type}`
        : `install the plugin ${type} into one of these folders, or name its folder with --cni-path`
    }
  }
  if (!isExecutable) {
    return {
      message: `${file} has no execute bit: no runtime can start it`,
      evidence: [],
      fix: Fix.run("make it executable", Fix.command("chmod +x", file))
    }
  }
  if (format?._tag === "Other") {
    return {
      message: format.start === ""
        ? `${file} is empty`
        : `${file} is neither a program nor a script that begins with "#!"`,
      evidence: format.start === "" ? [] : [`begins with ${JSON.stringify(format.start)}`],
      fix: `install the plugin ${type} again`
    }
  }
  if (format?._tag === "Elf" && host?.machine !== undefined && format.machine !== host.machine) {
    return {
      message: `${file} is for ${nameOf(format.machine)}, and this host is ${nameOf(host.machine)}`,
      evidence: [],
      fix: `install the plugin ${type} for ${nameOf(host.machine)}`
    }
  }
  if (!hasInterpreter && format !== undefined) {
    return {
      message: `${file} needs ${format.interpreter}, which is not there`,
      evidence: format._tag === "Script" ? [`#!${format.interpreter} ${format.argument}`.trim()] : [],
      fix: `install ${format.interpreter}, or a plugin that does not need it`
    }
  }
  return undefined
}

const isName = (type: string): boolean => /^[^/\s]+$/.test(type)

/** The first position of each type. */
export const firstOfEach = (plugins: ReadonlyArray<Placed>): ReadonlyArray<Placed> =>
  plugins.filter(({ type }, index) => isName(type) && plugins.findIndex((each) => each.type === type) === index)

export const pluginFile: Check = {
  id: "plugin-file",
  phase: "plugins",
  find: (facts) => {
    if (facts.plugins.size === 0) return { skipped: "no plugins were looked for" }
    return firstOfEach([...facts.chain, ...facts.delegates]).flatMap(({ at, file, type }) => {
      const fact = facts.plugins.get(type)
      const problem = fact === undefined ? undefined : problemOf(fact, facts)
      return problem === undefined ? [] : [foundAt(file, [...at, "type"], { level: "error", plugin: type, ...problem })]
    })
  }
}
