/**
 * The failures of a request, one class for each cause, and the error document that the runtime gets. Source of the
 * codes: CNI specification, section 5, "Error". Codes from 100 are specific to this plugin.
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

/** The network configuration is readable but invalid. Code 7. */
export class InvalidConfig extends Data.TaggedError("InvalidConfig")<{ readonly problems: ReadonlyArray<string> }> {
  readonly code = 7
  readonly details = ""
  override readonly message = `invalid network configuration: ${this.problems.join("; ")}`
}

/** This plugin does not support the specification version, or that version lacks the operation. Code 1. */
export class IncompatibleVersion extends Data.TaggedError("IncompatibleVersion")<{
  readonly reason: string
  readonly details: string
}> {
  readonly code = 1
  override readonly message = this.reason
}

/** CNI_NETNS is the network namespace that the plugin runs in. Code 8. */
export class OwnNamespace extends Data.TaggedError("OwnNamespace")<{ readonly netns: string }> {
  readonly code = 8
  override readonly message = "plugin's netns and netns from CNI_NETNS should not be the same"
  readonly details = `CNI_NETNS is ${JSON.stringify(this.netns)}; ` +
    "set CNI_NETNS_OVERRIDE=1 if the container is meant to share the host's network"
}

/** SIGTERM or SIGINT stopped the run before it was done. Code 11: the runtime should try again. */
export class Interrupted extends Data.TaggedError("Interrupted") {
  readonly code = 11
  override readonly message = "stopped by a signal before the request was done; try again"
  readonly details = ""
}

/** A record could not be written, and `onLogFailure` is `fail`. Code 5, or 50 for STATUS. */
export class LogFailed extends Data.TaggedError("LogFailed")<{
  readonly command: string
  readonly reason: string
  /** The sink's own error. */
  readonly cause: unknown
}> {
  readonly code = this.command === "STATUS" ? 50 : 5
  override readonly message = `cannot log this request: ${this.reason}`
  readonly details =
    "set \"onLogFailure\": \"ignore\" in the network configuration to let requests succeed without a log"
}

/** A hook failed, and `onHookFailure` is `fail`. Code 100, or 101 if the hook ran out of time. */
export class HookFailed extends Data.TaggedError("HookFailed")<{
  readonly hook: string
  readonly timedOut: boolean
  readonly reason: string
  readonly details: string
}> {
  readonly code = this.timedOut ? 101 : 100
  override readonly message = `hook ${JSON.stringify(this.hook)} ${this.reason}`
}

/** The answer could not be written to stdout. Code 5, if the runtime can still read it. */
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

/** The error document for the runtime. Source: CNI specification, section 5, "Error". */
export interface ErrorDocument {
  readonly code: number
  /** States the problem and its fix here, because libcni shows this text and discards stderr. */
  readonly msg: string
  /** Left out if there are no further details. */
  readonly details?: string
}

/** Converts the cause that ended a request to an error document. A bug in this plugin gets code 999. */
export const fromCause = (cause: Cause.Cause<CniError>): ErrorDocument => {
  const error = Cause.hasInterruptsOnly(cause) ? new Interrupted() : Cause.squash(cause)
  return isCniError(error)
    ? { code: error.code, msg: error.message, ...(error.details === "" ? {} : { details: error.details }) }
    : { code: 999, msg: "a bug in the plugin passthrough; please report it", details: String(error) }
}

const isCniError = (error: unknown): error is CniError =>
  error instanceof Data.Error && "code" in error && "details" in error

/** Renders the JSON document for stdout. */
export const render = (cniVersion: string, { code, details, msg }: ErrorDocument): string =>
  JSON.stringify({ cniVersion, code, msg, details })
