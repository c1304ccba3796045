/** Reads the output of host tools with limits on time and size, so that a hanging or endless tool cannot hold us up. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Execution from "./Execution.ts"
import * as HostTools from "./HostTools.ts"

/** The default timeout of a tool, in milliseconds. */
const defaultTimeout = 5000

/** The maximum size of its output, in bytes. */
const limit = 32 * 1_048_576

/** Why a tool gave no output. */
export interface NoOutput {
  /** Whether we stopped the tool because it took too long or printed too much. */
  readonly isStopped: boolean
  readonly message: string
}

/** Options for running a tool. */
export interface Options {
  readonly stdin?: string
  /** Whether to use its output even if it reports an error about part of the request. */
  readonly isLenient?: boolean
  /** The path of the network namespace to run in. Default: ours. */
  readonly netns?: string | undefined
  /** In milliseconds. Default: 5000. */
  readonly timeout?: number
}

/** Runs a tool. Returns its output, or why there is none. */
export const read = Effect.fnUntraced(function*(
  argv: Execution.Invocation["argv"],
  { isLenient = false, netns, stdin = "", timeout = defaultTimeout }: Options = {}
) {
  const outcome = yield* Effect.result(HostTools.run({ argv, netns, stdin, timeout, limit }))
  const [program, ...args] = argv
  const name = program.slice(program.lastIndexOf("/") + 1)
  const fail = (message: string, isStopped = false) => Result.fail<NoOutput>({ message, isStopped })
  if (Result.isFailure(outcome)) return fail(`${name}: ${outcome.failure.reason}`)
  const { exitCode, stderr, stdout, timedOut, truncated } = outcome.success
  if (timedOut) return fail(`${name} did not end within ${timeout / 1000} s`, true)
  if (truncated) return fail(`${name} printed more than ${limit / 1_048_576} MiB`, true)
  const text = Execution.text(stdout)
  if (exitCode === 0 || isLenient) return Result.succeed(text)
  const said = Execution.text(stderr).trim().split("\n").at(-1) ?? ""
  return fail(`${[name, ...args.slice(0, 1)].join(" ")}: ${said === "" ? `exit status ${exitCode}` : said}`)
})

/** Runs a tool. Returns its output, or a message that says why there is none. */
export const of = (argv: Execution.Invocation["argv"], options?: Options) =>
  Effect.map(
    read(argv, options),
    (output): Result.Result<string, string> => Result.mapError(output, ({ message }) => message)
  )
