/** What tools of the host print, bounded by time and size: an answer comes soon, or never. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Execution from "./Execution.ts"
import * as HostTools from "./HostTools.ts"

/** How long a tool may take, in milliseconds. */
const timeout = 5000

/** How much of its output is read, in bytes. */
const limit = 32 * 1_048_576

/** Why there is no output. */
export interface NoOutput {
  /** Whether the tool was stopped: it took too long, or printed too much. */
  readonly isStopped: boolean
  readonly message: string
}

/** How to run a tool. */
export interface Options {
  readonly stdin?: string
  /** Whether to take what it printed although it complains about a part of what it was asked for. */
  readonly isLenient?: boolean
  /** The network namespace to run in, as a file. Default: ours. */
  readonly netns?: string | undefined
}

/** What a tool printed, or why it did not. */
export const read = Effect.fnUntraced(function*(
  argv: Execution.Invocation["argv"],
  { isLenient = false, netns, stdin = "" }: Options = {}
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

/** What a tool printed, or why it did not, in words. */
export const of = (argv: Execution.Invocation["argv"], options?: Options) =>
  Effect.map(
    read(argv, options),
    (output): Result.Result<string, string> => Result.mapError(output, ({ message }) => message)
  )
