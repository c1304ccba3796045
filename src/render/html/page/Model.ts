/** The report as the page uses it: operations in groups, the filters on them, and the records. */
import type { Operation, Report, Step } from "../PageData.ts"

/** What to show. Empty members do not filter. */
export interface Filter {
  readonly text: string
  readonly network: string
  readonly verb: string
  readonly plugin: string
  /** A local date and time, in the format of input elements. */
  readonly since: string
  readonly until: string
  readonly failed: boolean
}

/** Shows everything. */
export const everything: Filter = { text: "", network: "", verb: "", plugin: "", since: "", until: "", failed: false }

/** An operation, with what filters compare. */
export interface Entry {
  readonly id: number
  readonly operation: Operation
  /** In milliseconds since 1970. */
  readonly time: number
  /** The pod, or the container if there is none. */
  readonly group: string
  readonly plugins: ReadonlySet<string>
  readonly networks: ReadonlySet<string>
}

const stepsOf = (steps: ReadonlyArray<Step>): ReadonlyArray<Step> =>
  steps.flatMap((step) => [step, ...stepsOf(step.nested ?? [])])

/** The value of a key of CNI_ARGS. */
const argument = (args: string, key: string): string | undefined =>
  args.split(";").find((pair) => pair.startsWith(`${key}=`))?.slice(key.length + 1)

/** Shortens a container ID to the part that people know. */
export const shortId = (id: string): string => /^[0-9a-f]{64}$/.test(id) ? id.slice(0, 12) : id

const groupOf = ({ args = "", containerId }: Operation): string => {
  const name = argument(args, "K8S_POD_NAME")
  const namespace = argument(args, "K8S_POD_NAMESPACE")
  if (name !== undefined && name !== "") return namespace ? `${namespace}/${name}` : name
  return containerId === undefined ? "no container" : shortId(containerId)
}

const entryOf = (operation: Operation, id: number): Entry => {
  const steps = stepsOf(operation.steps)
  return {
    id,
    operation,
    time: Date.parse(operation.time),
    group: groupOf(operation),
    plugins: new Set(steps.map(({ title }) => title)),
    networks: new Set([operation.network, ...steps.map(({ network }) => network)].filter((it) => it !== undefined))
  }
}

/** The text of an element that contains JSON. */
const embedded = (id: string): string => document.getElementById(id)?.textContent ?? "null"

const report: Report = JSON.parse(embedded("report"))

/** The texts of all records. */
export const records: ReadonlyArray<string> = JSON.parse(embedded("records"))

/** The findings of doctor; undefined if it did not run. */
export const findings = report.findings

/** The packets that trace followed; undefined if it did not run. */
export const traces = report.traces

/** All operations, in the order of time. */
export const entries: ReadonlyArray<Entry> = report.operations.map(entryOf)

const sorted = (values: ReadonlyArray<string | undefined>): ReadonlyArray<string> =>
  [...new Set(values)].filter((value): value is string => value !== undefined && value !== "").sort()

/** The options of the filters. */
export const choices = {
  networks: sorted(entries.flatMap(({ networks }) => [...networks])),
  verbs: sorted(entries.map(({ operation }) => operation.command)),
  plugins: sorted(entries.flatMap(({ plugins }) => [...plugins]))
}

/** A record contains the search text literally, or as escaped in a JSON string. */
const wordsIn = (text: string): ReadonlyArray<string> => {
  const word = text.toLowerCase()
  return [...new Set([word, JSON.stringify(word).slice(1, -1)])]
}

const texts = new Map<number, string>()

/** All searchable text of an operation. */
const textOf = ({ group, id, operation }: Entry): string => {
  const known = texts.get(id)
  if (known !== undefined) return known
  const own = stepsOf(operation.steps).flatMap((step) => (step.records ?? []).map((index) => records[index] ?? ""))
  const text = [group, operation.failure ?? "", ...own].join("\n").toLowerCase()
  texts.set(id, text)
  return text
}

/** The operations that a filter selects. A successful VERSION is selected only by its verb, as in `show`. */
export const matching = ({ failed, network, plugin, since, text, until, verb }: Filter): ReadonlyArray<Entry> => {
  const words = text.trim() === "" ? [] : wordsIn(text.trim())
  const from = since === "" ? Number.NEGATIVE_INFINITY : Date.parse(since)
  const to = until === "" ? Number.POSITIVE_INFINITY : Date.parse(until)
  return entries.filter((entry) => {
    const { networks, operation: { command, hasFailed }, plugins, time } = entry
    return (verb === "" ? command !== "VERSION" || hasFailed : command === verb) &&
      (!failed || hasFailed) &&
      (network === "" || networks.has(network)) &&
      (plugin === "" || plugins.has(plugin)) &&
      (Number.isNaN(time) || (time >= from && time <= to)) &&
      (words.length === 0 || words.some((word) => textOf(entry).includes(word)))
  })
}

/** A line of the list. */
export type Item =
  | { readonly kind: "section"; readonly title: string; readonly count: number }
  | { readonly kind: "group"; readonly title: string; readonly id: string }
  | { readonly kind: "operation"; readonly entry: Entry }

const grouped = (list: ReadonlyArray<Entry>): ReadonlyArray<Item> => {
  const groups = new Map<string, Array<Entry>>()
  for (const entry of list) {
    const known = groups.get(entry.group)
    if (known === undefined) groups.set(entry.group, [entry])
    else known.push(entry)
  }
  return [...groups].flatMap(([title, members]): ReadonlyArray<Item> => {
    const ids = sorted(members.map(({ operation }) => shortId(operation.containerId ?? "")))
    return [
      { kind: "group", title, id: ids.filter((id) => id !== title).join(", ") },
      ...members.map((entry): Item => ({ kind: "operation", entry }))
    ]
  })
}

/** The lines of the list: failed operations first, and in each section those of one pod or container together. */
export const itemsOf = (list: ReadonlyArray<Entry>): ReadonlyArray<Item> =>
  ([["Failed", true], ["Went well", false]] as const).flatMap(([title, hasFailed]): ReadonlyArray<Item> => {
    const members = list.filter(({ operation }) => operation.hasFailed === hasFailed)
    return members.length === 0 ? [] : [{ kind: "section", title, count: members.length }, ...grouped(members)]
  })

const isBad = ({ state }: Step): boolean => state !== "done" && state !== "unseen"

const isIn = ({ records: own = [] }: Step, words: ReadonlyArray<string>): boolean =>
  own.some((index) => words.some((word) => records[index]?.toLowerCase().includes(word)))

/**
 * The step to show first: one that contains the search text, or the innermost that failed, or one with a failed hook,
 * or else the first.
 */
export const mostTelling = (steps: ReadonlyArray<Step>, search: string): Step | undefined => {
  const all = stepsOf(steps)
  const found = search === "" ? undefined : all.find((step) => isIn(step, wordsIn(search)))
  if (found !== undefined) return found
  const bad = all.filter(isBad)
  return bad.find(({ nested = [] }) => !stepsOf(nested).some(isBad)) ??
    all.find(({ hooks = [] }) => hooks.some(({ failure }) => failure !== undefined)) ?? all[0]
}
