/** What runtimes say of themselves, in the formats that they document. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Discovery from "../../src/runtime/Discovery.ts"
import * as RuntimeAnswers from "../../src/runtime/RuntimeAnswers.ts"
import * as Unloaded from "../../src/runtime/Unloaded.ts"
import { temporary } from "../support/plugin.ts"

const network = (name: string, source = "{}") => ({
  Config: { Name: name, CNIVersion: "1.0.0", Plugins: [], Source: source }
})

/** `crictl info` of containerd 2. */
const info = (members: object = {}) =>
  JSON.stringify({
    cniconfig: {
      Networks: [{ ...network("cni-loopback"), IFName: "lo" }, {
        ...network("pods", "{\"name\":\"pods\"}"),
        IFName: "eth0"
      }],
      PluginConfDir: "/c",
      PluginDirs: ["/a", "/b"],
      PluginMaxConfNum: 1,
      Prefix: "eth"
    },
    config: { cni: { binDir: "", binDirs: ["/x"], confDir: "/y" } },
    lastCNILoadStatus: "OK",
    "lastCNILoadStatus.default": "OK",
    status: { conditions: [] },
    ...members
  })

describe("crictl info", () => {
  it("has the folders of containerd, and the networks that it has loaded, without its loopback", () => {
    assert.deepStrictEqual(RuntimeAnswers.ofCrictlInfo(info()), {
      source: "crictl info",
      pluginFolders: ["/a", "/b"],
      confDir: "/c",
      loaded: { networks: [{ name: "pods", source: "{\"name\":\"pods\"}" }], problem: undefined }
    })
  })

  it("says why none is loaded", () => {
    const lastCNILoadStatus = "cni config load failed: no network config found in /c"
    const answer = RuntimeAnswers.ofCrictlInfo(info({ lastCNILoadStatus }))
    assert.strictEqual(answer?.loaded?.problem, lastCNILoadStatus)
  })

  it("has the folders of its settings where it has no network configuration, of old and new containerd", () => {
    const of = (cni: object) => RuntimeAnswers.ofCrictlInfo(info({ cniconfig: null, config: { cni } }))?.pluginFolders
    assert.deepStrictEqual(of({ binDir: "/old" }), ["/old"])
    assert.deepStrictEqual(of({ binDir: "", binDirs: ["/new"] }), ["/new"])
  })

  it("is no answer where it is anything else", () => {
    for (const text of ["", "[]", "{}", "FATA[0000]"]) assert.isUndefined(RuntimeAnswers.ofCrictlInfo(text))
  })
})

it("the version is that of the running runtime", () => {
  const text = "Version:  0.1.0\nRuntimeName:  containerd\nRuntimeVersion:  v2.3.4\nRuntimeApiVersion:  v1\n"
  assert.strictEqual(RuntimeAnswers.versionIn(text), "2.3.4")
  assert.isUndefined(RuntimeAnswers.versionIn(""))
})

describe("containerd config dump", () => {
  it("has the folders of version 2", () => {
    const text = `version = 2\n[plugins."io.containerd.grpc.v1.cri".cni]\n    bin_dir = "/b"\n    conf_dir = "/c"\n`
    assert.deepStrictEqual(RuntimeAnswers.ofContainerdDump(text), {
      pluginFolders: ["/b"],
      confDir: "/c",
      source: "containerd config dump"
    })
  })

  it("has the folders of version 3", () => {
    const text =
      `version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\n  bin_dir = ''\n  bin_dirs = ['/a', '/b']\n  conf_dir = '/c'\n`
    assert.deepStrictEqual(RuntimeAnswers.ofContainerdDump(text)?.pluginFolders, ["/a", "/b"])
  })
})

it("crio config has the folders, also where they are defaults, which are comments", () => {
  const table = (comment: string) =>
    `[crio.network]\n${comment}network_dir = "/c"\n${comment}plugin_dirs = [\n${comment}\t"/a",\n${comment}\t"/b",\n${comment}]\n`
  for (const comment of ["", "# "]) {
    assert.deepStrictEqual(RuntimeAnswers.ofCrioConfig(table(comment)), {
      pluginFolders: ["/a", "/b"],
      confDir: "/c",
      source: "crio config"
    })
  }
})

it("podman info has the version, and says whether plugins are called", () => {
  const of = (networkBackend: string) =>
    RuntimeAnswers.ofPodmanInfo(JSON.stringify({ host: { networkBackend }, version: { Version: "5.6.0" } }))
  assert.deepStrictEqual(of("netavark"), { source: "podman info", version: "5.6.0", pluginFolders: undefined })
  assert.deepStrictEqual(of("cni"), { source: "podman info", version: "5.6.0" })
})

describe("a network on disk", () => {
  const runtime = (confDir: string, loaded: RuntimeAnswers.Loaded | undefined): Discovery.Runtime => ({
    name: "containerd",
    version: "2.3.4",
    confDir,
    pluginFolders: ["/opt/cni/bin"],
    source: "crictl info",
    endpoint: undefined,
    programFolder: undefined,
    configFile: undefined,
    loaded
  })
  const found = (loaded: RuntimeAnswers.Loaded | undefined) =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/10-pods.conflist`, `{ "name": "pods", "plugins": [] }`)
      Fs.writeFileSync(`${folder.path}/20-other.conflist`, `{ "name": "other" }`)
      const lines = yield* Unloaded.find(runtime(folder.path, loaded))
      return lines.map((line) => line.replaceAll(folder.path, "/c"))
    }).pipe(Effect.provide(NodeServices.layer))
  const remedy =
    "load it again with: cp /c/10-pods.conflist /c/10-pods.conflist.new && mv /c/10-pods.conflist.new /c/10-pods.conflist"
  const pods = (source: string | undefined) => ({ networks: [{ name: "pods", source }], problem: undefined })

  it.effect("is told where the runtime has not loaded it, with what to do", () =>
    Effect.gen(function*() {
      const networks = [{ name: "other", source: undefined }]
      assert.deepStrictEqual(yield* found({ networks, problem: undefined }), [
        `containerd has not loaded pods from /c/10-pods.conflist, but other: ${remedy}`
      ])
      assert.deepStrictEqual(yield* found({ networks: [], problem: "no network" }), [
        "containerd has loaded no network: no network"
      ])
    }))

  it.effect("is told where the runtime has loaded it before it was changed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* found(pods(`{"name":"pods","plugins":[1]}`)), [
        `containerd uses pods as it was before /c/10-pods.conflist was changed: ${remedy}`
      ])
    }))

  it.effect("is not told where it is the same, or where the runtime does not say", () =>
    Effect.gen(function*() {
      for (const loaded of [undefined, pods(undefined), pods(`{"name":"pods","plugins":[]}`)]) {
        assert.deepStrictEqual(yield* found(loaded), [])
      }
    }))

  it("is of a runtime that is named with its version, its folders, and how that is known", () => {
    assert.strictEqual(
      Discovery.inWords(runtime("/etc/cni/net.d", undefined)),
      "containerd 2.3.4, conf /etc/cni/net.d, plugins /opt/cni/bin (crictl info)"
    )
  })
})
