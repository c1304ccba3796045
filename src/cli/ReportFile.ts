/** Writes reports: records without what must stay hidden, as one HTML file. */
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Iterable from "effect/Iterable"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as EmbeddedRecords from "../log/EmbeddedRecords.ts"
import type { Operation } from "../operations/Operation.ts"
import * as Redaction from "../plugin/Redaction.ts"
import * as JsonFormat from "../record/JsonFormat.ts"
import * as Secrets from "../record/Secrets.ts"
import * as HtmlReport from "../render/html/HtmlReport.ts"
import type { Report } from "../render/html/PageData.ts"
import * as PageOperations from "../render/html/PageOperations.ts"
import * as Flags from "./Flags.ts"
import { PageAssets } from "./PageAssets.ts"
import * as Print from "./Print.ts"

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

/** The records of a report, and the operations in them. */
export class Content {
  private readonly records: Array<string> = []
  private readonly operations = new PageOperations.PageOperations()

  /** Takes the text of a record after {@link masked}, and the record itself where it was read from that text. */
  add(text: string, record = JsonFormat.read(text)): void {
    if (record !== undefined) this.operations.add(record, this.records.length)
    this.records.push(text)
  }

  /** The report in pieces, with these operations. */
  pieces(operations: ReadonlyArray<Operation>, extra: Extra, assets: HtmlReport.Assets): Iterable<string> {
    const pages = Iterable.map(operations, (operation) => this.operations.pageOf(operation))
    const shown: Extra = JSON.parse(Secrets.inJson(JSON.stringify(extra)))
    return Print.batches(HtmlReport.pieces({ ...shown, operations: pages }, this.records, assets), (piece) => piece)
  }

  /** All operations. */
  all(): ReadonlyArray<Operation> {
    return this.operations.all()
  }
}

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

/** Writes at the end, because a pipe has no other place. */
const append = Effect.fnUntraced(function*(file: string, pieces: Iterable<string>) {
  const fs = yield* FileSystem.FileSystem
  const handle = yield* fs.open(file, { flag: "a" })
  const encoder = new TextEncoder()
  for (const piece of pieces) yield* handle.writeAll(encoder.encode(piece))
}, Effect.scoped)

/**
 * Writes a report, given in pieces, that only its owner can read, like the logs. It replaces nothing but another report.
 */
export const write = Effect.fnUntraced(function*(file: string, pieces: Iterable<string>) {
  yield* AtomicFile.checkOwner(file)
  const kind = yield* kindOf(file)
  if (kind === "other") return yield* new NotReport({ file })
  if (kind !== "device") return yield* AtomicFile.replacePieces(file, pieces, { mode: 0o600 })
  yield* Effect.mapError(append(file, pieces), AtomicFile.failed(file))
})

/** Writes a report of records, given as their texts. Masks what looks like a secret. */
export const make = Effect.fnUntraced(
  function*(file: string, records: ReadonlyArray<string>, extra: Extra = {}) {
    const content = new Content()
    for (const text of records.map(masked(usual))) content.add(text)
    yield* write(file, content.pieces(content.all(), extra, yield* PageAssets))
    yield* Console.error(`wrote ${file}`)
  }
)

/** The flag of commands that can write a report of what they did. */
export const flag = Flags.file("report").pipe(
  Flag.withDescription("Write a report of it as one HTML file, with what looks like a secret masked"),
  Flag.optional
)
