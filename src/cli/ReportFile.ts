/** Writes reports: records without what must stay hidden, as one HTML file. */
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as EmbeddedRecords from "../log/EmbeddedRecords.ts"
import * as Redaction from "../plugin/Redaction.ts"
import * as Secrets from "../record/Secrets.ts"
import * as HtmlReport from "../render/html/HtmlReport.ts"
import type { Report } from "../render/html/PageData.ts"
import * as PageOperations from "../render/html/PageOperations.ts"
import * as Flags from "./Flags.ts"
import { PageAssets } from "./PageAssets.ts"

/** What a report hides. */
export interface Redacted {
  /** Whether to mask what looks like a secret. */
  readonly masks: boolean
  /** More keys and JSON Pointers to mask, as in `redact` of a tap. */
  readonly redact: ReadonlyArray<string>
}

/** The default. */
const usual: Redacted = { masks: true, redact: [] }

/**
 * Whether these names include the value at a path of a record. Pointers begin at the top of the configuration, as in
 * taps.
 */
const isNamed = (names: ReadonlyArray<string>): Secrets.IsSecret => ([member = "", ...path]) => {
  const place = member === "config" ? path : member === "result" ? ["prevResult", ...path] : [member, ...path]
  return Redaction.hides(place, names)
}

/** Masks the text of a record. */
export const masked = ({ masks, redact }: Redacted): (text: string) => string => {
  const named = redact.length === 0 ? undefined : isNamed(redact)
  if (masks || Redaction.masksSecrets(redact)) return (text) => Secrets.inJson(text, named)
  return named === undefined ? (text) => text : (text) => Secrets.namedInJson(text, named)
}

/** What a report has besides records: findings of doctor, packets of trace. */
export type Extra = Omit<Report, "operations">

/** A report of records, given as their texts after {@link masked}. */
export const render = Effect.fnUntraced(function*(records: ReadonlyArray<string>, extra: Extra = {}) {
  const report: Report = {
    ...JSON.parse(Secrets.inJson(JSON.stringify(extra))),
    operations: PageOperations.make(records)
  }
  return { report, html: HtmlReport.render(report, records, yield* PageAssets) }
})

/** The file exists and is not a report: perhaps a log whose name slipped behind `-o`. */
class NotReport extends Data.TaggedError("NotReport")<{ readonly file: string }> {
  override readonly message = `${this.file} is there and is not a report: it is left as it is`
}

/** What is in the place of a report: nothing, a report, another file, or a device, a pipe or a folder. */
const kindOf = Effect.fnUntraced(
  function*(file: string) {
    const fs = yield* FileSystem.FileSystem
    if ((yield* fs.stat(file)).type !== "File") return "device" as const
    const head = new Uint8Array(EmbeddedRecords.headLength)
    const count = Number(yield* (yield* fs.open(file)).read(head))
    return count === 0 || EmbeddedRecords.isReport(head) ? "report" as const : "other" as const
  },
  Effect.scoped,
  Effect.orElseSucceed(() => "nothing" as const)
)

/** Writes a report that only its owner can read, like the logs. It replaces nothing but another report. */
export const write = Effect.fnUntraced(function*(file: string, html: string) {
  const fs = yield* FileSystem.FileSystem
  yield* AtomicFile.checkOwner(file)
  const kind = yield* kindOf(file)
  if (kind === "other") return yield* new NotReport({ file })
  if (kind !== "device") return yield* AtomicFile.replaceText(file, html, { mode: 0o600 })
  yield* Effect.mapError(fs.writeFileString(file, html), AtomicFile.failed(file))
})

/** Writes a report of records, given as their texts. Masks what looks like a secret. */
export const make = Effect.fnUntraced(
  function*(file: string, records: ReadonlyArray<string>, extra: Extra = {}) {
    const { html } = yield* render(records.map(masked(usual)), extra)
    yield* write(file, html)
    yield* Console.error(`wrote ${file}`)
  }
)

/** The flag of commands that can write a report of what they did. */
export const flag = Flags.file("report").pipe(
  Flag.withDescription("Write a report of it as one HTML file, with what looks like a secret masked"),
  Flag.optional
)
