/** The logs that commands read, and what they say of what is no log. */
import { assert, describe, it } from "@effect/vitest"
import * as CliCommand from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Logs from "../../src/cli/Logs.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Print from "../../src/cli/Print.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { SkippedLines } from "../../src/log/SkippedLines.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

/** What an effect prints to stderr, and the message of its failure. */
const told = <E extends { readonly message: string }>(
  effect: Effect.Effect<void, E, Layer.Success<typeof Command.host>>
) =>
  Effect.gen(function*() {
    let message: string | undefined
    const caught = Effect.catch(effect, (error) => Effect.sync(() => void (message = error.message)))
    const { stderr } = yield* Command.printed(CliCommand.make("say", {}, () => caught))
    return { stderr, message }
  }).pipe(Effect.provide(Layer.merge(Command.host, Presenter.layer)))

/** A log of so many records, and of these other lines after them. */
const log = (name: string, records: number, ...others: ReadonlyArray<string>) => {
  const skipped = new SkippedLines(name)
  for (let left = records; left > 0; left--) skipped.record()
  for (const line of others) skipped.other(line)
  return skipped
}

describe("what was passed over in logs", () => {
  const nothing = { stderr: "", message: undefined }
  const foreign =
    `b has no JSON records: found "x" in its first line, expected one JSON object a line with "event" and "invocation"`
  const empty = "stdin is empty, which was read as no log was named: name one, such as '/var/log/cni/*.jsonl'"
  const cases: {
    readonly [name: string]: readonly [
      logs: ReadonlyArray<SkippedLines>,
      named: ReadonlyArray<string>,
      told: { readonly stderr: string; readonly message: string | undefined }
    ]
  } = {
    "is nothing, and nothing is said": [[log("a", 1)], ["a"], nothing],
    "is told line by line": [[log("a", 1, "x", "y"), log("b", 2, "z")], ["a", "b"], {
      stderr: "a:2: not a record, passed over\na:3: not a record, passed over\nb:3: not a record, passed over\n",
      message: undefined
    }],
    "fails where it was all of the only log": [[log("b", 0, "x")], ["b"], { stderr: "", message: foreign }],
    "fails where it was all of all logs, with the first one": [[log("b", 0, "x"), log("a", 0, "y")], ["a", "b"], {
      stderr: "",
      message: foreign
    }],
    "is told in one sentence where another log had records": [[log("a", 1), log("b", 0, "x", "y")], ["a", "b"], {
      stderr: `${foreign}\n`,
      message: undefined
    }],
    "fails where stdin was empty that nobody named": [[log("stdin", 0)], [], { stderr: "", message: empty }],
    "is nothing where stdin was empty that was named": [[log("stdin", 0)], ["-"], nothing],
    "is nothing where stdin had records that nobody named": [[log("stdin", 1)], [], nothing],
    "is nothing where another log was empty": [[log("journal", 0)], [], nothing]
  }
  for (const [name, [logs, named, expected]] of Object.entries(cases)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* told(Logs.complain(logs, named)), expected)
      }))
  }
})

describe("the records of networks", () => {
  const line = (network: string | undefined, invocation: string) =>
    JSON.stringify({ time: "2026-11-24T10:00:00.000Z", invocation, event: "request", command: "ADD", network })

  it.effect("are read of the logs that are named, each as its text", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/log`
      const lines = [line("a", "1"), line("b", "2"), line(undefined, "3"), line("c", "4")] as const
      Fs.writeFileSync(file, lines.map((line) => `${line}  \n`).join(""))
      assert.deepStrictEqual(yield* Logs.ofNetworks([file], ["a", "c"]), [lines[0], lines[3]])
      assert.deepStrictEqual(yield* Logs.ofNetworks([file], [""]), [lines[2]])
    }).pipe(Effect.provide(Command.host)))

  it.effect("are none where a log cannot be read", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Logs.ofNetworks(["/none/log"], ["a"]), [])
    }).pipe(Effect.provide(Command.host)))

  it.effect("are read of what lies where logs are, where none is named", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const files = FileSystem.layerNoop({
        exists: () => Effect.succeed(false),
        glob: (pattern) => Effect.sync(() => (asked.push(pattern), []))
      })
      assert.deepStrictEqual(
        yield* Effect.provide(Logs.ofNetworks([], ["a"]), Layer.merge(Command.host, files)),
        []
      )
      assert.deepStrictEqual(asked, ["/var/log/cni/*.jsonl"])
    }))
})

describe("what to read", () => {
  const read = (
    logs: ReadonlyArray<string>,
    { canWait, found = [], isTerminal }: {
      readonly canWait?: boolean
      readonly found?: ReadonlyArray<string>
      readonly isTerminal: boolean
    }
  ) =>
    Effect.gen(function*() {
      let sources: ReadonlyArray<string> = []
      const files = FileSystem.layerNoop({
        exists: () => Effect.succeed(false),
        glob: () => Effect.succeed([...found]),
        stat: () => Effect.succeed({ type: "File" } as never)
      })
      const stdio = Stdio.layerTest({ stdin: Stream.empty, stdinIsTerminal: Effect.succeed(isTerminal) })
      const { stderr } = yield* told(
        Effect.map(Logs.sources(logs, canWait), (value) => void (sources = value)).pipe(
          Effect.provide(Layer.merge(files, stdio))
        )
      )
      return [sources, stderr]
    })
  const pattern = "/var/log/cni/*.jsonl"

  it.effect("is what is named, and stdin where nothing is and it is no terminal", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(["a", "-"], { isTerminal: true }), [["a", "-"], ""])
      assert.deepStrictEqual(yield* read([], { isTerminal: false }), [["-"], ""])
    }))

  it.effect("is what lies where logs are, on a terminal", () =>
    Effect.gen(function*() {
      const reading = [[pattern], `reading ${pattern}\n`]
      assert.deepStrictEqual(yield* read([], { isTerminal: true, found: ["/var/log/cni/a.jsonl"] }), reading)
      assert.deepStrictEqual(yield* read([], { isTerminal: true, canWait: true }), reading)
      const waiting = `no file matches ${pattern}; waiting for records on stdin, until Ctrl-D\n`
      assert.deepStrictEqual(yield* read([], { isTerminal: true }), [["-"], waiting])
    }))
})

describe("the logs that are read", () => {
  const line = (invocation: string) =>
    JSON.stringify({ time: "2026-11-24T10:00:00.000Z", invocation, event: "request", command: "ADD" })
  const bytes = (text: string) => new TextEncoder().encode(text)
  /** A host with these records in its journal and on stdin. */
  const host = Layer.mergeAll(
    Command.host,
    Stdio.layerTest({ stdin: Stream.make(bytes(`${line("of stdin")}\n`)) }),
    Layer.succeed(ProcessRunner, {
      run: ({ argv, onStdout }) =>
        Effect.sync(() => {
          onStdout?.(bytes(`${JSON.stringify({ CNI_RECORD: line("of the journal") })}\n`))
          const nothing = bytes("")
          const ended = { exitCode: 0, signal: null, timedOut: false, truncated: false, durationMs: 1 }
          return { argv, stdin: "", stdout: nothing, stderr: nothing, ...ended }
        })
    })
  )
  const read = (...sources: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const logs = yield* Logs.read(sources, ({ invocation }) => seen.push(invocation))
      return { seen, names: logs.map(({ name }) => name) }
    }).pipe(Effect.provide(host))

  it.effect("are the journal where none is named", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read(), { seen: ["of the journal"], names: ["journal"] })
    }))

  it.effect("are files and stdin, in the order in which they are named", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/log`
      Fs.writeFileSync(file, `${line("of a file")}\n`)
      const seen = ["of a file", "of stdin"]
      assert.deepStrictEqual(yield* read(file, "-"), { seen, names: [file, "stdin"] })
      assert.deepStrictEqual(yield* read("-", file), { seen: seen.toReversed(), names: ["stdin", file] })
    }))

  it.effect("have to be there", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read("/none/log"))
      assert.strictEqual(error.message, "cannot read /none/log: there is no such file")
    }))
})

describe("a message for stderr", () => {
  const shown = (isTTY: boolean, columns: number | undefined, ...values: ReadonlyArray<unknown>) => {
    const own = Object.getOwnPropertyDescriptors(process.stderr)
    Object.defineProperties(process.stderr, {
      isTTY: { value: isTTY, configurable: true },
      columns: { value: columns, configurable: true }
    })
    try {
      return Print.forStderr(...values)
    } finally {
      for (const name of ["isTTY", "columns"] as const) {
        const before = own[name]
        if (before === undefined) Reflect.deleteProperty(process.stderr, name)
        else Object.defineProperty(process.stderr, name, before)
      }
    }
  }
  const words = Array.from({ length: 30 }, () => "word").join(" ")

  it("is broken between words on a terminal, in 80 columns where it does not say how many it has", () => {
    const widest = (columns: number | undefined) =>
      Math.max(...shown(true, columns, words).split("\n").map(({ length }) => length))
    assert.deepStrictEqual([30, undefined, 0].map(widest), [29, 79, 79])
  })

  it("is one line elsewhere, formatted as by console", () => {
    assert.strictEqual(shown(false, 12, "one %s three", "two"), "one two three")
  })
})
