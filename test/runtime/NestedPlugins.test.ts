/** The folder with shims that shows what plugins start themselves. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Record } from "../../src/record/Record.ts"
import * as NestedPlugins from "../../src/runtime/NestedPlugins.ts"
import * as Stub from "../../src/wrap/Stub.ts"
import { temporary } from "../support/plugin.ts"
import { script } from "../support/scripts.ts"

/** Makes shims for a folder with the plugins a and b, whose proof ends so, and shows what is in their folder. */
const made = Effect.fnUntraced(function*(ended: Partial<Execution> | NotStarted = {}) {
  const plugins = temporary()
  yield* Effect.addFinalizer(() => Effect.sync(() => plugins[Symbol.dispose]()))
  for (const name of ["a", "b", ".hidden"]) script(`${plugins.path}/${name}`, "exit 0")
  const asked: Array<Invocation> = []
  const runner = ProcessRunner.of({
    run: (invocation) => {
      asked.push(invocation)
      if (ended instanceof NotStarted) return Effect.fail(ended)
      // What the proof leaves in the log is not of a plugin.
      Fs.appendFileSync(JSON.parse(Fs.readFileSync(configOf(invocation), "utf8")).logFile, "{}\n")
      return Effect.succeed({
        argv: invocation.argv,
        stdin: "",
        exitCode: 0,
        signal: null,
        timedOut: false,
        truncated: false,
        durationMs: 1,
        stdout: new Uint8Array(),
        stderr: new Uint8Array(),
        ...ended
      })
    }
  })
  const cniPath = ["/none", plugins.path]
  const nested = yield* Effect.provideService(
    NestedPlugins.make("/executable", cniPath, "a", ["links"]),
    ProcessRunner,
    runner
  )
  const [proof] = asked
  const folder = folderOf(proof)
  return { nested, proof, cniPath, folder, places: Stub.places(folder) }
})

const folderOf = (invocation: Invocation | undefined) => String(invocation?.argv[0]).replace(/\/a$/, "")
const configOf = (invocation: Invocation) => Stub.places(folderOf(invocation)).config

const record = (invocation: string, fields: Partial<Record> = {}): Record => ({
  time: "2026-01-02T03:04:05.000Z",
  event: "result",
  invocation,
  command: "ADD",
  durationMs: 1,
  ...fields
} as Record)

const run = <A>(effect: Effect.Effect<A, unknown, NodeServices.NodeServices | Scope.Scope>) =>
  effect.pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("the shims of a run", () => {
  it.effect("stand for each plugin of the CNI path, and log in a file for root alone", () =>
    run(Effect.gen(function*() {
      const { cniPath, folder, places, proof } = yield* made()
      assert.deepStrictEqual(Fs.readdirSync(folder).filter((name) => !name.startsWith(".")).toSorted(), ["a", "b"])
      assert.strictEqual(Fs.readFileSync(`${folder}/b`, "utf8"), Stub.text(places))
      assert.strictEqual(Fs.statSync(`${folder}/b`).mode & 0o777, 0o755 & ~process.umask())
      assert.strictEqual(Fs.readlinkSync(places.executable), "/executable")
      const { logFile, ...fields } = JSON.parse(Fs.readFileSync(places.config, "utf8"))
      assert.deepStrictEqual(fields, { logFormat: "json", onLogFailure: "ignore", changes: ["links"] })
      assert.strictEqual(Fs.statSync(logFile).mode & 0o777, 0o600)
      assert.deepInclude(proof?.env, { CNI_COMMAND: "VERSION", CNI_PATH: cniPath.join(":") })
      assert.deepInclude(proof, { stdin: `{"cniVersion":"1.0.0"}`, timeout: 10_000 })
    })))

  it.effect("are gone in the end", () =>
    Effect.gen(function*() {
      const folder = yield* run(Effect.map(made(), ({ folder }) => folder))
      assert.isFalse(Fs.existsSync(folder))
    }))

  it.effect("are not used where the proof fails", () =>
    run(Effect.gen(function*() {
      assert.isUndefined((yield* made({ exitCode: 1 })).nested)
      assert.isDefined((yield* made()).nested)
    })))

  it.effect("are not used where they cannot be started", () =>
    run(Effect.gen(function*() {
      const refused = new NotStarted({ program: "/a", reason: "permission denied", code: "EACCES", cause: undefined })
      assert.isUndefined((yield* made(refused)).nested)
    })))

  it.effect("come first on the CNI path of plugins, but where it is a dummy", () =>
    run(Effect.gen(function*() {
      const { folder, nested } = yield* made()
      assert.deepStrictEqual(nested?.variables("1234", "/x:/y"), {
        CNI_PASSTHROUGH_PARENT: "1234",
        CNI_PATH: `${folder}:/x:/y`
      })
      assert.deepStrictEqual(nested?.variables("1234", "dummy"), { CNI_PASSTHROUGH_PARENT: "1234" })
    })))

  it.effect("tell each record once, when its line is whole, as one of the run that it was started by", () =>
    run(Effect.gen(function*() {
      const { nested, places } = yield* made()
      const log = JSON.parse(Fs.readFileSync(places.config, "utf8")).logFile
      const of = (invocation: string) =>
        Effect.map(
          nested?.records(invocation) ?? Effect.succeed([]),
          (records) => records.map((each) => [each.invocation, each.parent])
        )
      assert.deepStrictEqual(yield* of("r"), [])
      const lines = [
        record("1", { parent: "r" }),
        record("2", { parent: "1" }),
        record("3", { parent: "of a wrapped one" }),
        record("4")
      ].map(JsonFormat.render)
      Fs.appendFileSync(log, lines.slice(0, 2).join("") + lines[2]?.slice(0, 10))
      assert.deepStrictEqual(yield* of("r"), [["1", "r"], ["2", "1"]])
      Fs.appendFileSync(log, `${lines[2]?.slice(10)}${lines[3]}no record\n`)
      assert.deepStrictEqual(yield* of("s"), [["3", "s"], ["4", undefined]])
      assert.deepStrictEqual(yield* of("s"), [])
      Fs.rmSync(log)
      assert.deepStrictEqual(yield* of("s"), [])
    })))

  it.effect("are not used where the proof cannot be started", () =>
    run(Effect.gen(function*() {
      const runner = ProcessRunner.of({
        run: ({ argv: [program] }) =>
          Effect.fail(new NotStarted({ program, code: "EACCES", reason: "no", cause: undefined }))
      })
      const nested = NestedPlugins.make("/executable", ["/none"], "a", [])
      assert.isUndefined(yield* Effect.provideService(nested, ProcessRunner, runner))
    })))
})
