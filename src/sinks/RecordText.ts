/** A record in the format that a sink asks for. */
import * as Field from "../json/Field.ts"
import * as JsonFormat from "../record/JsonFormat.ts"
import type { Record } from "../record/Record.ts"
import * as TextFormat from "../record/TextFormat.ts"
import * as TimeZone from "./TimeZone.ts"

/** How records are written: for people, or one JSON object a line. */
export const format = () => Field.oneOf(["text", "json"])

/** A format of records. */
export type Format = ReturnType<typeof format>["Type"]

/** Renders a record in a format, with a line end after it. */
export const render = (record: Record, format: Format): string =>
  format === "json" ? JsonFormat.render(record) : TextFormat.render(record, TimeZone.minutesEast)
