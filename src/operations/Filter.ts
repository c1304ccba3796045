/** Selects operations. */
import * as Operation from "./Operation.ts"
import * as Pod from "./Pod.ts"

/** Conditions on an operation. All that are given must hold. */
export interface Filter {
  /** The start of its container ID. */
  readonly container?: string | undefined
  /** NAME or NAMESPACE/NAME, as in CNI_ARGS. */
  readonly pod?: string | undefined
  /** The network of one of its runs. */
  readonly network?: string | undefined
  /** In upper or lower case. VERSION operations match only if this names them, or if they failed. */
  readonly command?: string | undefined
  /** The label of one of its runs. */
  readonly label?: string | undefined
  /** It began at this time or later, in milliseconds since 1970. */
  readonly since?: number | undefined
  /** It began before this time. */
  readonly until?: number | undefined
  /** Something in it failed. */
  readonly failed?: boolean
  /** It is a DEL that left behind something that its ADD made. */
  readonly leftovers?: boolean
}

/** Whether an operation meets all conditions. */
export const matches = (filter: Filter, operation: Operation.Operation): boolean => {
  const { request } = operation
  const { command, container = "", failed = false, label, leftovers = false, network, pod, since, until } = filter
  const time = Date.parse(operation.time)
  const some = (holds: (step: Operation.Step) => boolean) => Operation.some(operation.steps, holds)
  return (request.containerId ?? "").startsWith(container) &&
    (pod === undefined || Pod.is(Pod.of(request.args ?? ""), pod)) &&
    (network === undefined || some((step) => step.request.network === network)) &&
    (command === undefined
      ? request.command !== "VERSION" || Operation.hasFailed(operation)
      : request.command === command.toUpperCase()) &&
    (label === undefined || some((step) => step.label === label)) &&
    (since === undefined || time >= since) &&
    (until === undefined || time < until) &&
    (!failed || Operation.hasFailed(operation)) &&
    (!leftovers || operation.leftovers().length > 0)
}
