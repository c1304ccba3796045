/**
 * Finds where a chain of taps ended early. When a plugin fails, the runtime does not reach the tap after it, so only
 * other operations show the failure: earlier ones of the same network, and the later DEL of the same attachment, which
 * passes all taps.
 */
import * as CniVersion from "../cni/CniVersion.ts"
import * as Operation from "./Operation.ts"
import * as TapInference from "./TapInference.ts"

/** A tap that was passed. */
type Tap = Pick<Operation.Step, "identity" | "isTap" | "title">

/** Taps in the order in which they were passed. */
type Walk = ReadonlyArray<Tap>

/** An operation, and what is derived from it once. */
interface Passed {
  readonly operation: Operation.Operation
  readonly attachment: string
  readonly walk: Walk
}

/** What earlier operations showed. */
interface Memory {
  /** The taps of each network in the order of its chain, as in the last operation that passed all of them. */
  readonly chains: Map<string | undefined, Walk>
  /** The taps that the last ADD of each attachment passed; empty if only other operations of it are known. */
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
  start.every(({ identity }, index) => whole[index]?.identity === identity)

const has = (walk: Walk, { identity }: Tap): boolean => walk.some((tap) => tap.identity === identity)

/** Whether one of the operation's own runs ended badly. */
const hasFailingRun = ({ steps }: Pick<Operation.Operation, "steps">): boolean => steps.some(Operation.hasEndedBadly)

/**
 * The tap that an ADD or a CHECK should have passed next; undefined if it passed all, or no other operation shows one.
 */
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

/** The plugin in which an operation ended, if only a tap that it did not reach shows this. */
const stopOf = ({ operation, walk }: Passed, { chains }: Memory, del: Walk): string | undefined => {
  const { request: { command, network }, steps } = operation
  if (command !== "ADD" && command !== "CHECK" && command !== "DEL") return undefined
  if (walk.length === 0 || hasFailingRun(operation)) return undefined
  const next = nextOf(command, walk, chains.get(network) ?? none, del)
  return next && TapInference.words(command, steps.at(-1), next)
}

/**
 * The plugin in which an ADD ended before it reached a tap. The sign is a DEL without the result of an ADD, for an
 * attachment of which nothing else is known: runtimes pass that result since version 0.4.0.
 */
const missingAdd = ({ attachment, operation }: Passed, { attachments, chains }: Memory): string | undefined => {
  const { request: { cniVersion = "", command, network }, steps } = operation
  if (command !== "DEL" || attachments.has(attachment)) return undefined
  if (!CniVersion.isVersion(cniVersion) || !CniVersion.isAtLeast(cniVersion, "0.4.0")) return undefined
  if (!steps.every(({ before, end, isTap }) => isTap && before === undefined && end !== undefined)) return undefined
  const first = chains.get(network)?.[0] ?? steps.at(-1)
  return first && TapInference.words("ADD", undefined, first)
}

/** Remembers an operation once its end is known. */
const learn = (
  { attachment, operation: { request, steps, stoppedIn }, walk }: Passed,
  { attachments, chains }: Memory
): void => {
  const { command, network } = request
  const chain = chains.get(network) ?? none
  if (command === "DEL") {
    // The DEL starts at the last tap of its ADD. The ADD passed all taps, so the chain has become shorter.
    const added = attachments.get(attachment) ?? none
    const [last] = walk
    if (last !== undefined && added.at(-1)?.identity === last.identity && startsWith(chain, added)) {
      chains.set(network, added)
    }
  } else if ((command === "ADD" || command === "CHECK") && walk.length > 0) {
    // Reuse an equal walk to save memory.
    const known = chain.length === walk.length && startsWith(chain, walk) ? chain : walk
    if (stoppedIn === undefined && !hasFailingRun({ steps })) chains.set(network, known)
    if (command === "ADD") attachments.set(attachment, known)
  }
  if (!attachments.has(attachment)) attachments.set(attachment, none)
}

/** For each ADD, the taps of the DEL that follows it. */
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

/** Finds the plugins in which operations ended early. */
export class InterruptedChains {
  private readonly memory: Memory = { chains: new Map(), attachments: new Map() }

  /** Takes operations in the order of time, and adds the plugin in which each ended early. */
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

  /** Keeps what an operation shows, before the caller drops it from later calls of `find`. */
  remember(operation: Operation.Operation): void {
    learn(passed(operation), this.memory)
    for (const attachment of this.memory.attachments.keys()) {
      if (this.memory.attachments.size <= remembered) break
      this.memory.attachments.delete(attachment)
    }
  }
}
