/**
 * Asks the tools of the field, in one network namespace: one shell runs them one after the other, as starting a process
 * takes us longer than it takes most of them to answer.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { searchPath } from "../cni/Environment.ts"
import * as Execution from "../exec/Execution.ts"
import type { NotStarted, ProcessRunner } from "../exec/ProcessRunner.ts"
import { lines } from "./Lines.ts"

/** A tool, with its arguments and its stdin. */
export interface Question {
  readonly argv: readonly [tool: string, ...args: ReadonlyArray<string>]
  readonly stdin?: string
  /** A file in which something is where the tool has anything to tell. Elsewhere it is not asked, and tells nothing. */
  readonly where?: string
  /** Whether its exit status says nothing where it printed something, or has nothing to say. Default: false. */
  readonly isLenient?: boolean
}

/** Why a tool did not tell what it was asked. */
export interface NoAnswer {
  readonly problem: string
  /** Whether there is no such tool. */
  readonly isMissing?: boolean
}

/** What a tool printed, or why it did not. */
export type Answer = string | NoAnswer

/** How long a tool may take, in milliseconds: a runtime waits meanwhile, which has a limit for all plugins of a chain. */
const timeout = 2000

/** How much of the output of the tools is read, in bytes. */
const limit = 64 * 1_048_576

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`

/** Runs one tool. After its output there is its exit status, apart by NUL, and in stderr a NUL too. */
const command = ({ argv, stdin, where }: Question): string =>
  `${where === undefined ? "" : `! 2>/dev/null read -r _ <${where} || `}${argv.map(quote).join(" ")}${
    stdin === undefined ? "" : ` <<'END'\n${stdin}END`
  }
printf '\\0%d\\0' $?
printf '\\0' >&2
`

/** What a tool complains of in the first place, without its name. */
const complaintIn = (text = ""): string =>
  (lines(text).find((line) => !line.startsWith("#")) ?? "").replace(/^\w+: /, "").trim()

/** The answers of those tools that ended, in their order. */
const answersOf = (questions: ReadonlyArray<Question>, { stderr, stdout }: Execution.Execution) => {
  const [outputs, complaints] = [Execution.text(stdout).split("\0"), Execution.text(stderr).split("\0")]
  return questions.slice(0, (outputs.length - 1) / 2).map(({ argv: [tool], isLenient }, index): Answer => {
    const [output = "", status] = outputs.slice(2 * index)
    if (status === "127") return { problem: `${tool} is not on PATH`, isMissing: true }
    const said = complaintIn(complaints[index])
    // What this kernel does not have, or not any more, is not set.
    const isNone = /not supported|No such file/.test(said)
    if (status === "0" || isNone || (isLenient === true && (output !== "" || said === ""))) return output
    return { problem: `${tool}: ${said || `exit status ${status}`}` }
  })
}

/** What is wrong where the namespace of the container is gone, or not ours to enter. */
export const noEntry = "cannot enter the network namespace of the container"

/** Why a shell did not come to a tool. */
const reasonOf = (ran: Result.Result<Execution.Execution, NotStarted>, { argv: [tool] }: Question): string => {
  if (Result.isFailure(ran)) {
    const { code, program, reason } = ran.failure
    return code === "ENOENT" ? `${program} is not on PATH` : `${program}: ${reason}`
  }
  const { stderr, timedOut, truncated } = ran.success
  if (timedOut) return `${tool} did not end within ${timeout / 1000} s`
  if (truncated) return `${tool} printed more than ${limit / 1_048_576} MiB`
  return `${noEntry}: ${complaintIn(Execution.text(stderr))}`
}

/** Asks tools in the network namespace of a file, or in our own, one after the other. */
export const inNamespace = (runner: ProcessRunner["Service"], netns: string | undefined) => {
  const env = { ...process.env, PATH: searchPath({ variables: process.env }), LC_ALL: "C" }
  return Effect.fnUntraced(function*(questions: ReadonlyArray<Question>) {
    const answers: Array<Answer> = []
    for (let [next, ...others] = questions; next !== undefined; [next, ...others] = questions.slice(answers.length)) {
      const shell = ["/bin/sh", "-c", [next, ...others].map(command).join("")] as const
      const argv = netns === undefined ? shell : (["nsenter", `--net=${netns}`, "--", ...shell] as const)
      const ran = yield* Effect.result(runner.run({ argv, env, timeout, limit }))
      const given = Result.isSuccess(ran) ? answersOf([next, ...others], ran.success) : []
      answers.push(...given)
      if (given.length > others.length) break
      const isCut = Result.isSuccess(ran) && (ran.success.timedOut || ran.success.truncated)
      // A tool that was not the first did not have all of the time: it is asked again.
      if (isCut && given.length > 0) continue
      for (const question of isCut ? [next] : [next, ...others].slice(given.length)) {
        answers.push({ problem: reasonOf(ran, question) })
      }
    }
    return answers
  })
}
