/** Who wrote a rule, and when: what the plugins changed whose runs were logged with `wrap --changes`. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as LogFiles from "../log/LogFiles.ts"
import * as RecordLog from "../log/RecordLog.ts"
import type { Place as FactPlace } from "../network/Fact.ts"
import * as NftablesRuleset from "../network/NftablesRuleset.ts"
import * as Pod from "../operations/Pod.ts"
import type { Record } from "../record/Record.ts"
import type { Hop } from "./Journey.ts"

/** A run of a plugin. */
export interface Author {
  readonly plugin: string
  readonly command: string
  readonly network: string
  readonly containerId: string
  /** The pod in its arguments, if they name one. */
  readonly pod: string | undefined
  /** When the plugin ended: RFC 3339. */
  readonly time: string
}

/** Where a rule is: on the host, or in the container with this ID. */
export interface Scope {
  readonly place: FactPlace
  /** Undefined for the host. */
  readonly containerId: string | undefined
}

/** A fact as records have it: its kind, and how its line looks. */
export interface Wanted extends Scope {
  readonly kind: "iptables" | "nftables"
  readonly matches: (line: string) => boolean
}

/** The fact in the log that a hop is about. */
export const wantedFor = ({ chain, rule, verdict }: Hop, scope: Scope): Wanted => {
  const { family, name, table } = chain
  // A record numbers equal rules.
  const equals = (text: string) => (line: string) => line === text || line.replace(/ #\d+$/, "") === text
  if (rule?.iptables !== undefined) {
    return { ...scope, kind: "iptables", matches: equals(`${family} ${table} ${rule.iptables}`) }
  }
  if (rule !== undefined) {
    return { ...scope, kind: "nftables", matches: equals(`rule ${family} ${table} ${name} ${rule.text}`) }
  }
  return NftablesRuleset.isOfIptables(`${family} ${table}`)
    ? { ...scope, kind: "iptables", matches: equals(`${family} ${table} -P ${name} ${verdict.toUpperCase()}`) }
    : {
      ...scope,
      kind: "nftables",
      matches: (line) => line.startsWith(`chain ${family} ${table} ${name} `) && line.includes(`policy ${verdict}`)
    }
}

/** What is known of a run while its records are read. */
interface Run {
  readonly plugin: string
  readonly pod: string | undefined
}

/** Collects from records who last made a fact. */
export class Search {
  private readonly runs = new Map<string, Run>()
  private readonly wanted: Wanted
  private readonly since: number
  /** The last change of each line that is wanted: equal rules have their numbers. */
  private readonly changes = new Map<string, { readonly isAdded: boolean; readonly record: Record }>()

  /** `since` is when the kernel started, in milliseconds: no rule is older. */
  constructor(wanted: Wanted, since: number) {
    this.wanted = wanted
    this.since = since
  }

  private change(line: string, isAdded: boolean, record: Record): void {
    const known = this.changes.get(line)
    if (known === undefined || known.record.time <= record.time) this.changes.set(line, { isAdded, record })
  }

  add(record: Record): void {
    const { invocation } = record
    const known = this.runs.get(invocation)
    if (record.event === "request") {
      this.runs.set(invocation, { plugin: known?.plugin ?? record.label ?? "", pod: Pod.of(record.args ?? "") })
    } else if (record.event === "plugin") {
      this.runs.set(invocation, { plugin: record.plugin.type, pod: known?.pod })
    } else if (record.event === "changes") {
      const { containerId, kind, matches, place } = this.wanted
      if (Date.parse(record.time) < this.since) return
      if (place === "container" && (containerId === undefined || record.containerId !== containerId)) return
      const facts = record.changes[place]?.[kind]
      for (const line of facts?.removed.filter(matches) ?? []) this.change(line, false, record)
      for (const line of facts?.added.filter(matches) ?? []) this.change(line, true, record)
    }
  }

  author(): Author | undefined {
    const added = [...this.changes.values()].flatMap(({ isAdded, record }) => isAdded ? [record] : [])
    const [record] = added.toSorted((left, right) => right.time < left.time ? -1 : right.time > left.time ? 1 : 0)
    if (record === undefined) return undefined
    const { command = "", containerId = "", invocation, label = "", network = "", time } = record
    const run = this.runs.get(invocation)
    return { plugin: run?.plugin || label || "a plugin", command, network, containerId, pod: run?.pod, time }
  }
}

/** When the kernel started, in milliseconds; 0 if it does not say. */
const bootTime = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const stat = yield* Effect.orElseSucceed(fs.readFileString("/proc/stat"), () => "")
  return Number(/^btime (\d+)$/m.exec(stat)?.[1] ?? 0) * 1000
})

/** Reads logs, which may be patterns. Undefined if they do not have it, or none can be read. */
export const find = Effect.fnUntraced(
  function*(hop: Hop, scope: Scope, logs: ReadonlyArray<string>) {
    const search = new Search(wantedFor(hop, scope), yield* bootTime)
    for (const file of (yield* Effect.forEach(logs, LogFiles.matching)).flat()) {
      yield* Effect.ignore(RecordLog.readFile(file, (record) => search.add(record)))
    }
    return search.author()
  },
  Effect.orElseSucceed((): Author | undefined => undefined)
)
