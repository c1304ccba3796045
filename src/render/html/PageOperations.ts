/** Operations as the page of a report has them. */
import * as Collector from "../../operations/Collector.ts"
import type { Change } from "../../operations/ResultDiff.ts"
import * as View from "../../operations/View.ts"
import type * as ViewStep from "../../operations/ViewStep.ts"
import * as JsonFormat from "../../record/JsonFormat.ts"
import type * as PageData from "./PageData.ts"

/** A list; undefined if it is empty. */
const some = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> | undefined => list.length === 0 ? undefined : list

/** The indices of the records of each run, and its beginning. */
interface Places {
  readonly of: ReadonlyMap<string, ReadonlyArray<number>>
  /** When a run began, in milliseconds since 1970. */
  readonly began: ReadonlyMap<string, number>
}

/** A change without what the page does not show. */
const plain = ({ kind, what }: Change): Change => ({ kind, what })

const stepOf = (step: ViewStep.Step, began: number, places: Places): PageData.Step => {
  const { changes, changesBefore, failure, hooks, invocation, nested, notes, plugin, ...more } = step
  const start = (places.began.get(invocation ?? "") ?? Number.NaN) - began
  return {
    title: more.title,
    kind: more.kind,
    state: more.state,
    command: more.command,
    ifname: more.ifname,
    network: more.network,
    start: Number.isNaN(start) ? undefined : start,
    durationMs: more.durationMs,
    ending: plugin?.ending,
    failure: some(failure),
    changesBefore: some(changesBefore),
    changes: some(changes),
    stateChanges: more.stateChanges?.filter(({ whose }) => whose !== "others").map(plain),
    othersChanges: some((more.stateChanges ?? []).filter(({ whose }) => whose === "others").map(plain)),
    notes: some(notes),
    hooks: some(hooks.map(({ command, difference, durationMs, failure }) => ({
      command,
      difference,
      durationMs,
      failure
    }))),
    records: invocation === undefined ? undefined : places.of.get(invocation),
    nested: some(nested.map((inner) => stepOf(inner, began, places)))
  }
}

/** The operations in records, which are given as JSON texts. */
export const make = (records: ReadonlyArray<string>): ReadonlyArray<PageData.Operation> => {
  const collector = new Collector.Collector()
  const of = new Map<string, Array<number>>()
  const began = new Map<string, number>()
  records.forEach((text, index) => {
    const record = JsonFormat.read(text)
    if (record === undefined) return
    collector.add(record)
    const known = of.get(record.invocation)
    if (known === undefined) of.set(record.invocation, [index])
    else known.push(index)
    if (record.event === "request") began.set(record.invocation, Date.parse(record.time))
  })
  return collector.operations().map((operation) => {
    const { hasFailed, leftovers, steps, ...view } = View.make(operation)
    const start = Date.parse(view.time)
    return {
      ...view,
      hasFailed,
      args: operation.request.args,
      leftovers: some(leftovers),
      steps: steps.map((step) => stepOf(step, start, { of, began }))
    }
  })
}
