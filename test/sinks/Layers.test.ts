/** Sinks as layers: one for the records of all runs, and those that each network configuration names. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as CombinedSink from "../../src/sinks/CombinedSink.ts"
import * as ConfiguredSinks from "../../src/sinks/ConfiguredSinks.ts"
import * as FileSink from "../../src/sinks/FileSink.ts"
import { LogSink, type Run } from "../../src/sinks/LogSink.ts"
import * as Registry from "../../src/sinks/Registry.ts"
import * as StderrSink from "../../src/sinks/StderrSink.ts"
import * as SyslogSink from "../../src/sinks/SyslogSink.ts"
import { named } from "../support/hostTools.ts"
import { temporary } from "../support/plugin.ts"
import { make, record } from "../support/request.ts"

/** What a sink starts, and the message that it fails with, for one record of a run: no program can be started. */
const logged = (sink: Layer.Layer<LogSink, never, ProcessRunner>, fields: Partial<Run> = {}) => {
  const calls: Array<ReadonlyArray<string>> = []
  const runner = ProcessRunner.of({
    run: ({ argv }) =>
      Effect.suspend(() => {
        calls.push(argv)
        return Effect.fail(new NotStarted({ program: argv[0], reason: "why", code: "EAGAIN", cause: undefined }))
      })
  })
  const run: Run = { environment: make("ADD", {}).environment, sinks: [], logTimeout: 0, ...fields }
  return Effect.gen(function*() {
    // The runner is that of the layer: what writes later knows none.
    const service = yield* Effect.provide(LogSink, Layer.provide(sink, Layer.succeed(ProcessRunner, runner)))
    const writer = yield* CombinedSink.open([service], run)
    const message = yield* Effect.match(writer.write(record("ADD", {})), {
      onFailure: (error) => (error as Error).message,
      onSuccess: () => ""
    })
    return { message, calls, neverWaits: service.neverWaits }
  }).pipe(Effect.scoped, Effect.provideService(HostTools.HostTools, named))
}

describe("the layer of", () => {
  it.effect("a file fills in its path for each run", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const { message } = yield* logged(FileSink.layer({ path: `${folder.path}/$CNI_IFNAME` }))
      assert.strictEqual(message, "")
      assert.match(Fs.readFileSync(`${folder.path}/eth0`, "utf8"), /^CNI_COMMAND: ADD$/m)
    }))

  it.effect("syslog has the defaults of a sink in a configuration, and the runner that it was made with", () =>
    Effect.gen(function*() {
      const byDefault = yield* logged(SyslogSink.layer())
      assert.strictEqual(byDefault.message, "syslog /dev/log: cannot start logger: EAGAIN: why")
      assert.include(byDefault.calls.flat(), "--tag=cni-passthrough")
      const chosen = yield* logged(SyslogSink.layer({ tag: "tap", address: "/run/log" }))
      assert.strictEqual(chosen.message, "syslog /run/log: cannot start logger: EAGAIN: why")
      assert.include(chosen.calls.flat(), "--tag=tap")
    }))

  it.effect("stderr writes there", () =>
    Effect.gen(function*() {
      const { kind } = StderrSink
      const writer = yield* kind.open(kind.complete({}))
      assert.strictEqual(writer.name, "stderr")
      const layer = StderrSink.layer({ format: "json" })
      const run = { environment: make("ADD", {}).environment, sinks: [], logTimeout: 0 }
      const sink = yield* Effect.provide(LogSink, layer)
      assert.isTrue("open" in sink)
      const opened = yield* Effect.scoped("open" in sink ? sink.open(run) : Effect.succeed(sink))
      assert.strictEqual(opened.name, "stderr")
    }))
})

describe("the sinks of a network configuration", () => {
  it.effect("get each record, and say which of them fail", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const sinks = [
        Registry.complete({ type: "file", path: `${folder.path}/$CNI_IFNAME`, format: "json" }),
        Registry.complete({ type: "syslog", address: "/one" }),
        Registry.complete({ type: "syslog", address: "/two" })
      ]
      const { calls, message, neverWaits } = yield* logged(ConfiguredSinks.layer, { sinks })
      assert.strictEqual(
        message,
        "syslog /one: cannot start logger: EAGAIN: why; syslog /two: cannot start logger: EAGAIN: why"
      )
      assert.lengthOf(calls, 2)
      assert.strictEqual(JSON.parse(Fs.readFileSync(`${folder.path}/eth0`, "utf8")).event, "request")
      assert.isTrue(neverWaits)
    }))

  it.effect("are none where it names none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* logged(ConfiguredSinks.layer), { message: "", calls: [], neverWaits: true })
    }))

  it.live("have the time that it gives them", () =>
    Effect.gen(function*() {
      const hanging = ProcessRunner.of({ run: () => Effect.never })
      const run = {
        environment: make("ADD", {}).environment,
        sinks: [Registry.complete({ type: "syslog" })],
        logTimeout: 1
      }
      const sink = ConfiguredSinks.make(hanging)
      const writer = yield* Effect.scoped(CombinedSink.open([sink], run))
      const error = (yield* Effect.flip(writer.write(record("ADD", {})))) as Error
      assert.match(error.message, /^syslog \/dev\/log: no answer in time: .* wait for 1ms in total/)
    }))
})
