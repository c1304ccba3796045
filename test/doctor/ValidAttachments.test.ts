/** What garbage collection has to leave alone: attachments that libcni's cache does not have, too. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import type { Facts } from "../../src/doctor/Facts.ts"
import type { Judged, Store } from "../../src/doctor/facts/HostLocalStore.ts"
import type * as LiveNamespaces from "../../src/doctor/facts/LiveNamespaces.ts"
import type * as Leaks from "../../src/doctor/Leaks.ts"
import * as ValidAttachments from "../../src/doctor/ValidAttachments.ts"
import type { Link } from "../../src/network/Link.ts"
import * as Attachments from "../../src/runtime/Attachments.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import { notFound } from "../support/plugins.ts"
import * as Host from "./host.ts"

const inode = 4026532008

/** A namespace that lives, with a link besides lo. */
const namespace = (link: Link, paths: ReadonlyArray<string> = ["/proc/7/ns/net"]): LiveNamespaces.Inhabited => ({
  links: [Host.link("lo", { index: 1 }, "127.0.0.1/8"), link],
  routes: [],
  neighbours: [],
  answers: [],
  name: `net:[${inode}]`,
  paths
})

const eth0 = (fields: Partial<Link> = {}, ...addresses: ReadonlyArray<string>) =>
  Host.link("eth0", { kind: "veth", index: 3, peer: 12, ...fields }, ...addresses)

const reservation = (fields: Partial<Judged> = {}): Judged => ({
  file: "/store/10.99.0.9",
  address: "10.99.0.9",
  containerId: "c9",
  ifname: "eth0",
  isGone: false,
  reason: "why",
  ...fields
})

const store = (fields: Partial<Store>): Partial<Facts> => ({
  store: { folder: "/store", reservations: [], unread: [], problem: undefined, unwritable: undefined, ...fields }
})

interface Case {
  readonly facts?: Facts
  readonly namespaces?: ReadonlyArray<LiveNamespaces.Inhabited>
  readonly entries?: ReadonlyArray<ResultCache.Entry>
  /** The files that are there; a namespace of a path has this inode. */
  readonly files?: { readonly [path: string]: string | number }
  readonly cacheDir?: string
}

const life: Leaks.Life = {
  addresses: new Set(),
  processes: [],
  blind: undefined,
  ends: new Set(),
  namespaces: [],
  unread: []
}

/** What is valid, or why that cannot be said. */
const find = ({ cacheDir = ResultCache.defaultFolder, entries = [], facts, files = {}, namespaces = [] }: Case) => {
  const namesIn = (folder: string) =>
    Object.keys(files).filter((path) => path.startsWith(`${folder}/`)).map((path) =>
      path.slice(folder.length + 1).split("/")[0] ?? ""
    )
  const open = (path: string) => {
    let left = [files[path]].filter((text) => typeof text === "string")
    return Effect.succeed({
      readAlloc: () => {
        const [text] = left
        left = []
        return Effect.succeed(Option.map(Option.fromUndefinedOr(text), (text) => new TextEncoder().encode(text)))
      }
    } as never)
  }
  const fs = FileSystem.layerNoop({
    stat: (path) =>
      files[path] === undefined
        ? Effect.fail(notFound(path))
        : Effect.succeed({ type: "File", size: 1, ino: Option.some(Number(files[path])) } as never),
    realPath: Effect.succeed,
    open,
    readFileString: (path) => Effect.succeed(String(files[path] ?? "")),
    readDirectory: (folder) =>
      folder.endsWith("unreadable/results") ? Effect.fail(forbidden) : Effect.succeed(namesIn(folder))
  })
  return ValidAttachments.find({
    facts: facts ?? Host.facts({ facts: { attachments: [], all: [] } }),
    life: { ...life, namespaces },
    entries,
    cacheDir,
    isGone: (file) => file.endsWith("-gone-eth0")
  }).pipe(
    Effect.map((outcome) => Result.isSuccess(outcome) ? outcome.success : outcome.failure),
    Effect.provide(Layer.mergeAll(fs, Path.layer))
  )
}

const forbidden = PlatformError.systemError({
  _tag: "PermissionDenied",
  module: "FileSystem",
  method: "readDirectory",
  pathOrDescriptor: "/x"
})

const cached = (containerId: string, fields: Partial<ResultCache.Cached> = {}): ResultCache.Entry => ({
  _tag: "Cached",
  file: `/var/lib/cni/results/n-${containerId}-eth0`,
  attachment: {
    network: "n",
    containerId,
    ifname: "eth0",
    netns: "",
    args: [],
    capabilityArgs: {},
    result: undefined,
    ...fields
  }
})

const nothing = Host.facts({ facts: { attachments: [], all: [] } })
const unaccounted = "eth0 in /proc/7/ns/net may be attached to it, but its container is unknown"

describe("a valid attachment", () => {
  it.effect("is one of the cache that is not gone, and each that a file may be of", () =>
    Effect.gen(function*() {
      const entries: ReadonlyArray<ResultCache.Entry> = [
        cached("c1"),
        cached("gone"),
        { _tag: "Unknown", file: "/var/lib/cni/results/n-c2-eth0", reason: "broken" }
      ]
      assert.deepStrictEqual(yield* find({ entries }), [
        { containerID: "c1", ifname: "eth0" },
        { containerID: "c2", ifname: "eth0" }
      ])
    }))

  it.effect("is named once", () =>
    Effect.gen(function*() {
      const facts = { ...nothing, ...store({ reservations: [reservation({ containerId: "c1" })] }) }
      assert.deepStrictEqual(yield* find({ entries: [cached("c1")], facts }), [{ containerID: "c1", ifname: "eth0" }])
    }))

  it.effect("is one of the folder that runtimes use, where the results of another one are collected", () =>
    Effect.gen(function*() {
      const { attachment } = cached("c5") as { readonly attachment: ResultCache.Cached }
      const files = {
        "/var/lib/cni/results/n-c5-eth0": ResultCache.encode(attachment, "{}", "{}"),
        "/var/lib/cni/results/n-gone-eth0": "",
        "/var/lib/cni/results/m-c6-eth0": ""
      }
      assert.deepStrictEqual(yield* find({ files, cacheDir: "/tmp/cache" }), [
        { containerID: "c5", ifname: "eth0" },
        { containerID: "gone", ifname: "eth0" }
      ])
      assert.deepStrictEqual(yield* find({ files }), [])
    }))

  it.effect("is one that has a reservation of host-local which is not known to be gone", () =>
    Effect.gen(function*() {
      const reservations = [reservation(), reservation({ containerId: "c8", isGone: true })]
      assert.deepStrictEqual(yield* find({ facts: { ...nothing, ...store({ reservations }) } }), [
        { containerID: "c9", ifname: "eth0" }
      ])
    }))

  it.effect("is one of an old host-local, with the link that has its address", () =>
    Effect.gen(function*() {
      const facts = { ...nothing, ...store({ reservations: [reservation({ ifname: "" })] }) }
      const net7 = Host.link("net7", { kind: "veth" }, "10.99.0.9/24")
      assert.deepStrictEqual(
        yield* find({ facts, namespaces: [namespace(net7), namespace(eth0({ kind: "macvlan" }, "10.98.0.1/24"))] }),
        [
          { containerID: "c9", ifname: "" },
          { containerID: "c9", ifname: "net7" }
        ]
      )
    }))

  it.effect("is one that a plugin is at work for", () =>
    Effect.gen(function*() {
      const files = {
        "/proc/1/environ": "A=1\0CNI_CONTAINERID=c4\0CNI_IFNAME=net1\0",
        "/proc/2/environ": "CNI_CONTAINERID=c5\0",
        "/proc/3/environ": "CNI_IFNAME=eth0\0",
        "/proc/self/environ": "CNI_CONTAINERID=c6\0CNI_IFNAME=eth0\0"
      }
      assert.deepStrictEqual(yield* find({ files }), [{ containerID: "c4", ifname: "net1" }])
    }))

  it.effect("is that of a namespace with a name that nothing is known of, as run and cnitool call it", () =>
    Effect.gen(function*() {
      const down = Host.link("tunl0", { isUp: false })
      const containerID = Attachments.containerIdOf("/run/netns/web")
      const namespaces = [namespace(down, ["/run/netns/web", "/proc/7/ns/net"])]
      assert.deepStrictEqual(yield* find({ namespaces }), [
        { containerID, ifname: "eth0" },
        { containerID, ifname: "tunl0" },
        { containerID: Attachments.containerIdOf("/var/run/netns/web"), ifname: "eth0" },
        { containerID: Attachments.containerIdOf("/var/run/netns/web"), ifname: "tunl0" }
      ])
      const seenByFirst = yield* find({ namespaces: [namespace(down, ["/proc/1/root/srv/netns/web"])] })
      assert.deepStrictEqual(seenByFirst, [
        { containerID: Attachments.containerIdOf("/srv/netns/web"), ifname: "eth0" },
        { containerID: Attachments.containerIdOf("/srv/netns/web"), ifname: "tunl0" }
      ])
      const all = [Host.attachment()]
      assert.deepStrictEqual(
        yield* find({ namespaces, facts: { ...nothing, all }, files: { "/run/netns/web": inode } }),
        []
      )
      assert.deepStrictEqual(yield* find({ namespaces: [namespace(down)] }), [])
    }))
})

describe("it cannot be said what is valid", () => {
  const link = (fields: Partial<Link> = {}, ...addresses: ReadonlyArray<string>) => [
    namespace(eth0(fields, ...addresses))
  ]
  const ptp = (ipam: object) => Host.facts({ bridge: { type: "ptp", ipam }, facts: { attachments: [], all: [] } })
  const hostLocal = { type: "host-local", ranges: [[{ subnet: "10.98.0.0/24" }], [{ subnet: "10.99.0.0/24" }]] }

  const unknown: ReadonlyArray<readonly [what: string, setting: Case]> = [
    ["a port of the bridge", { namespaces: link({}, "10.1.1.1/24") }],
    ["a port of the bridge without an address", { namespaces: link() }],
    ["a port of a bridge elsewhere with an address of the network", { namespaces: link({ peer: 99 }, "10.99.0.7/24") }],
    ["an address of the network", { facts: ptp(hostLocal), namespaces: link({ peer: 99 }, "10.99.0.7/24") }],
    ["no address but its own", { facts: ptp(hostLocal), namespaces: link({ peer: 99 }, "fe80::1/64") }],
    ["any address, where the network says none", { facts: ptp({ type: "dhcp" }), namespaces: link({}, "10.1.1.1/24") }],
    [
      "the address of a reservation that says no container",
      {
        facts: { ...nothing, ...store({ reservations: [reservation({ containerId: "" })] }) },
        namespaces: link({}, "10.99.0.9/24")
      }
    ],
    [
      "the name of an attachment in another namespace",
      {
        facts: { ...nothing, all: [Host.attachment()] },
        namespaces: link({}, "10.99.0.2/24"),
        files: { "/run/netns/web": inode + 1 }
      }
    ],
    [
      "another name than the attachment in its namespace",
      {
        facts: { ...nothing, all: [Host.attachment({ ifname: "net1" })] },
        namespaces: link({}, "10.99.0.2/24"),
        files: { "/run/netns/web": inode }
      }
    ]
  ]
  for (const [what, setting] of unknown) {
    it.effect(`where a namespace has a link that nothing tells the container of, with ${what}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* find(setting), unaccounted)
      }))
  }

  const fine: ReadonlyArray<readonly [what: string, setting: Case]> = [
    ["is one of another kind", { namespaces: link({ kind: "macvlan", peer: undefined }, "10.99.0.7/24") }],
    [
      "is a port of another bridge",
      {
        facts: Host.facts({
          outside: { links: [Host.link("veth1", { index: 12, peer: 3, kind: "veth", master: "docker0" })] },
          facts: { attachments: [], all: [] }
        }),
        namespaces: link({}, "10.99.0.7/24")
      }
    ],
    ["has addresses of other networks", { facts: ptp(hostLocal), namespaces: link({ peer: 99 }, "10.97.0.7/24") }],
    ["is down, and has no address", { facts: ptp({ type: "dhcp" }), namespaces: link({ isUp: false }) }],
    [
      "is the attachment of the cache",
      {
        facts: { ...nothing, all: [Host.attachment()] },
        namespaces: link({}, "10.99.0.2/24"),
        files: { "/run/netns/web": inode }
      }
    ],
    [
      "has the address of a reservation",
      {
        facts: { ...nothing, ...store({ reservations: [reservation()] }) },
        namespaces: link({}, "fe80::1/64", "10.99.0.9/24")
      }
    ]
  ]
  for (const [what, setting] of fine) {
    it.effect(`only where the link may be of the network, and not where it ${what}`, () =>
      Effect.gen(function*() {
        assert.isArray(yield* find(setting))
      }))
  }

  const unread: ReadonlyArray<readonly [what: string, setting: Case, reason: string]> = [
    [
      "the store of host-local",
      { facts: { ...nothing, ...store({ problem: "permission denied" }) } },
      "/store cannot be read: permission denied"
    ],
    [
      "a reservation",
      { facts: { ...nothing, ...store({ unread: ["/store/10.99.0.7", "/store/10.99.0.8"] }) } },
      "/store/10.99.0.7 cannot be read"
    ],
    ["the configuration", { facts: { ...nothing, network: undefined } }, "its configuration can no longer be read"]
  ]
  for (const [what, setting, reason] of unread) {
    it.effect(`where it cannot be read: ${what}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* find(setting), reason)
      }))
  }
})
