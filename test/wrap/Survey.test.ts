/** What lies in a folder of plugins, file by file. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Stub from "../../src/wrap/Stub.ts"
import * as Survey from "../../src/wrap/Survey.ts"
import { reversed } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

/** A folder in which plugins can be put into any state. */
const make = () => {
  const root = temporary()
  const at = Stub.places(Fs.realpathSync(root.path))
  for (const folder of [at.own, at.plugins, at.links, at.stubs]) Fs.mkdirSync(folder)
  return {
    at,
    plugin: (name: string) => Scripts.script(`${at.folder}/${name}`, "exit 0"),
    /** The plugin that is kept for a stub. */
    kept: (name: string) => Scripts.script(`${at.plugins}/${name}`, "exit 1"),
    stub: (name: string) => Fs.writeFileSync(`${at.folder}/${name}`, Stub.text(at), { mode: 0o755 }),
    write: (name: string, text: string, mode = 0o755) => Fs.writeFileSync(`${at.folder}/${name}`, text, { mode }),
    [Symbol.dispose]: root[Symbol.dispose]
  }
}

type Host = ReturnType<typeof make>

const survey = ({ at }: Host) => Effect.provide(Survey.make(at), reversed)

const states: ReadonlyArray<
  readonly [what: string, change: (host: Host) => void, state: Survey.State, isKept: boolean, isNeeded: boolean]
> = [
  ["that was never wrapped", ({ plugin }) => plugin("a"), "not wrapped", false, false],
  ["with a stub in its place", ({ kept, stub }) => (stub("a"), kept("a")), "wrapped", true, true],
  ["of which only the stub is left", ({ stub }) => stub("a"), "lost", false, false],
  ["whose stub was removed", ({ kept }) => kept("a"), "gone", true, true],
  ["in the place of its stub", ({ kept, plugin }) => (plugin("a"), kept("a")), "written over", true, false],
  [
    "that is no program, in the place of its stub",
    ({ kept, write }) => (write("a", "text"), kept("a")),
    "written over",
    true,
    true
  ],
  [
    "whose interpreter is not there, in the place of its stub",
    ({ kept, write }) => (write("a", "#!/none/sh\n"), kept("a")),
    "written over",
    true,
    true
  ],
  [
    "that is a compiled program, in the place of its stub",
    ({ kept, write }) => (write("a", "\u007fELF"), kept("a")),
    "written over",
    true,
    false
  ],
  [
    "that may not be executed, in the place of its stub",
    ({ kept, write }) => (write("a", "#!/bin/sh\n", 0o644), kept("a")),
    "written over",
    true,
    true
  ],
  [
    "that leads to what we keep, in the place of its stub",
    ({ at, kept }) => (kept("a"), Fs.symlinkSync(`${at.plugins}/a`, `${at.folder}/a`)),
    "written over",
    true,
    true
  ],
  [
    "that leads to a stub, in the place of its own",
    ({ at, kept, stub }) => (kept("a"), kept("b"), stub("b"), Fs.symlinkSync("b", `${at.folder}/a`)),
    "written over",
    true,
    true
  ],
  [
    "in the place of a stub that another name still has",
    ({ at, kept, plugin, stub }) => {
      stub("a")
      Fs.linkSync(`${at.folder}/a`, `${at.stubs}/a`)
      Fs.renameSync(`${at.folder}/a`, `${at.folder}/.elsewhere`)
      plugin("a")
      kept("a")
    },
    "written over",
    true,
    true
  ],
  [
    "in the place of a stub that no other name has",
    ({ at, kept, plugin }) => {
      Fs.writeFileSync(`${at.stubs}/a`, Stub.text(at))
      plugin("a")
      kept("a")
    },
    "written over",
    true,
    false
  ],
  [
    "in the place of a stub in which something else was written",
    ({ at, kept, plugin }) => {
      plugin("a")
      Fs.linkSync(`${at.folder}/a`, `${at.stubs}/a`)
      kept("a")
    },
    "written over",
    true,
    false
  ],
  [
    "while another one is lost",
    ({ kept, plugin, stub }) => (plugin("a"), kept("a"), stub("b")),
    "written over",
    true,
    true
  ],
  [
    "that is what is kept",
    ({ at, kept }) => (kept("a"), Fs.linkSync(`${at.plugins}/a`, `${at.folder}/a`)),
    "not wrapped",
    true,
    false
  ],
  [
    "that is the link that is kept",
    ({ at }) => {
      Fs.symlinkSync("/bin/sh", `${at.folder}/a`)
      Fs.symlinkSync("/bin/sh", `${at.links}/a`)
    },
    "not wrapped",
    true,
    false
  ],
  [
    "that is the link that is kept, and leads nowhere by now",
    ({ at, kept }) => {
      for (const folder of [at.folder, at.links]) Fs.symlinkSync("/none/a", `${folder}/a`)
      kept("a")
    },
    "not wrapped",
    true,
    true
  ],
  [
    "that leads nowhere, of which nothing else is kept",
    ({ at }) => {
      for (const folder of [at.folder, at.links]) Fs.symlinkSync("/none/a", `${folder}/a`)
    },
    "not wrapped",
    true,
    false
  ],
  [
    "with the stub of a folder that was moved here",
    ({ kept, write }) => (write("a", Stub.text(Stub.places("/other"))), kept("a")),
    "moved",
    true,
    true
  ]
]

describe("a plugin", () => {
  for (const [what, change, state, isKept, isNeeded] of states) {
    it.effect(`${what} is ${state}, and what is kept is ${isNeeded ? "needed" : "not needed"}`, () =>
      Effect.gen(function*() {
        using host = make()
        change(host)
        const { plugins } = yield* survey(host)
        const found = plugins.find(({ name }) => name === "a")
        assert.deepInclude(found, { state, isKept, isNeeded })
        assert.strictEqual(found?.info._tag, state === "gone" ? "None" : "Some")
      }))
  }

  it.effect("has a stub where runtimes find one", () =>
    Effect.sync(() => {
      const all: ReadonlyArray<Survey.State> = ["wrapped", "written over", "gone", "moved", "lost", "not wrapped"]
      assert.deepStrictEqual(all.filter(Survey.hasStub), ["wrapped", "moved", "lost"])
    }))
})

describe("the plugins of a folder", () => {
  const names = (host: Host) =>
    Effect.map(survey(host), ({ passedOver, plugins }) => ({ plugins: plugins.map(({ name }) => name), passedOver }))

  it.effect("are told in the order of their names, those of which only something is kept among them", () =>
    Effect.gen(function*() {
      using host = make()
      for (const name of ["c", "a"]) host.plugin(name)
      host.kept("b")
      Fs.symlinkSync("/bin/sh", `${host.at.links}/d`)
      assert.deepStrictEqual(yield* names(host), { plugins: ["a", "b", "c", "d"], passedOver: [] })
    }))

  it.effect("are not what runtimes could not start, nor what installers put aside", () =>
    Effect.gen(function*() {
      using host = make()
      host.plugin("a")
      host.plugin("b.old")
      host.plugin(".hidden")
      host.write("readme", "text", 0o644)
      for (const mode of [0o100, 0o010, 0o001]) host.write(`runs-${mode}`, "#!/bin/sh\n", mode)
      Fs.symlinkSync("/none", `${host.at.folder}/nowhere`)
      Fs.mkdirSync(`${host.at.folder}/folder`)
      assert.deepStrictEqual(yield* names(host), {
        plugins: ["a", "runs-1", "runs-64", "runs-8"],
        passedOver: [
          { name: "b.old", reason: "installers use such names for temporary files" },
          { name: "nowhere", reason: "it leads nowhere" },
          { name: "readme", reason: "it is not executable" }
        ]
      })
    }))

  it.effect("are not our own, but for what an installer made of it", () =>
    Effect.gen(function*() {
      using host = make()
      host.plugin("passthrough")
      host.plugin("cni-passthrough")
      const own = [{ name: "cni-passthrough", reason: "it is our own executable" }]
      assert.deepStrictEqual(yield* names(host), { plugins: [], passedOver: own })
      host.stub("passthrough")
      assert.deepStrictEqual(yield* names(host), { plugins: ["passthrough"], passedOver: own })
    }))

  it.effect("of ours that is kept under our name is not needed where another one took its place", () =>
    Effect.gen(function*() {
      using host = make()
      host.write("cni-passthrough", "text")
      host.kept("cni-passthrough")
      const { plugins } = yield* survey(host)
      assert.deepInclude(plugins[0], { state: "written over", isNeeded: false })
    }))

  it.effect("are none where nothing was ever there", () =>
    Effect.gen(function*() {
      const found = yield* Effect.provide(Survey.make(Stub.places("/none")), reversed)
      assert.deepStrictEqual(found, { plugins: [], passedOver: [] })
    }))

  it.effect("are not known where their folder cannot be read", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.writeFileSync(`${root.path}/file`, "")
      const error = yield* Effect.flip(Effect.provide(Survey.make(Stub.places(`${root.path}/file`)), reversed))
      assert.strictEqual(error.message, `cannot read ${root.path}/file: not a directory`)
    }))
})
