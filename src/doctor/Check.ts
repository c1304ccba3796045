/** What a check is: a question with a name, answered from facts alone. */
import type { Facts } from "./Facts.ts"
import * as Finding from "./Finding.ts"
import * as Fix from "./Fix.ts"

type Found = Finding.Found

/** When a check has its turn: what is wrong in an early phase is the cause of what is wrong in a later one. */
export type Phase = "configuration" | "plugins" | "addresses" | "attachment" | "host" | "trial" | "history"

/** A check that could not look, or had nothing to look at. */
export interface Skipped {
  readonly skipped: string
}

/** One question. */
export interface Check {
  /** Its stable name, as findings have it. */
  readonly id: string
  readonly phase: Phase
  /** Checks whose findings are the cause of what it would find: where one of them finds something, it says nothing. */
  readonly needs?: ReadonlyArray<string>
  /** Answers it; nothing is wrong where there are no findings. */
  readonly find: (facts: Facts) => ReadonlyArray<Found> | Skipped
}

/** How a check ended. */
export interface Outcome {
  readonly check: string
  readonly status: "ok" | "failed" | "skipped"
  /** What was found first, or why it was skipped; empty where all is right. */
  readonly reason: string
}

/** What all checks say. */
export interface Report {
  /** The most probable cause first. */
  readonly findings: ReadonlyArray<Finding.Finding>
  readonly checks: ReadonlyArray<Outcome>
}

/** A check that had nothing to say, and why. */
export const skipped = (reason: string): Skipped => ({ skipped: reason })

const isSkipped = (answer: ReadonlyArray<Found> | Skipped): answer is Skipped => "skipped" in answer

/** How many findings of one check are told: who mends so many mends the others with them. */
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
  const outcomes = checks.map(({ find, id, needs = [] }): Outcome => {
    const cause = needs.find((each) => failed.has(each))
    const answer = cause === undefined ? find(facts) : skipped(`what ${cause} found may be the cause`)
    if (isSkipped(answer)) return { check: id, status: "skipped", reason: answer.skipped }
    findings.push(...bounded(answer).map((found) => ({ ...found, fix: Fix.of(found.fix), check: id })))
    const first = answer.find(({ level }) => level !== "note")
    if (first !== undefined) failed.add(id)
    return { check: id, status: first === undefined ? "ok" : "failed", reason: first?.message ?? "" }
  })
  return { findings: Finding.byGravity(findings), checks: outcomes }
}

const areOfAttachments = ({ phase }: Check): boolean => phase === "attachment" || phase === "host"

/**
 * Asks all these questions, in their order. Attachments are judged by the configuration that they were made with: an
 * edit of the file applies to new containers only.
 */
export const examine = (checks: ReadonlyArray<Check>, facts: Facts): Report => {
  const own = examineOnce(checks, facts)
  if (facts.earlier.length === 0) return own
  const ofAttachments = checks.filter(areOfAttachments)
  return merge([
    own,
    ...facts.earlier.map((earlier, index) => {
      // Two attachments are compared once.
      const before = [facts, ...facts.earlier.slice(0, index)].flatMap(({ attachments }) => attachments)
      const compared = new Set(before.map(({ file }) => file))
      const all = facts.all.filter(({ file }) => !compared.has(file))
      return examineOnce(ofAttachments, { ...facts, ...earlier, all, earlier: [] })
    })
  ])
}

const gravest = ["failed", "ok", "skipped"] as const

/** What is said of several networks as one. What is found for more than one, such as of the host, is told once. */
export const merge = (reports: ReadonlyArray<Report>): Report => {
  const findings = new Map(
    reports.flatMap(({ findings }) => findings).map((finding) => [JSON.stringify(finding), finding] as const)
  )
  const outcomes = reports.flatMap(({ checks }) => checks)
  const ids = new Set(outcomes.map(({ check }) => check))
  return {
    findings: Finding.byGravity([...findings.values()]),
    checks: [...ids].map((id) => {
      const own = outcomes.filter(({ check }) => check === id)
      return own.toSorted((left, right) => gravest.indexOf(left.status) - gravest.indexOf(right.status))[0] as Outcome
    })
  }
}
