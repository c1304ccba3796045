/** The differences between two operations, as lines for people, or as one JSON object for scripts. */
import * as Comparison from "../../operations/Comparison.ts"
import type * as Operation from "../../operations/Operation.ts"
import * as Escape from "../../record/Escape.ts"
import * as Summary from "../../record/Summary.ts"
import * as LineWrap from "./LineWrap.ts"
import * as LocalTime from "./LocalTime.ts"
import * as ShortIds from "./ShortIds.ts"
import type { Style } from "./Style.ts"

/** An operation and its log. */
export interface Sided {
  readonly log: string
  readonly operation: Operation.Operation
}

/** How many differences of one section are drawn, and how many characters of each. */
const limit = { differences: 50, characters: 1000 }

/** Draws differences in one style. */
export const make = (style: Style) => {
  const { bold, dim, green, red, yellow } = style
  const marks = {
    removed: { sign: "-", colour: red },
    added: { sign: "+", colour: green },
    changed: { sign: "~", colour: yellow }
  }
  const plain = (text: string) => text
  const line = (text: string, colour = plain): ReadonlyArray<string> => {
    const shown = ShortIds.of(text)
    const bounded = shown.length > limit.characters ? `${shown.slice(0, limit.characters)}…` : shown
    return LineWrap.lines(Escape.inLine(bounded), style.width).map(colour)
  }

  /** Identifies an operation: `- ADD eth0 of 5c01f03d8d6d on podman  2026-11-24 10:00:00.000 +00:00  good.jsonl`. */
  const who = ({ log, operation: { request, time } }: Sided, kind: "added" | "removed"): ReadonlyArray<string> => {
    const { colour, sign } = marks[kind]
    return line(
      `${sign} ${Summary.operation(request)}  ${LocalTime.ofRecord(time, style.minutesEast)}  ${log}`,
      (text) => bold(colour(text))
    )
  }

  const section = (name: string, list: Comparison.Comparison["results"]): ReadonlyArray<string> =>
    list.length === 0 ? [] : [
      ...line(name, bold),
      ...list.slice(0, limit.differences).flatMap(({ kind, what }) =>
        line(`  ${marks[kind].sign} ${what}`, marks[kind].colour)
      ),
      ...(list.length > limit.differences ? line(`  … ${list.length - limit.differences} more`, dim) : [])
    ]

  return {
    /** Two operations and their differences. */
    pair: (first: Sided, second: Sided, comparison: Comparison.Comparison): ReadonlyArray<string> => [
      ...who(first, "removed"),
      ...who(second, "added"),
      ...Comparison.sections.flatMap((name) => section(name, comparison[name])),
      ...(Comparison.isDifferent(comparison) ? [] : line("no difference")),
      ...comparison.notes.flatMap((note) => line(note, dim))
    ],
    /** An operation without a partner. */
    alone: (one: Sided, kind: "added" | "removed"): ReadonlyArray<string> => [
      ...who(one, kind),
      ...line("the other log has no such operation on this network")
    ]
  }
}

const name = ({ log, operation: { request, time } }: Sided) => {
  const { command, containerId, ifname, network } = request
  return { log, command, containerId, ifname, network, time }
}

/** Two operations and their differences, as a member of a JSON document. */
export const json = (first: Sided, second: Sided, { notes, ...comparison }: Comparison.Comparison): object => ({
  first: name(first),
  second: name(second),
  ...comparison,
  ...(notes.length === 0 ? {} : { notes })
})

/** An operation without a partner, as a member of a JSON document. */
export const jsonAlone = (one: Sided, side: "first" | "second"): object => ({ [side]: name(one) })
