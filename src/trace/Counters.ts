/** Counters of the kernel that rise where it drops a packet without any rule. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ToolOutput from "../exec/ToolOutput.ts"

/** Values by name, such as `TcpExtIPReversePathFilter`. */
export type Counters = ReadonlyMap<string, number>

/** Reads the tables of /proc/net: pairs of a line with names and one with values, or one name and value a line. */
export const parse = (text: string): Counters => {
  const found = new Map<string, number>()
  const lines = text.split("\n")
  for (const [index, line] of lines.entries()) {
    const [, table, rest = ""] = /^(\w+): (.*)$/.exec(line) ?? []
    if (table === undefined) {
      const [, name, value] = /^(\w+)\s+(\d+)$/.exec(line) ?? []
      if (name !== undefined) found.set(name, Number(value))
      continue
    }
    const values = lines[index + 1]?.startsWith(`${table}: `) === true
      ? lines[index + 1]?.split(" ").slice(1) ?? []
      : []
    const names = rest.split(" ")
    if (!names.every((name) => /^[A-Za-z]/.test(name))) continue
    for (const [at, name] of names.entries()) found.set(`${table}${name}`, Number(values[at] ?? 0))
  }
  return found
}

const files = ["netstat", "snmp", "snmp6"].map((name) => `/proc/self/net/${name}`)

/** Reads the counters of the namespace at a path, or of ours; none if that fails. */
export const read = (netns: string | undefined) =>
  Effect.map(
    ToolOutput.of(["cat", ...files], { netns, isLenient: true }),
    (output): Counters => parse(Result.getOrElse(output, () => ""))
  )

/** How much each of these counters rose; only those that did. */
export const risen = (before: Counters, after: Counters): Counters =>
  new Map([...after].flatMap(([name, value]) => {
    const difference = value - (before.get(name) ?? 0)
    return difference > 0 ? [[name, difference] as const] : []
  }))
