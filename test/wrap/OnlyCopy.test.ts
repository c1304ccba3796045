/** What is kept of a wrapped plugin is its only copy: `unwrap` and `wrap` never lose it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as PluginInstallation from "../../src/wrap/PluginInstallation.ts"
import * as Stub from "../../src/wrap/Stub.ts"
import * as Unwrapping from "../../src/wrap/Unwrapping.ts"
import * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"
import * as Scripts from "../support/scripts.ts"
import { around, call, hurried, make } from "../support/wrapped.ts"

type Host = ReturnType<typeof make>

const wrap = ({ at, built }: Host, names?: ReadonlyArray<string>) =>
  hurried(Wrapping.wrap({ at, built, names, config: "{}", keepsConfig: false }))

const unwrap = ({ at }: Host, names?: ReadonlyArray<string>) => hurried(Unwrapping.unwrap(at, names))

/** Whether a file of the host, under whatever path, still has the text of the plugin `bridge`. */
const isLeft = ({ root }: Host): boolean =>
  Fs.readdirSync(root, { recursive: true, encoding: "utf8" }).some((path) => {
    const file = `${root}/${path}`
    return Fs.lstatSync(file).isFile() && Fs.readFileSync(file, "utf8").includes("\"of\":\"bridge\"")
  })

const test = (name: string, body: () => Effect.Effect<void, unknown, never>) => it.effect(name, body)

/** What can happen to the stub of `bridge`. */
const events: { readonly [name: string]: (host: Host) => void } = {
  "is moved to another folder": ({ folder, root }) => {
    Fs.mkdirSync(`${root}/backup`)
    Fs.renameSync(`${folder}/bridge`, `${root}/backup/bridge`)
  },
  "is moved to another folder, under another name": ({ folder, root }) =>
    Fs.renameSync(`${folder}/bridge`, `${root}/saved`),
  "is moved to a folder below": ({ folder }) => {
    Fs.mkdirSync(`${folder}/backup`)
    Fs.renameSync(`${folder}/bridge`, `${folder}/backup/bridge`)
  },
  "is moved, and a link leads to it": ({ folder, root }) => {
    Fs.renameSync(`${folder}/bridge`, `${root}/bridge`)
    Fs.symlinkSync("../bridge", `${folder}/bridge`)
  },
  "is moved, and another plugin comes": ({ folder, root }) => {
    Fs.renameSync(`${folder}/bridge`, `${root}/bridge`)
    Scripts.script(`${folder}/bridge`, "echo newer")
  },
  "is copied within the folder, and another plugin comes": ({ folder }) => {
    Fs.copyFileSync(`${folder}/bridge`, `${folder}/bridge-saved`)
    Fs.rmSync(`${folder}/bridge`)
    Scripts.script(`${folder}/bridge`, "echo newer")
  },
  "gets a second name": ({ folder, root }) => Fs.linkSync(`${folder}/bridge`, `${root}/bridge`),
  "is copied within the folder": ({ folder }) => Fs.copyFileSync(`${folder}/bridge`, `${folder}/bridge2`),
  "is removed": ({ folder }) => Fs.rmSync(`${folder}/bridge`),
  "makes way for a folder": ({ folder }) => {
    Fs.rmSync(`${folder}/bridge`)
    Fs.mkdirSync(`${folder}/bridge`)
  },
  "makes way for a link that leads nowhere": ({ folder }) => {
    Fs.rmSync(`${folder}/bridge`)
    Fs.symlinkSync("none", `${folder}/bridge`)
  },
  "makes way for a link to what is kept": ({ folder }) => {
    Fs.rmSync(`${folder}/bridge`)
    Fs.symlinkSync(".passthrough/plugins/bridge", `${folder}/bridge`)
  },
  "is emptied": ({ folder }) => Fs.writeFileSync(`${folder}/bridge`, ""),
  "is written over with a text": ({ folder }) => Fs.writeFileSync(`${folder}/bridge`, "not a program\n"),
  "is written over with a script without an interpreter": ({ folder }) =>
    Fs.writeFileSync(`${folder}/bridge`, "#!/none/sh\n"),
  "is written over with a file that is not executable": ({ folder }) => {
    Fs.writeFileSync(`${folder}/bridge`, "#!/bin/sh\n")
    Fs.chmodSync(`${folder}/bridge`, 0o644)
  }
}

describe("a plugin whose stub", () => {
  for (const [name, happen] of Object.entries(events)) {
    test(`${name} is still there after unwrap, wrap of others, and unwrap again`, () =>
      Effect.gen(function*() {
        using host = make()
        yield* wrap(host)
        happen(host)
        yield* unwrap(host, ["calico"])
        assert.isTrue(isLeft(host), "after unwrap of another")
        yield* unwrap(host)
        assert.isTrue(isLeft(host), "after unwrap")
        yield* wrap(host, ["calico"])
        yield* unwrap(host)
        assert.isTrue(isLeft(host), "after wrap and unwrap")
      }).pipe(Effect.provide(Command.host)))
  }

  test("is replaced by a newer plugin is not kept", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      Scripts.script(`${host.root}/new`, "echo newer")
      Fs.renameSync(`${host.root}/new`, `${host.folder}/bridge`)
      assert.deepStrictEqual((yield* unwrap(host))?.kept, [])
      assert.isFalse(isLeft(host))
      assert.isFalse(Fs.existsSync(host.at.own))
    }).pipe(Effect.provide(Command.host)))

  test("was moved runs by that stub, is named by unwrap, and comes back by its name, but not over anything", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      for (const name of Fs.readdirSync(host.at.stubs)) Fs.utimesSync(`${host.at.stubs}/${name}`, 1, 1) // as on a fast host
      Fs.renameSync(`${host.folder}/bridge`, `${host.root}/bridge`)
      const outcome = yield* unwrap(host)
      assert.deepStrictEqual([outcome?.kept, outcome?.unwrapped], [["bridge"], ["calico", "calico-ipam", "weave-net"]])
      assert.isTrue(Fs.existsSync(host.at.executable))
      Fs.mkdirSync(`${host.folder}/bridge`)
      assert.deepStrictEqual((yield* unwrap(host, ["bridge"]))?.kept, ["bridge"])
      Fs.rmdirSync(`${host.folder}/bridge`)
      assert.deepStrictEqual((yield* unwrap(host, ["bridge"]))?.unwrapped, ["bridge"])
      assert.include(call(`${host.folder}/bridge`).stdout, "\"of\":\"bridge\"")
      assert.isFalse(Fs.existsSync(host.at.own))
    }).pipe(Effect.provide(Command.host)))
})

describe("a plugin whose name is a link, the target of which was removed while it was wrapped,", () => {
  const linked = Effect.fnUntraced(function*(host: Host) {
    Scripts.script(`${host.root}/portmap-1.0`, "echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"1.0.0\"]}'")
    Fs.symlinkSync("../portmap-1.0", `${host.folder}/portmap`)
    const before = call(`${host.folder}/portmap`)
    yield* wrap(host)
    assert.deepStrictEqual(call(`${host.folder}/portmap`), before)
    Fs.rmSync(`${host.root}/portmap-1.0`)
    return before
  })

  test("still runs after unwrap, as a file", () =>
    Effect.gen(function*() {
      using host = make()
      const before = yield* linked(host)
      assert.include((yield* unwrap(host))?.unwrapped ?? [], "portmap")
      assert.deepStrictEqual(call(`${host.folder}/portmap`), before)
      assert.isFalse(Fs.existsSync(host.at.own))
    }).pipe(Effect.provide(Command.host)))

  test("is kept by unwrap and wrap if that link is in its place again", () =>
    Effect.gen(function*() {
      using host = make()
      yield* linked(host)
      Fs.rmSync(`${host.folder}/portmap`)
      Fs.symlinkSync("../portmap-1.0", `${host.folder}/portmap`)
      assert.deepStrictEqual((yield* unwrap(host))?.kept, ["portmap"])
      yield* wrap(host)
      assert.isTrue(Fs.existsSync(`${host.at.plugins}/portmap`))
    }).pipe(Effect.provide(Command.host)))
})

/** A folder where our own plugin was wrapped under the name that dpkg gives it for a while, and was renamed then. */
const upgraded = Effect.fnUntraced(function*(host: Host) {
  yield* wrap(host)
  const { at, folder } = host
  around(`${at.plugins}/passthrough.dpkg-new`)
  Fs.writeFileSync(`${folder}/passthrough`, Stub.text(at), { mode: 0o755 })
})

describe("our own executable that was wrapped as passthrough.dpkg-new, and renamed then", () => {
  const repairs = { wrap: (host: Host) => wrap(host), unwrap: (host: Host) => unwrap(host) }
  for (const [verb, repair] of Object.entries(repairs)) {
    test(`is itself again after ${verb}`, () =>
      Effect.gen(function*() {
        using host = make()
        yield* upgraded(host)
        yield* repair(host)
        assert.strictEqual(Fs.readFileSync(`${host.folder}/passthrough`, "utf8"), Fs.readFileSync(host.built, "utf8"))
        yield* unwrap(host)
        assert.isFalse(Fs.existsSync(host.at.own))
      }).pipe(Effect.provide(Command.host)))
  }

  test("is named by unwrap where nothing is kept of it, and install replaces it", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.writeFileSync(`${host.folder}/passthrough`, Stub.text(host.at), { mode: 0o755 })
      assert.deepStrictEqual((yield* unwrap(host))?.refused, [{ name: "passthrough", reason: Unwrapping.lost }])
      yield* PluginInstallation.checkForeign(host.built, host.folder)
      yield* PluginInstallation.install(host.built, host.folder)
      assert.strictEqual(Fs.readFileSync(`${host.folder}/passthrough`, "utf8"), Fs.readFileSync(host.built, "utf8"))
    }).pipe(Effect.provide(Command.host)))
})

describe("an install over a stub of our own executable", () => {
  test("leaves nothing that unwrap would keep", () =>
    Effect.gen(function*() {
      using host = make()
      yield* upgraded(host)
      yield* PluginInstallation.install(host.built, host.folder)
      assert.deepStrictEqual((yield* unwrap(host))?.kept, [])
      assert.isFalse(Fs.existsSync(host.at.own))
    }).pipe(Effect.provide(Command.host)))
})

describe("stubs whose executable is missing", () => {
  const damages: { readonly [name: string]: (host: Host) => void } = {
    "was removed": ({ at }) => Fs.rmSync(at.executable),
    "is empty": ({ at }) => Fs.truncateSync(at.executable),
    "may not be executed": ({ at }) => Fs.chmodSync(at.executable, 0o600)
  }
  for (const [name, damage] of Object.entries(damages)) {
    const repairs = {
      wrap: (host: Host) => Effect.asVoid(wrap(host)),
      unwrap: (host: Host) => Effect.asVoid(unwrap(host)),
      install: ({ built, folder }: Host) => Effect.asVoid(Wrapping.repair(built, folder))
    }
    for (const [verb, repair] of Object.entries(repairs)) {
      test(`as it ${name} run again after ${verb}`, () =>
        Effect.gen(function*() {
          using host = make()
          const before = host.answers()
          yield* wrap(host)
          damage(host)
          assert.notDeepEqual(host.answers(), before)
          yield* repair(host)
          assert.deepStrictEqual(host.answers(), before)
        }).pipe(Effect.provide(Command.host)))
    }
  }
})
