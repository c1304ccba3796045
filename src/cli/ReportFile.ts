/** Writes reports: what may be shown of records, as one HTML file. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as Redaction from "../plugin/Redaction.ts"
import * as Html from "../report/Html.ts"
import type { Finding, Report } from "../report/html/Data.ts"
import * as Masking from "../report/Masking.ts"
import * as PageData from "../report/PageData.ts"
import { Page } from "./Page.ts"

/** The file of a report cannot be written. */
export class ReportUnwritable extends Data.TaggedError("ReportUnwritable")<{
  readonly file: string
  readonly cause: Error
}> {
  override readonly message = `cannot write the report: ${this.cause.message}`
}

/** What may not be shown. */
export interface Secrets {
  /** Whether what looks like a secret is masked. */
  readonly masks: boolean
  /** More keys and JSON Pointers, as a tap has them in `redact`. */
  readonly redact: ReadonlyArray<string>
}

/** What is masked unless it is said otherwise. */
export const usual: Secrets = { masks: true, redact: [] }

/** Whether somebody named the value at a path of a record. Pointers begin at the top of the configuration, as for taps. */
const isNamed = (names: ReadonlyArray<string>): Masking.IsSecret => ([member = "", ...path]) => {
  const place = member === "config" ? path : member === "result" ? ["prevResult", ...path] : [member, ...path]
  return Redaction.hides(place, names)
}

/** What may be shown of the text of a record. */
export const masked = ({ masks, redact }: Secrets): (text: string) => string => {
  const named = redact.length === 0 ? undefined : isNamed(redact)
  if (masks) return (text) => Masking.record(text, named)
  return named === undefined ? (text) => text : (text) => Masking.record(text, named, () => false)
}

/** A report of records, given as their texts after {@link masked}. */
export const render = Effect.fnUntraced(function*(records: ReadonlyArray<string>, findings?: ReadonlyArray<Finding>) {
  const report: Report = {
    ...(findings === undefined ? {} : { findings: JSON.parse(Masking.record(JSON.stringify(findings))) }),
    operations: PageData.make(records)
  }
  return { report, html: Html.render(report, records, yield* Page) }
})

/** Writes a report, which its owner alone can read, as the logs are. */
export const write = Effect.fnUntraced(function*(file: string, html: string) {
  yield* Effect.mapError(
    AtomicFile.replaceText(file, html, { mode: 0o600 }),
    (cause) => new ReportUnwritable({ file, cause })
  )
})
