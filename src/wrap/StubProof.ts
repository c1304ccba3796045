/** Proves that a stub answers as its plugin does. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Execution from "../exec/Execution.ts"
import * as PluginExec from "../exec/PluginExec.ts"

/** The time limit for each of the two answers, in milliseconds. */
const timeout = 10_000

/** A stub does not answer as its plugin does, or there is no answer to compare. */
export class NotProven extends Data.TaggedError("NotProven")<{ readonly reason: string; readonly cause?: unknown }> {
  override readonly message = this.reason
}

/** Asks for VERSION, as podman does before each request. */
const ask = Effect.fnUntraced(function*(file: string, who: string) {
  const dummy = { CNI_CONTAINERID: "dummy", CNI_NETNS: "dummy", CNI_IFNAME: "dummy", CNI_PATH: "dummy" }
  const execution = yield* PluginExec.call({
    file,
    env: { ...process.env, CNI_COMMAND: "VERSION", ...dummy },
    stdin: "{\"cniVersion\":\"1.0.0\"}",
    timeout
  }).pipe(Effect.mapError((cause) => new NotProven({ reason: `${who} cannot be started: ${cause.reason}`, cause })))
  if (!execution.timedOut) return execution
  return yield* new NotProven({ reason: `${who} does not end within ${timeout / 1000} s when it is asked for VERSION` })
})

/** The answer of a program, on one line. */
const answer = (execution: Execution.Execution): string => {
  const [line = ""] = (Execution.text(execution.stdout).trim() || Execution.text(execution.stderr).trim()).split("\n")
  return `${Execution.ending(execution)}${line === "" ? "" : `, ${line.slice(0, 200)}`}`
}

/** Fails unless both files print the same bytes on stdout for VERSION, and end in the same way. */
export const compare = Effect.fnUntraced(function*(plugin: string, stub: string) {
  const expected = yield* ask(plugin, "it")
  const found = yield* ask(stub, "its stub")
  if (Execution.ending(found) === Execution.ending(expected) && Buffer.compare(found.stdout, expected.stdout) === 0) {
    return
  }
  return yield* new NotProven({
    reason: `its stub answers VERSION otherwise: found ${answer(found)}; expected ${answer(expected)}`
  })
})
