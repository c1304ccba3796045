/** The two formats of a record. */
import type { Format } from "../cni/Settings.ts"
import * as JsonFormat from "./JsonFormat.ts"
import type { LogRecord } from "./LogRecord.ts"
import * as TextFormat from "./TextFormat.ts"

/** Renders a record in a format, with a line end behind it. */
export const render = (record: LogRecord, format: Format): string =>
  format === "json" ? JsonFormat.render(record) : TextFormat.render(record)
