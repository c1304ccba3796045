/** What the monitors reported since the last look, at bounded size. */
import * as Latch from "effect/Latch"
import type { Kind } from "../network/StateKind.ts"
import type { Authored } from "./Attribution.ts"

/** A time span. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** What a look is for. Moments are in milliseconds since 1970. */
export interface Taken {
  /** The kinds of facts that may have changed, and when the first and the last event about each arrived. */
  readonly kinds: ReadonlyMap<Kind, Span>
  readonly commits: ReadonlyArray<Authored>
  /** When the first and the last event of all arrived; undefined if nothing was reported. */
  readonly span: Span | undefined
  /** Whether events were lost, so that the commits are not all of them. */
  readonly isLossy: boolean
}

/** The most commits between two looks. More are treated as lost. */
const most = 2000

const nothing: Taken = { kinds: new Map(), commits: [], span: undefined, isLossy: false }

/** How long events may go on before a look is taken anyway, and how long a commit may take, in milliseconds. */
const longest = { burst: 2000, commit: 10_000 }

/** How long nothing must happen for a burst to be over, in milliseconds. */
export const quiet = 100

/** Collects what monitors report. */
export const make = () => {
  let now = nothing
  let openSince: number | undefined
  const latch = Latch.makeUnsafe(false)
  const until = (span: Span | undefined, time: number): Span => ({ from: span?.from ?? time, to: time })
  const event = (time: number, kinds: ReadonlyArray<Kind>, more: Partial<Taken> = {}): void => {
    const spans = kinds.map((kind) => [kind, until(now.kinds.get(kind), time)] as const)
    now = { ...now, kinds: new Map([...now.kinds, ...spans]), span: until(now.span, time), ...more }
    latch.openUnsafe()
  }
  return {
    /** Facts of these kinds may have changed. */
    touch: (time: number, kinds: ReadonlyArray<Kind>): void => {
      if (kinds.length > 0) event(time, kinds)
    },
    /** A part of a commit arrived. There may be tens of thousands, so this only notes the time. */
    part: (time: number): void => {
      openSince ??= time
      if (now.span === undefined) event(time, [])
      else now = { ...now, span: until(now.span, time) }
    },
    commit: (commit: Authored, kinds: ReadonlyArray<Kind>): void => {
      openSince = undefined
      const isFull = now.commits.length >= most
      event(commit.time, kinds, isFull ? { isLossy: true } : { commits: [...now.commits, commit] })
    },
    lost: (time: number, kinds: ReadonlyArray<Kind>): void => {
      openSince = undefined
      event(time, kinds, { isLossy: true })
    },
    /** Waits for the first event. */
    await: latch.await,
    /** Whether to look now: the burst is over, or goes on for too long. */
    isSettled: (time: number): boolean => {
      if (now.span === undefined) return true
      if (openSince !== undefined) return time - openSince > longest.commit
      return time - now.span.to >= quiet || time - now.span.from > longest.burst
    },
    /** The commits that are there already for the next look. */
    commits: (): ReadonlyArray<Authored> => now.commits,
    take: (): Taken => {
      const taken = now
      now = nothing
      latch.closeUnsafe()
      return taken
    }
  }
}
