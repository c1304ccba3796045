/** A file that is followed, whatever becomes of it. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as Tail from "../../src/report/Tail.ts"
import { temporary } from "../support/plugin.ts"
import { common } from "./records.ts"

/** A tail of a file in a folder of its own. */
const setUp = () => {
  const folder = temporary()
  const log = `${folder.path}/a.jsonl`
  const seen: Array<string> = []
  const told: Array<string> = []
  const context: Tail.Context = {
    take: (record) => seen.push(record.invocation),
    tell: (message) => Effect.sync(() => void told.push(message)),
    inodes: new Set()
  }
  const tail = Tail.make(log, context)
  return {
    folder: folder.path,
    log,
    told,
    context,
    tail,
    append: (name: string, file = log) =>
      Fs.appendFileSync(file, `${JSON.stringify({ ...common(name, 0), event: "request" })}\n`),
    /** The records that came since the last time. */
    poll: Effect.map(tail.poll, () => seen.splice(0).join(" ")),
    seen,
    [Symbol.dispose]: folder[Symbol.dispose]
  }
}

const test = (
  name: string,
  run: (host: ReturnType<typeof setUp>) => Effect.Effect<void, unknown, NodeServices.NodeServices>
) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      using host = setUp()
      yield* Effect.ensuring(run(host), host.tail.close)
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
    }))

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

  test("is not read again under the name that it was renamed to", ({ append, context, log, poll, seen }) =>
    Effect.gen(function*() {
      append("1")
      assert.strictEqual(yield* poll, "1")
      Fs.renameSync(log, `${log}.1`)
      const other = Tail.make(`${log}.1`, context)
      yield* other.poll
      append("2", `${log}.1`)
      assert.strictEqual(yield* poll, "2")
      yield* other.poll
      assert.deepStrictEqual(seen, [])
    }))

  test("is let go of ten minutes after it was rotated away", ({ append, context, log, poll }) =>
    Effect.gen(function*() {
      append("1")
      yield* poll
      Fs.renameSync(log, `${log}.1`)
      yield* poll
      assert.strictEqual(context.inodes.size, 1)
      yield* TestClock.adjust("11 minutes")
      yield* poll
      assert.strictEqual(context.inodes.size, 0)
    }))

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
