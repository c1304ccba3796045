/**
 * Asks the tools of the field, in one network namespace: one shell runs them one after the other, as starting a process
 * takes us longer than it takes most of them to answer.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Execution from "../exec/Execution.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"

/** A tool, with its arguments and its stdin. */
export interface Question {
  readonly argv: readonly [tool: string, ...args: ReadonlyArray<string>]
  readonly stdin?: string
  /** Whether its exit status says nothing. Default: false. */
  readonly isLenient?: boolean
}

/** Why a tool did not tell what it was asked. */
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

/** How long a tool may take, in milliseconds. */
const timeout = 5000

/** How much of the output of the tools is read, in bytes. */
const limit = 64 * 1_048_576

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Runs one tool. After its output there is its exit status, apart by NUL, and in stderr a NUL too. */
const command = ({ argv, stdin }: Question): string =>
  `${argv.map(quote).join(" ")}${stdin === undefined ? "" : ` <<'END'\n${stdin}END`}
printf '\\0%d\\0' $?
printf '\\0' >&2
`

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? ""

/** The answers of those tools that ended, in their order. */
const answersOf = (questions: ReadonlyArray<Question>, { stderr, stdout }: Execution.Execution) => {
  const [outputs, complaints] = [Execution.text(stdout).split("\0"), Execution.text(stderr).split("\0")]
  return questions.slice(0, (outputs.length - 1) / 2).map(({ argv: [tool], isLenient }, index): Answer => {
    const status = outputs[2 * index + 1]
    if (status === "127") return new NoAnswer(`${tool} is not on PATH`, true)
    if (status === "0" || isLenient === true) return outputs[2 * index] ?? ""
    return new NoAnswer(`${tool}: ${lastLine(complaints[index] ?? "") || `exit status ${status}`}`)
  })
}

/** Why no tool at all was run. */
const reasonOf = ({ stderr }: Execution.Execution): string => {
  const said = lastLine(Execution.text(stderr))
  return said.startsWith("nsenter: ")
    ? `cannot enter the network namespace of the container: ${said.slice("nsenter: ".length)}`
    : `sh: ${said}`
}

/** Asks tools in the network namespace of a file, or in our own, one after the other. */
export const inNamespace = (runner: ProcessRunner["Service"], netns: string | undefined) => {
  const env = { ...process.env, LC_ALL: "C" }
  const ask = (questions: ReadonlyArray<Question>): Effect.Effect<ReadonlyArray<Answer>> => {
    const shell = ["/bin/sh", "-c", questions.map(command).join("")] as const
    const argv = netns === undefined ? shell : (["nsenter", `--net=${netns}`, "--", ...shell] as const)
    return Effect.flatMap(Effect.result(runner.run({ argv, env, timeout, limit })), (ran) => {
      if (Result.isFailure(ran)) {
        const { code, program, reason } = ran.failure
        const problem = `${program}${code === "ENOENT" ? " is not on PATH" : `: ${reason}`}`
        return Effect.succeed(questions.map(() => new NoAnswer(problem)))
      }
      const answers = answersOf(questions, ran.success)
      const [next, ...others] = questions.slice(answers.length)
      if (next === undefined) return Effect.succeed(answers)
      if (!ran.success.timedOut && !ran.success.truncated) {
        const problem = new NoAnswer(reasonOf(ran.success))
        return Effect.succeed(questions.map((_, index) => answers[index] ?? problem))
      }
      // The next one had all of the time only where it was the first.
      const [tool] = next.argv
      const failed = answers.length > 0 ? [] : [
        new NoAnswer(
          ran.success.timedOut
            ? `${tool} did not end within ${timeout / 1000} s`
            : `${tool} printed more than ${limit / 1_048_576} MiB`
        )
      ]
      const rest = failed.length > 0 ? others : [next, ...others]
      return Effect.map(rest.length > 0 ? ask(rest) : Effect.succeed([]), (more) => [...answers, ...failed, ...more])
    })
  }
  return ask
}
