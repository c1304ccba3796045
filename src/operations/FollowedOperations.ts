/**
 * Decides when an operation that is followed is drawn: as soon as it is complete, and as a whole. Nothing in a log says
 * that no plugin comes after the one that ended last, so that is learned from the operations before it.
 */
import type { Record } from "../record/Record.ts"
import { Collector, type Options } from "./Collector.ts"
import * as Operation from "./Operation.ts"

/** A part of an operation that is to be drawn now. */
export type Piece =
  | { readonly _tag: "Head"; readonly operation: Operation.Operation }
  | { readonly _tag: "Foot"; readonly operation: Operation.Operation }
  | { readonly _tag: "Step"; readonly operation: Operation.Operation; readonly index: number }

/** All times in milliseconds. */
const patience = {
  /** After its last record nothing more is expected of an operation that has as many steps as the ones before it. */
  complete: 1000,
  /** How long one that is drawn step by step keeps others waiting. */
  others: 5000,
  /** How long one of a chain that was never seen before is waited for. */
  unknown: 30_000,
  /** How long one that has fewer steps than the ones before it is waited for. */
  fewer: 120_000,
  /** How long a run without an end is waited for. */
  unfinished: 600_000
}

/** How many runs that were drawn are remembered: the same records may come again when a log was copied. */
const remembered = 100_000

type Status = "complete" | "drawable" | "waiting"

/** What an operation has in common with those before it that had as many steps. */
const chainOf = ({ request }: Operation.Operation): string => JSON.stringify([request.network, request.command])

const nameOf = ({ steps }: Operation.Operation): string => steps[0]?.invocation ?? ""

const wholeOf = (operation: Operation.Operation): ReadonlyArray<Piece> => [
  { _tag: "Head", operation },
  ...operation.steps.map((_, index): Piece => ({ _tag: "Step", operation, index })),
  { _tag: "Foot", operation }
]

/** When an operation ended so far; infinite if a run has no end with a date. */
const endOf = ({ steps }: Operation.Operation): number => {
  const end = Math.max(...steps.slice(-100).map((step) => step.end?.time ?? Number.POSITIVE_INFINITY))
  return Number.isNaN(end) ? Number.POSITIVE_INFINITY : end
}

/** Operations in the order of their ends; those that did not end come last, in the order of time. */
const byEnd = (operations: ReadonlyArray<Operation.Operation>): ReadonlyArray<Operation.Operation> => {
  const ends = new Map(operations.map((operation) => [operation, endOf(operation)]))
  const end = (operation: Operation.Operation) => ends.get(operation) ?? 0
  return operations.toSorted((left, right) => end(left) === end(right) ? 0 : end(left) - end(right))
}

/** Takes records as they come, and says what to draw. */
export class FollowedOperations {
  private readonly collector: Collector
  private readonly isWanted: (operation: Operation.Operation) => boolean
  /** When the last record of a run came. */
  private readonly arrivals = new Map<string, number>()
  /** How many steps the operations of a chain have. */
  private readonly lengths = new Map<string, number>()
  private readonly drawn = new Set<string>()
  /** The operation that is drawn step by step. */
  private current: { readonly name: string; steps: number } | undefined

  constructor(isWanted: (operation: Operation.Operation) => boolean, options?: Options) {
    this.isWanted = isWanted
    this.collector = new Collector(options)
  }

  /** Takes a record that came at this moment. */
  add(record: Record, now: number): void {
    if (this.drawn.has(record.invocation)) return
    this.collector.add(record)
    this.arrivals.set(record.invocation, now)
  }

  /** When the last thing happened in an operation. A record of the past tells of the past, one of the future does not. */
  private lastChange({ steps }: Operation.Operation): number {
    return Math.max(
      ...steps.slice(-100).map(({ end, invocation, time: began }) => {
        const arrival = this.arrivals.get(invocation) ?? 0
        const time = end?.time ?? Date.parse(began)
        return Number.isNaN(time) ? arrival : Math.min(arrival, time)
      })
    )
  }

  /** Whether an operation ended a moment ago, unless another of its plugins is about to begin. */
  private mayHaveEnded(operation: Operation.Operation, now: number): boolean {
    return operation.steps.every(({ end }) => end !== undefined) && now - this.lastChange(operation) < patience.complete
  }

  /** `newest` is the last operation of the same attachment. */
  private statusOf(operation: Operation.Operation, newest: Operation.Operation, now: number): Status {
    if (newest !== operation) {
      // In which plugin it stopped, a DEL tells only when it has gone through all taps.
      const isKnown = operation.stoppedIn === undefined || this.statusOf(newest, newest, now) !== "waiting"
      return isKnown ? "complete" : "waiting"
    }
    const quiet = now - this.lastChange(operation)
    const after = (time: number): Status => quiet >= time ? "complete" : "waiting"
    const { steps } = operation
    if (steps.some(({ end }) => end === undefined)) return after(patience.unfinished)
    const length = this.lengths.get(chainOf(operation))
    if (steps.at(-1)?.end?.error !== undefined || steps.length >= (length ?? Number.POSITIVE_INFINITY)) {
      return after(patience.complete)
    }
    if (length !== undefined) return after(patience.fewer)
    // Where the ADD before it ended, a DEL tells only when it is complete.
    const isDrawable = quiet >= patience.complete && quiet < patience.unknown && operation.addStoppedIn === undefined
    return isDrawable ? "drawable" : after(patience.unknown)
  }

  /** Forgets an operation that was drawn, or that nobody wants, but not how long it was. */
  private close(operation: Operation.Operation, isSuperseded: boolean): void {
    // That the ADD before a DEL failed says nothing of the DEL.
    if (!Operation.hasFailed({ ...operation, addStoppedIn: undefined })) {
      const chain = chainOf(operation)
      const { length } = operation.steps
      this.lengths.set(chain, isSuperseded ? Math.max(length, this.lengths.get(chain) ?? 0) : length)
    }
    this.collector.forget(operation)
    for (const { invocation } of Operation.runsOf(operation.steps)) {
      this.arrivals.delete(invocation)
      this.drawn.add(invocation)
    }
    for (const invocation of this.drawn) {
      if (this.drawn.size <= remembered) break
      this.drawn.delete(invocation)
    }
  }

  /** What came since then of the operation that is drawn step by step. */
  private further(operation: Operation.Operation): ReadonlyArray<Piece> {
    const pieces: Array<Piece> = []
    if (this.current === undefined) return pieces
    const { steps } = operation
    for (; steps[this.current.steps]?.end !== undefined; this.current.steps++) {
      pieces.push({ _tag: "Step", operation, index: this.current.steps })
    }
    return pieces
  }

  /** What to draw at this moment: what ended first comes first. */
  due(now: number): ReadonlyArray<Piece> {
    const operations = this.collector.operations()
    const newest = new Map(operations.map((operation) => [Operation.attachmentOf(operation.request), operation]))
    const newestOf = (it: Operation.Operation) => newest.get(Operation.attachmentOf(it.request)) ?? it
    const isSuperseded = (it: Operation.Operation) => newestOf(it) !== it
    const pieces: Array<Piece> = []
    // There may be more of them than a call takes arguments.
    const draw = (more: ReadonlyArray<Piece>) => more.forEach((piece) => pieces.push(piece))

    const end = (operation: Operation.Operation) => {
      for (let index = this.current?.steps ?? 0; index < operation.steps.length; index++) {
        pieces.push({ _tag: "Step", operation, index })
      }
      pieces.push({ _tag: "Foot", operation })
      this.current = undefined
      this.close(operation, isSuperseded(operation))
    }

    const open = operations.find((operation) => nameOf(operation) === this.current?.name)
    if (open !== undefined) {
      draw(this.further(open))
      if (this.statusOf(open, newestOf(open), now) === "complete") end(open)
    }
    for (const operation of byEnd(operations)) {
      if (operation === open) continue
      const statusNow = () => this.statusOf(operation, newestOf(operation), now)
      const before = statusNow()
      if (before === "waiting") {
        // What ended later waits with it as long as it may just have ended: a DEL completes its ADD at once.
        if (this.mayHaveEnded(operation, now) && this.isWanted(operation)) return pieces
        continue
      }
      // One that goes on has not stopped.
      const shown = before === "complete" ? operation : { ...operation, stoppedIn: undefined }
      if (!this.isWanted(shown)) {
        if (before === "complete") this.close(operation, isSuperseded(operation))
        continue
      }
      if (open !== undefined && this.current !== undefined) {
        if (now - this.lastChange(open) < patience.others) continue
        end(open)
      }
      const status = statusNow() // how long its chain is may be known since a moment ago
      if (status === "complete") {
        draw(wholeOf(operation))
        this.close(operation, isSuperseded(operation))
      } else if (status === "drawable" && this.current === undefined) {
        this.current = { name: nameOf(operation), steps: 0 }
        draw([{ _tag: "Head", operation: shown }, ...this.further(shown)])
        // Others wait for it from now on.
        return pieces
      }
    }
    return pieces
  }

  /** All that is left, when nothing more will come. */
  rest(): ReadonlyArray<Piece> {
    return byEnd(this.collector.operations()).flatMap((operation): ReadonlyArray<Piece> => {
      if (nameOf(operation) !== this.current?.name) return this.isWanted(operation) ? wholeOf(operation) : []
      const { steps } = this.current
      return wholeOf(operation).slice(1 + steps)
    })
  }
}
