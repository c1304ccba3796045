/** Which networks doctor looks at, and what it takes for an attachment. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Collect from "../../src/doctor/Collect.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const network = (name: string) => JSON.stringify({ cniVersion: "1.0.0", name, plugins: [{ type: "bridge" }] })

const entry = (name: string, ifname: string) =>
  ResultCache.encode(
    { network: name, containerId: "web", ifname, netns: "/run/netns/web", args: [], capabilityArgs: {} },
    network(name),
    `{"cniVersion":"1.0.0"}`
  )

/** A host with these network configurations and these files in libcni's cache. */
const makeHost = (
  configurations: { readonly [file: string]: string },
  cached: { readonly [file: string]: string } = {}
) => {
  const folder = temporary()
  const [confDir, cacheDir] = ["net.d", "cache"].map((name) => Path.join(folder.path, name)) as [string, string]
  Fs.mkdirSync(confDir)
  Fs.mkdirSync(Path.join(cacheDir, "results"), { recursive: true })
  for (const [file, text] of Object.entries(configurations)) Fs.writeFileSync(Path.join(confDir, file), text)
  for (const [file, text] of Object.entries(cached)) Fs.writeFileSync(Path.join(cacheDir, "results", file), text)
  const nothing = { netns: undefined, containerId: undefined, pod: undefined, ifname: undefined }
  const question = {
    asked: undefined,
    confDir,
    cniPath: [],
    cacheDir,
    capabilityArgs: {},
    selection: nothing,
    timeout: 1000,
    isWithoutPlugins: false
  }
  return {
    confDir,
    networksOf: (change: Partial<Collect.Question> = {}, logs: ReadonlyArray<string> = []) =>
      Effect.provide(Collect.networksOf({ ...question, ...change }, logs), Command.host),
    write: (name: string, text: string) => {
      const file = Path.join(folder.path, name)
      Fs.writeFileSync(file, text)
      return file
    },
    damaged: Effect.provide(ResultCache.damaged(cacheDir), Command.host),
    selection: nothing,
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

describe("the networks that doctor looks at", () => {
  it.effect("are all of the folder in the order of their files, each once, and files that are not JSON", () =>
    Effect.gen(function*() {
      using host = makeHost({
        "20-b.conflist": network("b"),
        "10-a.conflist": network("a"),
        "15-broken.conflist": "{",
        "30-again.conflist": network("a")
      })
      assert.deepStrictEqual(yield* host.networksOf(), ["a", `${host.confDir}/15-broken.conflist`, "b"])
      assert.deepStrictEqual(yield* host.networksOf({ asked: "b" }), ["b"])
    }))

  it.effect("are what a runtime would choose where the folder has none", () =>
    Effect.gen(function*() {
      using host = makeHost({})
      assert.deepStrictEqual(yield* host.networksOf(), [undefined])
    }))

  it.effect("are those of a container's attachments, of which its loopback is none", () =>
    Effect.gen(function*() {
      using host = makeHost({ "10-pods.conflist": network("pods") }, {
        "cni-loopback-web-lo": entry("cni-loopback", "lo"),
        "pods-web-eth0": entry("pods", "eth0")
      })
      assert.deepStrictEqual(yield* host.networksOf({ selection: { ...host.selection, containerId: "web" } }), ["pods"])
    }))
})

describe("the network of a container that nothing is cached of", () => {
  it.effect("is that of its last operation in the logs, of which its loopback is none", () =>
    Effect.gen(function*() {
      using host = makeHost({ "10-pods.conflist": network("pods") })
      const request = (second: number, invocation: string, name: string, ifname: string) =>
        JSON.stringify({
          time: `2026-12-01T09:00:0${second}.000Z`,
          event: "request",
          invocation,
          command: "ADD",
          containerId: "web",
          ifname,
          network: name
        })
      const log = host.write("log", `${request(1, "a", "pods", "eth0")}\n${request(2, "b", "cni-loopback", "lo")}\n`)
      const selection = { ...host.selection, containerId: "web" }
      assert.deepStrictEqual(yield* host.networksOf({ selection }, [log]), ["pods"])
    }))
})

describe("a damaged file of the cache", () => {
  it.effect("is empty or cut off, and neither a result of an old runtime nor one that is being written", () =>
    Effect.gen(function*() {
      const whole = entry("pods", "eth0")
      using host = makeHost({}, {
        "pods-a-eth0": "",
        "pods-b-eth0": whole.slice(0, 40),
        "pods-c-eth0": whole,
        "pods-d-eth0": `{"cniVersion":"0.2.0"}`,
        ".tmp-1": ""
      })
      assert.deepStrictEqual((yield* host.damaged).map(({ file, reason }) => `${Path.basename(file)}: ${reason}`), [
        "pods-a-eth0: it is empty",
        "pods-b-eth0: it is not a JSON document, or is truncated"
      ])
    }))
})
