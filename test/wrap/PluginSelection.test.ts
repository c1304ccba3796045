/** Which files of a folder are wrapped, and why the others are not. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as PluginSelection from "../../src/wrap/PluginSelection.ts"
import * as Stub from "../../src/wrap/Stub.ts"
import type * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"
import { denied, files } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

const own = "it is our own executable"
const unknown = "not a known plugin, and not in a network configuration: give its name, or --all"
const neither = "it is neither a program nor a script"

/** A folder with a known plugin, others, and all forms of our own executable. */
const make = () => {
  const root = temporary()
  const folder = `${root.path}/bin`
  const at = Stub.places(folder)
  const built = Scripts.script(`${root.path}/built`, "echo the built plugin")
  Fs.mkdirSync(at.own, { recursive: true })
  Fs.mkdirSync(`${root.path}/conf/below`, { recursive: true })
  Scripts.script(`${folder}/bridge`, "")
  Scripts.script(`${folder}/my-script`, "")
  Fs.writeFileSync(`${folder}/my-program`, "\x7fELF", { mode: 0o755 })
  Fs.writeFileSync(`${folder}/my-text`, "text", { mode: 0o755 })
  Fs.copyFileSync(built, `${folder}/copy`)
  Fs.symlinkSync(built, `${folder}/link`)
  Scripts.script(at.executable, "echo the one around plugins")
  Fs.copyFileSync(at.executable, `${folder}/around`)
  Scripts.script(`${folder}/passthrough`, "echo the one of before")
  Fs.symlinkSync("passthrough", `${folder}/before`)
  return { at, built, conf: `${root.path}/conf`, folder, [Symbol.dispose]: () => root[Symbol.dispose]() }
}

type Host = ReturnType<typeof make>

/** This host, whose usual folders have no network configurations. Notes which of them were looked for. */
const bare = (looked: Array<string> = []) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) =>
      FileSystem.FileSystem.of({
        ...fs,
        readDirectory: (path, options) => {
          if (!/^\/(?:etc|var)\//.test(path)) return fs.readDirectory(path, options)
          looked.push(path)
          return Effect.succeed([])
        }
      }))
  ).pipe(Layer.provideMerge(Command.host))

const select = Effect.fnUntraced(function*(
  { at, built }: Host,
  request: Partial<Wrapping.Request>,
  others?: ReadonlyArray<string>
) {
  const { chosen, isProvable, passedOver } = yield* PluginSelection.make(
    { at, built, config: "{}", keepsConfig: false, ...request },
    others
  )
  const names = chosen.map(({ name }) => name)
  return {
    chosen: names,
    unprovable: names.filter((name) => !isProvable(name)),
    passedOver: Object.fromEntries(passedOver.map(({ name, reason }) => [name, reason]))
  }
})

const ours = { around: own, before: own, copy: own, link: own }

const test = (name: string, body: (host: Host) => Effect.Effect<void, unknown, never>) =>
  it.effect(name, () =>
    Effect.gen(function*() {
      using host = make()
      yield* body(host)
    }))

describe("a folder is wrapped", () => {
  test("as far as its plugins are known, and never what is ours, under whatever name", (host) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* select(host, {}), {
        chosen: ["bridge"],
        unprovable: [],
        passedOver: { ...ours, "my-program": unknown, "my-script": unknown, "my-text": unknown }
      })
    }).pipe(Effect.provide(bare())))

  test("with the plugins that network configurations name, in folders below too", (host) =>
    Effect.gen(function*() {
      Fs.writeFileSync(`${host.conf}/10.conflist`, `{"plugins":[{"type":"my-script"},{"type":"my-text"}]}`)
      Fs.writeFileSync(`${host.conf}/below/20.conf`, `{"delegate":"{\\"type\\":\\"my-program\\"}"`)
      Fs.writeFileSync(`${host.conf}/30.txt`, `{"type":"copy"}`)
      assert.deepStrictEqual(yield* select(host, { confFolders: [host.conf] }), {
        chosen: ["bridge", "my-program", "my-script", "my-text"],
        unprovable: [],
        passedOver: ours
      })
    }).pipe(Effect.provide(bare())))

  test("after a look at the folders of configurations, if any plugin is neither known nor wrapped", (host) => {
    const looked: Array<string> = []
    return Effect.gen(function*() {
      yield* select(host, {})
      assert.deepStrictEqual(looked, [
        "/etc/cni/net.d",
        "/etc/cni/multus/net.d",
        "/var/lib/rancher/k3s/agent/etc/cni/net.d",
        "/var/lib/rancher/rke2/agent/etc/cni/net.d",
        "/var/snap/microk8s/current/args/cni-network"
      ])
      for (const name of Fs.readdirSync(host.folder)) {
        if (name !== "bridge" && name !== ".passthrough") Fs.rmSync(`${host.folder}/${name}`)
      }
      Fs.mkdirSync(host.at.plugins)
      Scripts.script(`${host.at.plugins}/my-script`, "")
      Fs.writeFileSync(`${host.folder}/my-script`, Stub.text(host.at), { mode: 0o755 })
      looked.length = 0
      assert.deepStrictEqual((yield* select(host, {})).chosen, ["bridge", "my-script"])
      assert.deepStrictEqual(looked, [])
    }).pipe(Effect.provide(bare(looked)))
  })

  test("with all that is a program or a script, of which scripts are not started first", (host) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* select(host, { all: true }), {
        chosen: ["bridge", "my-program", "my-script"],
        unprovable: ["my-script"],
        passedOver: { ...ours, "my-text": neither }
      })
    }).pipe(Effect.provide(bare())))

  test("without what cannot be read, where all is meant", (host) =>
    Effect.gen(function*() {
      const unreadable = files((fs) => ({
        open: (path, options) => path.endsWith("/my-program") ? Effect.fail(denied(path)) : fs.open(path, options)
      }))
      const { chosen, passedOver } = yield* Effect.provide(select(host, { all: true }), unreadable)
      assert.notInclude(chosen, "my-program")
      assert.strictEqual(passedOver["my-program"], neither)
    }).pipe(Effect.provide(bare())))

  test("with the plugins that are named, and no others", (host) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* select(host, { names: ["my-script", "my-text", "copy"] }), {
        chosen: ["my-script", "my-text"],
        unprovable: [],
        passedOver: { copy: own }
      })
      assert.deepStrictEqual((yield* select(host, { names: [] })).chosen, [])
    }).pipe(Effect.provide(bare())))

  test("with those that were named one by one and are all meant, as if only all were", (host) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* select(host, { names: ["my-script", "my-text"], all: true }), {
        chosen: ["my-script"],
        unprovable: ["my-script"],
        passedOver: { "my-text": neither }
      })
    }).pipe(Effect.provide(bare())))

  test("with those besides that were wrapped before", (host) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* select(host, { names: ["bridge"] }, ["my-script", "my-text"]), {
        chosen: ["bridge", "my-script"],
        unprovable: ["my-script"],
        passedOver: { "my-text": neither }
      })
      assert.deepStrictEqual((yield* select(host, {}, ["my-program"])).chosen, ["bridge", "my-program"])
    }).pipe(Effect.provide(bare())))
})

describe("what another program wrote over a stub", () => {
  test("is chosen as what it is now", (host) =>
    Effect.gen(function*() {
      Fs.mkdirSync(host.at.plugins)
      for (const name of ["bridge", "my-script"]) Scripts.script(`${host.at.plugins}/${name}`, "echo kept")
      const { chosen, passedOver } = yield* select(host, {})
      assert.deepStrictEqual(chosen, ["bridge"])
      assert.strictEqual(passedOver["my-script"], unknown)
    }).pipe(Effect.provide(bare())))
})

describe("what is wrapped already", () => {
  test("is chosen, whether it is known or not", (host) =>
    Effect.gen(function*() {
      Fs.mkdirSync(host.at.plugins)
      Fs.renameSync(`${host.folder}/my-script`, `${host.at.plugins}/my-script`)
      Fs.writeFileSync(`${host.folder}/my-script`, Stub.text(host.at), { mode: 0o755 })
      const { chosen, passedOver } = yield* select(host, {})
      assert.deepStrictEqual(chosen, ["bridge", "my-script"])
      assert.deepStrictEqual(passedOver, { ...ours, "my-program": unknown, "my-text": unknown })
      assert.deepStrictEqual((yield* select(host, { names: ["bridge"] })).chosen, ["bridge"])
    }).pipe(Effect.provide(bare())))
})
