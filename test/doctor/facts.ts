/** Facts for checks: a host where all is right, and what a test changes of it. */
import * as Result from "effect/Result"
import * as Check from "../../src/doctor/Check.ts"
import * as Collect from "../../src/doctor/Collect.ts"
import * as ConfigFile from "../../src/doctor/ConfigFile.ts"
import type { Facts } from "../../src/doctor/Facts.ts"
import type { PluginFact } from "../../src/doctor/facts/Plugins.ts"
import * as Fix from "../../src/doctor/Fix.ts"

/** The facts of a configuration alone, given as its text or its value. */
export const ofFile = (config: string | object, path = "/etc/cni/net.d/10-n.conflist"): Facts => {
  const file = ConfigFile.make(path, typeof config === "string" ? config : JSON.stringify(config))
  return Collect.ofFile(file, [file])
}

/** A plugin that is there and speaks these versions. */
export const plugin = (type: string, fact: Partial<PluginFact> = {}): readonly [string, PluginFact] => [type, {
  type,
  candidates: [{ path: `/opt/cni/bin/${type}`, kind: "file" }],
  file: `/opt/cni/bin/${type}`,
  isExecutable: true,
  format: { _tag: "Elf", machine: 62, interpreter: undefined },
  hasInterpreter: true,
  versions: Result.succeed(["0.4.0", "1.0.0"]),
  ...fact
}]

/** What checks find: level, check, plugin, place and message, each on a line. */
export const found = (checks: ReadonlyArray<Check.Check>, facts: Facts): ReadonlyArray<string> =>
  Check.examine(checks, facts).findings.map(({ check, column, level, line, message, plugin }) =>
    `${level} ${check} ${plugin ?? "-"} ${line === undefined ? "" : `${line}:${column} `}${message}`
  )

/** What one check finds: of each finding its level, plugin and message, and then its evidence; or why it was skipped. */
export const said = (check: Check.Check, facts: Facts): string | ReadonlyArray<ReadonlyArray<string>> => {
  const answer = check.find(facts, new Set())
  return "skipped" in answer
    ? answer.skipped
    : answer.map(({ evidence, level, message, plugin }) => [`${level} ${plugin ?? "-"} ${message}`, ...evidence])
}

/** What mends the findings of a check: of each its text, its commands as lines, and what they cut. */
export const fixes = (check: Check.Check, facts: Facts): ReadonlyArray<ReadonlyArray<string>> => {
  const answer = check.find(facts, new Set())
  return ("skipped" in answer ? [] : answer).map(({ fix }) => Fix.of(fix)).map(({ commands, cuts, text }) => [
    text,
    ...commands.map(Fix.line),
    ...(cuts === undefined ? [] : [`cuts ${cuts}`])
  ])
}
