/** Writes records to stderr. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stderr from "../exec/Stderr.ts"
import type { Record } from "../record/Record.ts"
import { type LogSink, SinkFailed } from "./LogSink.ts"
import * as RecordText from "./RecordText.ts"
import * as SinkKind from "./SinkKind.ts"
import type { StderrTarget } from "./SinkTarget.ts"

const name = "stderr"

/** The fields of a stderr sink. */
export const fields = () =>
  Schema.Struct({ type: Schema.Literal("stderr"), format: Schema.optionalKey(RecordText.format()) })

type Fields = Omit<ReturnType<typeof fields>["Type"], "type">

/** The sink `stderr`. */
export const kind = {
  fields,
  complete: (fields: Fields): StderrTarget => ({ format: "text", ...fields }),
  open: ({ format }: StderrTarget) =>
    Effect.succeed({
      name,
      write: (record: Record) =>
        Effect.mapError(
          Stderr.write(RecordText.render(record, format)),
          (cause) => new SinkFailed({ sink: name, reason: cause.message, cause })
        )
    })
}

/** A {@link LogSink} that writes all records to the stderr of this process. */
export const layer = (target: Fields = {}): Layer.Layer<LogSink> => SinkKind.layer(kind, target)
