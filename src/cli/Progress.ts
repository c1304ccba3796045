/** Says on a terminal what is waited for. */
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { ProcessRunner } from "../exec/ProcessRunner.ts"

/** How long something takes before it is named, in milliseconds. */
const patience = 1000

/** What is waited for. The last of it is shown. */
const waiting: Array<string> = []

const line = (): string => `\r\u001b[K${waiting.at(-1) ?? ""}`

/** Shows on stderr, where that is a terminal, that `what` is waited for, until `effect` ends. */
export const during = Effect.fnUntraced(function*<A, E, R>(what: string, effect: Effect.Effect<A, E, R>) {
  const stdio = yield* Stdio.Stdio
  const { canAnimate } = yield* TerminalCapabilities.TerminalCapabilities
  if (!canAnimate || !(yield* stdio.stderrIsTerminal)) return yield* effect
  const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr({ endOnDone: false })))
  const text = `waiting for ${what} …`
  const notice = Effect.gen(function*() {
    yield* Effect.sleep(patience)
    waiting.push(text)
    yield* write(line())
    return yield* Effect.onInterrupt(Effect.never, () => {
      waiting.splice(waiting.lastIndexOf(text), 1)
      return write(line())
    })
  })
  return yield* Effect.raceFirst(effect, notice)
})

/** A runner of programs that names each one that takes its time, but for those whose output is shown as it comes. */
export const layer: Layer.Layer<ProcessRunner, never, ProcessRunner | Stdio.Stdio | Path.Path> = Layer.effect(
  ProcessRunner,
  Effect.gen(function*() {
    const runner = yield* ProcessRunner
    const stdio = yield* Stdio.Stdio
    const path = yield* Path.Path
    return ProcessRunner.of({
      run: (invocation) =>
        invocation.onStdout === undefined
          ? during(path.basename(invocation.argv[0]), runner.run(invocation)).pipe(
            Effect.provideService(Stdio.Stdio, stdio)
          )
          : runner.run(invocation)
    })
  })
)
