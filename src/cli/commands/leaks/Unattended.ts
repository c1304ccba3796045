/** `leaks --fix --every`: looks repeatedly, and removes what has been left behind for long enough. */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LeakRemoval from "../../../doctor/LeakRemoval.ts"
import * as GoDuration from "../../../json/GoDuration.ts"
import * as Escape from "../../../record/Escape.ts"
import * as RunContext from "../../../record/RunContext.ts"
import * as Style from "../../../render/terminal/Style.ts"
import * as LeakLines from "../../LeakLines.ts"
import * as Signals from "../../Signals.ts"
import * as Age from "./Age.ts"
import * as Removing from "./Removing.ts"
import * as Search from "./Search.ts"
import * as StillListed from "./StillListed.ts"

/** What the flags say. */
export interface Asked extends Search.Asked, Removing.Asked {
  readonly json: boolean
  readonly verbose: boolean
}

/** What one round found and did. */
interface Round extends LeakLines.Removed {
  readonly outcomes: ReadonlyArray<Removing.Outcome>
  /** What could not be looked at, and which runtimes could not be asked. */
  readonly notes: ReadonlyArray<string>
}

type Remove = Effect.Success<ReturnType<typeof Removing.make>>

/** One round. Fails if not everything that is alive could be seen. */
const round = Effect.fnUntraced(function*(
  asked: Asked,
  older: number,
  sightings: ReturnType<typeof Age.makeSightings>,
  remove: Remove
) {
  const found = yield* Search.settled(asked)
  if (found.blind !== undefined) return yield* found.blind
  const { gone, listed, notes } = yield* StillListed.ask(found.found)
  const { old, recent } = yield* sightings.split(gone, older)
  const outcomes = yield* Effect.forEach(LeakRemoval.byContainer(old), (ofOne) => remove(ofOne, found.tools))
  return {
    found: old,
    recent,
    listed,
    kept: found.kept,
    possible: [],
    outcomes: outcomes.flat(),
    notes: [...Search.notes(found), ...notes]
  } satisfies Round as Round
})

const removedPrefix = "removed "

/** Prints the rounds for people: what was removed, and what is new among the rest. */
const forPeople = (style: Style.Style, older: string, isVerbose: boolean) => {
  let told = new Set<string>()
  return Effect.fnUntraced(function*({ kept, listed, notes, outcomes, recent }: Round) {
    const removed = outcomes.filter(({ stays }) => stays === undefined).map(({ leak }) => leak)
    const rest = { ...style, width: style.width - removedPrefix.length }
    for (const line of LeakLines.lines(removed, rest, isVerbose)) yield* Console.log(`${removedPrefix}${line}`)
    const waiting = recent.length === 0 ? [] : [`waiting until gone for ${older}: ${LeakLines.sum(recent)}`]
    const now = [...waiting, ...LeakLines.keptBack(kept), ...LeakLines.listed(listed), ...notes]
    for (const line of [...Removing.failures(outcomes), ...now.filter((line) => !told.has(line))]) {
      yield* Console.error(Escape.inLine(line))
    }
    told = new Set(now)
  })
}

/** Runs until a signal stops it. A round that fails is reported, and the next one still runs. */
export const run = Effect.fnUntraced(
  function*(asked: Asked, every: number, older: number) {
    const style = yield* Style.current()
    const stopped = yield* Signals.stop
    const sightings = Age.makeSightings()
    const length = GoDuration.fromMillis(older)
    const show = forPeople(style, length, asked.verbose)
    if (!asked.json) {
      yield* Console.log(
        `looking every ${GoDuration.fromMillis(every)}, removing what has been left behind for ${length}`
      )
    }
    const turn = Effect.gen(function*() {
      const remove = yield* Removing.make(asked)
      const exit = yield* Effect.exit(round(asked, older, sightings, remove))
      if (Exit.isFailure(exit) && Cause.hasInterrupts(exit.cause)) yield* Effect.interrupt
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      const reason = error instanceof Error ? error.message : error === undefined ? undefined : String(error)
      if (asked.json) {
        const time = RunContext.timestamp(yield* Clock.currentTimeMillis)
        yield* Console.log(LeakLines.jsonLine(time, Exit.isSuccess(exit) ? exit.value : undefined, reason))
      } else if (Exit.isSuccess(exit)) yield* show(exit.value)
      else yield* Console.error(Escape.inLine(`this round failed: ${reason}`))
    })
    const rounds = Effect.forever(Effect.andThen(turn, Effect.sleep(every)))
    const signal = yield* Effect.raceFirst(stopped, rounds)
    if (!asked.json) yield* Console.log(`stopped by ${signal}`)
  },
  Effect.scoped
)
