/** Renders a record in the format of a sink. */
import * as Field from "../json/Field.ts"
import * as JsonFormat from "../record/JsonFormat.ts"
import type { Record } from "../record/Record.ts"
import * as TextFormat from "../record/TextFormat.ts"
import * as TimeZone from "./TimeZone.ts"

/** The names of the formats: text for people, or one JSON object on each line. */
export const formats = ["text", "json"] as const

/** The schema of the formats. */
export const format = () => Field.oneOf(formats)

/** A format of records. */
export type Format = ReturnType<typeof format>["Type"]

/** Renders a record and a line break. */
export const render = (record: Record, format: Format): string =>
  format === "json" ? JsonFormat.render(record) : TextFormat.render(record, TimeZone.minutesEast)
