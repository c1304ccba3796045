/** Leftovers of containers that are gone, as text for people and as JSON for scripts. */
import * as Arr from "effect/Array"
import * as ContainerProcesses from "../doctor/facts/ContainerProcesses.ts"
import type { Kept, Leak } from "../doctor/Leaks.ts"
import * as Names from "../doctor/Names.ts"
import * as Escape from "../record/Escape.ts"
import * as LineWrap from "../render/terminal/LineWrap.ts"
import * as ShortIds from "../render/terminal/ShortIds.ts"
import type { Style } from "../render/terminal/Style.ts"
import * as DoctorLines from "./DoctorLines.ts"

/** The most lines to print by default, and how many of them are not leaks: the count of the rest, the sum, a prompt. */
const most = { lines: 60, others: 3 }

/** Whether a leak is a port mapping, which sends traffic of the host to an address that is gone. */
const isMapping = ({ kind, text }: Leak): boolean => kind === "rule" && / -j (?:CNI-DN-|DNAT)/.test(text)

/** From the most harmful to what only takes space. A reserved address is missing from its range. */
const order: ReadonlyArray<Leak["kind"]> = ["rule", "link", "reservation", "chain", "result"]

const gravity = (leak: Leak): number => isMapping(leak) ? -1 : order.indexOf(leak.kind)

/** A rule without the comment that names its container, and with its table in place of the command. */
const shortRule = (text: string): string =>
  text.replace(/ -m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+)/g, "")
    .replace(/^iptables -t (\S+) -A /, "$1 ")
    .replace(/^ip6tables -t (\S+) -A /, "IPv6 $1 ")

/** A leak on one line, cut to the width of the screen. The reason is dropped first. */
const line = (leak: Leak, { dim, red, width }: Style, isVerbose: boolean): string => {
  const isWhole = isVerbose || width === Number.POSITIVE_INFINITY
  const text = DoctorLines.bounded(isWhole ? leak.text : ShortIds.of(shortRule(leak.text)))
  const container = DoctorLines.bounded(Names.container(leak))
  const before = `${leak.kind.padEnd(11)}  `
  const whole = `(${container}: ${DoctorLines.bounded(leak.reason)})`
  const room = width - LineWrap.columns(before) - 2
  const isFitting = isWhole || LineWrap.columns(text) + LineWrap.columns(whole) <= room
  const after = isFitting ? whole : LineWrap.cut(`(${container})`, Math.floor(room / 2))
  const shown = isFitting ? text : LineWrap.cut(text, room - LineWrap.columns(after))
  return `${isMapping(leak) ? red(before) : before}${shown}  ${dim(after)}`
}

/** From the most harmful to the least. */
const sorted = <Kind extends Leak>(found: ReadonlyArray<Kind>): ReadonlyArray<Kind> =>
  found.toSorted((left, right) => gravity(left) - gravity(right))

/** The lines of leaks, the most harmful first, and a count of the leaks that do not fit. */
export const lines = (found: ReadonlyArray<Leak>, style: Style, isVerbose: boolean): ReadonlyArray<string> => {
  const room = Math.max(1, Math.min(most.lines, style.height ?? most.lines) - most.others)
  const shown = isVerbose || found.length <= room + 1 ? sorted(found) : sorted(found).slice(0, room)
  const more = found.length - shown.length
  return [
    ...shown.map((leak) => line(leak, style, isVerbose)),
    ...(more === 0 ? [] : [style.dim(`and ${more} more: --verbose prints all`)])
  ]
}

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

/** `4 rules, 2 chains, 1 result` */
export const sum = (leaks: ReadonlyArray<Leak>): string =>
  order.flatMap((kind) => {
    const count = leaks.filter((leak) => leak.kind === kind).length
    return count === 0 ? [] : [plural(count, kind)]
  }).join(", ")

/** The most containers to name for which something is kept back. */
const mostKept = 10

/** A line for each container for which processes keep something back. */
export const keptBack = (kept: ReadonlyArray<Kept>): ReadonlyArray<string> => {
  const containers = Object.values(Arr.groupBy(kept, ({ containerId, process }) => `${process.pid} ${containerId}`))
  const lines = containers.map((own) => {
    const [{ containerId, process }] = own
    return DoctorLines.bounded(
      `${sum(own)} of ${Names.container({ containerId })}: not listed, because ${ContainerProcesses.inWords(process)}`
    )
  })
  const more = lines.length - mostKept
  return more <= 0 ? lines : [...lines.slice(0, mostKept), `and ${more} more containers with leftovers kept back`]
}

/** Leftovers whose container a runtime still lists, so it is not gone. */
export interface Listed extends Leak {
  readonly runtime: string
}

/** A line for each runtime that lists containers of leftovers. */
export const listed = (all: ReadonlyArray<Listed>): ReadonlyArray<string> =>
  Object.entries(Arr.groupBy(all, ({ runtime }) => runtime)).map(([runtime, own]) =>
    DoctorLines.bounded(`${sum(own)}: not listed, because ${runtime} lists the container`)
  )

/** The result of inspecting the host. */
export interface Outcome {
  readonly found: ReadonlyArray<Leak>
  readonly kept: ReadonlyArray<Kept>
  readonly possible: ReadonlyArray<Leak>
  /** What is not known to have been left for long enough. */
  readonly recent: ReadonlyArray<Leak>
  readonly listed: ReadonlyArray<Listed>
}

const shown = ({ containerId, kind, reason, text }: Leak) => ({ kind, text, containerId, reason })

const members = ({ found, kept, listed, possible, recent }: Outcome) => ({
  leaks: sorted(found).map(shown),
  kept: sorted(kept).map(({ process: { name, pid }, ...leak }) => ({ ...shown(leak), process: { pid, name } })),
  possible: sorted(possible).map(shown),
  recent: sorted(recent).map(shown),
  listed: sorted(listed).map((leak) => ({ ...shown(leak), runtime: leak.runtime }))
})

/** What is left, what is kept back, and what unseen containers may use, as one JSON document. */
export const json = (outcome: Outcome): string => Escape.inJson(JSON.stringify(members(outcome), undefined, 2))

/** What one of many looks removed. */
export interface Removed extends Outcome {
  readonly outcomes: ReadonlyArray<{ readonly leak: Leak; readonly stays: string | undefined }>
}

/** One of many looks as a JSON document on one line: what was found, what of it was removed, or why it failed. */
export const jsonLine = (time: string, look: Removed | undefined, error: string | undefined): string => {
  const of = ({ outcomes, ...outcome }: Removed) => ({
    ...members(outcome),
    removed: outcomes.filter(({ stays }) => stays === undefined).map(({ leak }) => shown(leak)),
    stays: outcomes.flatMap(({ leak, stays }) => stays === undefined ? [] : [{ ...shown(leak), why: stays }])
  })
  return Escape.inJson(
    JSON.stringify({ time, ...(look === undefined ? {} : of(look)), ...(error === undefined ? {} : { error }) })
  )
}
