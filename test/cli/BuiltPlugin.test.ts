/** Which plugin is put on a host. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as BuiltPlugin from "../../src/cli/BuiltPlugin.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const names = {
  x64: { glibc: "lib64/ld-linux-x86-64.so.2", musl: "lib/ld-musl-x86_64.so.1", alpine: "lib/libc.musl-x86_64.so.1" },
  arm64: { glibc: "lib/ld-linux-aarch64.so.1", musl: "lib/ld-musl-aarch64.so.1", alpine: "lib/libc.musl-aarch64.so.1" }
}[process.arch as "x64" | "arm64"]

/** What is found for a host that has these files, beside a command with these plugins. */
const found = Effect.fnUntraced(function*(host: ReadonlyArray<string>, plugins: ReadonlyArray<string>) {
  using folder = temporary()
  const [root, home] = [`${folder.path}/root`, `${Fs.realpathSync(folder.path)}/home`]
  for (const file of [...plugins, "cni-passthrough"].map((name) => `${home}/${name}`)) {
    Fs.mkdirSync(Path.dirname(file), { recursive: true })
    Fs.writeFileSync(file, "")
  }
  for (const file of host.map((name) => `${root}/${name}`)) {
    Fs.mkdirSync(Path.dirname(file), { recursive: true })
    Fs.symlinkSync("/nowhere/as/seen/from/a/container", file)
  }
  const file = yield* BuiltPlugin.find(root).pipe(
    Effect.provideService(BuiltPlugin.CommandFile, `${home}/cni-passthrough`)
  )
  return Path.relative(home, file)
})

const both = ["passthrough", "musl/passthrough"]

describe("the plugin for a host", () => {
  for (
    const [what, host, expected] of [
      ["with glibc", [names.glibc], "passthrough"],
      ["with musl", [names.musl], "musl/passthrough"],
      ["with glibc, and musl beside it", [names.glibc, names.musl], "passthrough"],
      ["of Alpine, with a loader by the name of glibc's", Object.values(names), "musl/passthrough"],
      ["that says nothing", [], "passthrough"]
    ] as const
  ) {
    it.effect(`${what} is ${expected}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* found(host, both), expected)
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("is the only one that there is", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* found([names.musl], ["passthrough"]), "passthrough")
    }).pipe(Effect.provide(Command.host)))

  const all = ["passthrough", "standalone/passthrough", "musl/passthrough"]

  it.effect("is the one that needs nothing on the host, but for that of musl", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* found([names.glibc], all), "standalone/passthrough")
      assert.strictEqual(yield* found([names.musl], all), "musl/passthrough")
      assert.strictEqual(
        yield* found([names.musl], ["passthrough", "standalone/passthrough"]),
        "standalone/passthrough"
      )
    }).pipe(Effect.provide(Command.host)))

  it.effect("is missing where none lies beside the command", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Effect.provideService(BuiltPlugin.find(), BuiltPlugin.CommandFile, "/none/cni-passthrough")
      )
      assert.strictEqual(
        error.message,
        "there is no passthrough in /none: copy it beside this command, from the folder where npm run build put both"
      )
    }).pipe(Effect.provide(Command.host)))
})

describe("the plugin of the standalone command", () => {
  /** What is found by a command that is the file `name` of a folder with these files. */
  const standalone = Effect.fnUntraced(function*(name: string, files: ReadonlyArray<string>) {
    using folder = temporary()
    const home = Fs.realpathSync(folder.path)
    for (const file of files) Fs.writeFileSync(`${home}/${file}`, "")
    const execPath = Object.getOwnPropertyDescriptor(process, "execPath") ?? {}
    Object.defineProperty(process, "execPath", { ...execPath, value: `${home}/${name}` })
    const found = BuiltPlugin.find("/nowhere").pipe(
      Effect.provideService(BuiltPlugin.CommandFile, `${home}/${name}`),
      Effect.ensuring(Effect.sync(() => Object.defineProperty(process, "execPath", execPath)))
    )
    return Path.basename(yield* found)
  })

  for (
    const [what, name, files, expected] of [
      ["is itself", "passthrough", ["passthrough"], "passthrough"],
      ["is itself, also by the command's name", "cni-passthrough", ["cni-passthrough"], "cni-passthrough"],
      ["is itself, also beside another one", "cni-passthrough", ["cni-passthrough", "passthrough"], "cni-passthrough"],
      ["is the one that took its place since it started", "passthrough (deleted)", ["passthrough"], "passthrough"]
    ] as const
  ) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* standalone(name, files), expected)
      }).pipe(Effect.provide(Command.host)))
  }
})

describe("a file", () => {
  it.effect("is this command where both are the same file, by whatever names", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = (name: string) => `${folder.path}/${name}`
      for (const name of ["passthrough", "other"]) Fs.writeFileSync(file(name), "")
      Fs.symlinkSync("passthrough", file("cni-passthrough"))
      const isThisCommand = (name: string) =>
        Effect.provideService(BuiltPlugin.isThisCommand(file(name)), BuiltPlugin.CommandFile, file("cni-passthrough"))
      assert.isTrue(yield* isThisCommand("passthrough"))
      assert.isFalse(yield* isThisCommand("other"))
      assert.isFalse(yield* isThisCommand("missing"))
    }).pipe(Effect.provide(Command.host)))
})
