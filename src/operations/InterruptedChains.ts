/**
 * Where a chain of taps ended before its last tap. The tap that stands after a plugin which fails is not reached, so that
 * shows only in other operations: those of the same network before it, and the DEL of the same attachment after it, which
 * goes through all taps.
 */
import * as CniVersion from "../cni/CniVersion.ts"
import * as Operation from "./Operation.ts"
import * as TapInference from "./TapInference.ts"

/** A tap that was passed. */
type Tap = Pick<Operation.Step, "identity" | "isTap" | "title">

/** Taps in the order in which they were passed. */
type Walk = ReadonlyArray<Tap>

/** An operation, and what is asked of it again and again. */
interface Passed {
  readonly operation: Operation.Operation
  readonly attachment: string
  readonly walk: Walk
}

/** What is remembered of operations. */
interface Memory {
  /** The taps of each network in the order of its chain, as the last operation that passed all of them did. */
  readonly chains: Map<string | undefined, Walk>
  /** What the last ADD of each attachment passed; nothing where only another operation of it is known. */
  readonly attachments: Map<string, Walk>
}

/** How many attachments are remembered. */
const remembered = 10_000

const none: Walk = []

const passed = (operation: Operation.Operation): Passed => ({
  operation,
  attachment: Operation.attachmentOf(operation.request),
  walk: operation.steps.filter(({ isTap }) => isTap).map(({ identity, isTap, title }) => ({ identity, isTap, title }))
})

const startsWith = (whole: Walk, start: Walk): boolean =>
  start.length <= whole.length && start.every(({ identity }, index) => whole[index]?.identity === identity)

const has = (walk: Walk, { identity }: Tap): boolean => walk.some((tap) => tap.identity === identity)

/** Whether an operation ended at one of its own runs. */
const hasFailingRun = ({ steps }: Pick<Operation.Operation, "steps">): boolean => steps.some(Operation.hasEndedBadly)

/** The tap that an ADD or a CHECK should have passed next; undefined if it passed all, or nobody knows better. */
const nextForward = (walk: Walk, chain: Walk, del: Walk): Tap | undefined => {
  const [last] = del
  if (last !== undefined && has(walk, last)) return undefined
  if (chain.length > 0 && startsWith(chain, walk)) return chain[walk.length] ?? last
  return del.toReversed().find((tap) => !has(walk, tap))
}

/** The tap that an operation should have passed next. */
const nextOf = (command: string | undefined, walk: Walk, chain: Walk, del: Walk): Tap | undefined => {
  if (command !== "DEL") return nextForward(walk, chain, del)
  const backwards = chain.toReversed()
  return startsWith(backwards, walk) ? backwards[walk.length] : undefined
}

/** The plugin in which an operation ended, where that shows only in a tap that it did not reach. */
const stopOf = ({ operation, walk }: Passed, { chains }: Memory, del: Walk): string | undefined => {
  const { request: { command, network }, steps } = operation
  if (command !== "ADD" && command !== "CHECK" && command !== "DEL") return undefined
  if (walk.length === 0 || hasFailingRun(operation)) return undefined
  const next = nextOf(command, walk, chains.get(network) ?? none, del)
  return next && TapInference.words(command, steps.at(-1), next)
}

/**
 * The plugin in which an ADD ended that reached no tap: nothing else is known of the attachment than a DEL through taps,
 * and that has no result of an ADD. Runtimes give one from 0.4.0 on.
 */
const missingAdd = ({ attachment, operation }: Passed, { attachments, chains }: Memory): string | undefined => {
  const { request: { cniVersion = "", command, network }, steps } = operation
  if (command !== "DEL" || attachments.has(attachment)) return undefined
  if (!CniVersion.isVersion(cniVersion) || !CniVersion.isAtLeast(cniVersion, "0.4.0")) return undefined
  if (!steps.every(({ before, end, isTap }) => isTap && before === undefined && end !== undefined)) return undefined
  const first = chains.get(network)?.[0] ?? steps.at(-1)
  return first && TapInference.words("ADD", undefined, first)
}

/** Remembers an operation of which it is known by now where it ended. */
const learn = (
  { attachment, operation: { request, steps, stoppedIn }, walk }: Passed,
  { attachments, chains }: Memory
): void => {
  const { command, network } = request
  const chain = chains.get(network) ?? none
  if (command === "DEL") {
    // Its ADD passed all taps that there were, so the chain has become shorter.
    const added = attachments.get(attachment) ?? none
    const [last] = walk
    if (last !== undefined && added.at(-1)?.identity === last.identity && startsWith(chain, added)) {
      chains.set(network, added)
    }
  } else if ((command === "ADD" || command === "CHECK") && walk.length > 0) {
    // One that is known already takes no memory once more.
    const known = chain.length === walk.length && startsWith(chain, walk) ? chain : walk
    if (stoppedIn === undefined && !hasFailingRun({ steps })) chains.set(network, known)
    if (command === "ADD") attachments.set(attachment, known)
  }
  if (!attachments.has(attachment)) attachments.set(attachment, none)
}

/** For each ADD the taps of the DEL that follows it. */
const dels = (operations: ReadonlyArray<Passed>): Map<Passed, Walk> => {
  const next = new Map<string, Walk>()
  const found = new Map<Passed, Walk>()
  for (const one of operations.toReversed()) {
    const { attachment, operation: { request: { command } }, walk } = one
    if (command === "DEL") next.set(attachment, walk)
    if (command !== "ADD") continue
    const del = next.get(attachment)
    if (del !== undefined) found.set(one, del)
    next.delete(attachment)
  }
  return found
}

/** Finds the plugins in which operations ended. */
export class InterruptedChains {
  private readonly memory: Memory = { chains: new Map(), attachments: new Map() }

  /** Operations in the order of time, each with the plugin in which it ended. */
  find(operations: ReadonlyArray<Operation.Operation>): ReadonlyArray<Operation.Operation> {
    const memory = { chains: new Map(this.memory.chains), attachments: new Map(this.memory.attachments) }
    const all = operations.map(passed)
    const del = dels(all)
    return all.map((one) => {
      const stoppedIn = stopOf(one, memory, del.get(one) ?? none)
      const addStoppedIn = missingAdd(one, memory)
      const operation = stoppedIn === undefined && addStoppedIn === undefined
        ? one.operation
        : { ...one.operation, stoppedIn, addStoppedIn }
      learn({ ...one, operation }, memory)
      return operation
    })
  }

  /** Keeps what an operation tells, which will not be among those that are asked about any more. */
  remember(operation: Operation.Operation): void {
    learn(passed(operation), this.memory)
    for (const attachment of this.memory.attachments.keys()) {
      if (this.memory.attachments.size <= remembered) break
      this.memory.attachments.delete(attachment)
    }
  }
}
