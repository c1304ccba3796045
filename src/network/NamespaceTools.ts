/**
 * Runs the standard tools in one network namespace. One shell runs them one after the other, because it takes us longer
 * to start a process than it takes most of them to answer.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"
import type { NotStarted } from "../exec/ProcessRunner.ts"
import { quoted } from "../exec/ShellQuote.ts"
import { linesOf } from "./Line.ts"

/** A tool, with its arguments and its stdin. */
export interface Question {
  readonly argv: readonly [tool: string, ...args: ReadonlyArray<string>]
  readonly stdin?: string
  /**
   * A file that has content whenever the tool has something to report. If it is empty or missing, the tool is not run,
   * and its output counts as empty.
   */
  readonly where?: string
  /** Whether to ignore its exit status if it printed output, or no complaint. Default: false. */
  readonly isLenient?: boolean
}

/** A question, and the path of its tool, or undefined if it is not found. */
interface Found extends Question {
  readonly file: string | undefined
}

/** Why a tool gave no answer. */
export interface NoAnswer {
  readonly problem: string
  /** Whether the tool was not found. */
  readonly isMissing?: boolean
}

/** The output of a tool, or why there is none. */
export type Answer = string | NoAnswer

/**
 * The time limit of a whole snapshot, in milliseconds. The runtime waits, and has one time limit for the whole chain.
 */
const timeout = 3000

/**
 * How much tool output a whole snapshot may read, in MiB. A container can put as much as it wants into its namespace,
 * and reading 4 MiB takes a second.
 */
const limits = { "the host": 12, "a container": 4 } as const

/** The share of the remaining time that one tool may take, so that some is left for the others. */
const share = 2 / 3

/** The remaining time below which no more questions are asked, in milliseconds. */
const shortest = 20

/** The longest script that a shell takes as an argument, in bytes. Source: execve(2), `MAX_ARG_STRLEN`. */
const longestScript = 100_000

/** The deadline of a snapshot that starts now. */
export const deadline = (): number => performance.now() + timeout

/**
 * The script that runs one tool at the path `file`. A NUL and the exit status follow the output, and a NUL follows
 * stderr.
 */
const command = ({ argv: [, ...args], file, stdin, where }: Found): string =>
  `${where === undefined ? "" : `! 2>/dev/null read -r _ <${where} || `}${
    file === undefined ? "(exit 127)" : [file, ...args].map(quoted).join(" ")
  }${stdin === undefined ? "" : ` <<'END'\n${stdin}END`}
printf '\\0%d\\0' $?
printf '\\0' >&2
`

/** The script for as many of the first questions as fit into one shell. */
const scriptOf = (questions: ReadonlyArray<Found>): string => {
  let script = ""
  for (const text of questions.map(command)) {
    if (script !== "" && script.length + text.length > longestScript) break
    script += text
  }
  return script
}

/** The first complaint of a tool, without its name. */
const complaintIn = (text = ""): string =>
  (linesOf(text).find((line) => !line.startsWith("#")) ?? "").replace(/^(?:\/\S*\/)?\w+: /, "").trim()

/** The answers of the tools that ended, in order. */
const answersOf = (questions: ReadonlyArray<Question>, { stderr, stdout }: Execution.Execution) => {
  const [outputs, complaints] = [Execution.text(stdout).split("\0"), Execution.text(stderr).split("\0")]
  return questions.slice(0, (outputs.length - 1) / 2).map(({ argv: [tool], isLenient }, index): Answer => {
    const [output = "", status] = outputs.slice(2 * index)
    if (status === "127") return { problem: `${tool} is not on PATH`, isMissing: true }
    const said = complaintIn(complaints[index])
    // What this kernel lacks, or no longer has, is not set.
    const isNone = /not supported|No such file/.test(said)
    if (status === "0" || isNone || (isLenient === true && (output !== "" || said === ""))) return output
    return { problem: `${tool}: ${said || `exit status ${status}`}` }
  })
}

/** The problem if the container's namespace is gone, or if we may not enter it. */
export const noEntry = "cannot enter the network namespace of the container"

/** Why a shell gave no answer for a tool. */
const reasonOf = (
  ran: Result.Result<Execution.Execution, NotStarted>,
  { argv: [tool] }: Question,
  place: keyof typeof limits
): string => {
  if (Result.isFailure(ran)) {
    const { code, program, reason } = ran.failure
    return code === "ENOENT" ? `${program} is not on PATH` : `${program}: ${reason}`
  }
  const { stderr, timedOut, truncated } = ran.success
  if (timedOut) return `${tool} timed out: a snapshot may take ${timeout / 1000} s in total`
  if (truncated) return `${tool} printed too much: a snapshot may read ${limits[place]} MiB about ${place} in total`
  return `${noEntry}: ${complaintIn(Execution.text(stderr))}`
}

const noTime: NoAnswer = { problem: `no time was left: a snapshot may take ${timeout / 1000} s in total` }

/**
 * Runs tools one after the other in the given network namespace, or in ours. All questions share one limit of output
 * size and the deadline `end`. A tool that hangs leaves part of the time to the others.
 */
export const inNamespace = (netns: string | undefined, end: number) => {
  const place = netns === undefined ? "the host" : "a container"
  let left = limits[place] * 1_048_576
  /** Answers the first of these questions, at least one. */
  const askFirst = Effect.fnUntraced(function*(questions: ReadonlyArray<Found>, time: number) {
    const argv = ["/bin/sh", "-c", scriptOf(questions)] as const
    const ran = yield* Effect.result(HostTools.run({ argv, netns, timeout: time, limit: left }))
    const given = Result.isSuccess(ran) ? answersOf(questions, ran.success) : []
    for (const answer of given) if (typeof answer === "string") left -= answer.length
    const next = questions[given.length]
    if (next === undefined) return given
    if (Result.isFailure(ran) || !(ran.success.timedOut || ran.success.truncated)) {
      // The script had no room for more questions, or the shell did not run.
      return given.length > 0 ? given : questions.map((question) => ({ problem: reasonOf(ran, question, place) }))
    }
    // A tool that was not the first did not have its full share of the time, so it is asked again.
    if (ran.success.timedOut && given.length > 0) return given
    return [...given, { problem: reasonOf(ran, next, place) }]
  })
  return Effect.fnUntraced(function*(questions: ReadonlyArray<Question>) {
    const { find } = yield* HostTools.HostTools
    let open: ReadonlyArray<Found> = questions.map((question) => ({ ...question, file: find(question.argv[0]) }))
    const answers: Array<Answer> = []
    while (open.length > 0) {
      const time = (end - performance.now()) * share
      const some: ReadonlyArray<Answer> = time < shortest ? open.map(() => noTime) : yield* askFirst(open, time)
      answers.push(...some)
      open = open.slice(some.length)
    }
    return answers as ReadonlyArray<Answer>
  })
}
