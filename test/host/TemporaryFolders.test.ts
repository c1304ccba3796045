/** Temporary folders of this process, and those that killed ones left. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as ProcessIdentity from "../../src/host/ProcessIdentity.ts"
import * as TemporaryFolders from "../../src/host/TemporaryFolders.ts"
import { temporary } from "../support/plugin.ts"

/** Makes a folder in this one, as the folder for temporary files. */
const madeIn = (parent: string) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const inParent = FileSystem.FileSystem.of({
      ...fs,
      makeTempDirectoryScoped: (options) => fs.makeTempDirectoryScoped({ ...options, directory: parent })
    })
    const folder = yield* Effect.provideService(TemporaryFolders.make, FileSystem.FileSystem, inParent)
    return {
      folder: Path.basename(folder),
      beside: Fs.readdirSync(parent).filter((name) => name !== Path.basename(folder))
    }
  }).pipe(Effect.scoped, Effect.provide(NodeServices.layer))

describe("the folder of a process", () => {
  it.effect("has its name, and is gone in the end", () =>
    Effect.gen(function*() {
      using parent = temporary()
      const { folder } = yield* madeIn(parent.path)
      assert.match(folder, new RegExp(`^cni-passthrough\\.${process.pid}\\.\\d+\\.\\d+-`))
      assert.deepStrictEqual(Fs.readdirSync(parent.path), [])
    }))

  it.effect("is removed by the next one where it was killed", () =>
    Effect.gen(function*() {
      using parent = temporary()
      const { namespace, pid, start } = yield* Effect.provide(ProcessIdentity.self, NodeServices.layer)
      const left = [`cni-passthrough.4194305.1.${namespace}-a`, `cni-passthrough.${pid}.1.${namespace}-b`]
      const others = [
        `cni-passthrough.${pid}.${start}.${namespace}-c`, // a living process
        "cni-passthrough.4194305.1.1-d", // in another PID namespace
        "cni-passthrough-e" // of somebody else
      ]
      for (const name of [...left, ...others]) Fs.mkdirSync(Path.join(parent.path, name, "inside"), { recursive: true })
      const elsewhere = Path.join(parent.path, "cni-passthrough-e")
      Fs.symlinkSync(elsewhere, Path.join(parent.path, `cni-passthrough.4194305.2.${namespace}-f`))
      const { beside } = yield* madeIn(parent.path)
      assert.deepStrictEqual(beside.toSorted(), [...others, `cni-passthrough.4194305.2.${namespace}-f`].toSorted())
      assert.isTrue(Fs.existsSync(Path.join(elsewhere, "inside")))
    }))
})
