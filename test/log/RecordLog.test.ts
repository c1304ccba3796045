/** Logs as a whole. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { systemError } from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Zlib from "node:zlib"
import * as EmbeddedRecords from "../../src/log/EmbeddedRecords.ts"
import * as LogFiles from "../../src/log/LogFiles.ts"
import * as RecordLog from "../../src/log/RecordLog.ts"
import { chained } from "../operations/records.ts"
import { temporary } from "../support/plugin.ts"

const text = chained.map((record) => `${JSON.stringify(record)}\n`).join("")

/** A file with this content, as it is read. */
const read = Effect.fnUntraced(function*(content: string | Uint8Array) {
  using folder = temporary()
  const file = `${folder.path}/log`
  Fs.writeFileSync(file, content)
  const invocations: Array<string> = []
  const skipped = yield* RecordLog.readFile(file, (record) => invocations.push(record.invocation))
  return {
    invocations: invocations.join(""),
    skipped,
    complaints: skipped.complaints().map((it) => it.replace(file, "log"))
  }
}, Effect.provide(NodeServices.layer))

describe("a log", () => {
  it.effect("is read to its end, with or without a last line end", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* read(text)).invocations, "111222")
      assert.strictEqual((yield* read(text.trimEnd())).invocations, "111222")
      assert.strictEqual((yield* read("")).invocations, "")
    }))

  it.effect("may be compressed, in several parts too", () =>
    Effect.gen(function*() {
      const part = Zlib.gzipSync(text)
      assert.strictEqual((yield* read(part)).invocations, "111222")
      assert.strictEqual((yield* read(Buffer.concat([part, part]))).invocations, "111222111222")
    }))

  it.effect("is compressed only if both of its first bytes say so", () =>
    Effect.gen(function*() {
      for (const head of [[0x1f, 0x20], [0x20, 0x8b]]) {
        const { complaints, invocations } = yield* read(
          Buffer.concat([Buffer.from([...head, 0x0a]), Buffer.from(text)])
        )
        assert.deepStrictEqual([invocations, complaints], ["111222", ["log:1: not a record, passed over"]])
      }
    }))

  it.effect("may be larger than what is read at once", () =>
    Effect.gen(function*() {
      const times = Math.ceil(200_000 / text.length)
      assert.strictEqual((yield* read(text.repeat(times))).invocations, "111222".repeat(times))
    }))

  it.effect("that is compressed and torn says so", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(read(Zlib.gzipSync(text).subarray(0, -20)))
      assert.match(message, /^cannot read \/.*: unexpected end of file$/)
    }))

  it.effect("has lines that are not records, which are told by their numbers, but not all of them", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* read(`{"time":\n \n${text}x\n`)).complaints, [
        "log:1: not a record, passed over",
        "log:9: not a record, passed over"
      ])
      const many = yield* read(`${text}${"x\n".repeat(100_000)}${text}`)
      assert.strictEqual(many.complaints.length, 6)
      assert.strictEqual(many.complaints[5], "log: more lines that are not records are passed over")
      assert.strictEqual(many.invocations, "111222111222")
    }))

  it.effect("that has no record at all is something else", () =>
    Effect.gen(function*() {
      assert.isTrue((yield* read("\nMon, 23 Nov 2026 18:58:47 +0000\nCNI_COMMAND: ADD\n")).skipped.isForeign())
      assert.isFalse((yield* read("")).skipped.isForeign())
      assert.isFalse((yield* read(`x\n${text}`)).skipped.isForeign())
    }))

  it.effect("may be a report, with all records that it has", () =>
    Effect.gen(function*() {
      const { beginning, recordsBegin } = EmbeddedRecords
      const report = (list: string) => `${beginning}\n${recordsBegin}${list}</script>`
      const list = JSON.stringify(chained.map((record) => JSON.stringify(record)))
      assert.deepInclude(yield* read(report(list)), { invocations: "111222", complaints: [] })
      const { complaints, skipped } = yield* read(report("[5]"))
      assert.deepStrictEqual(complaints, ["log:1: not a record, passed over"])
      assert.strictEqual(skipped.records, 0)
    }))

  it.effect("may be a pipe", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const fifo = `${folder.path}/fifo`
      ChildProcess.execFileSync("mkfifo", [fifo])
      const writer = ChildProcess.spawn("sh", ["-c", `cat > ${fifo}`], { stdio: ["pipe", "ignore", "ignore"] })
      writer.stdin.end(text)
      const skipped = yield* RecordLog.readFile(fifo, () => {})
      assert.strictEqual(skipped.records, 6)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("may come on stdin", () =>
    Effect.gen(function*() {
      const skipped = yield* RecordLog.readStdin(() => {})
      assert.strictEqual(skipped.records, 6)
      assert.deepStrictEqual(skipped.complaints(), ["stdin:7: not a record, passed over"])
    }).pipe(Effect.provide(Stdio.layerTest({ stdin: Stream.make(Buffer.from(`${text}x`)) }))))

  it.effect("on a stdin that cannot be read fails with its reason", () =>
    Effect.gen(function*() {
      const broken = systemError({ _tag: "PermissionDenied", module: "Stdio", method: "stdin" })
      const { message } = yield* Effect.flip(RecordLog.readStdin(() => {})).pipe(
        Effect.provide(Stdio.layerTest({ stdin: Stream.fail(broken) }))
      )
      assert.strictEqual(message, "cannot read stdin: permission denied")
    }))
})

describe("the files that arguments stand for", () => {
  const resolve = Effect.fnUntraced(function*(names: ReadonlyArray<string>, logs: ReadonlyArray<string>) {
    using folder = temporary()
    for (const name of names) Fs.writeFileSync(`${folder.path}/${name}`, "")
    const files = yield* LogFiles.resolve(logs.map((log) => log === "-" ? log : `${folder.path}/${log}`))
    return files.map((file) => file.replace(`${folder.path}/`, ""))
  }, Effect.provide(NodeServices.layer))

  it.effect("are those that match, in order, each once", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* resolve(["b.jsonl", "a.jsonl", "c.log"], ["*.jsonl", "a.jsonl", "-"]), [
        "a.jsonl",
        "b.jsonl",
        "-"
      ])
    }))

  it.effect("are no folders", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.mkdirSync(`${folder.path}/a.jsonl`)
      Fs.writeFileSync(`${folder.path}/b.jsonl`, "")
      const files = yield* Effect.provide(LogFiles.resolve([`${folder.path}/*.jsonl`]), NodeServices.layer)
      assert.deepStrictEqual(files, [`${folder.path}/b.jsonl`])
    }))

  it.effect("are the file itself where its name looks like a pattern", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* resolve(["[a].jsonl", "a.jsonl"], ["[a].jsonl"]), ["[a].jsonl"])
    }))

  it.effect("are none where nothing matches, which is told", () =>
    Effect.gen(function*() {
      assert.match((yield* Effect.flip(resolve([], ["*.jsonl"]))).message, /^no file matches .*\*\.jsonl$/)
    }))

  it.effect("cannot be found in a folder that may not be read, which is told", () =>
    Effect.gen(function*() {
      const denied = systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "glob" })
      const message = (pattern: string) =>
        Effect.map(Effect.flip(LogFiles.resolve([pattern])), (error) => error.message).pipe(
          Effect.provide(FileSystem.layerNoop({ exists: () => Effect.succeed(false), glob: () => Effect.fail(denied) }))
        )
      assert.strictEqual(yield* message("/var/log/cni/*.jsonl"), "cannot read /var/log/cni/: permission denied")
      assert.strictEqual(yield* message("*.jsonl"), "cannot read .: permission denied")
    }))
})
