/** Operations as the page of a report has them. */
import * as Collector from "../../operations/Collector.ts"
import type * as Operation from "../../operations/Operation.ts"
import type { Change } from "../../operations/ResultDiff.ts"
import * as View from "../../operations/View.ts"
import type * as ViewStep from "../../operations/ViewStep.ts"
import type { Record } from "../../record/Record.ts"
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

/** Collects records, and makes operations of them as the page has them. */
export class PageOperations {
  private readonly collector = new Collector.Collector()
  private readonly indices = new Map<string, Array<number>>()
  private readonly began = new Map<string, number>()

  /** Takes the record with this index in the report. */
  add(record: Record, index: number): void {
    this.collector.add(record)
    const known = this.indices.get(record.invocation)
    if (known === undefined) this.indices.set(record.invocation, [index])
    else known.push(index)
    if (record.event === "request") this.began.set(record.invocation, Date.parse(record.time))
  }

  /** All operations so far, in the order of time. */
  all(): ReadonlyArray<Operation.Operation> {
    return this.collector.operations()
  }

  /** An operation as the page has it. */
  pageOf(operation: Operation.Operation): PageData.Operation {
    const { hasFailed, leftovers, steps, ...view } = View.make(operation)
    const start = Date.parse(view.time)
    return {
      ...view,
      hasFailed,
      args: operation.request.args,
      leftovers: some(leftovers),
      steps: steps.map((step) => stepOf(step, start, { of: this.indices, began: this.began }))
    }
  }
}
