/** What doctor finds out: the facts about networks, the checks of them, and the flows of their attachments. */
import * as Effect from "effect/Effect"
import * as Check from "../../../doctor/Check.ts"
import * as Checks from "../../../doctor/Checks.ts"
import * as Collect from "../../../doctor/Collect.ts"
import type { Facts } from "../../../doctor/Facts.ts"
import type { Flow } from "../../../doctor/flow/Flow.ts"
import * as Flows from "../../../doctor/flow/Flows.ts"
import * as TrialFacts from "../../../doctor/TrialFacts.ts"
import * as LogFiles from "../../../log/LogFiles.ts"
import * as SentFlows from "../../../trace/SentFlows.ts"
import * as OwnCommand from "../../OwnCommand.ts"
import * as Progress from "../../Progress.ts"
import { sendPackets } from "../SendPackets.ts"

/** What to examine. */
export interface Request {
  readonly question: Collect.Question
  /** Logs that were named. */
  readonly logs: ReadonlyArray<string>
  /** Whether to attach a temporary namespace to each network. */
  readonly hasTrial: boolean
  /** The built plugin that shows which plugin fails inside another one, if it is there. */
  readonly executable: string | undefined
}

/** What was found out. */
export interface Examination {
  readonly checks: ReadonlyArray<Check.Check>
  /** The facts about each network. */
  readonly networks: ReadonlyArray<Facts>
  readonly report: Check.Report
  /** The flows of each network, in the order of `networks`. */
  readonly flows: ReadonlyArray<ReadonlyArray<Flow>>
}

/** The logs in the default place, if there are any. */
const atHand = Effect.orElseSucceed(LogFiles.matching(LogFiles.defaultPattern), (): ReadonlyArray<string> => [])

/** Adds what logs say: the named ones, or for a selection without an attachment, those in the default place. */
const remember = Effect.fnUntraced(function*(facts: Facts, { logs, question: { selection } }: Request) {
  if (logs.length > 0) return yield* Collect.withHistory(facts, logs, selection)
  if (facts.selected === undefined || facts.attachments.length > 0) return facts
  const files = yield* atHand
  if (files.length === 0) return facts
  return yield* Effect.orElseSucceed(Collect.withHistory(facts, files, selection), () => facts)
})

/** The networks that a question is about. An unreadable file is reported later, when it is inspected. */
const networksOf = Effect.fnUntraced(function*({ logs, question }: Request) {
  const files = logs.length > 0 ? logs : yield* atHand
  return yield* Effect.orElseSucceed(Collect.networksOf(question, files), () => [question.asked])
})

/** Predicts the flows of a throwaway namespace, and sends packets over them. */
const send = Effect.fnUntraced(function*(facts: Facts) {
  const report = Check.examine(Checks.live, facts)
  const [own] = facts.attachments
  const flows = Flows.of(Checks.live, facts, report).filter(({ attachment }) => attachment === own)
  const executable = OwnCommand.withArguments(sendPackets.name)
  return { ...yield* SentFlows.send({ facts, executable }, flows), findings: report.findings }
})

/** Examines the networks that are asked for. */
export const make = Effect.fnUntraced(function*(request: Request) {
  const { executable, hasTrial, question } = request
  const collected = yield* Progress.during(
    "plugins and the host",
    Collect.collect(question, yield* networksOf(request))
  )
  const networks = yield* Effect.forEach(
    collected,
    Effect.fnUntraced(function*(seen) {
      const known = yield* Progress.during("the logs", remember(seen, request))
      return hasTrial
        ? yield* Progress.during("the trial", TrialFacts.withTrial(known, question.timeout, executable, send))
        : known
    })
  )
  const checks = [
    ...Checks.configuration,
    ...Checks.plugins,
    ...Checks.live,
    ...(hasTrial ? Checks.trial : []),
    ...(networks.every(({ history }) => history === undefined) ? [] : Checks.history)
  ]
  const reports = networks.map((facts) => Check.examine(checks, facts))
  const report = Check.merge(reports)
  const flows = networks.map((facts, index) => [
    ...Flows.of(checks, facts, reports[index] ?? report),
    ...facts.trial?.sent.flows ?? []
  ])
  return { checks, networks, report, flows } satisfies Examination
})

/** The display name of a network. */
export const nameOf = ({ network }: Facts): string => network?.name ?? "the network"
