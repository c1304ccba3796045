/** Watching a folder of plugins where the system does not tell what changes. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as KeepWrapped from "../../src/wrap/KeepWrapped.ts"
import type * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"
import * as Scripts from "../support/scripts.ts"
import { make } from "../support/wrapped.ts"

/** A host on which no more folders can be watched. */
const unwatched = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) =>
    FileSystem.FileSystem.of({
      ...fs,
      watch: () => Stream.fail(PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "watch" }))
    }))
).pipe(Layer.provideMerge(Command.host))

/** Watches until a plugin is wrapped; `change` runs after each outcome. */
const watched = Effect.fnUntraced(function*(
  { at, built }: ReturnType<typeof make>,
  until: string,
  change: (outcome: Wrapping.Outcome) => void
) {
  const outcomes: Array<ReadonlyArray<string>> = []
  const done = yield* Latch.make(false)
  const watch = KeepWrapped.watch({ at, built, config: "{}", keepsConfig: false }, {
    onOutcome: (outcome) =>
      Effect.suspend(() => {
        outcomes.push(outcome.wrapped)
        change(outcome)
        return outcome.wrapped.includes(until) ? Effect.asVoid(done.open) : Effect.void
      }),
    onFailure: (message) => Effect.sync(() => assert.fail(message))
  })
  yield* Effect.raceFirst(watch, done.await)
  return outcomes
})

describe("a folder that cannot be watched", () => {
  it.live("is looked at now and then", () =>
    Effect.gen(function*() {
      using host = make()
      const outcomes = yield* watched(host, "ptp", () => Scripts.script(`${host.folder}/ptp`, "echo '{}'"))
      assert.deepStrictEqual(outcomes, [["bridge", "calico", "calico-ipam", "weave-net"], ["ptp"]])
    }).pipe(Effect.provide(unwatched)))

  it.live("is looked at also when it is another one by then", () =>
    Effect.gen(function*() {
      using host = make()
      const outcomes = yield* watched(host, "ptp", ({ wrapped }) => {
        if (wrapped.includes("ptp")) return
        Fs.rmSync(host.folder, { recursive: true })
        Fs.mkdirSync(host.folder)
        Scripts.script(`${host.folder}/ptp`, "echo '{}'")
      })
      assert.deepStrictEqual(outcomes.at(-1), ["ptp"])
    }).pipe(Effect.provide(unwatched)))
})

describe("a plugin that is written anew while it is proven", () => {
  it.live("is not refused, and is wrapped as what it is now", () =>
    Effect.gen(function*() {
      using host = make()
      Scripts.script(`${host.root}/new`, "echo '{}'")
      Scripts.script(`${host.folder}/vlan`, `mv ${host.root}/new ${host.folder}/vlan 2> /dev/null; echo "$0"`)
      const refused: Array<string> = []
      yield* watched(host, "vlan", (outcome) => refused.push(...outcome.refused.map(({ name }) => name)))
      assert.deepStrictEqual(refused, [])
      assert.strictEqual(Fs.readFileSync(`${host.at.plugins}/vlan`, "utf8"), "#!/bin/sh\necho '{}'\n")
    }).pipe(Effect.provide(unwatched)), 60_000)
})
