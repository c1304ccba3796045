/** Which versions of the protocol a plugin speaks. Source: CNI specification, section 2, "VERSION". */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Execution from "./Execution.ts"
import * as PluginAnswer from "./PluginAnswer.ts"
import * as PluginExec from "./PluginExec.ts"

/** How long a plugin may take for its answer unless it is said otherwise, in milliseconds. */
const usualTimeout = 10_000

/** A plugin did not say which versions it speaks. */
export class NoVersions extends Data.TaggedError("NoVersions")<{
  readonly file: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.file} does not answer VERSION: ${this.reason}`
}

const lastWords = ({ stderr, stdout }: Execution.Execution): string =>
  (Execution.text(stderr).trim() || Execution.text(stdout).trim()).split("\n").at(-1)?.slice(0, 200) ?? ""

/** How a plugin ended without an answer. */
const ending = (execution: Execution.Execution, timeout: number): string => {
  const { exitCode, signal, timedOut } = execution
  if (timedOut) return `it did not end within ${timeout / 1000} s`
  const how = signal === null ? `exit status ${exitCode}` : `killed by ${signal}`
  const words = lastWords(execution)
  return words === "" ? how : `${how}: ${words}`
}

/** Asks the plugin in a file for its versions, by a request in the version `cniVersion`; `timeout` is in milliseconds. */
export const ask = Effect.fnUntraced(function*(file: string, cniVersion: string, timeout: number = usualTimeout) {
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
