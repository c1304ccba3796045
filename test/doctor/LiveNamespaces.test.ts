/** Which network namespaces live on a host, and who is at work in it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import type { Attachment } from "../../src/doctor/facts/Attachment.ts"
import * as LiveNamespaces from "../../src/doctor/facts/LiveNamespaces.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

const own = { "/proc/self/ns/net": Fake.namespace(1), "/proc/1/ns/net": "-> net:[1]" }
const process = (pid: number, inode: number) => ({ [`/proc/${pid}/ns/net`]: `-> net:[${inode}]` })

const veth = (fields: object) => ({
  ifindex: 12,
  ifname: "veth1",
  link_index: 3,
  linkinfo: { info_kind: "veth" },
  ...fields
})

interface Case {
  readonly files?: Fake.Files
  /** What `ip` tells of the host, and of each namespace by its path. */
  readonly host?: Fake.Told
  readonly namespaces?: { readonly [path: string]: Fake.Told | string | object }
  readonly attachments?: ReadonlyArray<Partial<Attachment>>
}

const living = Effect.fnUntraced(function*({ attachments = [], files = {}, host = {}, namespaces = {} }: Case) {
  const programs = Object.entries(namespaces).map(([path, told]) =>
    [
      `nsenter --net=${path} -- ip -j -d -batch`,
      typeof told === "string" ? Fake.complaint(told) : Fake.tells(told)
    ] as const
  )
  const { commands, layer } = Fake.host({
    files: { ...own, ...files },
    programs: { ...Object.fromEntries(programs), "ip -j": Fake.tells(host) }
  })
  const ids = attachments.map((each) => Host.attachment(each))
  const fiber = yield* Effect.forkChild(Effect.provide(LiveNamespaces.namespaces(ids), layer))
  yield* TestClock.adjust("1 minute")
  const { blind, networks, unread } = yield* Fiber.join(fiber)
  return { blind, unread, names: networks.map(({ name, paths }) => `${name} ${paths.join(" ")}`), commands }
})

describe("the namespaces that live", () => {
  it.effect("are those of names and processes but our own, each once, with names first", () =>
    Effect.gen(function*() {
      const { blind, names, unread } = yield* living({
        files: {
          "/run/netns/web": Fake.namespace(7),
          "/run/docker/netns/api": Fake.namespace(8),
          ...process(20, 7),
          ...process(21, 7),
          ...process(30, 9),
          "/proc/self/status": "",
          "/proc/40/comm": "gone"
        },
        namespaces: { "/run/netns/web": {}, "/run/docker/netns/api": {}, "/proc/30/ns/net": {} }
      })
      assert.deepStrictEqual({ blind, names, unread }, {
        blind: undefined,
        unread: [],
        names: [
          "net:[7] /run/netns/web /proc/20/ns/net /proc/21/ns/net",
          "net:[8] /run/docker/netns/api",
          "net:[9] /proc/30/ns/net"
        ]
      })
    }))

  it.effect("are those that are mounted, wherever that is, without any process", () =>
    Effect.gen(function*() {
      const paths = ["/run/containerd/state/netns/pod-1", "/run/user/1000/netns/a b", "/var/snap/microk8s/netns/pod-2"]
      const mount = (path: string, inode: number) =>
        `70 68 0:4 net:[${inode}] ${path.replaceAll(" ", "\\040")} rw shared:9 - nsfs nsfs rw`
      const { blind, names } = yield* living({
        files: {
          ...Object.fromEntries(paths.map((path, index) => [path, Fake.namespace(7 + index)])),
          "/proc/self/mountinfo": paths.map((path, index) => mount(path, 7 + index)).join("\n")
        },
        namespaces: Object.fromEntries(paths.map((path) => [path, {}]))
      })
      assert.deepStrictEqual([names, blind], [paths.map((path, index) => `net:[${7 + index}] ${path}`), undefined])
    }))

  it.effect("are none that is mounted below another mount, or twice where a folder names it too", () =>
    Effect.gen(function*() {
      const { blind, names } = yield* living({
        files: {
          "/run/netns/web": Fake.namespace(7),
          "/run/netns/covered": "",
          "/proc/self/mountinfo": [
            "70 68 0:4 net:[7] /run/netns/web rw - nsfs nsfs rw",
            "71 68 0:4 net:[8] /run/netns/covered rw - nsfs nsfs rw",
            "72 68 0:4 net:[9] /run/netns/unmounted rw - nsfs nsfs rw"
          ].join("\n")
        },
        namespaces: { "/run/netns/web": {} }
      })
      assert.deepStrictEqual([names, blind], [["net:[7] /run/netns/web"], undefined])
    }))

  it.effect("are those that are mounted where only the first process of the host sees them", () =>
    Effect.gen(function*() {
      const { blind, names } = yield* living({
        files: {
          ...process(20, 7),
          "/proc/1/mountinfo": [
            "70 68 0:4 net:[7] /run/netns/with-process rw - nsfs nsfs rw",
            "71 68 0:4 net:[8] /run/netns/without rw - nsfs nsfs rw"
          ].join("\n"),
          "/proc/1/root/run/netns/without": Fake.namespace(8)
        },
        namespaces: { "/proc/20/ns/net": {}, "/proc/1/root/run/netns/without": {} }
      })
      assert.deepStrictEqual([names, blind], [[
        "net:[7] /proc/20/ns/net",
        "net:[8] /proc/1/root/run/netns/without"
      ], undefined])
    }))

  it.effect("may be more where a mounted one cannot be reached or looked into", () =>
    Effect.gen(function*() {
      const blindWith = (file: Fake.Files[string], answer?: string) =>
        Effect.map(
          living({
            files: {
              "/proc/self/mountinfo": "70 68 0:4 net:[8] /run/user/1000/netns/a rw - nsfs nsfs rw",
              "/run/user/1000/netns/a": file
            },
            namespaces: answer === undefined ? {} : { "/run/user/1000/netns/a": answer }
          }),
          ({ blind }) => blind
        )
      assert.match((yield* blindWith({ error: "PermissionDenied" })) ?? "", /^\/run\/user\/1000\/netns\/a: /)
      assert.strictEqual(
        yield* blindWith(Fake.namespace(8), "no room"),
        "/run/user/1000/netns/a: ip -j: no room"
      )
    }))

  it.effect("are not files of another device, which are not opened", () =>
    Effect.gen(function*() {
      const { blind, commands, names } = yield* living({
        files: { "/run/netns/pipe": { ino: 5, dev: 1, type: "FIFO" } }
      })
      assert.deepStrictEqual([names, blind], [[], undefined])
      assert.deepStrictEqual(commands.filter((each) => each.startsWith("nsenter")), [])
    }))

  it.effect("are looked into by another path where one does not lead there", () =>
    Effect.gen(function*() {
      const { blind, names } = yield* living({
        files: { ...process(20, 7), ...process(21, 7) },
        namespaces: { "/proc/20/ns/net": "No such file", "/proc/21/ns/net": {} }
      })
      assert.deepStrictEqual([names, blind], [["net:[7] /proc/20/ns/net /proc/21/ns/net"], undefined])
    }))

  it.effect("are looked into without their routes where there are too many", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({
        files: { ...own, ...process(20, 7) },
        programs: {
          "nsenter": (argv, stdin) =>
            stdin.includes("route") ? { truncated: true } : Fake.tells({ links: [veth({})] })(argv, stdin),
          "ip -j": Fake.tells({})
        }
      })
      const { blind, networks } = yield* Effect.provide(LiveNamespaces.namespaces([]), layer)
      assert.deepStrictEqual([blind, networks.map(({ links, routes }) => [links[0]?.name, routes])], [undefined, [
        ["veth1", []]
      ]])
    }))
})

describe("a namespace that cannot be looked into", () => {
  it.effect("hides what lives, and is named by its first path", () =>
    Effect.gen(function*() {
      const { blind, names } = yield* living({
        files: { ...process(20, 7), ...process(21, 7) },
        namespaces: { "/proc/20/ns/net": "Operation not permitted", "/proc/21/ns/net": "no" }
      })
      assert.deepStrictEqual([names, blind], [[], "/proc/20/ns/net: ip -j: Operation not permitted"])
    }))

  it.effect("is gone where its name is, or is of another kind", () =>
    Effect.gen(function*() {
      const { blind } = yield* living({
        files: { "/run/netns/uts": Fake.namespace(7) },
        namespaces: { "/run/netns/uts": "setns failed: Invalid argument" }
      })
      assert.isUndefined(blind)
    }))

  it.effect("hides what lives where its name is there", () =>
    Effect.gen(function*() {
      const { blind } = yield* living({
        files: { "/run/netns/web": Fake.namespace(7) },
        namespaces: { "/run/netns/web": "Operation not permitted" }
      })
      assert.strictEqual(blind, "/run/netns/web: ip -j: Operation not permitted")
    }))

  it.effect("is that of the containers whose attachments have it, and hides nothing else", () =>
    Effect.gen(function*() {
      const { blind, unread } = yield* living({
        files: { "/run/netns/web": Fake.namespace(7), "/run/netns/api": Fake.namespace(8) },
        namespaces: { "/run/netns/web": "no room", "/run/netns/api": {} },
        attachments: [{}, { ifname: "net1" }, { containerId: "api", netns: "/run/netns/api" }, {
          containerId: "old",
          netns: "/run/netns/old"
        }]
      })
      assert.deepStrictEqual([blind, unread], [undefined, [
        { containerId: "web", reason: "/run/netns/web: ip -j: no room" }
      ]])
    }))

  it.effect("explains the link of the host that leads to its container", () =>
    Effect.gen(function*() {
      const host = { links: [veth({ master: "cni0" })] }
      const files = { "/run/netns/web": Fake.namespace(7) }
      const namespaces = { "/run/netns/web": "no room" }
      assert.isUndefined((yield* living({ host, files, namespaces, attachments: [{}] })).blind)
    }))
})

describe("a process that ends while its namespace is read", () => {
  it.effect("hides nothing, although the kernel denies permission first", () =>
    Effect.gen(function*() {
      let asked = 0
      const ending = {
        // The fake looks twice each time: whether there is an error, and which.
        get error() {
          return asked++ < 2 ? "PermissionDenied" as const : "NotFound" as const
        }
      }
      assert.isUndefined((yield* living({ files: { "/proc/20/ns/net": ending } })).blind)
    }))
})

describe("more may live than can be seen", () => {
  const cases: { readonly [what: string]: readonly [given: Case, blind: string] } = {
    "where a folder of names may not be read": [
      { files: { "/run/netns": { error: "PermissionDenied" } } },
      "/run/netns: PermissionDenied: FileSystem.read (/run/netns): of a test"
    ],
    "where the namespaces of processes are hidden": [
      {
        files: {
          "/proc/20/ns/net": { error: "PermissionDenied" },
          "/proc/21/ns/net": { error: "PermissionDenied" },
          "/proc/22/ns/net": { error: "NotFound" }
        }
      },
      "the namespaces of 2 of 4 processes: permission denied"
    ],
    "where ip does not work": [
      { host: { links: "x" as never } },
      "ip does not print JSON: it is too old, or not the one of iproute2"
    ],
    "where a port of a bridge leads to none that is seen": [
      { host: { links: [veth({ master: "cni0" })] } },
      "veth1 leads to one that has neither a name nor a process here"
    ],
    "where a link to one address leads to none that is seen": [
      { host: { links: [veth({})], routes: [{ dst: "10.99.0.2", dev: "veth1" }] } },
      "veth1 leads to one that has neither a name nor a process here"
    ],
    "where a link to one address of IPv6 leads to none that is seen": [
      { host: { links: [veth({})], routes: [{ dst: "fd00::2", dev: "veth1" }] } },
      "veth1 leads to one that has neither a name nor a process here"
    ],
    "where the end that is seen is that of another pair": [
      {
        host: { links: [veth({ master: "cni0" })] },
        files: process(20, 7),
        namespaces: {
          "/proc/20/ns/net": { links: [veth({ ifindex: 3, link_index: 13 }), veth({ ifindex: 4, link_index: 12 })] }
        }
      },
      "veth1 leads to one that has neither a name nor a process here"
    ]
  }
  for (const [what, [given, blind]] of Object.entries(cases)) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.strictEqual((yield* living(given)).blind, blind)
      }))
  }

  it.effect("where there are no processes", () =>
    Effect.gen(function*() {
      const { layer } = Fake.host({ programs: { "ip -j": Fake.tells({}) } })
      const { blind } = yield* Effect.provide(LiveNamespaces.namespaces([]), layer)
      assert.strictEqual(blind, "there are no processes in /proc")
    }))

  const fine: { readonly [what: string]: Case } = {
    "where the namespace of init alone is hidden": { files: { "/proc/1/ns/net": { error: "PermissionDenied" } } },
    "where its other end is seen": {
      host: { links: [veth({ master: "cni0" })] },
      files: process(20, 7),
      namespaces: { "/proc/20/ns/net": { links: [veth({ ifindex: 3, link_index: 12 })] } }
    },
    "where it leads to many addresses": {
      host: { links: [veth({})], routes: [{ dst: "10.99.0.0/24", dev: "veth1" }] }
    },
    "where the route to one address is over another link": {
      host: { links: [veth({})], routes: [{ dst: "10.99.0.2", dev: "veth2" }] }
    },
    "where the route to one address goes nowhere": {
      host: { links: [veth({})], routes: [{ dst: "10.99.0.2", dev: "veth1", type: "blackhole" }] }
    },
    "where it is the way out of a host that is a container": {
      host: { links: [veth({ master: "br0" })], routes: [{ dst: "default", dev: "veth1" }] }
    },
    "where both of its ends are here": { host: { links: [veth({ master: "cni0", link_index: undefined })] } },
    "where it is no pair": { host: { links: [veth({ master: "cni0", linkinfo: { info_kind: "vlan" } })] } }
  }
  for (const [what, given] of Object.entries(fine)) {
    it.effect(`but not ${what}`, () =>
      Effect.gen(function*() {
        assert.isUndefined((yield* living(given)).blind)
      }))
  }

  it.effect("but not where the link goes within a second, as its container does", () =>
    Effect.gen(function*() {
      const blindAfter = Effect.fnUntraced(function*(looks: number) {
        let left = looks
        const { layer } = Fake.host({
          files: own,
          programs: {
            "ip -j": (argv, stdin) => Fake.tells({ links: left-- > 0 ? [veth({ master: "cni0" })] : [] })(argv, stdin)
          }
        })
        const fiber = yield* Effect.forkChild(Effect.provide(LiveNamespaces.namespaces([]), layer))
        yield* TestClock.adjust("999 millis")
        yield* TestClock.adjust("1 milli")
        return (yield* Fiber.join(fiber)).blind
      })
      assert.isUndefined(yield* blindAfter(1))
      assert.isUndefined(yield* blindAfter(4))
      assert.strictEqual(yield* blindAfter(5), "veth1 leads to one that has neither a name nor a process here")
    }))
})
