/** Where wrapped plugins log to, and how `wrap --follow` reads that. */
import { assert, describe, it } from "@effect/vitest"
import * as CliCommand from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as Config from "../../src/cli/commands/wrap/Config.ts"
import * as FollowLogs from "../../src/cli/commands/wrap/FollowLogs.ts"
import * as SinkPreflight from "../../src/cli/commands/wrap/SinkPreflight.ts"
import type { Piece } from "../../src/operations/FollowedOperations.ts"
import * as Stub from "../../src/wrap/Stub.ts"
import type * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const nothing: Config.Asked = { log: Option.none(), sink: Option.none(), changes: [], redact: [] }

describe("the configuration of wrapped plugins", () => {
  const file = { logFile: "/a.jsonl", logFormat: "json" }
  const journal = { logSinks: [{ type: "journald" }] }
  const cases: {
    readonly [name: string]: readonly [asked: Partial<Config.Asked>, before: object | undefined, after: object]
  } = {
    "logs to a file that is not named": [{}, undefined, {
      logFile: "/var/log/cni/passthrough.jsonl",
      logFormat: "json",
      onLogFailure: "ignore"
    }],
    "logs to the file that is named": [{ log: Option.some("/b.jsonl") }, { ...file, ...journal }, {
      logFile: "/b.jsonl",
      logFormat: "json",
      onLogFailure: "ignore"
    }],
    "logs where it did": [{}, { ...file, onLogFailure: "ignore" }, { ...file, onLogFailure: "ignore" }],
    "logs into the journal as it did": [{}, journal, { ...journal, onLogFailure: "ignore" }],
    "logs into the journal": [{ sink: Option.some("journald") }, file, { ...journal, onLogFailure: "ignore" }],
    "logs to the file of before again": [{ sink: Option.some("file") }, file, { ...file, onLogFailure: "ignore" }],
    "logs to a file again": [{ sink: Option.some("file") }, journal, {
      logFile: "/var/log/cni/passthrough.jsonl",
      logFormat: "json",
      onLogFailure: "ignore"
    }],
    "does not keep a file that is no path": [{ sink: Option.some("file") }, { logFile: 1 }, {
      logFile: "/var/log/cni/passthrough.jsonl",
      logFormat: "json",
      onLogFailure: "ignore"
    }],
    "tells some changes": [{ changes: ["links"] }, file, { ...file, onLogFailure: "ignore", changes: ["links"] }],
    "keeps what no flag names": [{ redact: ["b"] }, { ...file, label: "x", redact: ["a"], changes: true }, {
      ...file,
      onLogFailure: "ignore",
      label: "x",
      redact: ["b"],
      changes: true
    }],
    "keeps what it does where it cannot log": [{}, { onLogFailure: "fail" }, {
      logFile: "/var/log/cni/passthrough.jsonl",
      logFormat: "json",
      onLogFailure: "fail"
    }]
  }
  for (const [name, [asked, before, after]] of Object.entries(cases)) {
    it(name, () => {
      const text = Config.text({ ...nothing, ...asked }, before === undefined ? undefined : JSON.stringify(before))
      assert.strictEqual(text, `${JSON.stringify(after, null, 2)}\n`)
    })
  }

  it("begins anew where the one of before is no JSON object", () => {
    for (const before of ["", "[]", "{"]) assert.strictEqual(Config.text(nothing, before), Config.text(nothing))
  })

  it("is asked for by each of its flags", () => {
    assert.isFalse(Config.isAsked(nothing))
    const flags: ReadonlyArray<Partial<Config.Asked>> = [
      { log: Option.some("/a") },
      { sink: Option.some("file") },
      { changes: ["links"] },
      { redact: ["a"] }
    ]
    for (const flag of flags) assert.isTrue(Config.isAsked({ ...nothing, ...flag }), JSON.stringify(flag))
  })

  it("is read as the plugin reads it", () => {
    assert.deepStrictEqual(Config.read("{"), { sinks: [], problems: ["found no JSON object, expected one"] })
    const placesOf = (fields: object) => Config.read(JSON.stringify(fields)).sinks.map(Config.place)
    assert.deepStrictEqual(placesOf({ logFile: "/a" }), ["/a"])
    assert.deepStrictEqual(placesOf({ logSinks: [{ type: "journald" }] }), ["journald"])
  })
})

const requests = (folder: string, configs: ReadonlyArray<readonly [config: object, kept?: object | string]>) =>
  configs.map(([config, kept], index) => {
    const at = Stub.places(`${folder}/${index}`)
    Fs.mkdirSync(at.own, { recursive: true })
    if (kept !== undefined) Fs.writeFileSync(at.config, typeof kept === "string" ? kept : JSON.stringify(kept))
    return { at, config: JSON.stringify(config), keepsConfig: kept !== undefined } as Wrapping.Request
  })

describe("what wrap --follow reads", () => {
  type Configs = ReadonlyArray<readonly [config: object, kept?: object | string]>
  const sources = (...configs: Configs) =>
    Effect.gen(function*() {
      using folder = temporary()
      return yield* FollowLogs.sources(requests(folder.path, configs))
    }).pipe(Effect.provide(Command.host))

  it.effect("is each log once, as a pattern where its path has variables", () =>
    Effect.gen(function*() {
      const each = { logFile: "/log/${CNI_CONTAINERID}/$CNI_IFNAME-a.jsonl" }
      assert.deepStrictEqual(yield* sources([each], [each], [{ logFile: "/b.jsonl" }]), {
        journal: false,
        logs: ["/log/*/*-a.jsonl", "/b.jsonl"]
      })
    }))

  it.effect("is the journal too, where one of them logs there", () =>
    Effect.gen(function*() {
      const journald = { logSinks: [{ type: "journald" }] }
      assert.deepStrictEqual(yield* sources([journald], [{ logFile: "/b" }]), { journal: true, logs: ["/b"] })
      assert.deepStrictEqual(yield* sources([journald]), { journal: true, logs: [] })
    }))

  it.effect("is what the configuration of before says, where that is kept", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* sources([{ logFile: "/new" }, { logFile: "/old" }])).logs, ["/old"])
    }))

  it.effect("cannot be syslog, nor nothing", () =>
    Effect.gen(function*() {
      const message = (...configs: Configs) => Effect.map(Effect.flip(sources(...configs)), ({ message }) => message)
      const words = "--follow reads a log that is a file, or the journal: found "
      const logSinks = [{ type: "syslog" }, { type: "stderr" }]
      assert.strictEqual(yield* message([{ logSinks }]), `${words}syslog, stderr`)
      assert.strictEqual(yield* message([{}, "no JSON"]), `${words}none`)
    }))
})

/** What an effect prints. */
const printed = <E>(effect: Effect.Effect<unknown, E, Layer.Success<typeof Command.host>>) =>
  Effect.provide(
    Command.printed(CliCommand.make("say", {}, () => Effect.asVoid(effect))),
    Command.host
  )

describe("a screen that operations and other lines share", () => {
  const piece = (_tag: Piece["_tag"]) => ({ _tag }) as Piece

  it.effect("shows a line at once where no operation is half drawn, and otherwise after it", () =>
    Effect.gen(function*() {
      const { after, say } = FollowLogs.makeScreen()
      assert.strictEqual((yield* printed(say("one"))).stdout, "one\n")
      assert.strictEqual(after("head\n", piece("Head")), "head\n")
      assert.strictEqual((yield* printed(say("two"))).stdout, "")
      assert.strictEqual(after("step\n", piece("Step")), "step\n")
      assert.strictEqual((yield* printed(say("three"))).stdout, "")
      assert.strictEqual(after("foot\n", piece("Foot")), "foot\ntwo\nthree\n")
      assert.strictEqual((yield* printed(say("four"))).stdout, "four\n")
      assert.strictEqual(after("foot\n", piece("Foot")), "foot\n")
    }))
})

describe("what keeps wrapped plugins from logging", () => {
  const problems = (sinks: ReadonlyArray<object>) =>
    Effect.gen(function*() {
      const reading = Config.read(JSON.stringify({ logSinks: sinks }))
      assert.deepStrictEqual(reading.problems, [])
      return yield* SinkPreflight.problems(Stub.places("/bin"), reading)
    }).pipe(Effect.provide(Command.host))

  it.effect("is nothing where they log to stderr, to another host, or to a file by a relative path", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* problems([{ type: "stderr" }, { type: "syslog", address: "tcp://loghost:601" }]),
        []
      )
    }))

  it.effect("is a socket that is not there, and nothing where it is", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const address = `${folder.path}/log`
      const words = `nothing is logged to syslog: nothing listens, as there is no ${address}`
      assert.deepStrictEqual(yield* problems([{ type: "syslog", address }]), [words])
      Fs.writeFileSync(address, "")
      assert.deepStrictEqual(yield* problems([{ type: "syslog", address }]), [])
    }))

  it.effect("is a journal that is not there", () =>
    Effect.gen(function*() {
      const reading = Config.read(JSON.stringify({ logSinks: [{ type: "journald" }] }))
      const asked: Array<string> = []
      const nothing = FileSystem.layerNoop({ exists: (path) => Effect.sync(() => asked.push(path) < 0) })
      const found = yield* SinkPreflight.problems(Stub.places("/bin"), reading).pipe(
        Effect.provide(Layer.merge(Command.host, nothing))
      )
      assert.deepStrictEqual(asked, ["/run/systemd/journal/socket"])
      assert.deepStrictEqual(found, [
        "nothing is logged to journald: nothing listens, as there is no /run/systemd/journal/socket"
      ])
    }))

  it.effect("is told with the folder whose configuration is wrong, one line each, without control characters", () =>
    Effect.gen(function*() {
      const reading = { sinks: [], problems: ["one\u001b", "two"] }
      const found = yield* SinkPreflight.problems(Stub.places("/bin"), reading).pipe(Effect.provide(Command.host))
      assert.deepStrictEqual(found, [
        "/bin/.passthrough/config.json: one\\u001b",
        "/bin/.passthrough/config.json: two"
      ])
    }))

  it.effect("is no file that is there and can be written, and it stays as it is", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const path = `${folder.path}/log`
      Fs.writeFileSync(path, "{}\n")
      assert.deepStrictEqual(yield* problems([{ type: "file", path }]), [])
      assert.strictEqual(Fs.readFileSync(path, "utf8"), "{}\n")
      assert.deepStrictEqual(yield* problems([{ type: "file", path: `${folder.path}/a/b/$CNI_IFNAME` }]), [])
      assert.deepStrictEqual(yield* problems([{ type: "file", path: "/dev/null" }]), [])
      assert.deepStrictEqual(Fs.readdirSync(folder.path), ["log"])
    }))

  it.effect("is a file in the place of its folder", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/file`, "")
      const path = `${folder.path}/file/log.jsonl`
      assert.match(
        String(yield* problems([{ type: "file", path }])),
        /^nothing is logged to \S+: nothing can be made in .*file: /
      )
    }))
})
