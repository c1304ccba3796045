/** What is said where plugins are wrapped, and no runtime has called one. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as EffectPath from "effect/Path"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as NeverCalled from "../../src/cli/NeverCalled.ts"
import { IsFolder, type LogError, NoMatch, Unreadable } from "../../src/log/LogError.ts"
import { denied } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"
import { notFound } from "../support/plugins.ts"

/** What is said on a host where plugins that log there are wrapped, and with the files of these runtimes. */
const onHost = <A, E>(
  ask: (root: string) => Effect.Effect<A, E, Layer.Success<typeof NodeServices.layer>>,
  files: (plugins: string) => { readonly [path: string]: string }
) =>
  Effect.gen(function*() {
    using root = temporary()
    const plugins = Fs.realpathSync(root.path)
    const config = { ".passthrough/config.json": `{"logFile":"/var/log/cni/passthrough.jsonl","logFormat":"json"}` }
    for (const [file, text] of Object.entries({ ...config, ...files(plugins) })) {
      Fs.mkdirSync(Path.dirname(Path.join(plugins, file)), { recursive: true })
      Fs.writeFileSync(Path.join(plugins, file), text)
    }
    const env = ConfigProvider.fromEnv({ env: { CNI_PATH: plugins } })
    const said = yield* Effect.provideService(ask(plugins), ConfigProvider.ConfigProvider, env)
    return { said, plugins }
  }).pipe(Effect.provide(NodeServices.layer))

/** The lines about a log there. */
const said = (log: string, files: (plugins: string) => { readonly [path: string]: string }) =>
  Effect.map(
    onHost((root) => NeverCalled.explain(log, root), files),
    ({ plugins, said }) => said?.message.replaceAll(plugins, "BIN").split("\n")
  )

const log = "/var/log/cni/passthrough.jsonl"
const first = `there is no ${log}: no plugin in BIN was called since it was wrapped`
const backend = "var/lib/containers/storage/defaultNetworkBackend"

describe("the log of wrapped plugins that is not there", () => {
  it.effect("is explained by a podman that has netavark", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said(log, () => ({ [backend]: "netavark\n" })), [
        first,
        `podman makes networks with netavark, which calls no plugin (/${backend})`
      ])
    }))

  it.effect("comes with the runtimes that call these plugins, and those that call others", () =>
    Effect.gen(function*() {
      const lines = yield* said(log, (plugins) => ({
        "proc/8/cmdline": "containerd\0",
        "etc/containerd/config.toml": `bin_dirs = ["${plugins}"]`,
        "proc/9/cmdline": "crio\0",
        "etc/crio/crio.conf": `plugin_dirs = ["/other"]`
      }))
      assert.deepStrictEqual(lines, [
        first,
        "containerd calls plugins in BIN (/etc/containerd/config.toml): start a container with it",
        "CRI-O calls plugins in /other, which are not wrapped (/etc/crio/crio.conf)"
      ])
    }))

  it.effect("is not missed by anyone where no runtime is found", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* said("/var/log/cni/*.jsonl", () => ({})), [
        first.replace("passthrough", "*"),
        "found no runtime that calls plugins: containerd, CRI-O, podman"
      ])
    }))

  it.effect("is not explained where it is the log of something else", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* said("/var/log/cni/other.jsonl", () => ({})))
      assert.isUndefined(yield* said("/elsewhere/*.jsonl", () => ({})))
    }))
})

describe("a log that is followed", () => {
  const waiting = (...logs: ReadonlyArray<string>) =>
    Effect.map(
      onHost((root) => NeverCalled.whyWaiting(logs.map((log) => log.replace("ROOT", root)), root), (root) => ({
        ".passthrough/config.json": `{"logFile":"${root}/log/a.jsonl","logFormat":"json"}`
      })),
      ({ plugins, said }) => said.map((text) => text.replaceAll(plugins, "ROOT"))
    )

  it.effect("is explained where it is not there, and wrapped plugins write it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* waiting("ROOT/log/a.jsonl"), [
        "there is no ROOT/log/a.jsonl: no plugin in ROOT was called since it was wrapped\n" +
        "found no runtime that calls plugins: containerd, CRI-O, podman"
      ])
    }))

  it.effect("comes with what to do where none write it, also where it is a pattern", () =>
    Effect.gen(function*() {
      const none = (log: string) =>
        `no wrapped plugin logs to ${log}: wrap plugins with cni-passthrough wrap, or put a tap into a network`
      assert.deepStrictEqual(yield* waiting("ROOT/other.jsonl", "ROOT/*.jsonl"), [
        none("ROOT/other.jsonl"),
        none("ROOT/*.jsonl")
      ])
    }))

  it.effect("needs no explanation where it is there, where it is stdin, and where looking for it fails", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* waiting("-", "ROOT/.passthrough/config.json", "ROOT/.passthrough/*.json"), [])
    }))
})

describe("a log that cannot be read", () => {
  const config = `{"logFile":"${log}","logFormat":"json"}`
  /** A host whose folder /plugins has wrapped plugins that log so, and that has no runtime. */
  const host = (text: string) =>
    FileSystem.layerNoop({
      readDirectory: (path) => Effect.fail(notFound(path)),
      readLink: (path) => Effect.fail(notFound(path)),
      stat: (path) => Effect.fail(notFound(path)),
      realPath: (path) => path === "/plugins" ? Effect.succeed(path) : Effect.fail(notFound(path)),
      readFileString: (path) =>
        path === "/plugins/.passthrough/config.json" ? Effect.succeed(text) : Effect.fail(notFound(path))
    })
  const failure = (error: LogError, text = config) =>
    Effect.flip(NeverCalled.explained(Effect.fail(error))).pipe(
      Effect.provideService(
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnv({ env: { CNI_PATH: "/plugins:/none:/plugins" } })
      ),
      Effect.provide(Layer.mergeAll(host(text), EffectPath.layer))
    )
  const missing = new Unreadable({ name: log, cause: notFound(log) })

  it.effect("is explained where it is not there, as a file and as a pattern", () =>
    Effect.gen(function*() {
      const none = "found no runtime that calls plugins: containerd, CRI-O, podman"
      const said = (name: string) =>
        `there is no ${name}: no plugin in /plugins was called since it was wrapped\n${none}`
      assert.strictEqual((yield* failure(missing)).message, said(log))
      const pattern = "/var/log/cni/*.jsonl"
      assert.strictEqual((yield* failure(new NoMatch({ pattern }))).message, said(pattern))
    }))

  const others: ReadonlyArray<readonly [why: string, error: LogError, text?: string]> = [
    ["where it may not be read", new Unreadable({ name: log, cause: denied(log) })],
    ["where it broke", new Unreadable({ name: log, cause: new Error("it broke") })],
    ["where it is a folder", new IsFolder({ path: log })],
    ["where plugins log elsewhere", missing, `{"logFile":"/var/log/cni/other.jsonl","logFormat":"json"}`],
    ["where plugins log to the journal", missing, `{"logSinks":[{"type":"journald"}]}`]
  ]
  for (const [why, error, text] of others) {
    it.effect(`is not explained by plugins that nobody called ${why}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* failure(error, text), error)
      }))
  }

  it.effect("is read where it can be", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Effect.provide(NeverCalled.explained(Effect.succeed(1)), host(config)), 1)
    }).pipe(Effect.provide(EffectPath.layer)))
})
