/** Which attachments still need a plugin, as libcni's cache says. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as PluginUsers from "../../src/runtime/PluginUsers.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

describe("the attachments that need a plugin", () => {
  it.effect("are those whose configuration has it, whatever the folder has besides", () =>
    Effect.gen(function*() {
      using folder = temporary()
      cached(folder.path, { network: "n", containerId: "c2", types: ["bridge", "passthrough"] })
      cached(folder.path, { network: "n", containerId: "c1", types: ["passthrough"] })
      cached(folder.path, { network: "n", containerId: "c3", types: ["passthrough"] })
      cached(folder.path, { network: "m", containerId: "c0", types: ["bridge"] })
      const results = `${folder.path}/results`
      Fs.writeFileSync(`${results}/n-c4-eth0`, `{"cniVersion":"0.4.0"}`) // of libcni before its version 0.8
      Fs.writeFileSync(`${results}/n-c5-eth0`, "{")
      Fs.writeFileSync(`${results}/n-c6-eth0`, `{"kind":"cniCacheV1","config":"!"}`)
      Fs.writeFileSync(`${results}/n-c9-eth0`, `{"kind":"cniCacheV1","config":{"plugins":[{"type":"passthrough"}]}}`)
      Fs.mkdirSync(`${results}/n-c7-eth0`)
      ChildProcess.execFileSync("mkfifo", [`${results}/n-c8-eth0`])
      assert.deepStrictEqual(yield* PluginUsers.list(folder.path, "passthrough"), [
        { network: "n", containerId: "c1", ifname: "eth0" },
        { network: "n", containerId: "c2", ifname: "eth0" },
        { network: "n", containerId: "c3", ifname: "eth0" }
      ])
      assert.deepStrictEqual(yield* PluginUsers.list("/none", "passthrough"), [])
    }).pipe(Effect.provide(Command.host)))
})

describe("a file of the cache", () => {
  it.effect("that lacks a name of its attachment tells of no user", () =>
    Effect.gen(function*() {
      using folder = temporary()
      cached(folder.path, { network: "n", containerId: "c1", types: ["passthrough"] })
      const file = `${folder.path}/results/n-c1-eth0`
      const { ifName: _, ...others } = JSON.parse(Fs.readFileSync(file, "utf8"))
      Fs.writeFileSync(file, JSON.stringify(others))
      assert.deepStrictEqual(yield* PluginUsers.list(folder.path, "passthrough"), [])
    }).pipe(Effect.provide(Command.host)))
})
