/** A file that is followed, whatever becomes of it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as OpenFiles from "../../src/log/OpenFiles.ts"
import * as Tail from "../../src/log/Tail.ts"
import { common } from "../operations/records.ts"
import { temporary } from "../support/plugin.ts"

/** A tail of a file in a folder of its own. */
const setUp = (isKept: boolean) => {
  const folder = temporary()
  const log = `${folder.path}/a.jsonl`
  const seen: Array<string> = []
  const told: Array<string> = []
  const context: Tail.Context = {
    take: (record) => seen.push(record.invocation),
    tell: (message) => Effect.sync(() => void told.push(message)),
    files: OpenFiles.make(),
    inodes: new Set()
  }
  const tail = Tail.make(log, context)
  const polled = (poll: typeof tail) =>
    Effect.suspend(() => {
      context.files.lookAnew()
      return isKept ? poll : Effect.andThen(poll, context.files.closeAll)
    })
  return {
    folder: folder.path,
    log,
    told,
    context,
    /** Looks at another file, as all tails of a run do. */
    pollOther: polled,
    append: (name: string, file = log) =>
      Fs.appendFileSync(file, `${JSON.stringify({ ...common(name, 0), event: "request" })}\n`),
    /** The records that came since the last time. */
    poll: Effect.map(polled(tail), () => seen.splice(0).join(" ")),
    seen,
    [Symbol.dispose]: folder[Symbol.dispose]
  }
}

const test = (
  name: string,
  run: (host: ReturnType<typeof setUp>) => Effect.Effect<void, unknown, NodeServices.NodeServices>,
  /** Whether the file stays open between two looks. It does not where there are many others. */
  kept: ReadonlyArray<boolean> = [true, false]
) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      for (const isKept of kept) {
        using host = setUp(isKept)
        yield* Effect.ensuring(run(host), host.context.files.closeAll)
      }
    }).pipe(Effect.provide(NodeServices.layer)))

describe("a file that is followed", () => {
  test("gives what is appended, in whole lines", ({ append, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      assert.strictEqual(yield* poll, "")
      append("2")
      const line = `${JSON.stringify({ ...common("3é", 0), event: "request" })}\n`
      Fs.appendFileSync(log, line.slice(0, 40))
      assert.strictEqual(yield* poll, "2")
      Fs.appendFileSync(log, line.slice(40))
      assert.strictEqual(yield* poll, "3é")
    }))

  it.effect("is not read again while it does not change", () =>
    Effect.gen(function*() {
      using host = setUp(true)
      const { files } = host.context
      let reads = 0
      const tail = Tail.make(host.log, {
        ...host.context,
        files: { ...files, get: (known) => Effect.suspend(() => (reads++, files.get(known))) }
      })
      host.append("1")
      yield* tail
      const once = reads
      yield* tail
      assert.strictEqual(reads, once)
      host.append("2")
      yield* tail
      assert.isAbove(reads, once)
      yield* files.closeAll
    }).pipe(Effect.provide(NodeServices.layer)))

  test("is waited for anew after it was there", ({ append, log, poll, told }) =>
    Effect.gen(function*() {
      yield* poll
      append("1")
      yield* poll
      Fs.rmSync(log)
      yield* poll
      assert.deepStrictEqual(told, [`waiting for ${log}`, `waiting for ${log}`])
    }))

  test("is waited for, which is told once", ({ append, log, poll, told }) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* poll, "")
      assert.strictEqual(yield* poll, "")
      assert.deepStrictEqual(told, [`waiting for ${log}`])
      append("1")
      assert.strictEqual(yield* poll, "1")
    }))

  test("loses nothing when it is renamed, and the new one is larger", ({ append, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      append("2")
      Fs.renameSync(log, `${log}.1`)
      for (const name of ["3", "4", "5"]) append(name)
      assert.strictEqual(yield* poll, "2 3 4 5")
      assert.strictEqual(yield* poll, "")
    }))

  test("loses nothing when it is renamed, and the new one comes later", ({ append, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      append("2")
      Fs.renameSync(log, `${log}.1`)
      assert.strictEqual(yield* poll, "2")
      append("3", `${log}.1`) // by a run that has it open
      assert.strictEqual(yield* poll, "3")
      append("4")
      assert.strictEqual(yield* poll, "4")
    }))

  test("loses nothing when it is unlinked, and made anew", ({ append, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      append("2")
      Fs.unlinkSync(log)
      append("3")
      append("4")
      append("5")
      assert.strictEqual(yield* poll, "2 3 4 5")
    }), [true])

  test("is followed anew when it is unlinked, and made anew under the inode that it had", ({ append, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      Fs.unlinkSync(log)
      append("2") // as long as the one before
      // The kernel's clock for files may not have moved on since the first one.
      Fs.utimesSync(log, new Date(), new Date(Date.now() + 1000))
      assert.strictEqual(yield* poll, "2")
      append("3")
      assert.strictEqual(yield* poll, "3")
    }))

  test(
    "that was rotated away and then unlinked is let go of where it is not open",
    ({ append, context, log, poll }) =>
      Effect.gen(function*() {
        append("1")
        yield* poll
        Fs.renameSync(log, `${log}.1`)
        yield* poll
        Fs.unlinkSync(`${log}.1`)
        yield* poll
        assert.strictEqual(context.inodes.size, 1)
        yield* poll
        assert.strictEqual(context.inodes.size, 0)
      }),
    [false]
  )

  test("is read anew when it is copied and truncated, even where it has grown since", ({ append, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      Fs.truncateSync(log)
      append("2")
      append("3")
      assert.strictEqual(yield* poll, "2 3")
      Fs.truncateSync(log)
      append("4")
      assert.strictEqual(yield* poll, "4")
    }))

  test("is read anew when it is truncated, and has grown to the length that it had", ({ append, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      Fs.truncateSync(log)
      append("2")
      Fs.utimesSync(log, new Date(), new Date(Date.now() + 1000)) // coarse clocks may show no change
      assert.strictEqual(yield* poll, "2")
    }))

  test("may become a folder, and a file again", ({ append, log, poll, told }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      Fs.rmSync(log)
      Fs.mkdirSync(log)
      assert.strictEqual(yield* poll, "")
      assert.match(told.join("\n"), /a\.jsonl is a folder/)
      Fs.rmdirSync(log)
      append("2")
      assert.strictEqual(yield* poll, "2")
    }))

  test("is not read again under the name that it was renamed to", ({ append, context, log, poll, pollOther, seen }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      Fs.renameSync(log, `${log}.1`)
      const other = Tail.make(`${log}.1`, context)
      yield* pollOther(other)
      append("2", `${log}.1`)
      assert.strictEqual(yield* poll, "2")
      yield* pollOther(other)
      assert.deepStrictEqual(seen, [])
    }))

  test("is let go of ten minutes after it was rotated away", ({ append, context, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      yield* poll
      Fs.renameSync(log, `${log}.1`)
      yield* poll
      assert.strictEqual(context.inodes.size, 1)
      yield* TestClock.adjust(599_999)
      append("2", `${log}.1`)
      assert.strictEqual(yield* poll, "2")
      assert.strictEqual(context.inodes.size, 1)
      yield* TestClock.adjust(1)
      yield* poll
      assert.strictEqual(context.inodes.size, 0)
      append("3", `${log}.1`)
      assert.strictEqual(yield* poll, "")
    }))

  it.effect("is open together with no more others than few", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const names = Array.from({ length: 40 }, (_, index) => `${folder.path}/${index}.jsonl`)
      for (const name of names) Fs.writeFileSync(name, "")
      const seen: Array<string> = []
      const context: Tail.Context = {
        take: (record) => seen.push(record.invocation),
        tell: () => Effect.void,
        files: OpenFiles.make(8),
        inodes: new Set()
      }
      const polls = names.map((name) => Tail.make(name, context))
      const look = Effect.andThen(
        Effect.sync(() => context.files.lookAnew()),
        Effect.forEach(polls, (poll) => poll, { discard: true })
      )
      const open = () =>
        Fs.readdirSync("/proc/self/fd").filter((fd) => {
          try {
            return Fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder.path)
          } catch {
            return false
          }
        }).length
      const round = Effect.fnUntraced(function*(mark: string) {
        names.forEach((name, index) => {
          Fs.appendFileSync(name, `${JSON.stringify({ ...common(`${mark}${index}`, 0), event: "request" })}\n`)
        })
        yield* look
        assert.strictEqual(open(), 8)
        assert.deepStrictEqual(seen.splice(0), names.map((_, index) => `${mark}${index}`))
      })
      yield* round("a")
      // What was written to all of them before and after a rotation is read.
      for (const name of names) {
        Fs.appendFileSync(name, `${JSON.stringify({ ...common("b", 0), event: "request" })}\n`)
        Fs.renameSync(name, `${name}.1`)
      }
      names.forEach((name) => {
        Fs.appendFileSync(name, `${JSON.stringify({ ...common("c", 0), event: "request" })}\n`)
      })
      yield* look
      assert.deepStrictEqual(seen.splice(0), names.flatMap(() => ["b", "c"]))
      yield* round("d")
      yield* context.files.closeAll
      assert.strictEqual(open(), 0)
    }).pipe(Effect.provide(NodeServices.layer)))

  test("that is a text log is told of in one sentence", ({ log, poll, told }) =>
    Effect.gen(function*() {
      Fs.writeFileSync(log, "a\n".repeat(100))
      yield* poll
      Fs.appendFileSync(log, "a\n".repeat(100))
      yield* poll
      assert.strictEqual(told.length, 1)
      assert.match(told[0] ?? "", /has no JSON records/)
    }))

  test("tells of lines that are not records, but not of each", ({ append, log, poll, told }) =>
    Effect.gen(function*() {
      append("1")
      Fs.appendFileSync(log, "x\n".repeat(1000))
      assert.strictEqual(yield* poll, "1")
      assert.strictEqual(told.length, 6)
      assert.match(told[0] ?? "", /a\.jsonl:2: not a record/)
    }))
})
