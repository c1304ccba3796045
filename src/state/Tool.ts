/** Asks the tools of the field, in one network namespace. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Execution from "../exec/Execution.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"

/** How long a tool may take, in milliseconds. */
const timeout = 5000

/** How much of its output is read, in bytes. */
const limit = 64 * 1_048_576

/** What a tool did not tell, and why. */
export class NoAnswer {
  readonly problem: string
  /** Whether there is no such tool. */
  readonly isMissing: boolean

  constructor(problem: string, isMissing = false) {
    this.problem = problem
    this.isMissing = isMissing
  }
}

/** What a tool printed, or why it did not. */
export type Answer = string | NoAnswer

/** Runs a tool with these arguments and this stdin. `isLenient`: its exit status says nothing. */
export type Ask = (
  argv: Execution.Invocation["argv"],
  options?: { readonly stdin?: string; readonly isLenient?: boolean }
) => Effect.Effect<Answer>

const answerOf = ([tool]: Execution.Invocation["argv"], execution: Execution.Execution, isLenient: boolean): Answer => {
  const { exitCode, stderr, stdout, timedOut, truncated } = execution
  const said = Execution.text(stderr).trim().split("\n").at(-1) ?? ""
  if (timedOut) return new NoAnswer(`${tool} did not end within ${timeout / 1000} s`)
  if (truncated) return new NoAnswer(`${tool} printed more than ${limit / 1_048_576} MiB`)
  if (exitCode !== 0 && said.startsWith("nsenter: ")) {
    return exitCode === 127
      ? new NoAnswer(`${tool} is not on PATH`, true)
      : new NoAnswer(`cannot enter the network namespace of the container: ${said.slice("nsenter: ".length)}`)
  }
  if (exitCode === 0 || isLenient) return Execution.text(stdout)
  return new NoAnswer(`${tool}: ${said || `exit status ${exitCode}`}`)
}

/** Asks tools in the network namespace of a file, or in our own. */
export const inNamespace = (runner: ProcessRunner["Service"], netns: string | undefined): Ask => {
  const env = { ...process.env, LC_ALL: "C" }
  return (argv, { isLenient = false, stdin = "" } = {}) =>
    Effect.map(
      Effect.result(runner.run({
        argv: netns === undefined ? argv : ["nsenter", `--net=${netns}`, "--", ...argv],
        env,
        stdin,
        timeout,
        limit
      })),
      (ran) => {
        if (Result.isSuccess(ran)) return answerOf(argv, ran.success, isLenient)
        const { code, program, reason } = ran.failure
        return code === "ENOENT"
          ? new NoAnswer(`${program} is not on PATH`, true)
          : new NoAnswer(`${program}: ${reason}`)
      }
    )
}
