/** What is said where plugins are wrapped, and no runtime has called one. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as NeverCalled from "../../src/cli/NeverCalled.ts"
import { temporary } from "../support/plugin.ts"

/** The lines about a log on a host where plugins that log there are wrapped, and with the files of these runtimes. */
const said = (log: string, files: (plugins: string) => { readonly [path: string]: string }) =>
  Effect.gen(function*() {
    using root = temporary()
    const plugins = Fs.realpathSync(root.path)
    const config = { ".passthrough/config.json": `{"logFile":"/var/log/cni/passthrough.jsonl","logFormat":"json"}` }
    for (const [file, text] of Object.entries({ ...config, ...files(plugins) })) {
      Fs.mkdirSync(Path.dirname(Path.join(plugins, file)), { recursive: true })
      Fs.writeFileSync(Path.join(plugins, file), text)
    }
    const env = ConfigProvider.fromEnv({ env: { CNI_PATH: plugins } })
    const explanation = yield* Effect.provideService(
      NeverCalled.explain(log, plugins),
      ConfigProvider.ConfigProvider,
      env
    )
    return explanation?.message.replaceAll(plugins, "BIN").split("\n")
  }).pipe(Effect.provide(NodeServices.layer))

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
