/** The folders of plugins that `wrap` and `unwrap` are about, and the plugins in them. */
import { assert, describe, it } from "@effect/vitest"
import * as CliCommand from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as PluginFolders from "../../src/cli/PluginFolders.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const nothing: PluginFolders.Chosen = { plugins: [], named: [], dir: [], cniPath: [], hostRoot: Option.none() }

describe("the plugins", () => {
  it("are all unless one is named, in either way", () => {
    assert.isUndefined(PluginFolders.names(nothing))
    assert.deepStrictEqual(PluginFolders.names({ ...nothing, plugins: ["a"] }), ["a"])
    assert.deepStrictEqual(PluginFolders.names({ ...nothing, named: ["b"] }), ["b"])
    assert.deepStrictEqual(PluginFolders.names({ ...nothing, plugins: ["a"], named: ["b"] }), ["a", "b"])
  })
})

describe("the folders", () => {
  const found = (chosen: Partial<PluginFolders.Chosen>) =>
    Effect.map(PluginFolders.find({ ...nothing, ...chosen }), (all) => all.map(({ folder }) => folder))
  const failure = (chosen: Partial<PluginFolders.Chosen>) =>
    Effect.map(Effect.flip(found(chosen)), ({ message }) => message)

  it.effect("are those of the CNI path that are there, each once, by their real paths", () =>
    Effect.gen(function*() {
      using root = temporary()
      const path = Fs.realpathSync(root.path)
      for (const name of ["a", "b"]) Fs.mkdirSync(`${path}/${name}`)
      Fs.symlinkSync("a", `${path}/link`)
      const cniPath = ["none", "link", "b", "a"].map((name) => `${path}/${name}`)
      assert.deepStrictEqual(yield* found({ cniPath }), [`${path}/a`, `${path}/b`])
      assert.deepStrictEqual(yield* found({ cniPath, dir: [`${path}/b`] }), [`${path}/b`])
    }).pipe(Effect.provide(Command.host)))

  it.effect("are none where the CNI path has none, and what is named has to be there", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* failure({ cniPath: ["/none/a", "/none/b"] }),
        "there is no folder /none/a, and no /none/b: --dir names another one"
      )
      assert.strictEqual(yield* failure({ dir: ["/none/a"] }), "cannot read /none/a: there is no such file or folder")
      assert.strictEqual(yield* failure({ cniPath: ["/etc/passwd/a"] }), "cannot read /etc/passwd/a: not a directory")
    }).pipe(Effect.provide(Command.host)))

  it("are chosen again by the same flags", () => {
    assert.strictEqual(PluginFolders.again({ ...nothing, dir: ["/a", "/b"] }), " --dir /a --dir /b")
    assert.strictEqual(PluginFolders.again({ ...nothing, cniPath: ["/a"] }), "")
  })
})

describe("a command line", () => {
  /** What is chosen by it, or what is wrong with it. */
  const chosen = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
    let found: unknown
    const command = CliCommand.make(
      "take",
      PluginFolders.flags,
      ({ dir, named, plugins }) => Effect.sync(() => void (found = { plugins, named, dir }))
    )
    const { status, stderr } = yield* Command.printed(command, ...args).pipe(Effect.provide(Presenter.layer))
    return status === 0 ? found : stderr
  })
  const expected = "expected the name of a plugin other than passthrough"
  const lines: ReadonlyArray<readonly [args: ReadonlyArray<string>, found: unknown]> = [
    [[], { plugins: [], named: [], dir: [] }],
    [["bridge", "ptp"], { plugins: ["bridge", "ptp"], named: [], dir: [] }],
    [["--plugins", "bridge,,ptp"], { plugins: [], named: ["bridge", "ptp"], dir: [] }],
    [["--dir", "/a", "--dir", "/b"], { plugins: [], named: [], dir: ["/a", "/b"] }],
    [["passthrough"], `error: <plugin>: found "passthrough", ${expected}\n`],
    [[".hidden"], `error: <plugin>: found ".hidden", ${expected}\n`],
    [["a/b"], `error: <plugin>: found "a/b", ${expected}\n`],
    [["--plugins", "bridge,a/b"], `error: --plugins: found "bridge,a/b", ${expected}\n`],
    [["--plugins", ","], `error: --plugins: found "", ${expected}\n`]
  ]
  for (const [args, found] of lines) {
    it.effect(`chooses plugins other than ours, by their names: ${args.join(" ")}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* chosen(...args), found)
      }).pipe(Effect.provide(Command.host)))
  }
})
