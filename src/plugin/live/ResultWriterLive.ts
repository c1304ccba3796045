/** Answers on the stdout and the stderr of this process. */
import * as Effect from "effect/Effect"
import { StdoutUnwritable } from "../../cni/CniError.ts"
import * as Descriptor from "../../exec/Descriptor.ts"
import * as Stderr from "../../exec/Stderr.ts"
import * as Escape from "../../record/Escape.ts"
import { ResultWriter } from "../ResultWriter.ts"

/** Writes to stdout and stderr of this process. */
export const resultWriterLive = ResultWriter.of({
  write: (document) =>
    Effect.mapError(Descriptor.write(1, document), (error) => new StdoutUnwritable({ reason: error.message })),
  notice: (text) => Stderr.notice(`${Escape.inLines(text)}\n`)
})
