/** A check, which is a named question that is answered from facts alone, and the run of all of them. */
import type { Facts } from "./Facts.ts"
import * as Finding from "./Finding.ts"
import * as Fix from "./Fix.ts"
import type * as Flow from "./flow/Flow.ts"

type Found = Finding.Found

/** When a check runs: problems in an early phase cause those in later phases. */
export type Phase = "configuration" | "plugins" | "addresses" | "attachment" | "host" | "trial" | "history"

/** A check that could not look, or had nothing to look at. */
export interface Skipped {
  readonly skipped: string
  /** Whether the facts that the check needs are missing. */
  readonly isUnknown?: boolean
  /** The flows that this leaves undecided; by default, all flows that the check judges. */
  readonly leavesOpen?: ReadonlyArray<Flow.Kind>
}

export interface Check {
  /** Its stable name, which findings carry. */
  readonly id: string
  readonly phase: Phase
  /** Checks whose problems explain those that this check would find. If one of them fails, this check is skipped. */
  readonly needs?: ReadonlyArray<string>
  /** The flows that its findings stop, unless a finding names others. */
  readonly stops?: ReadonlyArray<Flow.Kind>
  /** The family of the flows that its problems stop. Default: both. */
  readonly family?: 4 | 6
  /** Answers the question. No findings means no problem. `failed` are the earlier checks that found problems. */
  readonly find: (facts: Facts, failed: ReadonlySet<string>) => ReadonlyArray<Found> | Skipped
}

/** How a check ended. */
export interface Outcome {
  readonly check: string
  readonly status: "ok" | "failed" | "skipped"
  /** The first problem, or why the check was skipped; empty if all is well. */
  readonly reason: string
  /** The flows that the check could not judge. */
  readonly leavesOpen?: ReadonlyArray<Flow.Kind>
}

/** The answers of all checks. */
export interface Report {
  /** The most probable cause first. */
  readonly findings: ReadonlyArray<Finding.Finding>
  readonly checks: ReadonlyArray<Outcome>
}

export const skipped = (reason: string): Skipped => ({ skipped: reason })

/** The answer of a check whose facts are missing. */
export const unknown = (reason: string): Skipped => ({ skipped: reason, isUnknown: true })

const isSkipped = (answer: ReadonlyArray<Found> | Skipped): answer is Skipped => "skipped" in answer

/** The most findings that one check reports. The fix for that many fixes the rest too. */
const most = 100

const bounded = (found: ReadonlyArray<Found>): ReadonlyArray<Found> => {
  const last = found[most - 1]
  const more = found.length - most
  return last === undefined || more <= 0
    ? found
    : [...found.slice(0, most - 1), { ...last, message: `${last.message}; and ${more} more of this kind` }]
}

const examineOnce = (checks: ReadonlyArray<Check>, facts: Facts): Report => {
  const findings: Array<Finding.Finding> = []
  const failed = new Set<string>()
  const outcomes = checks.map(({ find, id, needs = [], stops = [] }): Outcome => {
    const cause = needs.find((each) => failed.has(each))
    const answer = cause === undefined ? find(facts, failed) : unknown(`what ${cause} found may be the cause`)
    if (isSkipped(answer)) {
      const { isUnknown = false, leavesOpen = stops, skipped } = answer
      return { check: id, status: "skipped", reason: skipped, ...(isUnknown ? { leavesOpen } : {}) }
    }
    const network = facts.network === undefined ? {} : { network: facts.network.name }
    findings.push(...bounded(answer).map((found) => ({ ...found, ...network, fix: Fix.of(found.fix), check: id })))
    const first = answer.find(({ level }) => level !== "note")
    if (first !== undefined) failed.add(id)
    return { check: id, status: first === undefined ? "ok" : "failed", reason: first?.message ?? "" }
  })
  return { findings: Finding.byGravity(findings), checks: outcomes }
}

const areOfAttachments = ({ phase }: Check): boolean => phase === "attachment" || phase === "host"

/**
 * Runs these checks in order. Attachments are checked against the configuration that they were made with, because an
 * edit of the file applies to new containers only.
 */
export const examine = (checks: ReadonlyArray<Check>, facts: Facts): Report => {
  const own = examineOnce(checks, facts)
  if (facts.earlier.length === 0) return own
  const ofAttachments = checks.filter(areOfAttachments)
  return merge([
    own,
    ...facts.earlier.map((earlier, index) => {
      // Each pair of attachments is compared once.
      const before = [facts, ...facts.earlier.slice(0, index)].flatMap(({ attachments }) => attachments)
      const compared = new Set(before.map(({ file }) => file))
      const all = facts.all.filter(({ file }) => !compared.has(file))
      return examineOnce(ofAttachments, { ...facts, ...earlier, all, earlier: [] })
    })
  ])
}

/** Ranks the outcomes of one check for several networks: the merged report shows the highest. */
const weightOf = ({ leavesOpen, status }: Outcome): number =>
  status === "failed" ? 3 : leavesOpen !== undefined ? 2 : status === "ok" ? 1 : 0

/** A finding of several networks concerns the host, so it names none of them. */
const shared = (one: Finding.Finding, other: Finding.Finding): Finding.Finding => {
  const { network, ...finding } = one
  return network === undefined || network === other.network ? one : finding
}

/**
 * Merges the reports of several networks. A finding that several of them have, such as one about the host, appears
 * once.
 */
export const merge = (reports: ReadonlyArray<Report>): Report => {
  const findings = new Map<string, Finding.Finding>()
  for (const finding of reports.flatMap((report) => report.findings)) {
    const { network: _, ...rest } = finding
    const key = JSON.stringify(rest)
    findings.set(key, shared(findings.get(key) ?? finding, finding))
  }
  const outcomes = reports.flatMap(({ checks }) => checks)
  const ids = new Set(outcomes.map(({ check }) => check))
  return {
    findings: Finding.byGravity([...findings.values()]),
    checks: [...ids].map((id) =>
      outcomes.filter(({ check }) => check === id)
        .toSorted((left, right) => weightOf(right) - weightOf(left))[0] as Outcome
    )
  }
}
