import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import { StdoutUnwritable } from "../cni/CniError.ts"
import * as escape from "../record/escape.ts"

/** How many bytes were taken; none where the reader has to catch up first. */
const writeSome = (fd: number, rest: string | Uint8Array): number => {
  try {
    return typeof rest === "string" ? Fs.writeSync(fd, rest) : Fs.writeSync(fd, rest)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0
    throw error
  }
}

// `process.stdout` would cost more than the whole rest of the answer, and loses what is not flushed at the exit.
// A string costs the runtimes less than the bytes that it stands for: those are made only where a write is cut short.
const writeAll = Effect.fnUntraced(function*(fd: number, text: string) {
  let rest: string | Uint8Array = text
  while (true) {
    const written = yield* Effect.try({
      try: () => writeSome(fd, rest),
      catch: (error) => new StdoutUnwritable({ reason: (error as Error).message })
    })
    if (written === Buffer.byteLength(rest)) return
    if (written === 0) yield* Effect.sleep(1)
    rest = (typeof rest === "string" ? Buffer.from(rest) : rest).subarray(written)
  }
})

/** Answers the runtime, and tells people what the runtime is not told. */
export class ResultWriter extends Context.Service<ResultWriter, {
  /** Writes the one JSON document that goes to stdout. */
  readonly write: (document: string) => Effect.Effect<void, StdoutUnwritable>
  /** Writes lines to stderr. Where that is closed nobody is listening: no failure. */
  readonly notice: (text: string) => Effect.Effect<void>
}>()("cni-passthrough/ResultWriter") {
  /** Writes to stdout and stderr of this process. */
  static readonly live = ResultWriter.of({
    write: (document) => writeAll(1, document),
    notice: (text) => Effect.ignore(writeAll(2, `${escape.inLines(text)}\n`))
  })

  /** The live service as a layer. */
  static readonly layer = Layer.succeed(ResultWriter, ResultWriter.live)
}
