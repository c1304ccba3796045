/** Which operations are asked for. */
import * as Operation from "./Operation.ts"
import * as Pod from "./Pod.ts"

/** What an operation has to be; all that is given has to hold. */
export interface Filter {
  /** How the ID of its container starts. */
  readonly container?: string | undefined
  /** NAME or NAMESPACE/NAME, as in CNI_ARGS. */
  readonly pod?: string | undefined
  /** That of one of its runs. */
  readonly network?: string | undefined
  /** In any case. Operations of VERSION are not asked for unless they are named, or failed. */
  readonly command?: string | undefined
  /** The label of one of its runs. */
  readonly label?: string | undefined
  /** It began at this time or later, in milliseconds since 1970. */
  readonly since?: number | undefined
  /** It began before this time. */
  readonly until?: number | undefined
  /** Something in it failed. */
  readonly failed?: boolean
  /** It is a DEL that left something of what its ADD made. */
  readonly leftovers?: boolean
}

/** Whether an operation is one that was asked for. */
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
