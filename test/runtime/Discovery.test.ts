/** The runtimes of a host, by its files. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Discovery from "../../src/runtime/Discovery.ts"
import { temporary } from "../support/plugin.ts"

/** The runtimes of a host with these files: `NAME: FOLDERS (SOURCE)`. */
const found = (files: { readonly [path: string]: string }) =>
  Effect.gen(function*() {
    using root = temporary()
    for (const [file, text] of Object.entries(files)) {
      const path = Path.join(root.path, file)
      Fs.mkdirSync(Path.dirname(path), { recursive: true })
      Fs.writeFileSync(path, text)
    }
    const runtimes = yield* Discovery.find(root.path)
    return runtimes.map(({ name, pluginFolders, source }) =>
      `${name}: ${pluginFolders?.join(":") ?? "none"} (${source})`
    )
  }).pipe(Effect.provide(NodeServices.layer))

const process = (...words: ReadonlyArray<string>) => `${words.join("\0")}\0`

describe("a process that calls itself like a runtime", () => {
  it.effect("is none of this host's if it sees other files than the first process", () =>
    Effect.gen(function*() {
      using root = temporary()
      for (const [pid, mounts] of [["1", "mnt:[1]"], ["9", "mnt:[2]"]] as const) {
        Fs.mkdirSync(`${root.path}/proc/${pid}/ns`, { recursive: true })
        Fs.writeFileSync(`${root.path}/proc/${pid}/cmdline`, process(pid === "9" ? "containerd" : "init"))
        Fs.symlinkSync(mounts, `${root.path}/proc/${pid}/ns/mnt`)
      }
      assert.deepStrictEqual(yield* Effect.provide(Discovery.find(root.path), NodeServices.layer), [])
      Fs.unlinkSync(`${root.path}/proc/9/ns/mnt`)
      Fs.symlinkSync("mnt:[1]", `${root.path}/proc/9/ns/mnt`)
      assert.lengthOf(yield* Effect.provide(Discovery.find(root.path), NodeServices.layer), 1)
    }))

  it.effect("cannot hold us up with a configuration that is a pipe", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.mkdirSync(`${root.path}/proc/9`, { recursive: true })
      ChildProcess.execFileSync("mkfifo", [`${root.path}/pipe`])
      Fs.writeFileSync(`${root.path}/proc/9/cmdline`, process("containerd", "--config", "/pipe"))
      const [runtime] = yield* Effect.provide(Discovery.find(root.path), NodeServices.layer)
      assert.strictEqual(runtime?.source, "its default")
    }))
})

describe("containerd", () => {
  it.effect("is found by its process, with its default folder", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ "proc/812/cmdline": process("/usr/bin/containerd") }), [
        "containerd: /opt/cni/bin (its default)"
      ])
      assert.deepStrictEqual(yield* found({ "proc/812/cmdline": process("/usr/bin/containerd-shim-runc-v2") }), [])
    }))

  it.effect("has the folders of its configuration, in both forms", () =>
    Effect.gen(function*() {
      const of = (text: string) =>
        found({ "proc/812/cmdline": process("containerd"), "etc/containerd/config.toml": text })
      assert.deepStrictEqual(yield* of(`[plugins.x.cni]\n  # bin_dir = "/no"\n  bin_dir = "/usr/lib/cni"\n`), [
        "containerd: /usr/lib/cni (/etc/containerd/config.toml)"
      ])
      assert.deepStrictEqual(yield* of(`bin_dir = ""\nbin_dirs = ['/a',\n  '/b']\n`), [
        "containerd: /a:/b (/etc/containerd/config.toml)"
      ])
    }))

  it.effect("has the folders of the file that its command line names, as that of k3s does", () =>
    Effect.gen(function*() {
      const config = "/var/lib/rancher/k3s/agent/etc/containerd/config.toml"
      for (const words of [["-c", config], [`--config=${config}`]]) {
        assert.deepStrictEqual(
          yield* found({
            "proc/9/cmdline": process("containerd", ...words),
            [config]: `bin_dir = "/var/lib/rancher/k3s/data/cni"`
          }),
          [`containerd: /var/lib/rancher/k3s/data/cni (${config})`]
        )
      }
    }))
})

describe("CRI-O", () => {
  it.effect("has the folders of its last drop-in that names any", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* found({
          "proc/7/cmdline": process("/usr/bin/crio"),
          "etc/crio/crio.conf": `plugin_dirs = ["/a"]`,
          "etc/crio/crio.conf.d/10-x.conf": `plugin_dirs = [\n"/b",\n"/c",\n]`,
          "etc/crio/crio.conf.d/20-y.conf": `log_level = "info"`
        }),
        ["CRI-O: /b:/c (/etc/crio/crio.conf.d/10-x.conf)"]
      )
    }))
})

describe("podman", () => {
  const chosen = "var/lib/containers/storage/defaultNetworkBackend"

  it.effect("calls no plugins where its storage was made with netavark", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ [chosen]: "netavark" }), [`podman: none (/${chosen})`])
    }))

  it.effect("does what its configuration says, whatever its storage was made with", () =>
    Effect.gen(function*() {
      const conf = "etc/containers/containers.conf"
      const file = `[network]\n#network_backend = ""\nnetwork_backend = "cni"\ncni_plugin_dirs = ["/p"]\n`
      assert.deepStrictEqual(yield* found({ [chosen]: "netavark", [conf]: file }), [`podman: /p (/${conf})`])
    }))

  it.effect("is not known to call any where no file says so", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found({ "etc/containers/containers.conf": "[network]\n" }), [])
    }))
})
