/**
 * Everything that can go wrong, one class a cause, and the error document that a runtime gets for it.
 * Source of the codes: CNI specification, section 5, "Error"; 100 and above are ours.
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"

/** Missing or invalid CNI_ variables. Code 4. */
export class InvalidEnvironment extends Data.TaggedError("InvalidEnvironment")<{
  readonly problems: ReadonlyArray<string>
}> {
  readonly code = 4
  readonly details = ""
  override readonly message = this.problems.join("; ")
}

/** The network configuration could not be read from stdin. Code 5. */
export class StdinUnreadable extends Data.TaggedError("StdinUnreadable")<{ readonly reason: string }> {
  readonly code = 5
  readonly details = ""
  override readonly message = `cannot read the network configuration from stdin: ${this.reason}`
}

/** Stdin is not a JSON object, or its `cniVersion` is not a version. Code 6. */
export class UndecodableConfig extends Data.TaggedError("UndecodableConfig")<{ readonly reason: string }> {
  readonly code = 6
  readonly details = ""
  override readonly message = `cannot decode the network configuration on stdin: ${this.reason}`
}

/** The network configuration can be read, but not be used. Code 7. */
export class InvalidConfig extends Data.TaggedError("InvalidConfig")<{ readonly problems: ReadonlyArray<string> }> {
  readonly code = 7
  readonly details = ""
  override readonly message = `invalid network configuration: ${this.problems.join("; ")}`
}

/** The specification version is not one of ours, or does not have the verb. Code 1. */
export class IncompatibleVersion extends Data.TaggedError("IncompatibleVersion")<{
  readonly reason: string
  readonly details: string
}> {
  readonly code = 1
  override readonly message = this.reason
}

/** The network namespace of the container is the one that the plugin runs in. Code 8. */
export class OwnNamespace extends Data.TaggedError("OwnNamespace")<{ readonly netns: string }> {
  readonly code = 8
  override readonly message = "plugin's netns and netns from CNI_NETNS should not be the same"
  readonly details = `CNI_NETNS is ${JSON.stringify(this.netns)}; ` +
    "set CNI_NETNS_OVERRIDE=1 where a container is meant to share the network of its host"
}

/** The run was told to stop (SIGTERM or SIGINT) before it was done. Code 11: the runtime should try again. */
export class Interrupted extends Data.TaggedError("Interrupted") {
  readonly code = 11
  override readonly message = "stopped by a signal before the request was done; try again"
  readonly details = ""
}

/** A record could not be written, and the configuration says that this counts. Code 5, for STATUS 50. */
export class LogFailed extends Data.TaggedError("LogFailed")<{
  readonly command: string
  readonly reason: string
  /** The sink's own error. */
  readonly cause: unknown
}> {
  readonly code = this.command === "STATUS" ? 50 : 5
  override readonly message = `cannot log this request: ${this.reason}`
  readonly details =
    "with \"onLogFailure\": \"ignore\" in the network configuration the network goes on without its log"
}

/** A hook failed, and the configuration says that this counts. Code 100, or 101 when it ran out of time. */
export class HookFailed extends Data.TaggedError("HookFailed")<{
  readonly hook: string
  readonly timedOut: boolean
  readonly reason: string
  readonly details: string
}> {
  readonly code = this.timedOut ? 101 : 100
  override readonly message = `hook ${JSON.stringify(this.hook)} ${this.reason}`
}

/** The answer could not be written to stdout. Code 5, where anybody can still be told. */
export class StdoutUnwritable extends Data.TaggedError("StdoutUnwritable")<{ readonly reason: string }> {
  readonly code = 5
  override readonly message = `cannot write to stdout: ${this.reason}`
  readonly details = ""
}

/** Any failure of a request. */
export type CniError =
  | InvalidEnvironment
  | StdinUnreadable
  | UndecodableConfig
  | InvalidConfig
  | IncompatibleVersion
  | OwnNamespace
  | Interrupted
  | LogFailed
  | HookFailed
  | StdoutUnwritable

/** What a runtime is told about a failure. Source: CNI specification, section 5, "Error". */
export interface ErrorDocument {
  readonly code: number
  /** Says what is wrong and what to do: libcni shows it, and throws stderr away. */
  readonly msg: string
  /** Left out where there is no more to say. */
  readonly details?: string
}

/** The document for whatever ended a request: a failure, an interruption, or a defect of ours (code 999). */
export const fromCause = (cause: Cause.Cause<CniError>): ErrorDocument => {
  const error = Cause.hasInterruptsOnly(cause) ? new Interrupted() : Cause.squash(cause)
  return isCniError(error)
    ? { code: error.code, msg: error.message, ...(error.details === "" ? {} : { details: error.details }) }
    : { code: 999, msg: "a defect in the plugin passthrough, please report it", details: String(error) }
}

const isCniError = (error: unknown): error is CniError =>
  error instanceof Data.Error && "code" in error && "details" in error

/** The document as it goes to stdout. */
export const render = (cniVersion: string, { code, details, msg }: ErrorDocument): string =>
  JSON.stringify({ cniVersion, code, msg, details })
