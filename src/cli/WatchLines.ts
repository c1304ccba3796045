/** What `watch` reports, as text for people and as JSON for scripts. */
import * as Arr from "effect/Array"
import * as Names from "../doctor/Names.ts"
import * as AttachmentIdentity from "../operations/AttachmentIdentity.ts"
import * as StateChanges from "../operations/StateChanges.ts"
import * as Escape from "../record/Escape.ts"
import * as LineWrap from "../render/terminal/LineWrap.ts"
import * as LocalTime from "../render/terminal/LocalTime.ts"
import * as ShortIds from "../render/terminal/ShortIds.ts"
import type { Style } from "../render/terminal/Style.ts"
import type * as Author from "../watch/Author.ts"
import type * as Event from "../watch/Event.ts"
import type * as PluginRun from "../watch/PluginRun.ts"

/** The most changes that are listed one by one, processes, and flows; the most characters of a command line. */
const most = { changes: 12, processes: 3, parents: 2, flows: 20, characters: 80 }

const count = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ",")

const cut = (text: string): string => text.length > most.characters ? `${text.slice(0, most.characters)}…` : text

const processText = ({ commandLine, name, pid }: Author.Process): string => {
  const [program = name, ...args] = commandLine ?? []
  const words = [program.replace(/^.*\/(?=.)/, ""), ...args].join(" ").replace(/\s+/g, " ")
  return `${cut(words)} (process ${pid})`
}

/** Up to some texts, and a count of the rest. */
const listed = (texts: ReadonlyArray<string>, most: number, between = ", "): string =>
  texts.length <= most
    ? texts.join(between)
    : `${texts.slice(0, most).join(between)} and ${count(texts.length - most)} more`

const parentsText = ({ parents }: Author.Author): string =>
  parents.length === 0 ? "" : `, started by ${parents.slice(0, most.parents).map(processText).join(", by ")}`

const authorText = (by: Event.Change["by"], isOneOf: boolean): string => {
  const [first] = by
  if (first === undefined) return "unknown process"
  const processes = listed(
    by.map((author) => `${processText(author)}${isOneOf ? parentsText(author) : ""}`),
    most.processes
  )
  return isOneOf ? `one of: ${processes}` : `${processes}${parentsText(first)}`
}

/** `ADD of bridge for shop/web on pods` */
const runText = ({ command, containerId = "", ifname, network, plugin, pod }: PluginRun.PluginRun): string =>
  [
    command,
    plugin === undefined ? undefined : `of ${plugin}`,
    containerId === ""
      ? undefined
      : `for ${ifname === undefined ? "" : `${ifname} of `}${Names.container({ containerId, pod })}`,
    network === undefined ? undefined : `on ${network}`
  ].filter((part) => part !== undefined).join(" ")

/** Which plugin did it, as far as that is known. */
const pluginText = ({ by, during }: Pick<Event.Change, "by" | "during">): string => {
  const [own] = by.flatMap(({ plugin }) => plugin ?? [])
  if (own !== undefined && by.every(({ plugin }) => plugin !== undefined)) {
    const logged = during?.find((run) => run.containerId === own.containerId && run.command === own.command)
    return `a plugin: ${runText({ ...logged, ...own })}`
  }
  if (by.length > 0 && by.every(({ isNoPlugin }) => isNoPlugin)) return "not a plugin"
  if (during === undefined) return ""
  return during.length === 0 ? "no wrapped plugin was running" : `during ${listed(during.map(runText), 3, " and ")}`
}

const totalText = ([sort, { added, removed }]: readonly [string, Event.Totals[string]]): string => {
  const name = added + removed === 1 ? sort.replace(/ies$/, "y").replace(/(?<=[^s])s$/, "") : sort
  if (removed === 0 || added === 0) return `${count(added + removed)} ${name}`
  return `${count(removed)} ${name} → ${count(added)}`
}

/** A burst in one line. */
const foldedText = ({ tables, totals }: Event.Change): string =>
  `${listed(Object.entries(totals).map(totalText), 6)}${tables.length === 0 ? "" : ` in ${listed(tables, 4)}`}`

type FlowGroup = readonly [Event.Flow, ...ReadonlyArray<Event.Flow>]

/** The flows of each attachment that share a check. They get one line, with the reason of the first. */
const groupsOf = (flows: ReadonlyArray<Event.Flow>, isFull: boolean): ReadonlyArray<FlowGroup> =>
  isFull
    ? flows.map((flow): FlowGroup => [flow])
    : Object.values(
      Arr.groupBy(flows, ({ check, containerId, ifname, network }) =>
        JSON.stringify([network, containerId, ifname, check]))
    )

/** Draws events in one style. */
export const make = (style: Style, isFull: boolean) => {
  const { bold, dim, green, red, width, yellow } = style
  const signs = { added: green("+"), removed: red("-"), changed: yellow("~") }
  const shown = (text: string) => Escape.inLine(isFull ? text : ShortIds.of(text))
  const timeText = (time: string) => LocalTime.ofRecord(time, style.minutesEast).slice(11, 23)
  /** A line after a time, or after a gutter of the same width. */
  const under = (gutter: string, text: string, paint = (text: string) => text): ReadonlyArray<string> => {
    const room = Math.max(20, width - LineWrap.columns(gutter))
    return LineWrap.lines(text, room).map((line, index) =>
      `${index === 0 ? gutter : " ".repeat(LineWrap.columns(gutter))}${paint(line)}`
    )
  }
  const heading = (time: string, author: string, plugin: string): ReadonlyArray<string> => {
    const text = shown(`${author}${plugin === "" ? "" : ` · ${plugin}`}`)
    return under(`${timeText(time)}  `, text, bold).map((line, index) =>
      index === 0 ? `${dim(line.slice(0, 12))}${line.slice(12)}` : line
    )
  }
  const gutter = " ".repeat(14)

  const ofChange = (event: Event.Change): ReadonlyArray<string> => {
    const size = Object.values(event.totals).reduce((sum, { added, removed }) => sum + added + removed, 0)
    const all = Object.values(event.totals)
    const sign = all.every(({ removed }) => removed === 0)
      ? "added"
      : all.every(({ added }) => added === 0)
      ? "removed"
      : "changed"
    const sentences = !isFull && size > most.changes
      ? [{ kind: sign, what: foldedText(event) } as const]
      : StateChanges.describe(event, AttachmentIdentity.of([]))
    return [
      ...heading(event.time, authorText(event.by, event.isOneOf), pluginText(event)),
      ...sentences.flatMap(({ kind, what }) =>
        under(gutter, shown(what)).map((line, index) =>
          index === 0 ? `${line.slice(0, 14)}${signs[kind]} ${line.slice(14)}` : `  ${line}`
        )
      )
    ]
  }
  const ofCounted = ({ by, chains, during, isAsBefore, time }: Event.Counted): ReadonlyArray<string> => [
    ...heading(time, authorText(by, false), pluginText({ by, ...(during === undefined ? {} : { during }) })),
    ...under(
      gutter,
      shown(
        `~ ${
          listed(
            Object.entries(chains).map(([chain, { added, removed }]) =>
              `${chain}: ${count(added)} added, ${count(removed)} removed`
            ),
            4,
            "; "
          )
        }${isAsBefore ? "; the rules are as before, or in another order" : "; the rules could not be listed"}`
      )
    )
  ]
  const flowsText = ([first, ...others]: FlowGroup): string => {
    const { flow, reason, ...attachment } = first
    const flows = [flow, ...others.map((other) => other.flow)].join(", ")
    return `${shown(`${flows} of ${Names.container(attachment)}`)}${
      reason === undefined ? "" : dim(shown(`: ${reason}`))
    }`
  }
  const ofFlows = ({ cuts, restores, time }: Event.Flows): ReadonlyArray<string> => {
    const [cut, restored] = [groupsOf(cuts, isFull), groupsOf(restores, isFull)]
    const groups = [
      ...cut.slice(0, most.flows).map((group) => ["cuts:     ", red, group] as const),
      ...restored.slice(0, most.flows).map((group) => ["restores: ", green, group] as const)
    ]
    return groups.flatMap(([word, colour, group], index) =>
      LineWrap.lines(flowsText(group), Math.max(20, width - 24)).map((line, part) =>
        part > 0
          ? `${" ".repeat(24)}${line.trimStart()}`
          : `${index === 0 ? dim(timeText(time)) : " ".repeat(12)}  ${colour(word)}${line}`
      )
    ).concat(
      groups.length < cut.length + restored.length
        ? [dim(`${gutter}and ${cut.length + restored.length - groups.length} more: --json has all`)]
        : []
    )
  }
  return {
    /** The lines of an event. */
    lines: (event: Event.Event): ReadonlyArray<string> => {
      switch (event.event) {
        case "change":
          return ofChange(event)
        case "counted":
          return ofCounted(event)
        case "flows":
          return ofFlows(event)
        case "note":
          return under(`${timeText(event.time)}  `, shown(`! ${event.message}`), yellow)
      }
    }
  }
}

/** An event as one JSON document on a line. */
export const json = (event: Event.Event): string => Escape.inJson(JSON.stringify(event))
