/** Stubs that were renamed, and the plugins that they were made for. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as RenamedPlugins from "../../src/wrap/RenamedPlugins.ts"
import * as Survey from "../../src/wrap/Survey.ts"
import * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"
import { call, hurried, make } from "../support/wrapped.ts"

type Host = ReturnType<typeof make>

const cases: {
  readonly [name: string]: readonly [change: (host: Host) => void, found: ReadonlyArray<RenamedPlugins.RenamedPlugin>]
} = {
  "is found by its old name": [
    ({ folder }) => Fs.renameSync(`${folder}/bridge`, `${folder}/bridge-2`),
    [{ from: "bridge", to: "bridge-2" }]
  ],
  "is found also where it took the place of another stub": [
    ({ folder }) => Fs.renameSync(`${folder}/bridge`, `${folder}/calico`),
    [{ from: "bridge", to: "calico" }]
  ],
  "is found by what dpkg calls it before, where it is another file": [
    ({ at, folder }) => {
      Fs.copyFileSync(`${folder}/bridge`, `${folder}/vlan`)
      Fs.renameSync(`${at.plugins}/bridge`, `${at.plugins}/vlan.dpkg-new`)
      Fs.rmSync(`${folder}/bridge`)
    },
    [{ from: "vlan.dpkg-new", to: "vlan" }]
  ],
  "is not one that was copied": [({ folder }) => Fs.copyFileSync(`${folder}/bridge`, `${folder}/bridge-2`), []],
  "is not one that was copied, where another one was removed": [
    ({ folder }) => {
      Fs.copyFileSync(`${folder}/bridge`, `${folder}/bridge-2`)
      Fs.rmSync(`${folder}/calico`)
    },
    []
  ],
  "is none where nothing happened": [() => {}, []]
}

describe("a stub that was renamed", () => {
  for (const [name, [change, expected]] of Object.entries(cases)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        using host = make()
        yield* hurried(Wrapping.wrap({ ...host, config: "{}", keepsConfig: false }))
        change(host)
        const { plugins } = yield* Survey.make(host.at)
        assert.deepStrictEqual(yield* RenamedPlugins.find(host.at, plugins), expected)
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("has its plugin again once that followed", () =>
    Effect.gen(function*() {
      using host = make()
      yield* hurried(Wrapping.wrap({ ...host, config: "{}", keepsConfig: false }))
      Fs.renameSync(`${host.folder}/bridge`, `${host.folder}/bridge-2`)
      assert.notInclude(call(`${host.folder}/bridge-2`).stdout, "bridge")
      yield* RenamedPlugins.follow(host.at)
      assert.include(call(`${host.folder}/bridge-2`).stdout, "\"of\":\"bridge\"")
      assert.deepStrictEqual(yield* RenamedPlugins.find(host.at, (yield* Survey.make(host.at)).plugins), [])
    }).pipe(Effect.provide(Command.host)))
})
