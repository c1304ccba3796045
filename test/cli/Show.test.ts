/** `show`, on logs of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as CliCommand from "effect/cli/Command"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { systemError } from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as Zlib from "node:zlib"
import { show } from "../../src/cli/commands/Show.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import { hurried } from "../support/wrapped.ts"

const began = Date.UTC(2026, 10, 24, 10)

/** The records of one run, so many seconds after the others began. */
const run = (seconds: number, id: string, outcome: object, more: object = {}) => {
  const time = new Date(began + seconds * 1000).toISOString()
  const common = {
    time,
    invocation: `${id}${seconds}`,
    command: "ADD",
    containerId: id,
    ifname: "eth0",
    network: "n",
    label: "tap",
    ...more
  }
  return [{ ...common, event: "request" }, { ...common, durationMs: 1, ...outcome }]
    .map((record) => `${JSON.stringify(record)}\n`).join("")
}
const done = { event: "result" }
const failed = { event: "error", error: { code: 11, msg: "no addresses" } }

/** Three attachments, of which one fails. */
const log = [
  run(0, "good-1", done, { args: "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web" }),
  run(1, "good-2", done, { args: "K8S_POD_NAMESPACE=default;K8S_POD_NAME=db" }),
  run(2, "bad", failed, { args: "K8S_POD_NAMESPACE=default;K8S_POD_NAME=web" }),
  run(3, "good-1", done, { command: "DEL" })
].join("")

interface Host {
  readonly stdin?: string
  readonly stdinIsTerminal?: boolean
  /** Why stdout cannot be written. */
  readonly broken?: NodeJS.ErrnoException
  readonly files?: Partial<FileSystem.FileSystem>
  /** What runs programs. */
  readonly programs?: ProcessRunner["Service"]
}

/** Runs `show` on this host, with a stdin and a stdout of its own. */
const shown = Effect.fnUntraced(function*(args: ReadonlyArray<string>, host: Host = {}) {
  let stdout = ""
  const { broken, files, programs = nodeProcessRunner, stdin = "", stdinIsTerminal = false } = host
  const failure = systemError({ _tag: "Unknown", module: "Stdio", method: "stdout", cause: broken })
  const stdio = Stdio.layerTest({
    stdin: Stream.make(Buffer.from(stdin)),
    stdinIsTerminal: Effect.succeed(stdinIsTerminal),
    stdout: () =>
      broken === undefined
        ? Sink.forEach((text: string | Uint8Array) => Effect.sync(() => void (stdout += text)))
        : Sink.fail(failure)
  })
  const layer = Layer.mergeAll(Command.host, stdio, files === undefined ? Layer.empty : FileSystem.layerNoop(files))
  const printed = yield* Command.printed(show, ...args).pipe(
    Effect.provideService(ProcessRunner, programs),
    Effect.provide(layer),
    Effect.provideService(Style.CurrentScreen, { isTerminal: false, width: 80, minutesEast: () => 0 })
  )
  return {
    ...printed,
    stdout,
    heads: stdout.match(/^[A-Z]+ .*of .*$/gm)?.map((line) => line.replace(/ on .*/, "")) ?? []
  }
})

/** An attachment whose DEL leaves a reservation, and one whose DEL takes it away. */
const leaving = ["leaves", "cleans"].map((id, index) => {
  const reservation = `n 10.88.0.${index + 2} ${id} eth0`
  const changes = (added: ReadonlyArray<string>, removed: ReadonlyArray<string>) => ({
    event: "changes",
    changes: { host: { ipam: { added, removed } } }
  })
  return [
    run(index * 10, id, done),
    run(index * 10, id, changes([reservation], [])),
    run(index * 10 + 5, id, done, { command: "DEL" }),
    run(index * 10 + 5, id, changes([], id === "cleans" ? [reservation] : []), { command: "DEL" })
  ].join("")
}).join("")

/** A folder with these files in it. */
const folderWith = (files: { readonly [name: string]: string | Uint8Array }) => {
  const folder = temporary()
  for (const [name, content] of Object.entries(files)) Fs.writeFileSync(`${folder.path}/${name}`, content)
  return folder
}

const [first, second, third, last] = [
  "ADD eth0 of default/web (good-1)",
  "ADD eth0 of default/db (good-2)",
  "ADD eth0 of default/web (bad)",
  "DEL eth0 of good-1"
]

describe("cni-passthrough show", () => {
  it.effect("shows what was asked for", () =>
    Effect.gen(function*() {
      using folder = folderWith({ log })
      yield* TestClock.setTime(began + 60_000)
      const heads = (...args: ReadonlyArray<string>) =>
        Effect.map(shown([`${folder.path}/log`, ...args]), ({ heads }) => heads)
      assert.deepStrictEqual(yield* heads(), [first, second, third, last])
      assert.deepStrictEqual(yield* heads("--container", "good-1"), [first, last])
      assert.deepStrictEqual(yield* heads("--pod", "web"), [first, third])
      assert.deepStrictEqual(yield* heads("--pod", "default/db"), [second])
      assert.deepStrictEqual(yield* heads("--command", "del"), [last])
      assert.deepStrictEqual(yield* heads("--failed"), [third])
      assert.deepStrictEqual(yield* heads("--label", "tap", "--network", "n"), [first, second, third, last])
      assert.deepStrictEqual(yield* heads("--label", "other"), [])
      assert.deepStrictEqual(yield* heads("--since", "10m"), [first, second, third, last])
      assert.deepStrictEqual(yield* heads("--since", "1d"), [first, second, third, last])
      assert.deepStrictEqual(yield* heads("--until", "10m"), [])
      assert.deepStrictEqual(yield* heads("--since", "2026-11-24T10:00:02Z"), [third, last])
    }))

  it.effect("leaves out that plugins were asked for their versions, unless that failed or is asked for", () =>
    Effect.gen(function*() {
      const versions = run(0, "fine", done, { command: "VERSION" }) + run(1, "broken", failed, { command: "VERSION" })
      const [fine, broken] = ["VERSION eth0 of fine", "VERSION eth0 of broken"]
      assert.deepStrictEqual((yield* shown([], { stdin: versions })).heads, [broken])
      assert.deepStrictEqual((yield* shown(["--command", "version"], { stdin: versions })).heads, [fine, broken])
    }))

  it.effect("says how many operations there were where none matches", () =>
    Effect.gen(function*() {
      const { status, stderr, stdout } = yield* shown(["--pod", "nobody"], { stdin: log })
      assert.deepStrictEqual([status, stderr, stdout], [0, "0 of 4 operations match\n", ""])
      assert.strictEqual((yield* shown(["-"], { stdin: "" })).stderr, "no operations were logged\n")
    }))

  it.effect("takes a stdin that is empty for no log, where nobody named it", () =>
    Effect.gen(function*() {
      const { status, stderr } = yield* shown(["--failed"], { stdin: "" })
      assert.strictEqual(status, 2)
      assert.include(
        stderr,
        "stdin is empty, which was read as no log was named: name one, such as '/var/log/cni/*.jsonl'"
      )
    }))

  it.effect("counts what would be shown without the other flags", () =>
    Effect.gen(function*() {
      const version = run(5, "fine", done, { command: "VERSION" })
      const { stderr } = yield* shown(["--pod", "nobody"], { stdin: `${log}${version}` })
      assert.strictEqual(stderr, "0 of 4 operations match\n")
    }))

  it.effect("says of another file what it found there", () =>
    Effect.gen(function*() {
      const { status, stderr } = yield* shown(["-"], { stdin: `{"level":"info","msg":"hello"}\n` })
      assert.strictEqual(status, 2)
      assert.include(
        stderr,
        `stdin has no JSON records: found "{\\"level\\":\\"info\\",\\"msg\\":\\"hello\\"}" in its first line, expected one`
      )
    }))

  it.effect("knows the operations of CNI", () =>
    Effect.gen(function*() {
      const { stderr, stdout } = yield* shown(["--command", "ADDD"], { stdin: log })
      assert.notInclude(stdout, "ADD eth0")
      assert.include(stderr, "found \"ADDD\", expected one of ADD, DEL, CHECK, GC, STATUS, VERSION")
    }))

  it.effect("points to doctor where a runtime did no more than to ask plugins for their versions", () =>
    Effect.gen(function*() {
      const versions = run(0, "fine", done, { command: "VERSION" })
      const { status, stderr, stdout } = yield* shown(["--failed"], { stdin: versions })
      assert.deepStrictEqual([status, stdout], [0, ""])
      assert.match(stderr, /^0 of 1 operations match: plugins were only asked for their versions\. .* doctor finds\n$/)
      const asked = yield* shown(["--failed", "--command", "VERSION"], { stdin: versions })
      assert.strictEqual(asked.stderr, "0 of 1 operations match\n")
    }))

  it.effect("finds the attachments that left something, with exit status 1 if there are any", () =>
    Effect.gen(function*() {
      const { heads, status, stdout } = yield* shown(["--leftovers"], { stdin: leaving })
      assert.deepStrictEqual([heads, status], [["DEL eth0 of leaves"], 1])
      assert.include(stdout, "│ leftover: ipam n: 10.88.0.2 for leaves eth0\n")
      const json = yield* shown(["--leftovers", "--json"], { stdin: leaving })
      assert.deepStrictEqual(JSON.parse(json.stdout).leftovers, ["ipam n: 10.88.0.2 for leaves eth0"])
      const clean = yield* shown(["--leftovers", "--container", "cleans"], { stdin: leaving })
      assert.deepStrictEqual([clean.status, clean.stdout, clean.stderr], [0, "", "0 of 4 operations match\n"])
    }))

  it.effect("has an exit status for scripts: 1 where --failed found something", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* shown([], { stdin: log })).status, 0)
      assert.strictEqual((yield* shown(["--failed"], { stdin: log })).status, 1)
      assert.strictEqual((yield* shown(["--failed", "--container", "good"], { stdin: log })).status, 0)
    }))

  it.effect("prints one JSON object a line for scripts", () =>
    Effect.gen(function*() {
      const { stdout } = yield* shown(["--json"], { stdin: log })
      const operations = stdout.trimEnd().split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual(operations.map(({ containerId, failed }) => [containerId, failed]), [
        ["good-1", false],
        ["good-2", false],
        ["bad", true],
        ["good-1", false]
      ])
      assert.strictEqual(operations[2].steps[0].failure, "code 11: no addresses")
    }))

  it.effect("ends each operation with an empty line", () =>
    Effect.gen(function*() {
      const { stdout } = yield* shown([], { stdin: run(0, "a", done) + run(1, "b", done) })
      assert.match(stdout, /^ADD eth0 of a on n\n[^]*[^\n]\n\nADD eth0 of b on n\n[^]*[^\n]\n\n$/)
    }))

  it.effect("prints all of a log that is larger than what is written at once", () =>
    Effect.gen(function*() {
      const ids = Array.from({ length: 1500 }, (_, index) => `c${index}`)
      const { heads, stdout } = yield* shown([], { stdin: ids.map((id, index) => run(index, id, done)).join("") })
      assert.isAbove(stdout.length, 131_072)
      assert.deepStrictEqual(heads, ids.map((id) => `ADD eth0 of ${id}`))
      assert.strictEqual(stdout.split(/\n(?=ADD)/).length, ids.length)
      assert.notMatch(stdout, /^(?!ADD|2026|[│├└]|$)/m)
    }))

  it.effect("reads the journal where it is asked to", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const journalctl = ProcessRunner.of({
        run: ({ argv, onStdout, stdin = "" }) =>
          Effect.sync(() => {
            asked.push(argv.join(" "))
            const lines = log.trimEnd().split("\n").map((line) => `${JSON.stringify({ CNI_RECORD: line })}\n`).join("")
            onStdout?.(Buffer.from(lines))
            return {
              argv,
              stdin,
              exitCode: 0,
              signal: null,
              timedOut: false,
              truncated: false,
              durationMs: 1,
              stdout: Buffer.from(lines),
              stderr: new Uint8Array()
            }
          })
      })
      const { heads, status } = yield* shown(["--journald"], { stdin: "not read", programs: journalctl })
      assert.deepStrictEqual([status, heads], [0, [first, second, third, last]])
      assert.match(asked.join(), /\bjournalctl\b/)
      assert.notInclude(asked.join(), "--follow")
    }))

  it.effect("folds a loopback attachment into one line, unless it failed or all of it is asked for", () =>
    Effect.gen(function*() {
      const loopback = { ifname: "lo", network: "cni-loopback" }
      const stdin = [
        run(0, "pod-1", done, loopback),
        run(1, "pod-1", done),
        run(2, "pod-2", failed, loopback)
      ].join("")
      const { heads, stdout } = yield* shown([], { stdin })
      assert.match(stdout, /^✓ ADD lo of pod-1 on cni-loopback {2}\d+ ms\n\nADD eth0 of pod-1 on n\n/)
      assert.deepStrictEqual(heads, ["ADD eth0 of pod-1", "ADD lo of pod-2"])
      assert.match((yield* shown(["--full"], { stdin })).stdout, /^ADD lo of pod-1 on cni-loopback\n/)
      const followed = yield* hurried(shown(["--follow"], { stdin }))
      assert.strictEqual(followed.stdout.match(/^✓ ADD lo of pod-1 /gm)?.length, 1)
    }))

  it.effect("has colour where that can be shown", () =>
    Effect.gen(function*() {
      const isColoured = Effect.map(shown([], { stdin: log }), ({ stdout }) => stdout.includes("\u001b["))
      assert.isFalse(yield* isColoured)
      const forced = { canColor: true, canAnimate: false, canPrompt: false }
      assert.isTrue(yield* Effect.provideService(isColoured, TerminalCapabilities.TerminalCapabilities, forced))
    }))

  it.effect("says by its number which line is broken, and passes it over", () =>
    Effect.gen(function*() {
      const { status, stderr, stdout } = yield* shown([], { stdin: `{"time":\n${log}not JSON\n` })
      assert.strictEqual(status, 0)
      assert.strictEqual(stderr, "stdin:1: not a record, passed over\nstdin:10: not a record, passed over\n")
      assert.match(stdout, /ADD eth0 of default\/db \(good-2\)/)
    }))

  it.effect("says of a text log in one sentence what to do", () =>
    Effect.gen(function*() {
      using folder = folderWith({
        text: "\nMon, 23 Nov 2026 18:58:47 +0000\nCNI_COMMAND: ADD\n".repeat(100),
        json: log
      })
      const alone = yield* shown([`${folder.path}/text`])
      assert.deepStrictEqual([alone.status, alone.stdout], [2, ""])
      assert.match(alone.stderr, /text has no JSON records: .*"format": "json"/)
      assert.notMatch(alone.stderr, /passed over/)
      const both = yield* shown([`${folder.path}/text`, `${folder.path}/json`])
      assert.deepStrictEqual([both.status, both.heads.length], [0, 4])
      assert.match(both.stderr, /^\S*text has no JSON records: [^\n]*\n$/)
    }))

  it.effect("reads patterns, compressed logs and stdin, together", () =>
    Effect.gen(function*() {
      using folder = folderWith({
        "a.jsonl": run(0, "a", done),
        "b.jsonl": run(1, "b", done),
        "b.jsonl.1.gz": Zlib.gzipSync(run(2, "c", done))
      })
      const { heads } = yield* shown([`${folder.path}/*`, "-"], { stdin: run(3, "d", done) })
      assert.deepStrictEqual(heads, ["a", "b", "c", "d"].map((id) => `ADD eth0 of ${id}`))
    }))

  it.effect("says what it cannot read", () =>
    Effect.gen(function*() {
      using folder = folderWith({})
      const fails = Effect.fnUntraced(function*(pattern: RegExp, ...args: ReadonlyArray<string>) {
        const { status, stderr, stdout } = yield* shown(args)
        assert.deepStrictEqual([status, stdout], [2, ""])
        assert.match(stderr, pattern)
      })
      yield* fails(/cannot read .*none\.jsonl: there is no such file/, `${folder.path}/none.jsonl`)
      yield* fails(/no file matches .*\*\.jsonl/, `${folder.path}/*.jsonl`)
      yield* fails(/is a folder: name its files, such as '.*\/\*\.jsonl'/, folder.path)
      yield* fails(/is a folder: name its files/, "--follow", folder.path)
      yield* fails(/--journald reads the journal, and not x y: name one of both$/m, "--journald", "x", "y")
    }))

  it.effect("says which values of flags it cannot use", () =>
    Effect.gen(function*() {
      const { status, stderr } = yield* shown(["--since", "yesterday"], { stdin: log })
      assert.notStrictEqual(status, 0)
      assert.match(stderr, /found "yesterday", expected a time such as .* or 1d/)
    }))

  it.effect("says that stdout cannot be written, but not that nobody reads on", () =>
    Effect.gen(function*() {
      const broken = (code: string) => Object.assign(new Error(`${code}: broken, write`), { code })
      const full = yield* shown([], { stdin: log, broken: broken("ENOSPC") })
      assert.strictEqual(full.status, 2)
      assert.match(full.stderr, /cannot write to stdout: ENOSPC: broken, write/)
      const gone = yield* shown([], { stdin: log, broken: broken("EPIPE") })
      assert.deepStrictEqual([gone.status, gone.stderr], [0, ""])
    }))
})

describe("cni-passthrough show on a terminal, without a log", () => {
  it.effect("reads the logs of this node", () =>
    Effect.gen(function*() {
      const denied = systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "stat" })
      const { status, stderr } = yield* shown([], {
        stdinIsTerminal: true,
        files: {
          exists: () => Effect.succeed(false),
          glob: () => Effect.succeed(["/var/log/cni/a.jsonl"]),
          stat: () => Effect.fail(denied)
        }
      })
      assert.strictEqual(status, 2)
      assert.match(
        stderr,
        /^reading \/var\/log\/cni\/\*\.jsonl\n[^]*cannot read \/var\/log\/cni\/a\.jsonl: permission denied/
      )
    }))

  it.effect("says that it waits for stdin where there are none", () =>
    Effect.gen(function*() {
      const { heads, stderr } = yield* shown([], {
        stdinIsTerminal: true,
        stdin: log,
        files: { exists: () => Effect.succeed(false), glob: () => Effect.succeed([]) }
      })
      assert.strictEqual(stderr, "no file matches /var/log/cni/*.jsonl; waiting for records on stdin, until Ctrl-D\n")
      assert.strictEqual(heads.length, 4)
    }))
})

describe("cni-passthrough show --follow", () => {
  /**
   * Follows files while something happens to them, one event a round: an event comes when the files were looked at and
   * the command sleeps until the next round, however long that took.
   */
  const followed = Effect.fnUntraced(function*(
    args: ReadonlyArray<string>,
    events: ReadonlyArray<() => void>,
    settle = 60,
    isDone: (stdout: string) => boolean = () => true
  ) {
    yield* TestClock.setTime(began)
    let stdout = ""
    const stdio = Stdio.layerTest({
      stdout: () => Sink.forEach((text: string | Uint8Array) => Effect.sync(() => void (stdout += text)))
    })
    const clock = yield* Clock.Clock
    const rounds = { ended: 0 }
    const counting: Clock.Clock = {
      ...clock,
      sleep: (duration) => Effect.suspend(() => (rounds.ended++, clock.sleep(duration)))
    }
    const fiber = yield* Effect.forkChild(
      Command.printed(show, "--follow", ...args).pipe(
        Effect.provide(Layer.merge(Command.host, stdio)),
        Effect.provideService(Clock.Clock, counting)
      )
    )
    const sleeping = Effect.fnUntraced(function*(before: number) {
      while (rounds.ended === before) yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
    })
    const pass = Effect.suspend(() => {
      const before = rounds.ended
      return Effect.andThen(TestClock.adjust(250), sleeping(before))
    })
    yield* sleeping(0)
    for (const event of [...events, ...Array.from({ length: settle }, () => () => {})]) {
      event()
      yield* pass
    }
    while (!isDone(stdout)) yield* pass
    yield* Fiber.interrupt(fiber)
    return { stdout, heads: stdout.match(/^[A-Z]+ .*of .*$/gm)?.map((line) => line.replace(/ on .*/, "")) ?? [] }
  })

  const nothing = () => {}

  it.effect("shows operations as they end, past a rotation", () =>
    Effect.gen(function*() {
      using folder = folderWith({ log })
      const file = `${folder.path}/log`
      const { heads } = yield* followed([file], [
        nothing,
        () => Fs.appendFileSync(file, run(4, "before", failed)),
        () => Fs.renameSync(file, `${file}.1`),
        () => Fs.writeFileSync(file, run(5, "later", failed) + run(6, "last", failed) + log.repeat(2))
      ])
      assert.sameMembers(heads, [
        first,
        second,
        third,
        last,
        "ADD eth0 of before",
        "ADD eth0 of later",
        "ADD eth0 of last"
      ])
    }))

  it.live("says what makes a log appear that is not there yet", () =>
    Effect.gen(function*() {
      using folder = folderWith({})
      const file = `${folder.path}/none.jsonl`
      const told: Array<string> = []
      const console: Console.Console = { ...globalThis.console, error: (line: string) => void told.push(line) }
      const fiber = yield* Effect.forkChild(
        CliCommand.runWith(show, { version: "0" })(["--follow", file]).pipe(
          Effect.provide(Command.host),
          Effect.provideService(Console.Console, console)
        )
      )
      while (told.length < 2) yield* Effect.sleep(5)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(told, [
        `no wrapped plugin logs to ${file}: wrap plugins with cni-passthrough wrap, or put a tap into a network`,
        `waiting for ${file}`
      ])
    }))

  it.effect("finds new files of a pattern", () =>
    Effect.gen(function*() {
      using folder = folderWith({})
      const { heads } = yield* followed([`${folder.path}/*.jsonl`], [
        nothing,
        () => Fs.writeFileSync(`${folder.path}/a.jsonl`, run(0, "a", failed)),
        nothing,
        () => Fs.writeFileSync(`${folder.path}/b.jsonl`, run(1, "b", failed))
      ])
      assert.deepStrictEqual(heads, ["ADD eth0 of a", "ADD eth0 of b"])
    }))

  it.effect("does not split an operation that is slow", () =>
    Effect.gen(function*() {
      using folder = folderWith({ log: run(0, "a", done, { label: "one" }) })
      const file = `${folder.path}/log`
      const { heads, stdout } = yield* followed([file], [
        ...Array.from({ length: 40 }, () => nothing),
        () => Fs.appendFileSync(file, run(10, "a", done, { label: "two" }))
      ], 200)
      assert.deepStrictEqual(heads, ["ADD eth0 of a"])
      assert.match(stdout, /· one[^]*· two[^]*└─ 10000 ms in total\n\n$/)
    }))

  it.effect("prints one JSON object for each operation that ends", () =>
    Effect.gen(function*() {
      using folder = folderWith({ log })
      const { stdout } = yield* followed(
        [`${folder.path}/log`, "--json"],
        [nothing],
        0,
        (stdout) => stdout.split("\n").length > 4
      )
      const lines = stdout.split("\n")
      assert.strictEqual(lines.pop(), "")
      assert.sameMembers(lines.map((line) => JSON.parse(line).containerId), ["good-1", "good-2", "bad", "good-1"])
    }))

  it.effect("prints what show prints, piece by piece", () =>
    Effect.gen(function*() {
      const one = run(0, "a", failed, { args: "K8S_POD_NAME=web" })
      using folder = folderWith({ log: one })
      const { stdout } = yield* followed([`${folder.path}/log`], [nothing], 0, (stdout) => stdout.endsWith("\n\n"))
      const whole = (yield* shown([`${folder.path}/log`])).stdout
      assert.strictEqual(
        stdout.replace(/ +[\d:. -]+[+-]\d\d:\d\d$/m, ""),
        whole.replace(/ +[\d:. -]+[+-]\d\d:\d\d$/m, "")
      )
    }))

  it.effect("follows stdin until that ends", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(began)
      const { heads, status } = yield* hurried(shown(["--follow"], { stdin: log }))
      assert.deepStrictEqual([status, heads.toSorted()], [0, [third, first, second, last].toSorted()])
    }))

  it.effect("follows the journal", () =>
    Effect.gen(function*() {
      let stdout = ""
      const stdio = Stdio.layerTest({
        stdout: () => Sink.forEach((text: string | Uint8Array) => Effect.sync(() => void (stdout += text)))
      })
      const journalctl = ProcessRunner.of({
        run: ({ argv, onStdout }) => {
          assert.include(argv, "--follow")
          for (const line of log.trimEnd().split("\n")) {
            onStdout?.(Buffer.from(`${JSON.stringify({ CNI_RECORD: line })}\n`))
          }
          return Effect.never
        }
      })
      yield* TestClock.setTime(began + 3_600_000)
      const fiber = yield* Effect.forkChild(
        Command.printed(show, "--follow", "--journald").pipe(
          Effect.provideService(ProcessRunner, journalctl),
          Effect.provide(Layer.merge(Command.host, stdio))
        )
      )
      for (let left = 8; left > 0; left--) yield* TestClock.adjust(250)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(stdout.match(/^[A-Z]+ eth0 of /gm)?.length, 4)
    }))
})
