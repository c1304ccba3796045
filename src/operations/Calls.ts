/** The calls of one plugin in a log, each with everything from its records. */
import * as Json from "../json/Json.ts"
import type { ErrorRecord, Plugin, Record, RequestRecord, ResultRecord } from "../record/Record.ts"

/** One call of a plugin. */
export interface Call {
  readonly type: string
  readonly request: RequestRecord
  /** How the program ended; undefined if no record shows it. */
  readonly plugin: Plugin | undefined
  /** Undefined if it was not recorded, for instance after a SIGKILL. */
  readonly end: ResultRecord | ErrorRecord | undefined
}

interface Run {
  request?: RequestRecord
  plugin?: Plugin
  end?: ResultRecord | ErrorRecord
}

/**
 * The type of the called plugin. A plugin that another one started gets the configuration of its starter, and has its
 * own name as its label.
 */
const typeOf = ({ config = "", label, parent }: RequestRecord, plugin: Plugin | undefined): string | undefined => {
  if (plugin !== undefined) return plugin.type
  if (parent !== undefined) return label
  const members = Json.parse(config)
  const type = Json.isObject(members) && Object.hasOwn(members, "type") ? members["type"] : undefined
  return typeof type === "string" ? type : label
}

/** Takes records in any order, and collects the calls of one plugin. */
export class Calls {
  private readonly runs = new Map<string, Run>()
  private readonly seen = new Set<string>()
  private readonly wanted: string

  /** `wanted` is the type of the plugin. */
  constructor(wanted: string) {
    this.wanted = wanted
  }

  add(record: Record): void {
    const run = this.runs.get(record.invocation) ?? {}
    this.runs.set(record.invocation, run)
    if (record.event === "request") run.request ??= record
    else if (record.event === "plugin") run.plugin = record.plugin
    else if (record.event === "result" || record.event === "error") run.end = record
    if (run.request === undefined || run.end === undefined) return
    // Calls of other plugins are dropped, since a log may be large.
    const type = typeOf(run.request, run.plugin)
    if (type === this.wanted) return
    if (type !== undefined) this.seen.add(type)
    this.runs.delete(record.invocation)
  }

  /** The types of the plugins that were called, sorted. */
  types(): ReadonlyArray<string> {
    const open = [...this.runs.values()].flatMap(({ plugin, request }) =>
      request === undefined ? [] : typeOf(request, plugin) ?? []
    )
    return [...new Set([...this.seen, ...open])].sort()
  }

  /** The calls, newest first. Successful VERSION calls are left out, as in `show`. */
  newestFirst(): ReadonlyArray<Call> {
    const found: Array<Call> = []
    for (const { end, plugin, request } of this.runs.values()) {
      if (request === undefined || typeOf(request, plugin) !== this.wanted) continue
      if (request.command === "VERSION" && end?.event === "result") continue
      found.push({ type: this.wanted, request, plugin, end })
    }
    return found.reverse().sort(({ request: left }, { request: right }) =>
      left.time < right.time ? 1 : left.time > right.time ? -1 : 0
    )
  }
}
