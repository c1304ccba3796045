/** Runs the fixes of findings one after another, for as long as they help. */
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { Report } from "../../../doctor/Check.ts"
import type { Finding } from "../../../doctor/Finding.ts"
import * as Fix from "../../../doctor/Fix.ts"
import * as Execution from "../../../exec/Execution.ts"
import * as HostTools from "../../../exec/HostTools.ts"
import { type NotStarted, ProcessRunner } from "../../../exec/ProcessRunner.ts"
import * as Escape from "../../../record/Escape.ts"
import * as Style from "../../../render/terminal/Style.ts"
import * as Confirm from "../../Confirm.ts"
import * as DoctorLines from "../../DoctorLines.ts"
import * as OwnCommand from "../../OwnCommand.ts"
import type { Attempt } from "./Attempt.ts"

/** What the user allowed. */
export interface Permission {
  /** Whether to run fixes without asking. */
  readonly isGranted: boolean
  /** The checks whose fixes may interrupt living attachments. */
  readonly cuts: ReadonlyArray<string>
}

/** How long a command may take, in milliseconds: an ADD of several plugins is one. */
const timeout = 120_000

/** A command of a fix failed. */
class CommandFailed extends Data.TaggedError("CommandFailed")<{ readonly reason: string }> {}

const lastLine = (output: Uint8Array): string => Execution.text(output).trim().split("\n").at(-1) ?? ""

/** Runs a command. `cni-passthrough` means this executable, because another one on PATH could differ. */
const run = Effect.fnUntraced(function*(command: Fix.Command) {
  const [program = "", ...args] = command
  const line = Escape.inLine(Fix.line(command))
  const failed = (reason: string) => new CommandFailed({ reason: `${line}: ${reason}` })
  const limits = { stdin: "", timeout }
  const runner = yield* ProcessRunner
  const running: Effect.Effect<Execution.Execution, NotStarted, ProcessRunner> = program === OwnCommand.name
    ? runner.run({ ...limits, argv: OwnCommand.withArguments(...args), env: process.env })
    : HostTools.run({ ...limits, argv: [program, ...args] })
  const execution = yield* Effect.mapError(running, ({ reason }) => failed(reason))
  if (execution.timedOut) return yield* failed(`it did not end within ${timeout / 1000} s`)
  if (execution.exitCode === 0) return
  return yield* failed(lastLine(execution.stderr) || lastLine(execution.stdout) || Execution.ending(execution))
})

/** Identifies a fix. At the next look, the same finding may be worded differently or be about other networks. */
const keyOf = ({ check, fix }: Finding): string => JSON.stringify([check, fix.commands])

/** The most severe finding that commands can fix. */
const next = ({ findings }: Report): Finding | undefined =>
  findings.find(({ fix, level }) => level !== "note" && fix.commands.length > 0)

const errorsIn = ({ findings }: Report): number => findings.filter(({ level }) => level === "error").length

/** Why a fix is not run; undefined if it may be. */
const refusal = Effect.fnUntraced(function*({ check, fix }: Finding, { cuts, isGranted }: Permission) {
  const isOne = fix.commands.length === 1
  if (!isGranted) {
    const cut = fix.cuts === undefined ? "" : `, and cut ${DoctorLines.bounded(fix.cuts)}`
    const isWanted = yield* Confirm.ask(`Run ${isOne ? "this command" : "these commands"}${cut}?`)
    return isWanted ? undefined : "you said no"
  }
  return fix.cuts === undefined || cuts.includes(check)
    ? undefined
    : `it cuts ${fix.cuts}: --yes --cut ${check} allows it`
})

/** Shows a fix, runs it if that is allowed, and examines again. */
const attempt = Effect.fnUntraced(function*<Examined extends { readonly report: Report }, E, R>(
  finding: Finding,
  before: Examined,
  examine: Effect.Effect<Examined, E, R>,
  permission: Permission,
  tell: (line: string) => Effect.Effect<void>
) {
  const style = yield* Style.current()
  for (const line of ["", ...DoctorLines.fixLines(finding, style)]) yield* tell(line)
  const refused = yield* refusal(finding, permission)
  const ended = (outcome: Attempt["outcome"], reason: string, examined: Examined) => ({
    attempt: { finding, outcome, reason } satisfies Attempt,
    examined
  })
  if (refused !== undefined) return ended("not-run", refused, before)
  const problem = yield* Effect.forEach(finding.fix.commands, run, { discard: true }).pipe(
    Effect.match({ onFailure: ({ reason }) => reason, onSuccess: () => undefined })
  )
  const after = yield* examine
  if (problem !== undefined) return ended("failed", problem, after)
  if (after.report.findings.some((each) => keyOf(each) === keyOf(finding))) {
    return ended("no-help", "the commands ran, and the finding is still there", after)
  }
  // If a check could not look again, the missing finding proves nothing.
  const blind = after.report.checks.find((each) => each.check === finding.check && each.leavesOpen !== undefined)
  if (blind !== undefined) {
    return ended("no-help", `the commands ran, but it is not known whether they helped: ${blind.reason}`, after)
  }
  const more = errorsIn(after.report) - errorsIn(before.report)
  return more > 0
    ? ended("no-help", `there ${more === 1 ? "is 1 more error" : `are ${more} more errors`} than before`, after)
    : ended("fixed", "", after)
})

/**
 * Runs the fix of the most severe finding, examines again, and goes on with the next one until a fix does not help or is
 * not allowed. No fix is run twice: fixes that undo each other would never end. Returns what it did, and the last
 * examination.
 */
export const all = Effect.fnUntraced(function*<Examined extends { readonly report: Report }, E, R>(
  first: Examined,
  examine: Effect.Effect<Examined, E, R>,
  permission: Permission,
  tell: (line: string) => Effect.Effect<void> = Console.log
) {
  const style = yield* Style.current()
  const attempts: Array<Attempt> = []
  const tried = new Set<string>()
  let examined = first
  for (let finding = next(first.report); finding !== undefined; finding = next(examined.report)) {
    const isBack = tried.has(keyOf(finding))
    tried.add(keyOf(finding))
    const done = isBack
      ? {
        attempt: { finding, outcome: "no-help", reason: `${finding.check} is back after its fix` } as const,
        examined
      }
      : yield* attempt(finding, examined, examine, permission, tell)
    const { outcome, reason } = done.attempt
    attempts.push(done.attempt)
    examined = done.examined
    yield* tell(
      outcome === "fixed"
        ? `  ${style.green("✓ fixed")}`
        : `  ${style.red(DoctorLines.bounded(`${outcome === "not-run" ? "not run" : "not fixed"}: ${reason}`))}`
    )
    if (outcome !== "fixed") break
  }
  return { attempts: attempts as ReadonlyArray<Attempt>, examined }
})
