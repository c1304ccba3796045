/** Shows on a terminal what the command waits for, such as a slow program. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as OwnCommand from "./OwnCommand.ts"

/** How long something takes before it is shown, in milliseconds. */
const patience = 1000

/** How often a count is redrawn, in milliseconds. */
const interval = 250

/** What the command waits for. Only the last one is shown. */
const waiting: Array<() => string> = []

const line = (): string => `\r\u001b[K${waiting.at(-1)?.() ?? ""}`

/** Shows a text on stderr, if that is a terminal, until `effect` ends. `refresh` redraws it. */
const shownDuring = Effect.fnUntraced(function*<A, E, R>(
  text: () => string,
  refresh: (draw: Effect.Effect<void>) => Effect.Effect<never>,
  effect: Effect.Effect<A, E, R>
) {
  const stdio = yield* Stdio.Stdio
  const { canAnimate } = yield* TerminalCapabilities.TerminalCapabilities
  if (!canAnimate || !(yield* stdio.stderrIsTerminal)) return yield* effect
  const draw = Effect.suspend(() => Effect.ignore(Stream.run(Stream.make(line()), stdio.stderr({ endOnDone: false }))))
  const notice = Effect.gen(function*() {
    yield* Effect.sleep(patience)
    waiting.push(text)
    yield* draw
    return yield* Effect.onInterrupt(refresh(draw), () => {
      waiting.splice(waiting.lastIndexOf(text), 1)
      return draw
    })
  })
  return yield* Effect.raceFirst(effect, notice)
})

/** Shows on stderr, if that is a terminal, what the command waits for, until `effect` ends. */
export const during = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) => {
  const text = `waiting for ${what} …`
  return shownDuring(() => text, () => Effect.never, effect)
}

/** Processes these one after the other, and shows how many are done: `removing: 12 of 253 …`. */
export const each = <A, B, E, R>(
  what: string,
  all: ReadonlyArray<A>,
  work: (one: A) => Effect.Effect<B, E, R>
) =>
  Effect.suspend(() => {
    let done = 0
    const counted = Effect.forEach(all, (one) => Effect.tap(work(one), () => Effect.sync(() => void done++)))
    const refresh = (draw: Effect.Effect<void>) => Effect.forever(Effect.andThen(Effect.sleep(interval), draw))
    return shownDuring(() => `${what}: ${done} of ${all.length} …`, refresh, counted)
  })

/** A runner of programs that shows each slow program, except those whose output appears as it comes. */
export const layer: Layer.Layer<ProcessRunner, never, ProcessRunner | Stdio.Stdio | Path.Path> = Layer.effect(
  ProcessRunner,
  Effect.gen(function*() {
    const runner = yield* ProcessRunner
    const stdio = yield* Stdio.Stdio
    const path = yield* Path.Path
    // The runtime of the script form says nothing: on a cluster, node is another word for the host.
    const nameOf = (program: string) => program === process.execPath ? OwnCommand.name : path.basename(program)
    return ProcessRunner.of({
      run: (invocation) =>
        invocation.onStdout === undefined
          ? during(nameOf(invocation.argv[0]), runner.run(invocation)).pipe(
            Effect.provideService(Stdio.Stdio, stdio)
          )
          : runner.run(invocation)
    })
  })
)
