/** The register of folders with wrapped plugins. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as BuiltPlugin from "../../src/cli/BuiltPlugin.ts"
import { unwrap } from "../../src/cli/commands/Unwrap.ts"
import { wrap } from "../../src/cli/commands/Wrap.ts"
import * as WrappedFolders from "../../src/wrap/WrappedFolders.ts"
import * as Command from "../support/command.ts"
import * as Scripts from "../support/scripts.ts"
import { call, hurried, make } from "../support/wrapped.ts"

/** A host with a register, and another folder of plugins that is on no CNI path. */
const setUp = () => {
  const host = make()
  const register = `${host.root}/lib/wrapped`
  const empty = `${host.root}/empty`
  Fs.mkdirSync(empty)
  const on = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    hurried(effect.pipe(
      Effect.provideService(BuiltPlugin.CommandFile, Scripts.script(`${host.root}/cni-passthrough`, "")),
      Effect.provideService(WrappedFolders.Register, register)
    ))
  return {
    ...host,
    empty,
    register,
    registered: () => Fs.readFileSync(register, "utf8"),
    wrap: (...args: ReadonlyArray<string>) => on(Command.printed(wrap, ...args)),
    unwrap: (...args: ReadonlyArray<string>) => on(Command.printed(unwrap, ...args)),
    list: () => on(WrappedFolders.list),
    [Symbol.dispose]: () => host[Symbol.dispose]()
  }
}

describe("the register of wrapped folders", () => {
  it.effect("has a folder from when it is wrapped until all of it is unwrapped", () =>
    Effect.gen(function*() {
      using host = setUp()
      yield* host.wrap("--dir", host.folder)
      assert.strictEqual(host.registered(), `${host.folder}\n`)
      yield* host.unwrap("bridge", "--dir", host.folder)
      assert.strictEqual(host.registered(), `${host.folder}\n`)
      yield* host.unwrap("--dir", host.folder)
      assert.strictEqual(host.registered(), "")
      assert.deepStrictEqual(Fs.readdirSync(`${host.root}/lib`), ["wrapped"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("lets unwrap --all find a folder that is on no CNI path", () =>
    Effect.gen(function*() {
      using host = setUp()
      yield* host.wrap("--dir", host.folder)
      const without = yield* host.unwrap("--cni-path", host.empty)
      assert.strictEqual(without.stdout, `nothing is wrapped in ${host.empty}\n`)
      const { status, stdout } = yield* host.unwrap("--all", "--cni-path", host.empty)
      assert.deepStrictEqual([status, stdout], [
        0,
        `${host.folder}\n  unwrapped  bridge, calico, calico-ipam, weave-net\n`
      ])
      assert.strictEqual(call(`${host.folder}/bridge`).status, 0)
    }).pipe(Effect.provide(Command.host)))

  it.effect("lets wrap --status list such a folder, with the version of what runs around its plugins", () =>
    Effect.gen(function*() {
      using host = setUp()
      yield* host.wrap("--dir", host.folder)
      const { stdout } = yield* host.wrap("--status", "--cni-path", host.empty)
      assert.include(stdout, `${host.folder}\n  by passthrough 1\n  logs to `)
      const rows = JSON.parse((yield* host.wrap("--status", "--json", "--cni-path", host.empty)).stdout)
      assert.deepInclude(rows.find(({ plugin }: { readonly plugin: string }) => plugin === "bridge"), {
        folder: host.folder,
        state: "wrapped",
        version: "1"
      })
      Scripts.script(host.at.executable, "exit 127")
      const broken = yield* host.wrap("--status", "--cni-path", host.empty)
      assert.include(broken.stdout, "  by passthrough that does not run\n")
      yield* host.unwrap("--dir", host.folder)
    }).pipe(Effect.provide(Command.host)))

  it.effect("lets wrap --renew find such a folder: it installs this version, and wraps nothing that was not wrapped", () =>
    Effect.gen(function*() {
      using host = setUp()
      yield* host.wrap("bridge", "--dir", host.folder, "--redact", "password")
      const [current, config] = [host.at.executable, host.at.config].map((file) => Fs.readFileSync(file, "utf8"))
      Fs.appendFileSync(host.at.executable, "# an older version\n")
      const { status, stdout } = yield* host.wrap("--renew", "--cni-path", host.empty)
      assert.deepStrictEqual([status, stdout], [0, `${host.folder}: renewed what runs around bridge\n`])
      assert.strictEqual(Fs.readFileSync(host.at.executable, "utf8"), current)
      assert.strictEqual(Fs.readFileSync(host.at.config, "utf8"), config)
      assert.deepStrictEqual(Fs.readdirSync(host.at.plugins), ["bridge"])
      yield* host.unwrap("--dir", host.folder)
      assert.strictEqual((yield* host.wrap("--renew", "--cni-path", host.empty)).stdout, "nothing is wrapped\n")
    }).pipe(Effect.provide(Command.host)))

  it.effect("lets unwrap --all succeed where nothing is wrapped, and no folder of plugins is there", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { status, stdout } = yield* host.unwrap("--all", "--cni-path", `${host.root}/none`)
      assert.deepStrictEqual([status, stdout], [0, "nothing is wrapped\n"])
      assert.strictEqual((yield* host.unwrap("--cni-path", `${host.root}/none`)).status, 2)
    }).pipe(Effect.provide(Command.host)))

  it.effect("leaves out folders that are gone, and lines that are no paths", () =>
    Effect.gen(function*() {
      using host = setUp()
      yield* host.wrap("--dir", host.folder)
      Fs.appendFileSync(host.register, "/no/such/folder\nrelative\n\n")
      assert.deepStrictEqual(yield* host.list(), [host.folder])
      yield* host.unwrap("--all", "--cni-path", host.empty)
      assert.strictEqual(host.registered(), "")
    }).pipe(Effect.provide(Command.host)))

  it.effect("need not be writable for plugins to be wrapped and unwrapped", () =>
    Effect.gen(function*() {
      using host = setUp()
      Fs.writeFileSync(`${host.root}/lib`, "") // no folder
      assert.strictEqual((yield* host.wrap("--dir", host.folder)).status, 0)
      assert.strictEqual((yield* host.unwrap("--dir", host.folder)).status, 0)
      assert.deepStrictEqual(yield* host.list(), [])
    }).pipe(Effect.provide(Command.host)))
})
