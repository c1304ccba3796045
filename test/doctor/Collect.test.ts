/** What doctor collects of a network, of all of a folder, of a trial and of logs. Nothing here is of the host that runs it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Collect from "../../src/doctor/Collect.ts"
import * as TrialFacts from "../../src/doctor/TrialFacts.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import * as Fake from "./fake.ts"

const list = (name: string, ipam: object = {}, more: object = {}) =>
  JSON.stringify({ cniVersion: "1.0.0", name, plugins: [{ type: "bridge", ipam }], ...more })
const hostLocal = { type: "host-local", subnet: "10.99.0.0/24" }

/** The file in the cache of an attachment that was made with this configuration. */
const cached = (network: string, containerId: string, fields: object = {}, config = list(network)) => ({
  [`/cache/results/${network}-${containerId}-eth0`]: ResultCache.encode(
    {
      network,
      containerId,
      ifname: "eth0",
      netns: `/run/netns/${containerId}`,
      args: [["K8S_POD_NAMESPACE", "shop"], ["K8S_POD_NAME", containerId]],
      capabilityArgs: {},
      ...fields
    },
    config,
    JSON.stringify({ cniVersion: "1.0.0", ips: [{ address: "10.99.0.2/24" }] })
  )
})

const everyone: Collect.Selection = { netns: undefined, containerId: undefined, pod: undefined, ifname: undefined }

const question = (fields: Partial<Collect.Question> = {}): Collect.Question => ({
  asked: undefined,
  confDir: "/net.d",
  cniPath: ["/bin"],
  cacheDir: "/cache",
  capabilityArgs: {},
  selection: everyone,
  timeout: 1000,
  isWithoutPlugins: false,
  ...fields
})

const programs = {
  "/bin/": JSON.stringify({ cniVersion: "1.0.0", supportedVersions: ["1.0.0"] }),
  "ip -j": Fake.tells({})
}

/** The facts about networks of a host with these files. */
const collected = (
  files: Fake.Files,
  fields: Partial<Collect.Question> = {},
  networks: ReadonlyArray<string | undefined> = [undefined]
) => Effect.provide(Collect.collect(question(fields), networks), Fake.host({ files, programs }).layer)

const first = (...args: Parameters<typeof collected>) =>
  Effect.map(collected(...args), ([facts]) => facts ?? assert.fail("there are no facts"))

describe("the file that is looked at", () => {
  const files = {
    "/net.d/10-n.conflist": list("n"),
    "/net.d/20-m.conflist": list("m"),
    "/other/30-o.conflist": list("o"),
    ...cached("podman", "pod")
  }
  const cases: ReadonlyArray<
    readonly [
      what: string,
      asked: string | undefined,
      file: string | undefined,
      folder: string | undefined,
      count: number
    ]
  > = [
    ["is the first of the folder", undefined, "/net.d/10-n.conflist", "/net.d", 2],
    ["is that of a name", "m", "/net.d/20-m.conflist", "/net.d", 2],
    ["is none of a name that no file has", "x", undefined, "/net.d", 2],
    ["is one of the folder, by its path", "/net.d/20-m.conflist", "/net.d/20-m.conflist", "/net.d", 2],
    ["is another, by its path", "/other/30-o.conflist", "/other/30-o.conflist", undefined, 0],
    ["is what podman's containers were made with", "podman", "/cache/results/podman-pod-eth0#config", "/net.d", 2]
  ]
  for (const [what, asked, file, folder, count] of cases) {
    it.effect(what, () =>
      Effect.gen(function*() {
        const facts = yield* first(files, {}, [asked])
        assert.deepStrictEqual([facts.file?.path, facts.folder, facts.files.length, facts.asked], [
          file,
          folder,
          count,
          asked
        ])
      }))
  }

  it.effect("is what podman's containers were made with where the folder has none", () =>
    Effect.gen(function*() {
      const { file } = yield* first(cached("podman", "pod"))
      assert.strictEqual(file?.path, "/cache/results/podman-pod-eth0#config")
    }))

  it.effect("is looked for in the folder by a name that is no path", () =>
    Effect.gen(function*() {
      const { file } = yield* first({ "/net.d/a": "", "/net.d/10-n.conflist": list("n.conf") }, {}, ["n"])
      assert.isUndefined(file)
    }))
})

describe("the facts about a network", () => {
  const files = {
    "/net.d/10-n.conflist": list("n", hostLocal),
    "/net.d/20-broken.conflist": { error: "PermissionDenied" },
    "/bin/bridge": "#!/bin/sh\n",
    "/bin/other": "",
    "/bin/sh": "",
    "/var/lib/cni/networks/n/10.99.0.2": "web\r\neth0",
    "/proc/9000001/cmdline": "conmon\0web\0",
    ...cached("n", "web", {}, list("n", hostLocal)),
    ...cached("n", "api", { ifname: "net1" }, list("n", hostLocal)),
    ...cached("m", "web"),
    "/cache/results/n-bad-eth0": "",
    "/cache/results/m-bad-eth0": "",
    ...cached("cni-loopback", "web", { ifname: "lo" })
  } as const

  it.effect("are its plugins, its store, its attachments and the host", () =>
    Effect.gen(function*() {
      const facts = yield* first(files, { capabilityArgs: { mac: "x" } })
      assert.deepStrictEqual(facts.network?.name, "n")
      assert.deepStrictEqual(facts.chain.map(({ type }) => type), ["bridge", "host-local"])
      assert.deepStrictEqual([...facts.plugins].map(([type, { file }]) => [type, file]), [
        ["bridge", "/bin/bridge"],
        ["host-local", undefined]
      ])
      assert.deepStrictEqual(facts.plugins.get("bridge")?.versions, Result.succeed(["1.0.0"]))
      assert.deepStrictEqual([facts.cniPath, facts.known, facts.capabilityArgs], [
        ["/bin"],
        ["bridge", "other", "sh"],
        { mac: "x" }
      ])
      assert.deepStrictEqual(
        facts.store?.reservations.map(({ address, isGone, reason }) => [address, isGone, reason]),
        [["10.99.0.2", false, "process 9000001 (conmon) is working for it"]]
      )
      assert.deepStrictEqual(facts.attachments.map(({ containerId, sight }) => [containerId, sight._tag]), [
        ["api", "Missing"],
        ["web", "Missing"]
      ])
      assert.deepStrictEqual(facts.all.map(({ network, sight }) => [network, sight?._tag]), [
        ["m", "Missing"],
        ["n", "Missing"],
        ["n", "Missing"]
      ])
      assert.deepStrictEqual(facts.damaged.map(({ file }) => file), ["/cache/results/n-bad-eth0"])
      assert.isDefined(facts.host)
      assert.deepStrictEqual([facts.selected, facts.elsewhere, facts.trial, facts.history], [
        undefined,
        ["m"],
        undefined,
        undefined
      ])
      assert.lengthOf(facts.unseen, 1)
      assert.include(facts.unseen[0], "/net.d/20-broken.conflist")
    }))

  const selections: ReadonlyArray<
    readonly [
      selection: Partial<Collect.Selection>,
      words: string,
      value: string,
      ids: ReadonlyArray<string>,
      elsewhere: ReadonlyArray<string>
    ]
  > = [
    [{ containerId: "we" }, "the container we", "we", ["web"], ["m"]],
    [{ netns: "/var/run/netns/api" }, "the namespace /var/run/netns/api", "/var/run/netns/api", ["api"], []],
    [{ netns: "/run/netns/api" }, "the namespace /run/netns/api", "/run/netns/api", ["api"], []],
    [{ ifname: "net1" }, "the interface net1", "net1", ["api"], []],
    [{ pod: "web" }, "the pod web", "web", ["web"], ["m"]],
    [{ pod: "shop/api" }, "the pod shop/api", "shop/api", ["api"], []],
    [{ pod: "x" }, "the pod x", "x", [], []],
    [
      { pod: "web", containerId: "web", ifname: "net1" },
      "the pod web, the container web, the interface net1",
      "web",
      [],
      []
    ]
  ]
  for (const [selection, words, value, ids, elsewhere] of selections) {
    it.effect(`have the attachments of ${words}`, () =>
      Effect.gen(function*() {
        const facts = yield* first(files, { selection: { ...everyone, ...selection } })
        assert.deepStrictEqual(facts.selected, { words, value })
        assert.deepStrictEqual(facts.attachments.map(({ containerId }) => containerId), ids)
        assert.deepStrictEqual(facts.elsewhere, elsewhere)
      }))
  }

  it.effect("have no store of a network without host-local, or whose name is no file's", () =>
    Effect.gen(function*() {
      const storeOf = (text: string) =>
        Effect.map(first({ "/net.d/10-n.conflist": text }), ({ store }) => store?.folder)
      assert.strictEqual(yield* storeOf(list("n", hostLocal)), "/var/lib/cni/networks/n")
      assert.strictEqual(yield* storeOf(list("n", { ...hostLocal, dataDir: "/data" })), "/data/n")
      assert.strictEqual(yield* storeOf(list("n", { ...hostLocal, dataDir: "" })), "/var/lib/cni/networks/n")
      assert.isUndefined(yield* storeOf(list("n", { type: "static" })))
      assert.isUndefined(yield* storeOf(list("../n", hostLocal)))
      assert.isUndefined(yield* storeOf(list("n/m", hostLocal)))
    }))

  it.effect("of several networks look at the host once, and ask each plugin once for each version", () =>
    Effect.gen(function*() {
      const old = list("o", {}, { cniVersion: "0.4.0" })
      const { commands, layer } = Fake.host({
        files: {
          ...files,
          "/net.d/20-m.conflist": list("m"),
          "/net.d/30-o.conflist": old
        },
        programs
      })
      const facts = yield* Effect.provide(Collect.collect(question(), ["n", "m", "o"]), layer)
      assert.deepStrictEqual(facts.map(({ network }) => network?.name), ["n", "m", "o"])
      assert.deepStrictEqual(facts.map(({ attachments }) => attachments.length), [2, 1, 0])
      assert.lengthOf(commands.filter((each) => each === "/bin/bridge"), 2)
      assert.lengthOf(commands.filter((each) => each === "ip -j rule show"), 1)
      assert.deepStrictEqual(facts.map(({ plugins }) => plugins.has("bridge")), [true, true, true])
    }))

  it.effect("say what cannot be read of the cache", () =>
    Effect.gen(function*() {
      const { attachments, unseen } = yield* first({
        "/net.d/10-n.conflist": list("n"),
        "/cache/results": { error: "PermissionDenied" }
      })
      assert.deepStrictEqual(attachments, [])
      assert.match(unseen.join(), /^cannot read the results of attachments in \/cache\/results: /)
    }))
})

describe("the state of networks", () => {
  const files = {
    "/net.d/10-n.conflist": list("n", hostLocal),
    "/net.d/20-n.conflist": list("n"),
    "/net.d/30-m.conflist": list("m"),
    "/net.d/40-x.conflist": "{",
    ...cached("n", "web"),
    ...cached("gone", "old")
  }
  const states = (asked: string | undefined, given: Fake.Files = files) =>
    Effect.map(
      Effect.provide(Collect.states(question({ asked })), Fake.host({ files: given, programs }).layer),
      (all) => all.map(({ file, network }) => `${network?.name} ${file?.path}`)
    )

  it.effect("is that of all that the folder or the cache has, each once", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* states(undefined)).toSorted(), [
        "gone /cache/results/gone-old-eth0#config",
        "m /net.d/30-m.conflist",
        "n /net.d/10-n.conflist"
      ])
    }))

  it.effect("is that of the one that is asked about, which may be in the cache alone", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* states("m"), ["m /net.d/30-m.conflist"])
      assert.deepStrictEqual(yield* states("gone"), ["gone /cache/results/gone-old-eth0#config"])
      assert.deepStrictEqual(yield* states("none"), ["undefined undefined"])
    }))

  it.effect("has the loopback links of containers among what may be left, and not among what can lose traffic", () =>
    Effect.gen(function*() {
      const given = { ...files, ...cached("cni-loopback", "web", { ifname: "lo" }, list("cni-loopback")) }
      const attached = (all: ReturnType<typeof Collect.living>) =>
        Effect.map(
          Effect.provide(all, Fake.host({ files: given, programs }).layer),
          (networks) =>
            networks.flatMap(({ attachments, earlier }) =>
              [...attachments, ...earlier.flatMap((each) => each.attachments)].map((each) =>
                `${each.ifname} on ${each.network}`
              )
            )
        )
      assert.include(yield* attached(Collect.states(question())), "lo on cni-loopback")
      assert.deepStrictEqual((yield* attached(Collect.living(question()))).toSorted(), ["eth0 on gone", "eth0 on n"])
    }))

  it.effect("is not known where the cache cannot be read", () =>
    Effect.gen(function*() {
      const { "/net.d/30-m.conflist": m } = files
      const failure = yield* Effect.flip(
        states("m", { "/net.d/30-m.conflist": m, "/cache/results": { error: "PermissionDenied" } })
      )
      assert.match(failure.message, /^cannot read the results of attachments in \/cache\/results: /)
    }))

  it.effect("has the folder, and what was asked", () =>
    Effect.gen(function*() {
      const given = { "/other/n.conflist": list("n") }
      const { layer } = Fake.host({ files: given, programs })
      const [facts] = yield* Effect.provide(Collect.states(question({ asked: "/other/n.conflist" })), layer)
      assert.deepStrictEqual([facts?.folder, facts?.asked], ["/net.d", "/other/n.conflist"])
    }))
})

describe("a trial of a network", () => {
  const nothingSent = { flows: [], findings: [], problem: undefined }
  const tried = Effect.fnUntraced(function*(text: string, programs: Fake.Fake["programs"] = {}) {
    const { commands, layer } = Fake.host({
      files: { "/net.d/10-n.conflist": text, "/bin/bridge": "#!/bin/sh", "/bin/host-local": "#!/bin/sh" },
      programs: { "ip -j": Fake.tells({}), "ip netns": "", "/bin/bridge": "{}", ...programs }
    })
    const facts = yield* Effect.provide(
      Effect.flatMap(
        Collect.collect(question(), [undefined]),
        ([facts]) =>
          facts === undefined
            ? assert.fail("there are no facts")
            : TrialFacts.withTrial(facts, 1000, undefined, () => Effect.succeed(nothingSent))
      ),
      layer
    )
    return { trial: facts.trial?.calls.map(({ verb }) => verb), unseen: facts.unseen, commands }
  })

  it.effect("is what happened in it", () =>
    Effect.gen(function*() {
      const { trial, unseen } = yield* tried(list("n"))
      assert.deepStrictEqual([trial, unseen], [["ADD", "CHECK", "DEL"], []])
    }))

  it.effect("is none of a network that cannot be used", () =>
    Effect.gen(function*() {
      for (const text of ["{", list("-n"), JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins: [] })]) {
        const { commands, trial, unseen } = yield* tried(text)
        assert.deepStrictEqual([trial, unseen, commands.some((each) => each.startsWith("ip netns"))], [
          undefined,
          [],
          false
        ])
      }
    }))

  it.effect("is none where no namespace can be made", () =>
    Effect.gen(function*() {
      const { trial, unseen } = yield* tried(list("n"), { "ip netns": Fake.complaint("no rights") })
      assert.isUndefined(trial)
      assert.match(unseen.join(), /^no trial was possible: ip netns add cni-doctor-[0-9a-f]{8}: no rights$/)
    }))

  it.effect("removes a store that it has made", () =>
    Effect.gen(function*() {
      const { commands } = yield* tried(list("n", { ...hostLocal, dataDir: "/data" }))
      assert.include(commands, "rmdir /data/n")
    }))
})
