/** Asks plugins for the protocol versions that they support. Source: CNI specification, section 2, "VERSION". */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Execution from "./Execution.ts"
import * as PluginAnswer from "./PluginAnswer.ts"
import * as PluginExec from "./PluginExec.ts"

/** The default timeout, in milliseconds. */
const defaultTimeout = 10_000

/** A plugin did not say which versions it supports. */
export class NoVersions extends Data.TaggedError("NoVersions")<{
  readonly file: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.file} does not answer VERSION: ${this.reason}`
}

const lastLine = ({ stderr, stdout }: Execution.Execution): string =>
  (Execution.text(stderr).trim() || Execution.text(stdout).trim()).split("\n").at(-1)?.slice(0, 200) ?? ""

/** Describes how a plugin ended without an answer. */
const ending = (execution: Execution.Execution, timeout: number): string => {
  if (execution.timedOut) return `it did not end within ${timeout / 1000} s`
  const how = Execution.ending(execution)
  const words = lastLine(execution)
  return words === "" ? how : `${how}: ${words}`
}

/**
 * Asks a plugin for its versions with a VERSION request whose version is `cniVersion`. `timeout` is in milliseconds.
 */
export const ask = Effect.fnUntraced(function*(file: string, cniVersion: string, timeout: number = defaultTimeout) {
  const execution = yield* PluginExec.call({
    file,
    env: { ...process.env, CNI_COMMAND: "VERSION" },
    stdin: JSON.stringify({ cniVersion }),
    timeout
  }).pipe(Effect.mapError((cause) => new NoVersions({ file, reason: cause.reason, cause })))
  const answer = PluginAnswer.of("VERSION", execution, { cniVersion, timeout })
  const versions = answer._tag === "Success" ? PluginAnswer.versions(answer.document ?? "") : undefined
  if (versions !== undefined) return versions
  const reason = Execution.succeeded(execution) ? "its answer has no list of versions" : ending(execution, timeout)
  return yield* new NoVersions({ file, reason })
})
