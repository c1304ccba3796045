/** Collects the state of the network namespaces of the host and of a container, as facts that can be compared. */
import * as Effect from "effect/Effect"
import * as FilterInquiries from "./FilterInquiries.ts"
import type { Inquiry } from "./Inquiry.ts"
import * as LinkInquiries from "./LinkInquiries.ts"
import * as NamespaceTools from "./NamespaceTools.ts"
import * as Reservation from "./Reservation.ts"
import { type Facts, Finding, type Snapshot } from "./Snapshot.ts"
import type { Kind } from "./StateKind.ts"

/** The kinds of facts to collect, and the namespaces besides the host's. */
export interface Where {
  /** The kinds in the container's namespace. Default: those in the host's. */
  readonly containerKinds?: ReadonlyArray<Kind>
  /** The file of the container's network namespace; undefined or empty if there is none. */
  readonly netns: string | undefined
  /** The folders in which host-local keeps a folder for each network: its default, or the `dataDir` of an `ipam`. */
  readonly ipamFolders: ReadonlyArray<string>
}

/** `nftables are`, `links, routes are`, `ipam is`. */
const subject = (kinds: ReadonlyArray<Kind>): string =>
  `${kinds.join(", ")} ${kinds.length > 1 || kinds[0]?.endsWith("s") === true ? "are" : "is"}`

const none: Facts = new Map()

/** Takes an answer, and returns the next questions. */
const follow = (finding: Finding, inquiry: Inquiry, answer: NamespaceTools.Answer): ReadonlyArray<Inquiry> => {
  if (typeof answer === "string") {
    try {
      return inquiry.take(answer)
    } catch {
      finding.fail(inquiry.kinds, `${inquiry.argv[0]} printed output that cannot be parsed`)
      return []
    }
  }
  if (answer.isMissing && inquiry.otherwise !== undefined) return inquiry.otherwise()
  finding.fail(inquiry.kinds, answer.problem)
  return []
}

/**
 * Collects facts of these kinds in the host and the container in parallel. Never fails: a kind that cannot be inspected
 * is left out, and `notes` says why.
 */
export const collect = Effect.fnUntraced(function*(
  kinds: ReadonlyArray<Kind>,
  { containerKinds = kinds, ipamFolders, netns }: Where
) {
  const end = NamespaceTools.deadline()
  const problems = new Map<string, Set<Kind>>()
  const failed = (kinds: ReadonlyArray<Kind>, problem: string): void => {
    problems.set(problem, new Set([...problems.get(problem) ?? [], ...kinds]))
  }
  const look = Effect.fnUntraced(function*(kinds: ReadonlyArray<Kind>, netns: string | undefined) {
    const finding = new Finding(kinds, failed)
    const ask = NamespaceTools.inNamespace(netns, end)
    let inquiries = [
      ...LinkInquiries.all(finding, netns === undefined),
      ...FilterInquiries.all(finding),
      ...(finding.wants("ipam") ? ipamFolders.map(Reservation.inquiry(finding)) : [])
    ]
    while (inquiries.length > 0) {
      const answers = yield* ask(inquiries)
      inquiries = inquiries.flatMap((inquiry, index) => follow(finding, inquiry, answers[index] ?? ""))
    }
    return finding.facts()
  })
  const places = [{ kinds, netns: undefined }, { kinds: containerKinds.filter((kind) => kind !== "ipam"), netns }]
  const [host = none, container = none] = yield* Effect.forEach(
    netns === undefined || netns === "" ? places.slice(0, 1) : places,
    ({ kinds, netns }) => look(kinds, netns),
    { concurrency: "unbounded" }
  )
  const notes = [...problems].map(([problem, kinds]) =>
    problem.startsWith(NamespaceTools.noEntry)
      ? `${problem}: nothing in it is compared`
      : `${problem}: ${subject([...kinds])} not compared`
  )
  return { host, container, notes } satisfies Snapshot
})
