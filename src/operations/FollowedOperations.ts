/**
 * Decides when to draw an operation that is followed: whole, and as soon as it is complete. No record marks the last
 * plugin of a chain, so the number of steps is learned from earlier operations.
 */
import type { Record } from "../record/Record.ts"
import { Collector, type Options } from "./Collector.ts"
import * as Operation from "./Operation.ts"

/** A part of an operation to draw now. */
export type Piece =
  | { readonly _tag: "Head"; readonly operation: Operation.Operation }
  | { readonly _tag: "Foot"; readonly operation: Operation.Operation }
  | { readonly _tag: "Step"; readonly operation: Operation.Operation; readonly index: number }

/** How long to wait after the last record of an operation, in milliseconds. */
const patience = {
  /** When the operation failed, or has as many steps as earlier ones. */
  complete: 1000,
  /** When the operation is drawn step by step, and other operations wait to be drawn. */
  others: 5000,
  /** When its chain was not seen before. */
  unknown: 30_000,
  /** When it has fewer steps than earlier ones. */
  fewer: 120_000,
  /** When one of its runs has not ended. */
  unfinished: 600_000
}

/** How many drawn runs are remembered: a copied log brings the same records again. */
const remembered = 100_000

type Status = "complete" | "drawable" | "waiting"

/** A key for operations that should have the same number of steps. */
const chainOf = ({ request }: Operation.Operation): string => JSON.stringify([request.network, request.command])

const nameOf = ({ steps }: Operation.Operation): string => steps[0]?.invocation ?? ""

const wholeOf = (operation: Operation.Operation): ReadonlyArray<Piece> => [
  { _tag: "Head", operation },
  ...operation.steps.map((_, index): Piece => ({ _tag: "Step", operation, index })),
  { _tag: "Foot", operation }
]

/** When the last step of an operation ended; infinite if a run has no end, or an end without a date. */
const endOf = ({ steps }: Operation.Operation): number => {
  const end = Math.max(...steps.slice(-100).map((step) => step.end?.time ?? Number.POSITIVE_INFINITY))
  return Number.isNaN(end) ? Number.POSITIVE_INFINITY : end
}

/** Operations in the order of their ends. Those that did not end come last, in the order of time. */
const byEnd = (operations: ReadonlyArray<Operation.Operation>): ReadonlyArray<Operation.Operation> => {
  const ends = new Map(operations.map((operation) => [operation, endOf(operation)]))
  const end = (operation: Operation.Operation) => ends.get(operation) ?? 0
  return operations.toSorted((left, right) => end(left) === end(right) ? 0 : end(left) - end(right))
}

/** Takes records as they arrive, and decides what to draw. */
export class FollowedOperations {
  private readonly collector: Collector
  private readonly isWanted: (operation: Operation.Operation) => boolean
  /** When the last record of each run arrived. */
  private readonly arrivals = new Map<string, number>()
  /** How many steps the operations of each chain have. */
  private readonly lengths = new Map<string, number>()
  private readonly drawn = new Set<string>()
  /** The operation that is drawn step by step. */
  private current: { readonly name: string; steps: number } | undefined

  constructor(isWanted: (operation: Operation.Operation) => boolean, options?: Options) {
    this.isWanted = isWanted
    this.collector = new Collector(options)
  }

  /** Takes a record that arrived at this moment. */
  add(record: Record, now: number): void {
    if (this.drawn.has(record.invocation)) return
    this.collector.add(record)
    this.arrivals.set(record.invocation, now)
  }

  /**
   * When an operation last changed: the time of its last record, or of its arrival if that is earlier. An old log is
   * thus quiet at once, and a date in the future does not count.
   */
  private lastChange({ steps }: Operation.Operation): number {
    return Math.max(
      ...steps.slice(-100).map(({ end, invocation, time: began }) => {
        const arrival = this.arrivals.get(invocation) ?? 0
        const time = end?.time ?? Date.parse(began)
        return Number.isNaN(time) ? arrival : Math.min(arrival, time)
      })
    )
  }

  /** Whether all steps ended, the last a moment ago. The operation may be over, or its next plugin about to start. */
  private mayHaveEnded(operation: Operation.Operation, now: number): boolean {
    return operation.steps.every(({ end }) => end !== undefined) && now - this.lastChange(operation) < patience.complete
  }

  /** `newest` is the last operation of the same attachment. */
  private statusOf(operation: Operation.Operation, newest: Operation.Operation, now: number): Status {
    if (newest !== operation) {
      // A later DEL shows in which plugin this operation stopped, but only after it has passed all taps.
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
    // A DEL shows where the ADD before it ended, but only when the DEL is complete.
    const isDrawable = quiet >= patience.complete && quiet < patience.unknown && operation.addStoppedIn === undefined
    return isDrawable ? "drawable" : after(patience.unknown)
  }

  /** Forgets an operation that was drawn or filtered out, but remembers its number of steps. */
  private close(operation: Operation.Operation, isSuperseded: boolean): void {
    // The failure of the ADD before a DEL says nothing about the DEL.
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

  /** The steps that ended since the last draw, of the operation that is drawn step by step. */
  private further(operation: Operation.Operation): ReadonlyArray<Piece> {
    const pieces: Array<Piece> = []
    if (this.current === undefined) return pieces
    const { steps } = operation
    for (; steps[this.current.steps]?.end !== undefined; this.current.steps++) {
      pieces.push({ _tag: "Step", operation, index: this.current.steps })
    }
    return pieces
  }

  /** What to draw now, in the order of ends. */
  due(now: number): ReadonlyArray<Piece> {
    const operations = this.collector.operations()
    const newest = new Map(operations.map((operation) => [Operation.attachmentOf(operation.request), operation]))
    const newestOf = (it: Operation.Operation) => newest.get(Operation.attachmentOf(it.request)) ?? it
    const isSuperseded = (it: Operation.Operation) => newestOf(it) !== it
    const pieces: Array<Piece> = []
    // A call cannot take this many arguments.
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
        // Operations that ended later wait while this one may just have ended: a DEL completes its ADD at once.
        if (this.mayHaveEnded(operation, now) && this.isWanted(operation)) return pieces
        continue
      }
      // An operation that may continue has not stopped yet.
      const shown = before === "complete" ? operation : { ...operation, stoppedIn: undefined }
      if (!this.isWanted(shown)) {
        if (before === "complete") this.close(operation, isSuperseded(operation))
        continue
      }
      if (open !== undefined && this.current !== undefined) {
        if (now - this.lastChange(open) < patience.others) continue
        end(open)
      }
      const status = statusNow() // closing another operation may have shown how long its chain is
      if (status === "complete") {
        draw(wholeOf(operation))
        this.close(operation, isSuperseded(operation))
      } else if (status === "drawable" && this.current === undefined) {
        this.current = { name: nameOf(operation), steps: 0 }
        draw([{ _tag: "Head", operation: shown }, ...this.further(shown)])
        // Other operations now wait for this one.
        return pieces
      }
    }
    return pieces
  }

  /** Everything that remains, when no more records will come. */
  rest(): ReadonlyArray<Piece> {
    return byEnd(this.collector.operations()).flatMap((operation): ReadonlyArray<Piece> => {
      if (nameOf(operation) !== this.current?.name) return this.isWanted(operation) ? wholeOf(operation) : []
      const { steps } = this.current
      return wholeOf(operation).slice(1 + steps)
    })
  }
}
