/** Reads whole logs: files, stdin, the journal. They are read as streams, since a log may be larger than memory. */
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Zlib from "node:zlib"
import * as JsonFormat from "../record/JsonFormat.ts"
import type { Record } from "../record/Record.ts"
import * as EmbeddedRecords from "./EmbeddedRecords.ts"
import * as Journal from "./Journal.ts"
import * as LineSplitter from "./LineSplitter.ts"
import { Unreadable } from "./LogError.ts"
import * as LogFiles from "./LogFiles.ts"
import { SkippedLines } from "./SkippedLines.ts"

/** How many bytes are read at once. */
const chunkSize = 65_536

/** Takes a record and its JSON text. */
export type Take = (record: Record, text: string) => void

/** Reads the records of a log line by line. */
export class Reader {
  readonly skipped: SkippedLines
  private readonly splitter = new LineSplitter.Splitter()
  private readonly take: Take
  private readonly recordOf: (line: string) => string

  /** `recordOf` extracts the record's JSON text from a line that contains more. */
  constructor(name: string, take: Take, recordOf = (line: string) => line) {
    this.skipped = new SkippedLines(name)
    this.take = take
    this.recordOf = recordOf
  }

  private line(text: string): void {
    if (text.trim() === "") return this.skipped.blank()
    const own = this.recordOf(text)
    const record = JsonFormat.read(own)
    if (record === undefined) return this.skipped.other(text)
    this.skipped.record()
    this.take(record, own)
  }

  push(bytes: Uint8Array): void {
    for (const line of this.splitter.push(bytes)) this.line(line)
  }

  /** Takes the last line, which may have no line end. */
  end(): void {
    this.line(this.splitter.end())
  }
}

/** What a reader does after each piece of a log, such as to wait until what was read is used. */
export type Pace<E> = Effect.Effect<void, E>

const pushAll = <E, R, F>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  reader: Reader,
  pace: Pace<F>
): Effect.Effect<void, E | F, R> =>
  Effect.andThen(
    Stream.runForEach(bytes, (chunk) => Effect.andThen(Effect.sync(() => reader.push(chunk)), pace)),
    Effect.sync(() => reader.end())
  )

/** The first bytes of a file. */
const headOf = Effect.fnUntraced(
  function*(file: string) {
    const fs = yield* FileSystem.FileSystem
    const head = new Uint8Array(EmbeddedRecords.headLength)
    const count = yield* (yield* fs.open(file)).read(head)
    return head.subarray(0, Number(count))
  },
  Effect.scoped
)

/** Whether a file starts like gzip (RFC 1952, section 2.3.1). */
const isCompressed = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b

/** Reads a pipe or a terminal. The platform's own streams read at positions, which these do not have. */
export const pipe = (path: string): Stream.Stream<Uint8Array, Unreadable> =>
  NodeStream.fromReadable<Uint8Array, Unreadable>({
    evaluate: () => Fs.createReadStream(path),
    onError: (cause) => new Unreadable({ name: path, cause })
  })

/** Reads a whole file through one buffer, whereas a stream would allocate one for each piece. */
const pushFile = Effect.fnUntraced(
  function*<E>(path: string, reader: Reader, failed: (cause: unknown) => Unreadable, pace: Pace<E>) {
    const fs = yield* FileSystem.FileSystem
    const file = yield* Effect.mapError(fs.open(path), failed)
    const buffer = new Uint8Array(chunkSize)
    while (true) {
      const count = yield* Effect.mapError(file.read(buffer), failed)
      if (count === 0) break
      reader.push(buffer.subarray(0, count))
      yield* pace
    }
    reader.end()
  },
  Effect.scoped
)

/** Reads the records embedded in a report. */
const pushReport = Effect.fnUntraced(function*(path: string, reader: Reader) {
  const fs = yield* FileSystem.FileSystem
  const records = EmbeddedRecords.recordsOf(yield* fs.readFileString(path)) ?? ["a report without its records"]
  for (const text of records) reader.push(Buffer.from(`${text}\n`))
  reader.end()
})

/** Reads a file, which may be compressed with gzip, or a report. */
export const readFile = Effect.fnUntraced(function*<E = never>(file: string, take: Take, pace: Pace<E> = Effect.void) {
  const fs = yield* FileSystem.FileSystem
  const reader = new Reader(file, take)
  const failed = (cause: unknown) => new Unreadable({ name: file, cause })
  const isFile = (yield* LogFiles.kindOf(file)) === "File"
  const head = isFile ? yield* Effect.mapError(headOf(file), failed) : new Uint8Array()
  if (!isFile) yield* pushAll(pipe(file), reader, pace)
  else if (EmbeddedRecords.isReport(head)) yield* Effect.mapError(pushReport(file, reader), failed)
  else if (isCompressed(head)) {
    const bytes = Stream.mapError(fs.stream(file, { chunkSize }), failed)
    const plain = NodeStream.pipeThroughDuplex(bytes, { evaluate: () => Zlib.createGunzip(), onError: failed })
    yield* pushAll(plain, reader, pace)
  } else yield* pushFile(file, reader, failed, pace)
  return reader.skipped
})

/** The name of stdin in messages. */
export const stdinName = "stdin"

export const readStdin = Effect.fnUntraced(function*<E = never>(take: Take, pace: Pace<E> = Effect.void) {
  const { stdin } = yield* Stdio.Stdio
  const reader = new Reader(stdinName, take)
  yield* pushAll(Stream.mapError(stdin, (cause) => new Unreadable({ name: stdinName, cause })), reader, pace)
  return reader.skipped
})

/** Reads the current entries of the journal. */
export const readJournal = Effect.fnUntraced(function*(take: Take) {
  const reader = new Reader("journal", take, Journal.recordOf)
  yield* Journal.read(false, (bytes) => reader.push(bytes))
  reader.end()
  return reader.skipped
})
