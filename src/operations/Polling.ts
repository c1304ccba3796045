/** Folds calls that runtimes repeat: a STATUS or VERSION that succeeds, as the ones before it did. */
import * as Operation from "./Operation.ts"

/** Operations of one kind that succeeded, one after the other. */
export interface Poll {
  readonly operations: readonly [Operation.Operation, ...ReadonlyArray<Operation.Operation>]
}

const polled = new Set<string | undefined>(["STATUS", "VERSION"])

/** Whether an operation is one that runtimes repeat, and succeeded. */
export const isCalm = (operation: Operation.Operation): boolean =>
  polled.has(operation.request.command) && !Operation.hasFailed(operation)

/** What distinguishes one poll from another: the plugins that were asked, and the network. */
const kindOf = ({ request: { command, network }, steps }: Operation.Operation): string =>
  JSON.stringify([command, network, steps.map(Operation.typeOf)])

/** The operations in order, with each poll at the place of its first operation. A failure ends a poll. */
export const fold = (operations: ReadonlyArray<Operation.Operation>): ReadonlyArray<Operation.Operation | Poll> => {
  const found: Array<Operation.Operation | { operations: [Operation.Operation, ...Array<Operation.Operation>] }> = []
  const open = new Map<string, Array<Operation.Operation>>()
  for (const operation of operations) {
    const { command, network } = operation.request
    if (!polled.has(command)) found.push(operation)
    else if (!isCalm(operation)) {
      for (const [kind, [first]] of open) {
        if (first?.request.command === command && first?.request.network === network) open.delete(kind)
      }
      found.push(operation)
    } else {
      const kind = kindOf(operation)
      const known = open.get(kind)
      if (known !== undefined) known.push(operation)
      else {
        const poll = { operations: [operation] as [Operation.Operation, ...Array<Operation.Operation>] }
        open.set(kind, poll.operations)
        found.push(poll)
      }
    }
  }
  return found
}

/** How long an operation took, in milliseconds; NaN if that is not known. */
const durationOf = ({ steps, time }: Operation.Operation): number =>
  (steps.at(-1)?.end?.time ?? Number.NaN) - Date.parse(time)

/** A length of time in one unit: `40 s`, `5 min`, `2 h`. */
const span = (milliseconds: number): string => {
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`
}

/** `720 times in 1 h, 14 to 40 ms` */
export const inWords = ({ operations }: Poll): string => {
  const durations = operations.map(durationOf).filter((duration) => duration >= 0)
  const [shortest, longest] = [Math.min(...durations), Math.max(...durations)]
  const took = durations.length === 0 ? "" : shortest === longest ? `${longest} ms` : `${shortest} to ${longest} ms`
  const [first] = operations
  const length = Date.parse(operations.at(-1)?.time ?? "") - Date.parse(first.time)
  const times = operations.length === 1 ? "" : `${operations.length} times in ${span(length)}`
  return [times, took].filter((text) => text !== "").join(", ")
}
