/** What is found between two moments is what was done between them, in network namespaces of this test's own. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { collect } from "../../src/network/SnapshotCollector.ts"
import * as StateDiff from "../../src/network/StateDiff.ts"
import { kinds } from "../../src/network/StateKind.ts"
import { dice } from "../fuzz/generate.ts"
import { describeWith } from "../support/requirements.ts"
import * as Namespaces from "./namespaces.ts"
import { script } from "./operations.ts"
import * as Others from "./others.ts"
import * as World from "./World.ts"

const make = () => {
  const ipamFolder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-state-"))
  const namespaces = Namespaces.make()
  const world = new World.World()
  for (const place of Namespaces.places) world.sysctls.set(`${place} net.core.somaxconn`, "4096")
  const look = () =>
    collect(kinds, { netns: namespaces.netns, ipamFolders: [ipamFolder] }).pipe(
      Effect.provideService(ProcessRunner, namespaces.runner)
    )
  return {
    namespaces,
    look,
    scene: {
      world,
      namespaces,
      ipamFolder,
      hasLegacy: ChildProcess.spawnSync("/bin/sh", ["-c", namespaces.within("host", "iptables-legacy -S")]).status === 0
    },
    [Symbol.dispose]: () => {
      namespaces[Symbol.dispose]()
      Fs.rmSync(ipamFolder, { recursive: true })
    }
  }
}

/** Tries seeds one after the other. Facts of others are left out of what is found. Returns the places and kinds seen. */
const tryAll = Effect.fnUntraced(function*({ look, namespaces, scene }: ReturnType<typeof make>, count: number) {
  const seen = new Set<string>()
  let before = { snapshot: yield* look(), moment: scene.world.moment() }
  for (let seed = 1; seed <= count; seed++) {
    const commands = script({ ...scene, dice: dice(seed) })
    namespaces.run(commands)
    const after = { snapshot: yield* look(), moment: scene.world.moment() }
    const { changes, notes } = StateDiff.between(before.snapshot, after.snapshot)
    const expected = World.between(before.moment, after.moment)
    assert.deepStrictEqual(
      { changes: Others.without(changes), notes },
      { changes: expected, notes: undefined },
      commands
    )
    for (const [place, found] of Object.entries(changes)) {
      for (const kind of Object.keys(found)) seen.add(`${place} ${kind}`)
      if (Others.areIn(found)) seen.add(`${place} others`)
    }
    before = after
  }
  return [...seen].sort()
})

const everything = Namespaces.places.flatMap((place) =>
  kinds.filter((kind) => place === "host" || kind !== "ipam").map((kind) => `${place} ${kind}`)
).sort()

describeWith(["iproute2", "iptables", "nftables", "ipset"], "what is found between two moments", () => {
  it.live("is what was done between them", () =>
    Effect.gen(function*() {
      const both = yield* Namespaces.during(make)
      assert.deepStrictEqual(yield* tryAll(both, 200), everything)
    }))

  it.live("is what was done between them, and what others did, told by their names", () =>
    Effect.gen(function*() {
      const both = yield* Namespaces.during(make)
      yield* Namespaces.during(() => Others.start(both.namespaces))
      assert.include(yield* tryAll(both, 100), "host others")
    }))
})
