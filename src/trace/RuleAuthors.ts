/** Who wrote a rule, and when: what the plugins changed whose runs were logged with `wrap --changes`. */
import * as Effect from "effect/Effect"
import * as LogFiles from "../log/LogFiles.ts"
import * as RecordLog from "../log/RecordLog.ts"
import type { Place as FactPlace } from "../network/Fact.ts"
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

/** A fact as records have it: its kind, and how its line looks. */
export interface Wanted {
  readonly place: FactPlace
  readonly kind: "iptables" | "nftables"
  readonly matches: (line: string) => boolean
}

const iptablesTables = new Set(["filter", "nat", "mangle", "raw", "security"])

const isOfIptables = ({ family, table }: Hop["chain"]): boolean => /^ip6?$/.test(family) && iptablesTables.has(table)

/** The fact in the log that a hop is about. */
export const wantedFor = ({ chain, rule, verdict }: Hop, place: FactPlace): Wanted => {
  const { family, name, table } = chain
  // A record numbers equal rules.
  const equals = (text: string) => (line: string) => line === text || line.replace(/ #\d+$/, "") === text
  if (rule?.iptables !== undefined) {
    return { place, kind: "iptables", matches: equals(`${family} ${table} ${rule.iptables}`) }
  }
  if (rule !== undefined) {
    return { place, kind: "nftables", matches: equals(`rule ${family} ${table} ${name} ${rule.text}`) }
  }
  return isOfIptables(chain)
    ? { place, kind: "iptables", matches: equals(`${family} ${table} -P ${name} ${verdict.toUpperCase()}`) }
    : {
      place,
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
  private found: { readonly invocation: string; readonly record: Record } | undefined

  constructor(wanted: Wanted) {
    this.wanted = wanted
  }

  add(record: Record): void {
    const { invocation } = record
    const known = this.runs.get(invocation)
    if (record.event === "request") {
      this.runs.set(invocation, { plugin: known?.plugin ?? record.label ?? "", pod: Pod.of(record.args ?? "") })
    } else if (record.event === "plugin") {
      this.runs.set(invocation, { plugin: record.plugin.type, pod: known?.pod })
    } else if (record.event === "changes") {
      const { kind, matches, place } = this.wanted
      const isHere = record.changes[place]?.[kind]?.added.some(matches) === true
      if (isHere && (this.found === undefined || this.found.record.time <= record.time)) {
        this.found = { invocation, record }
      }
    }
  }

  author(): Author | undefined {
    if (this.found === undefined) return undefined
    const { invocation, record } = this.found
    const { command = "", containerId = "", label = "", network = "", time } = record
    const run = this.runs.get(invocation)
    return { plugin: run?.plugin || label || "a plugin", command, network, containerId, pod: run?.pod, time }
  }
}

/** Reads logs, which may be patterns. Undefined if they do not have it, or none can be read. */
export const find = Effect.fnUntraced(
  function*(hop: Hop, place: FactPlace, logs: ReadonlyArray<string>) {
    const search = new Search(wantedFor(hop, place))
    for (const file of (yield* Effect.forEach(logs, LogFiles.matching)).flat()) {
      yield* Effect.ignore(RecordLog.readFile(file, (record) => search.add(record)))
    }
    return search.author()
  },
  Effect.orElseSucceed((): Author | undefined => undefined)
)
