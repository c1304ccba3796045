/** The order of things around a plugin, with services that touch no file, no process and no terminal. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Execution from "../../src/exec/Execution.ts"
import * as Shim from "../../src/plugin/Shim.ts"
import * as Testing from "../../src/plugin/Testing.ts"
import type * as Record from "../../src/record/Record.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { attachment } from "../support/plugin.ts"

const result = `{"cniVersion":"1.0.0","ips":[]}`

const run = (options: {
  readonly execution?: Partial<Execution.Execution>
  readonly config?: object
  readonly command?: string
  readonly sink?: Layer.Layer<LogSink>
  readonly kept?: { readonly started: Array<Execution.Invocation["env"]>; readonly ended: Array<unknown> }
}) => {
  const records: Array<Record.Record> = []
  const kept = options.kept ?? { started: [] as Array<Execution.Invocation["env"]>, ended: [] as Array<unknown> }
  const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
  const execution = { stdout: Buffer.from(result), ...options.execution }
  const services = Layer.mergeAll(
    Testing.envReader({ ...attachment, CNI_COMMAND: options.command ?? "ADD" }),
    Testing.stdinReader(`{"cniVersion":"1.0.0","name":"n","type":"demo"}`),
    options.sink ?? Testing.logSink(records),
    Testing.hookRunner(),
    Testing.resultWriter(output),
    Testing.processRunner,
    Testing.wrappedPlugin(kept, execution, options.config === undefined ? undefined : JSON.stringify(options.config))
  )
  return Effect.as(Effect.exit(Effect.provide(Shim.main, services)), { records, output, ...kept })
}

const broken = Layer.succeed(LogSink, LogSink.of({ write: () => Effect.fail(new Error("the disk is full")) }))
const defective = Layer.succeed(LogSink, LogSink.of({ write: () => Effect.die("a defect"), neverWaits: true }))

describe("around a plugin", () => {
  it.effect("the request is logged first, then the plugin, its hooks, and its result", () =>
    Effect.gen(function*() {
      const { ended, output, records } = yield* run({ config: { hookADD: ["one", "two"] } })
      assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "hook", "hook", "result"])
      assert.deepInclude(records.at(-1), { event: "result", result })
      assert.deepStrictEqual([ended, output], [[0], { stdout: [], stderr: [] }])
    }))

  it.effect("what it changed is told after it and before its hooks, where that is asked for", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ config: { hookADD: ["one"], changes: ["links"] } })
      assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "changes", "hook", "result"])
      const changes = records.find((record) => record.event === "changes")
      assert.deepStrictEqual(changes?.changes, {})
      assert.match(changes?.notes?.join("\n") ?? "", /: links are not compared$/)
    }))

  for (const command of ["STATUS", "VERSION"]) {
    it.effect(`nothing is compared for ${command}, which changes nothing`, () =>
      Effect.gen(function*() {
        const { records } = yield* run({ command, config: { changes: true } })
        assert.deepStrictEqual(records.map(({ event }) => event), ["request", "plugin", "result"])
      }))
  }

  it.effect("a wrong kind of changes is a warning, and the others are compared", () =>
    Effect.gen(function*() {
      const { records } = yield* run({ config: { changes: ["links", "colours"] } })
      assert.deepInclude(records[0], {
        warnings: [
          "changes: found \"colours\", expected true, false, or a list of links, addresses, routes, rules, neighbours, " +
          "bridge, nftables, iptables, ipsets, sysctls, ipam"
        ]
      })
      assert.include(records.map(({ event }) => event), "changes")
    }))

  it.live("a signal while the request is logged ends us, and the plugin is not started", () =>
    Effect.gen(function*() {
      const slow = Layer.succeed(LogSink, LogSink.of({ write: () => Effect.sleep(100) }))
      const kept = { started: [] as Array<Execution.Invocation["env"]>, ended: [] as Array<unknown> }
      const fiber = yield* Effect.forkChild(run({ sink: slow, kept }))
      yield* Effect.sleep(20)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(kept, { started: [], ended: ["SIGTERM"] })
    }))

  it.effect("a defect in how its answer is understood does not change its end", () =>
    Effect.gen(function*() {
      const stdout = new Proxy(new Uint8Array(), {
        get: () => {
          throw new Error("a defect")
        }
      })
      const { ended } = yield* run({ execution: { stdout, exitCode: 3 } })
      assert.deepStrictEqual(ended, [3])
    }))

  it.effect("the plugin knows the run around it", () =>
    Effect.gen(function*() {
      const { records, started } = yield* run({})
      assert.deepStrictEqual(started.map((env) => env["CNI_PASSTHROUGH_PARENT"]), [records[0]?.invocation])
    }))

  it.effect("a signal that ended it ends us, and is the error where it said nothing else", () =>
    Effect.gen(function*() {
      const { ended, records } = yield* run({
        execution: { exitCode: null, signal: "SIGKILL", stdout: Buffer.from("") }
      })
      assert.deepStrictEqual(ended, ["SIGKILL"])
      assert.deepInclude(records.at(-1), { error: { msg: "was killed by SIGKILL, without an error document" } })
    }))

  for (const [name, sink] of Object.entries({ "cannot be written": broken, "has a defect": defective })) {
    it.effect(`a log that ${name} changes nothing, and nobody is told`, () =>
      Effect.gen(function*() {
        const { ended, output, started } = yield* run({ sink, execution: { exitCode: 7 } })
        assert.deepStrictEqual([started.length, ended, output], [1, [7], { stdout: [], stderr: [] }])
      }))
  }

  it.effect("a log that cannot be written counts where onLogFailure says so, before the plugin is started", () =>
    Effect.gen(function*() {
      const { ended, output, started } = yield* run({ sink: broken, config: { onLogFailure: "fail" } })
      assert.deepStrictEqual([started, ended], [[], [1]])
      assert.deepInclude(JSON.parse(output.stdout.join("")), { code: 5, cniVersion: "1.0.0" })
    }))

  for (const command of ["DEL", "GC"]) {
    it.effect(`${command} never fails for its log`, () =>
      Effect.gen(function*() {
        const { ended, started } = yield* run({ command, sink: broken, config: { onLogFailure: "fail" } })
        assert.deepStrictEqual([started.length, ended], [1, [0]])
      }))
  }
})
