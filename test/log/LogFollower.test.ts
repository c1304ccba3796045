/** Operations as they happen, out of all that can be followed. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as LogFollower from "../../src/log/LogFollower.ts"
import { FollowedOperations } from "../../src/operations/FollowedOperations.ts"
import { at, common } from "../operations/records.ts"
import { temporary } from "../support/plugin.ts"

/** The lines of an operation that failed: it is complete at once. */
const run = (container: string): string => {
  const record = (event: object) => JSON.stringify({ ...common(container, 0), containerId: container, ...event })
  const error = { event: "error", error: { code: 1, msg: "no" }, durationMs: 1 }
  return `${record({ event: "request" })}\n${record(error)}\n`
}

const hour = 3_600_000

/** How often everything is looked at, in milliseconds. */
const interval = 250

/** Something that happens on other threads has time to. */
const turn = Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))

/** Follows these, and says what was drawn and told so far, and when. */
const follow = Effect.fnUntraced(
  function*(sources: Partial<LogFollower.Sources>, stdin: Stream.Stream<Uint8Array, Error>) {
    const began = Date.parse(at(hour))
    yield* TestClock.setTime(began)
    const [drawn, told, looks]: [Array<string>, Array<string>, Array<number>] = [[], [], []]
    class Watched extends FollowedOperations {
      override due(now: number) {
        looks.push(now - began)
        return super.due(now)
      }
    }
    const tell = (message: string) => Effect.sync(() => void told.push(message))
    const stdio = Stdio.layerTest({ stdin: stdin as Stream.Stream<Uint8Array, never> })
    const pieces = yield* Effect.provide(
      LogFollower.pieces({ journal: false, logs: [], ...sources }, new Watched(() => true), tell),
      stdio
    )
    const fiber = yield* Effect.forkScoped(
      Stream.runForEach(pieces, (piece) =>
        Effect.sync(() => {
          if (piece._tag === "Head") drawn.push(piece.operation.request.containerId ?? "")
        }))
    )
    const isOver = () => fiber.pollUnsafe() !== undefined
    /** Lets everything be looked at so many times more. */
    const look = Effect.fnUntraced(function*(count: number) {
      for (const wanted = looks.length + count; looks.length < wanted;) {
        const before = looks.length
        if (before > 0) yield* TestClock.adjust(interval)
        while (looks.length === before) {
          assert.isFalse(isOver(), "nothing is looked at any more")
          yield* turn
        }
      }
    })
    /** How all of it ends. */
    const end = Effect.gen(function*() {
      while (!isOver()) {
        yield* TestClock.adjust(interval)
        yield* turn
      }
      return yield* Fiber.await(fiber)
    })
    return { drawn, told, looks, look, end, isOver }
  }
)

/** A journal that has these lines, and ends so. */
const journal = (lines: string, ending: ReturnType<ProcessRunner["Service"]["run"]>) =>
  ProcessRunner.of({
    run: ({ onStdout }) => {
      for (const line of lines.split("\n")) {
        if (line !== "") onStdout?.(Buffer.from(`${JSON.stringify({ CNI_RECORD: line })}\n`))
      }
      return ending
    }
  })

const noJournal = new NotStarted({ program: "journalctl", code: "ENOENT", reason: "no such file", cause: undefined })

const test = (
  name: string,
  body: (folder: string) => Effect.Effect<void, unknown, NodeServices.NodeServices | ProcessRunner | Scope.Scope>,
  runner = journal("", Effect.fail(noJournal))
) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      using folder = temporary()
      yield* Effect.scoped(body(folder.path))
    }).pipe(Effect.provide(Layer.merge(NodeServices.layer, Layer.succeed(ProcessRunner, runner)))))

const none = Stream.never

describe("the journal", () => {
  test("is drawn as it comes, and everything is looked at four times a second", () =>
    Effect.gen(function*() {
      const followed = yield* follow({ journal: true }, none)
      for (let count = 0; count < 4; count++) yield* TestClock.adjust(interval)
      assert.deepStrictEqual(followed.looks, [0, 250, 500, 750, 1000])
      assert.deepStrictEqual([followed.drawn, followed.told], [["a"], []])
      assert.isFalse(followed.isOver())
    }), journal(run("a"), Effect.never))

  test("that cannot be read is an error", () =>
    Effect.gen(function*() {
      const { end } = yield* follow({ journal: true }, none)
      const exit = yield* end
      assert.match(String(exit), /cannot read the journal: /)
    }))

  test(
    "that ends tells of what was no record",
    () =>
      Effect.gen(function*() {
        const { drawn, end, told } = yield* follow({ journal: true }, none)
        assert.isTrue(Exit.isSuccess(yield* end))
        assert.deepStrictEqual([drawn, told], [["a"], ["journal:3: not a record, passed over"]])
      }),
    journal(
      `${run("a")}{}`,
      Effect.succeed({
        argv: ["journalctl"],
        stdin: "",
        stdout: new Uint8Array(),
        stderr: new Uint8Array(),
        truncated: false,
        exitCode: 0,
        signal: null,
        timedOut: false,
        durationMs: 1
      })
    )
  )
})

describe("stdin", () => {
  const bytes = (text: string) => Stream.make(Buffer.from(text))

  test("is drawn to its end, also without the end of its last line, and what is left then", () =>
    Effect.gen(function*() {
      const open = run("b").split("\n")[0]
      const { drawn, end, told } = yield* follow({ logs: ["-"] }, bytes(`no record\n${run("a")}${open}`))
      assert.isTrue(Exit.isSuccess(yield* end))
      assert.deepStrictEqual(drawn, ["a", "b"])
      assert.deepStrictEqual(told, ["stdin:1: not a record, passed over"])
    }))

  test("that cannot be read is an error", () =>
    Effect.gen(function*() {
      const { end } = yield* follow({ logs: ["-"] }, Stream.fail(new Error("it broke")))
      assert.match(String(yield* end), /cannot read stdin: it broke/)
    }))

  test("that ended does not end the files", (folder) =>
    Effect.gen(function*() {
      const { drawn, isOver, look } = yield* follow({ logs: ["-", `${folder}/a`] }, bytes(run("stdin")))
      yield* look(8)
      Fs.writeFileSync(`${folder}/a`, run("file"))
      yield* look(1)
      assert.deepStrictEqual([drawn, isOver()], [["stdin", "file"], false])
    }))
})

describe("files", () => {
  test("are waited for, which is told once, and are read each time", (folder) =>
    Effect.gen(function*() {
      const file = `${folder}/a`
      const { drawn, look, told } = yield* follow({ logs: [file] }, none)
      yield* look(8)
      assert.deepStrictEqual([drawn, told], [[], [`waiting for ${file}`]])
      for (const name of ["a", "b", "c", "d", "e"]) {
        Fs.appendFileSync(file, run(name))
        yield* look(1)
        assert.strictEqual(drawn.join(""), "abcde".slice(0, drawn.length))
        assert.strictEqual(drawn.at(-1), name)
      }
    }))

  test("of a pattern are looked for at each look until there is one, and told of again when the last one is gone", (folder) =>
    Effect.gen(function*() {
      const pattern = `${folder}/*.jsonl`
      const { drawn, look, told } = yield* follow({ logs: [pattern] }, none)
      yield* look(1)
      Fs.writeFileSync(`${folder}/a.jsonl`, run("a"))
      assert.deepStrictEqual([drawn, told], [[], [`waiting for a file that matches ${pattern}`]])
      yield* look(1)
      assert.deepStrictEqual(drawn, ["a"])
      Fs.appendFileSync(`${folder}/a.jsonl`, run("more"))
      yield* look(1)
      assert.deepStrictEqual(drawn, ["a", "more"])
      yield* look(4)
      Fs.appendFileSync(`${folder}/a.jsonl`, run("later"))
      yield* look(4)
      assert.deepStrictEqual(drawn, ["a", "more", "later"])
      assert.lengthOf(told, 1)
      Fs.rmSync(`${folder}/a.jsonl`)
      yield* look(4)
      assert.deepStrictEqual(told.filter((message) => message === told[0]).length, 2)
    }))

  test("of a pattern that has one are looked for once a second", (folder) =>
    Effect.gen(function*() {
      Fs.writeFileSync(`${folder}/a.jsonl`, run("a"))
      const { drawn, look } = yield* follow({ logs: [`${folder}/*.jsonl`] }, none)
      yield* look(1)
      Fs.writeFileSync(`${folder}/b.jsonl`, run("b"))
      yield* look(3)
      assert.deepStrictEqual(drawn, ["a"])
      yield* look(1)
      assert.deepStrictEqual(drawn, ["a", "b"])
    }))

  test("that were rotated away and compressed are not read", (folder) =>
    Effect.gen(function*() {
      Fs.writeFileSync(`${folder}/a.jsonl`, run("a"))
      Fs.writeFileSync(`${folder}/a.jsonl.1.gz`, run("old"))
      const { drawn, look, told } = yield* follow({ logs: [`${folder}/*`] }, none)
      yield* look(2)
      assert.deepStrictEqual([drawn, told], [["a"], []])
    }))

  test("are closed in the end", (folder) =>
    Effect.gen(function*() {
      const file = `${folder}/a`
      Fs.writeFileSync(file, run("a"))
      const isOpen = () =>
        Fs.readdirSync("/proc/self/fd").some((fd) => {
          try {
            return Fs.readlinkSync(`/proc/self/fd/${fd}`) === file
          } catch {
            return false
          }
        })
      yield* Effect.scoped(Effect.gen(function*() {
        const { look } = yield* follow({ logs: [file] }, none)
        yield* look(1)
        assert.isTrue(isOpen())
      }))
      assert.isFalse(isOpen())
    }))

  test("that are folders are an error", (folder) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(follow({ logs: [folder] }, none))
      assert.match(String(exit), / is a folder: name its files/)
    }))
})

describe("a pipe", () => {
  test("is drawn to its end, and may tell of lines that are no records", (folder) =>
    Effect.gen(function*() {
      const [pipe, log] = [`${folder}/pipe`, `${folder}/log`]
      ChildProcess.execFileSync("mkfifo", [pipe])
      Fs.writeFileSync(log, `${run("a")}no record\n`)
      ChildProcess.spawn("/bin/sh", ["-c", "cat < \"$1\" > \"$0\"", pipe, log], { stdio: "ignore" })
      const { drawn, end, told } = yield* follow({ logs: [pipe] }, none)
      assert.isTrue(Exit.isSuccess(yield* end))
      assert.deepStrictEqual([drawn, told], [["a"], [`${pipe}:3: not a record, passed over`]])
    }))
})
