/**
 * What an attachment left on the host: facts of its own that its ADD made and its DEL did not remove. What all
 * attachments share, such as a bridge and its sysctls, stays by design and is not reported.
 */
import { type Fact, identityOf, linkOf } from "../network/Fact.ts"
import type { Differences } from "../record/Record.ts"
import * as AttachmentIdentity from "./AttachmentIdentity.ts"
import * as Operation from "./Operation.ts"
import * as Ownership from "./Ownership.ts"
import * as StateChanges from "./StateChanges.ts"

/** Facts by their identity. */
type Standing = ReadonlyMap<string, Fact>

/** How many attachments are remembered. */
const remembered = 2000

const none: Standing = new Map()

/** Kinds that the kernel removes with a link, and so with the namespace that holds its other end. */
const bound = new Set(["links", "addresses", "routes", "neighbours", "bridge"])

/** The kinds that are reported. Sysctls are not, since they have no owner. */
const told = new Set([...bound, "rules", "nftables", "iptables", "ipsets", "ipam"])

const keyOf = (fact: Fact): string => `${fact.kind} ${identityOf(fact)} ${linkOf(fact)}`

const factsOf = (host: Differences = {}, side: "added" | "removed"): ReadonlyArray<Fact> =>
  Object.entries(host).flatMap(([kind, difference]) =>
    told.has(kind) ? difference[side].map((text): Fact => ({ place: "host", kind, text })) : []
  )

/** The attachment's own facts after an ADD. */
const added = (before: Standing, { steps }: Operation.Operation): Standing => {
  const standing = new Map(before)
  const marks = AttachmentIdentity.of(steps)
  const all = [...StateChanges.foundIn(steps)].map(({ changes: { host } }) => ({
    came: factsOf(host, "added"),
    went: factsOf(host, "removed")
  }))
  const whose = Ownership.teller(marks, Ownership.linksOf(all.flatMap(({ came }) => came)))
  for (const { came, went } of all) {
    for (const fact of went) standing.delete(keyOf(fact))
    for (const fact of came) if (whose(fact) === "attachment") standing.set(keyOf(fact), fact)
  }
  return standing
}

/**
 * The kinds that a note reports as not compared, or not kept: `nft is not on PATH: nftables are not compared`, `9 more
 * changes of host iptables are in the log`.
 */
const kindsIn = (note: string): ReadonlyArray<string> =>
  /(?<=: )([a-z, ]+)(?= (?:is|are) not compared$)|(?<= of host )[a-z]+(?= are in the log$)/.exec(note)?.[0]
    .split(", ") ?? []

const isOfContainer = (note: string): boolean => note.includes("namespace of the container")

/** Whether the kernel has removed what is bound to the container's namespace. */
const isGone = ({ netns = "" }: Operation.Request, notes: ReadonlyArray<string>): boolean =>
  netns === "" || notes.some(isOfContainer)

/** The attachment's own facts after a DEL. Kinds that were not inspected are dropped, since their state is unknown. */
const deleted = (before: Standing, { request, steps }: Operation.Operation): Standing => {
  const standing = new Map(before)
  const all = [...StateChanges.foundIn(steps)]
  for (const { changes: { host } } of all) {
    const went = new Set(factsOf(host, "removed").map(keyOf).filter((key) => standing.delete(key)))
    for (const fact of factsOf(host, "added")) if (went.has(keyOf(fact))) standing.set(keyOf(fact), fact)
  }
  const notes = all.flatMap(({ notes = [] }) => notes)
  const unseen = new Set(notes.filter((note) => !isOfContainer(note)).flatMap(kindsIn))
  const isUnseen = (kind: string) => unseen.has(kind) || (bound.has(kind) && isGone(request, notes))
  for (const [key, { kind }] of standing) if (isUnseen(kind)) standing.delete(key)
  return standing
}

const isLooked = ({ request: { command }, steps }: Operation.Operation): boolean =>
  (command === "ADD" || command === "DEL") && Operation.some(steps, ({ changes }) => changes !== undefined)

const after = (before: Standing, operation: Operation.Operation): Standing =>
  operation.request.command === "ADD" ? added(before, operation) : deleted(before, operation)

/** For each DEL of one attachment, what it left and no later DEL removed. */
const leftBy = (
  before: Standing,
  operations: ReadonlyArray<Operation.Operation>
): ReadonlyMap<Operation.Operation, ReadonlyArray<string>> => {
  let standing = before
  const all = operations.map((operation) => ({ operation, standing: standing = after(standing, operation) }))
  const dels = all.filter(({ operation }) => operation.request.command === "DEL")
  return new Map(dels.map(({ operation, standing }, index) => {
    const later = dels.slice(index + 1)
    const left = [...standing].filter(([key]) => later.every(({ standing }) => standing.has(key)))
    return [operation, StateChanges.sentences(left.map(([, fact]) => fact))]
  }))
}

/** Finds what attachments left. */
export class Leftovers {
  private readonly standing = new Map<string, Standing>()

  /** Takes operations in the order of time, and gives each DEL its leftovers, which are computed on demand. */
  find(operations: ReadonlyArray<Operation.Operation>): ReadonlyArray<Operation.Operation> {
    const attachments = new Map<string, Array<Operation.Operation>>()
    const looked = operations.filter(isLooked)
    if (looked.length === 0) return operations
    for (const operation of looked) {
      const attachment = Operation.attachmentOf(operation.request)
      const others = attachments.get(attachment)
      if (others === undefined) attachments.set(attachment, [operation])
      else others.push(operation)
    }
    const before = new Map(this.standing)
    const known = new Map<string, ReturnType<typeof leftBy>>()
    const leftovers = (operation: Operation.Operation): ReadonlyArray<string> => {
      const attachment = Operation.attachmentOf(operation.request)
      const left = known.get(attachment) ?? leftBy(before.get(attachment) ?? none, attachments.get(attachment) ?? [])
      known.set(attachment, left)
      return left.get(operation) ?? []
    }
    const dels = new Set(looked.filter(({ request }) => request.command === "DEL"))
    return operations.map((operation) =>
      dels.has(operation) ? { ...operation, leftovers: () => leftovers(operation) } : operation
    )
  }

  /** Keeps the facts that remain after an operation, before the caller drops it from later calls of `find`. */
  remember(operation: Operation.Operation): void {
    if (!isLooked(operation)) return
    const attachment = Operation.attachmentOf(operation.request)
    const standing = after(this.standing.get(attachment) ?? none, operation)
    this.standing.delete(attachment)
    if (standing.size > 0) this.standing.set(attachment, standing)
    for (const oldest of this.standing.keys()) {
      if (this.standing.size <= remembered) break
      this.standing.delete(oldest)
    }
  }
}
