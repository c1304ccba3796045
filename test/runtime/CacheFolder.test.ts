/** Files that lie in the folder of results and are not what their name says. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as PluginUsers from "../../src/runtime/PluginUsers.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import { temporary } from "../support/plugin.ts"

const attachment = {
  network: "net",
  containerId: "b",
  ifname: "eth0",
  netns: "/run/netns/old",
  args: [],
  capabilityArgs: {}
}
const list = JSON.stringify({ cniVersion: "1.0.0", name: "net", plugins: [{ type: "passthrough" }] })

const withFiles = (...names: ReadonlyArray<string>) => {
  const folder = temporary()
  Fs.mkdirSync(`${folder.path}/results`)
  for (const name of names) {
    Fs.writeFileSync(`${folder.path}/results/${name}`, ResultCache.encode(attachment, list, "{}"))
  }
  return folder
}

describe("a file of the cache", () => {
  it.effect("that was being written is not an attachment", () =>
    Effect.gen(function*() {
      using folder = withFiles(".net-b-eth0.999999.new")
      assert.deepStrictEqual(yield* ResultCache.list(folder.path, "net"), [])
      assert.deepStrictEqual(yield* PluginUsers.list(folder.path, "passthrough"), [])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("whose name is of another attachment than its content is not understood, and so is kept", () =>
    Effect.gen(function*() {
      using folder = withFiles("net-b-eth0", "net-wrong-eth0")
      const entries = yield* ResultCache.list(folder.path, "net")
      assert.deepStrictEqual(entries.map(({ _tag }) => _tag), ["Cached", "Unknown"])
    }).pipe(Effect.provide(NodeServices.layer)))
})

describe("a folder of results that cannot be read", () => {
  it.effect("is not one without attachments", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/results`, "")
      const error = yield* Effect.flip(PluginUsers.list(folder.path, "passthrough"))
      assert.strictEqual(error._tag, "CacheUnreadable")
    }).pipe(Effect.provide(NodeServices.layer)))
})
