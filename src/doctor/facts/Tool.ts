/** Runs tools of the host, bounded by time and size: an answer comes soon, or never. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Execution from "../../exec/Execution.ts"
import * as HostTools from "../../exec/HostTools.ts"

/** How long a tool may take, in milliseconds. */
const timeout = 5000

/** How much of its output is read, in bytes. */
const limit = 32 * 1_048_576

/** What a tool printed, also where it complains about a part of what it was asked for; or why it could not be asked. */
export const output = Effect.fnUntraced(function*(
  argv: Execution.Invocation["argv"],
  { isLenient = false, netns, stdin = "" }: {
    readonly stdin?: string
    readonly isLenient?: boolean
    /** The network namespace to run in, as a file. Default: ours. */
    readonly netns?: string | undefined
  } = {}
) {
  const outcome = yield* Effect.result(HostTools.run({ argv, netns, stdin, timeout, limit }))
  const [program, ...args] = argv
  const name = program.slice(program.lastIndexOf("/") + 1)
  if (Result.isFailure(outcome)) return Result.fail(`${name}: ${outcome.failure.reason}`)
  const { exitCode, stderr, stdout, timedOut, truncated } = outcome.success
  if (timedOut) return Result.fail(`${name} did not end within ${timeout / 1000} s`)
  if (truncated) return Result.fail(`${name} printed more than ${limit / 1_048_576} MiB`)
  const text = Execution.text(stdout)
  if (exitCode === 0 || isLenient) return Result.succeed(text)
  const said = Execution.text(stderr).trim().split("\n").at(-1) ?? ""
  return Result.fail(`${[name, ...args.slice(0, 1)].join(" ")}: ${said === "" ? `exit status ${exitCode}` : said}`)
})
