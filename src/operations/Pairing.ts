/** Which operations of two logs are compared: the newest of each network. */
import * as Filter from "./Filter.ts"
import type * as Operation from "./Operation.ts"

/** The pairs of operations to compare, and the operations without a partner. */
export interface Pairs {
  readonly pairs: ReadonlyArray<readonly [Operation.Operation, Operation.Operation]>
  /** Operations on networks that the other log does not have. */
  readonly onlyFirst: ReadonlyArray<Operation.Operation>
  readonly onlySecond: ReadonlyArray<Operation.Operation>
}

/** The newest operation of each network that the filter selects. */
export const newest = (
  operations: ReadonlyArray<Operation.Operation>,
  filter: Filter.Filter
): ReadonlyArray<Operation.Operation> => {
  const found = new Map<string | undefined, Operation.Operation>()
  for (const operation of operations) {
    const { network } = operation.request
    if (Filter.matches(filter, operation)) found.set(network, operation)
  }
  return [...found.values()]
}

/**
 * Pairs operations of the same network. If each side has just one, these two are a pair whatever their networks are
 * called.
 */
export const make = (
  first: ReadonlyArray<Operation.Operation>,
  second: ReadonlyArray<Operation.Operation>
): Pairs => {
  const [left, right] = [first[0], second[0]]
  if (left !== undefined && right !== undefined && first.length === 1 && second.length === 1) {
    return { pairs: [[left, right]], onlyFirst: [], onlySecond: [] }
  }
  const others = new Map(second.map((operation) => [operation.request.network, operation]))
  const known = new Set(first.map(({ request }) => request.network))
  return {
    pairs: first.flatMap((operation) => {
      const other = others.get(operation.request.network)
      return other === undefined ? [] : [[operation, other] as const]
    }),
    onlyFirst: first.filter(({ request }) => !others.has(request.network)),
    onlySecond: second.filter(({ request }) => !known.has(request.network))
  }
}
