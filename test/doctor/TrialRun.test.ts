/** What happens in a trial: what is called, what is left, and how the host becomes again what it was. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NetworkConfigList from "../../src/cni/NetworkConfigList.ts"
import * as Trial from "../../src/doctor/facts/Trial.ts"
import type { Record } from "../../src/record/Record.ts"
import * as Fake from "./fake.ts"

const added = {
  cniVersion: "1.0.0",
  interfaces: [{ name: "cni0" }, { name: "veth9", sandbox: "" }, { name: "eth0", sandbox: "/run/netns/x" }],
  ips: [{ address: "10.99.0.9/24" }]
}

/** What there is on the host at one time. */
interface State {
  readonly links?: ReadonlyArray<object>
  /** What iptables-save prints, and what nft does. */
  readonly rules?: string
  readonly files?: Fake.Files
}

interface Case {
  readonly list?: object
  readonly plugins?: ReadonlyArray<object>
  readonly capabilityArgs?: { readonly [name: string]: unknown }
  /** What the plugins answer, by verb. */
  readonly answers?: { readonly [verb: string]: Fake.Answer }
  readonly before?: State
  /** What there is after DEL, which is also what nobody removes. */
  readonly after?: State
  readonly tools?: ReadonlyArray<string>
  readonly bridge?: string
  readonly store?: string
  readonly records?: ReadonlyArray<Partial<Record>>
  /** Whether a second namespace may be attached. Default: no. */
  readonly hasSecond?: boolean
}

/** What became of a trial; in texts its identifier is ID, and that of its second namespace OTHER. */
const tried = Effect.fnUntraced(function*(given: Case) {
  const { after = {}, answers = {}, before = {}, bridge, capabilityArgs = {}, list = {}, records, store } = given
  const { hasSecond = false, plugins = [{ type: "bridge" }], tools = ["iptables-save"] } = given
  const asked: Array<{ readonly verb: string; readonly env: object; readonly config: object }> = []
  let state = before
  let id = ""
  let other = ""
  const sentBetween: Array<string> = []
  const named = (text: string) => text.replaceAll("ID", id)
  const put = (files: { [path: string]: Fake.Files[string] }, from: Fake.Files, to: Fake.Files) => {
    for (const path of Object.keys(from)) delete files[path]
    for (const [path, text] of Object.entries(to)) files[path] = typeof text === "string" ? named(text) : text
  }
  const plugin = (argv: ReadonlyArray<string>, stdin: string, env: { readonly [name: string]: string | undefined }) => {
    const { CNI_COMMAND: verb = "", CNI_CONTAINERID: containerId = "" } = env
    id ||= containerId
    if (containerId !== id) other = containerId
    const config = JSON.parse(stdin)
    asked.push({ verb, env, config: { ...config, file: argv[0] } })
    if (verb === "DEL") {
      state = after
      put(host.files as never, before.files ?? {}, after.files ?? {})
    }
    return (containerId === other ? answers[`${verb} of the second`] : undefined) ?? answers[verb] ??
      (verb === "ADD" ? JSON.stringify(added) : "")
  }
  const host = Fake.host({
    files: { ...before.files, "/plugins/bridge": "#!/bin/sh", "/plugins/portmap": "#!/bin/sh" },
    programs: {
      "/plugins/": plugin,
      "ip -j": (argv, stdin) => Fake.tells({ links: state.links ?? [] })(argv, stdin),
      "/sbin/iptables-save": () => named(state.rules ?? ""),
      "ip netns": "",
      "": ""
    }
  })
  const network = NetworkConfigList.make({ cniVersion: "1.0.0", name: "n", plugins, ...list })
  const nested = {
    variables: () => ({ INSIDE: "1" }),
    records: () => Effect.succeed((records ?? []) as ReadonlyArray<Record>)
  }
  const trial = yield* Effect.provide(
    Trial.run({
      chain: {
        list: network,
        cniPath: ["/plugins"],
        timeout: 1000,
        variables: {},
        ...(records === undefined ? {} : { nested })
      },
      capabilityArgs: capabilityArgs as never,
      hasSecond,
      ground: { bridge, store, tools: new Map(tools.map((name) => [name, `/sbin/${name}`])) },
      send: (attachments) => {
        sentBetween.push(...attachments.map(({ containerId }) => containerId))
        return Effect.succeed({ flows: [], findings: [], problem: undefined })
      }
    }),
    host.layer
  )
  const plain = (text: string) => text.replaceAll(id, "ID").replaceAll(other || "none", "OTHER")
  const removed = host.commands.indexOf(`ip netns del ${id}`)
  return {
    asked,
    id,
    calls: trial.calls.map(({ answer, plugin, verb }) => `${verb} ${plugin.type} ${answer._tag}`),
    innermost: [...trial.innermost.values()],
    sentBetween: sentBetween.map(plain),
    left: trial.left.map(({ kind, text }) => `${kind} ${plain(text)}`),
    /** What was run to restore the host, but for its neighbours. */
    restored: host.commands.slice(removed + 1)
      .filter((each) => !/^(?:ip -j|ip neigh|\/sbin\/.*-save|\/sbin\/nft)/.test(each))
      .map(plain),
    /** What was run so that the host forgets neighbours. */
    forgotten: host.commands.slice(removed + 1).filter((each) => each.startsWith("ip neigh")),
    commands: host.commands.map(plain),
    files: Object.fromEntries(
      Object.entries(host.files).filter(([path]) => !path.startsWith("/plugins/")).map(([path, text]) => [
        path,
        typeof text === "string" ? plain(text) : text
      ])
    )
  }
})

const link = (ifname: string, kind = "veth", fields: object = {}) => ({
  ifname,
  linkinfo: { info_kind: kind },
  ...fields
})

const save = (chains: string, rules: string, table = "nat") => `*${table}\n${chains}\n${rules}\nCOMMIT\n`
const comment = (id: string) => `-m comment --comment "name: \\"n\\" id: \\"${id}\\""`

describe("a trial", () => {
  const verbs = (asked: ReadonlyArray<{ readonly verb: string; readonly env: object }>, id: string) =>
    asked.map(({ env, verb }) => `${verb} ${Reflect.get(env, "CNI_CONTAINERID") === id ? "ID" : "OTHER"}`)

  it.effect("sends packets between two namespaces, of which the second goes first", () =>
    Effect.gen(function*() {
      const { asked, commands, id, sentBetween } = yield* tried({ hasSecond: true })
      assert.deepStrictEqual(sentBetween, ["ID", "OTHER"])
      assert.deepStrictEqual(verbs(asked, id), ["ADD ID", "CHECK ID", "ADD OTHER", "DEL OTHER", "DEL ID"])
      const namespaces = commands.filter((each) => each.startsWith("ip netns"))
      assert.deepStrictEqual(namespaces, [
        "ip netns add ID",
        "ip netns add OTHER",
        "ip netns del OTHER",
        "ip netns del ID"
      ])
    }))

  it.effect("publishes no port for the second namespace, which the first one has", () =>
    Effect.gen(function*() {
      const { asked } = yield* tried({
        hasSecond: true,
        plugins: [{ type: "portmap", capabilities: { portMappings: true } }],
        capabilityArgs: { portMappings: [{ hostPort: 8080, containerPort: 80 }] }
      })
      const published = asked.filter(({ verb }) => verb === "ADD").map(({ config }) =>
        Reflect.get(Reflect.get(config, "runtimeConfig") ?? {}, "portMappings")?.length ?? 0
      )
      assert.deepStrictEqual(published, [1, 0])
    }))

  it.effect("sends from one namespace alone where the second one cannot be attached, and detaches it all the same", () =>
    Effect.gen(function*() {
      const { asked, calls, id, sentBetween } = yield* tried({
        hasSecond: true,
        answers: {
          "ADD of the second": {
            exitCode: 1,
            stdout: Buffer.from(JSON.stringify({ code: 11, msg: "full" })),
            stderr: Buffer.alloc(0)
          }
        }
      })
      assert.deepStrictEqual(sentBetween, ["ID"])
      assert.deepStrictEqual(verbs(asked, id).slice(2), ["ADD OTHER", "DEL OTHER", "DEL ID"])
      assert.deepStrictEqual(calls.filter((each) => each.endsWith("Failure")), [])
    }))

  it.effect("sends nothing where the first namespace cannot be attached", () =>
    Effect.gen(function*() {
      const { sentBetween } = yield* tried({
        hasSecond: true,
        answers: {
          ADD: { exitCode: 1, stdout: Buffer.from(JSON.stringify({ code: 11, msg: "full" })), stderr: Buffer.alloc(0) }
        }
      })
      assert.deepStrictEqual(sentBetween, [])
    }))

  it.effect("attaches a namespace, checks it and detaches it, in this order", () =>
    Effect.gen(function*() {
      const { asked, calls, commands, id } = yield* tried({
        plugins: [{ type: "bridge", capabilities: { ips: true } }, { type: "portmap" }],
        capabilityArgs: { ips: ["10.99.0.9"] }
      })
      assert.match(id, /^cni-doctor-[0-9a-f]{8}$/)
      assert.deepStrictEqual(calls, [
        "ADD bridge Success",
        "ADD portmap Success",
        "CHECK bridge Success",
        "CHECK portmap Success",
        "DEL portmap Success",
        "DEL bridge Success"
      ])
      assert.deepInclude(asked[0]?.env, {
        CNI_CONTAINERID: id,
        CNI_NETNS: `/run/netns/${id}`,
        CNI_IFNAME: "eth0",
        CNI_ARGS: "",
        CNI_PATH: "/plugins"
      })
      assert.deepInclude(asked[0]?.config, { name: "n", runtimeConfig: { ips: ["10.99.0.9"] } })
      for (const { config } of asked.slice(1)) assert.deepInclude(config, { prevResult: added })
      assert.deepStrictEqual(commands.filter((each) => each.startsWith("ip netns")), [
        "ip netns add ID",
        "ip netns del ID"
      ])
    }))

  const unchecked: ReadonlyArray<readonly [what: string, list: object]> = [
    ["where the network says so", { disableCheck: true }],
    ["where its version has no CHECK", { cniVersion: "0.3.1" }]
  ]
  for (const [what, list] of unchecked) {
    it.effect(`checks nothing ${what}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* tried({ list })).calls, ["ADD bridge Success", "DEL bridge Success"])
      }))
  }

  it.effect("checks from the version on that has CHECK", () =>
    Effect.gen(function*() {
      const { calls } = yield* tried({ list: { cniVersion: "0.4.0" } })
      assert.deepStrictEqual(calls, ["ADD bridge Success", "CHECK bridge Success", "DEL bridge Success"])
    }))

  it.effect("checks nothing where ADD fails, and detaches all the same", () =>
    Effect.gen(function*() {
      const failed = { exitCode: 1, stdout: new TextEncoder().encode(`{"code":7,"msg":"no"}`) }
      const { calls, innermost, left } = yield* tried({
        answers: { ADD: failed },
        plugins: [{ type: "bridge" }, { type: "portmap" }]
      })
      assert.deepStrictEqual(calls, ["ADD bridge Failure", "DEL portmap Success", "DEL bridge Success"])
      assert.deepStrictEqual([innermost, left], [[], []])
    }))

  it.effect("gives plugins what they were given before, as a value", () =>
    Effect.gen(function*() {
      const given = (stdin: string) => Trial.prevResultOf({ stdin } as never)
      assert.deepStrictEqual([given(`{"prevResult":{"a":1}}`), given("{}"), given("null"), given("5"), given("x")], [
        { a: 1 },
        undefined,
        undefined,
        undefined,
        undefined
      ])
    }))
})

describe("the plugin that fails inside another one in a trial", () => {
  const request = (invocation: string, label: string) => ({ event: "request", invocation, label })
  const cases: ReadonlyArray<
    readonly [what: string, records: ReadonlyArray<object>, innermost: ReadonlyArray<string>]
  > = [
    ["is the first that says so", [
      request("1", "static"),
      { event: "error", invocation: "2", label: "host-local" },
      { event: "error", invocation: "3", label: "dhcp" }
    ], ["host-local"]],
    ["is the last that has no end", [
      request("1", "static"),
      request("2", "host-local"),
      request("3", "dhcp"),
      { event: "result", invocation: "3" }
    ], ["host-local"]],
    ["is none where all have an end", [request("1", "static"), { event: "result", invocation: "1" }], []],
    ["is none where it has no name", [{ event: "error", invocation: "1" }], []],
    ["is none where nothing was started", [], []]
  ]
  for (const [what, records, innermost] of cases) {
    it.effect(what, () =>
      Effect.gen(function*() {
        const list = { disableCheck: true }
        const found = yield* tried({ list, records: records as ReadonlyArray<Partial<Record>> })
        assert.deepStrictEqual(found.innermost, [...innermost, ...innermost]) // of ADD and of DEL
      }))
  }
})

describe("what a trial leaves", () => {
  it.effect("is a link that its plugins spoke of, and that was not there before", () =>
    Effect.gen(function*() {
      const { left } = yield* tried({
        before: { links: [link("eth0")] },
        after: { links: [link("eth0"), link("veth9"), link("veth8"), link("cni0", "bridge")] }
      })
      assert.deepStrictEqual(left, ["link veth9"])
    }))

  it.effect("is no link that was there before", () =>
    Effect.gen(function*() {
      const links = [link("veth9")]
      const { left, restored } = yield* tried({ before: { links }, after: { links } })
      assert.deepStrictEqual([left, restored], [[], []])
    }))

  it.effect("is a rule with its name or its address, and that was not there before", () =>
    Effect.gen(function*() {
      const old = save(":POSTROUTING ACCEPT", "-A POSTROUTING -s 10.99.0.9/32 -j OLD")
      const rules = [
        "-A POSTROUTING -s 10.99.0.9/32 -j OLD",
        `-A POSTROUTING ${comment("ID")} -j CNI-1`,
        "-A POSTROUTING -d 10.99.0.9/32 -j ACCEPT",
        "-A POSTROUTING -d 10.99.0.90/32 -j ACCEPT",
        "-A POSTROUTING -j ACCEPT"
      ].join("\n")
      const { left } = yield* tried({ before: { rules: old }, after: { rules: save(":POSTROUTING ACCEPT", rules) } })
      assert.deepStrictEqual(left, [
        `rule iptables -t nat -A POSTROUTING ${comment("ID")} -j CNI-1`,
        "rule iptables -t nat -A POSTROUTING -d 10.99.0.9/32 -j ACCEPT"
      ])
    }))

  it.effect("is a reservation of its own that was not there before", () =>
    Effect.gen(function*() {
      const { files, left } = yield* tried({
        store: "/networks/n",
        before: { files: { "/networks/n/10.99.0.2": "web\r\neth0" } },
        after: {
          files: {
            "/networks/n/10.99.0.2": "web\r\neth0",
            "/networks/n/10.99.0.9": "ID\r\neth0",
            "/networks/n/10.99.0.10": "api\r\neth0"
          }
        }
      })
      assert.deepStrictEqual(left, ["reservation /networks/n/10.99.0.9"])
      assert.deepStrictEqual(files, {
        "/networks/n/10.99.0.2": "web\r\neth0",
        "/networks/n/10.99.0.10": "api\r\neth0"
      })
    }))
})

describe("after a trial", () => {
  it.effect("new rules of it go, and those that lead to new chains, and these chains", () =>
    Effect.gen(function*() {
      const rules = [
        `-A POSTROUTING ${comment("ID")} -j CNI-1`,
        "-A CNI-1 -d 10.99.0.9/32 -j ACCEPT",
        "-A CNI-1 -j MASQUERADE",
        "-A PREROUTING -j CNI-NEW",
        "-A PREROUTING -j OTHER"
      ].join("\n")
      const { restored } = yield* tried({
        before: { rules: save(":POSTROUTING ACCEPT\n:OTHER -", "") },
        after: { rules: save(":POSTROUTING ACCEPT\n:PREROUTING ACCEPT\n:OTHER -\n:CNI-1 -\n:CNI-NEW -", rules) }
      })
      assert.deepStrictEqual(restored, [
        "iptables -t nat -D POSTROUTING -m comment --comment name: \"n\" id: \"ID\" -j CNI-1",
        "iptables -t nat -D CNI-1 -d 10.99.0.9/32 -j ACCEPT",
        "iptables -t nat -D PREROUTING -j CNI-NEW",
        "iptables -t nat -F CNI-1",
        "iptables -t nat -F CNI-NEW",
        "iptables -t nat -X CNI-1",
        "iptables -t nat -X CNI-NEW"
      ])
    }))

  it.effect("rules of a chain that another table has are another's", () =>
    Effect.gen(function*() {
      const { restored } = yield* tried({
        after: {
          rules: save(":CNI-NEW -", "", "filter") +
            save(":PREROUTING ACCEPT", "-A PREROUTING -j CNI-NEW\n-A PREROUTING")
        }
      })
      assert.deepStrictEqual(restored, ["iptables -t filter -F CNI-NEW", "iptables -t filter -X CNI-NEW"])
    }))

  it.effect("only its own rules go where others have made some meanwhile", () =>
    Effect.gen(function*() {
      const rules = [
        `-A POSTROUTING ${comment("ID")} -j CNI-1`,
        `-A POSTROUTING ${comment("web")} -j CNI-2`,
        "-A CNI-1 -j MASQUERADE"
      ].join("\n")
      const forward = "/proc/sys/net/ipv4/ip_forward"
      const { files, restored } = yield* tried({
        before: { files: { [forward]: "0" } },
        after: {
          rules: save(":POSTROUTING ACCEPT\n:CNI-1 -\n:CNI-2 -", rules),
          files: { [forward]: "1", "/networks/n/10.99.0.9": "ID" }
        },
        store: "/networks/n",
        tools: ["iptables-save", "nft"]
      })
      assert.deepStrictEqual(restored, [
        "iptables -t nat -D POSTROUTING -m comment --comment name: \"n\" id: \"ID\" -j CNI-1"
      ])
      assert.deepStrictEqual(files, { [forward]: "1", "/networks/n/10.99.0.9": "ID" })
    }))

  it.effect("values of the kernel are what they were", () =>
    Effect.gen(function*() {
      const [v4, v6] = ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"] as const
      const { files } = yield* tried({
        before: { files: { [v4]: "0\n", [v6]: "1\n" } },
        after: { files: { [v4]: "1\n", [v6]: "1\n" } }
      })
      assert.deepStrictEqual(files, { [v4]: "0\n", [v6]: "1\n" })
    }))

  it.effect("the bookkeeping of host-local is what it was", () =>
    Effect.gen(function*() {
      const { files, restored } = yield* tried({
        store: "/networks/n",
        before: {
          files: {
            "/networks/n/last_reserved_ip.0": "10.99.0.8",
            "/networks/n/10.99.0.2": "web",
            "/networks/n/10.99.0.3": "api"
          }
        },
        after: {
          files: {
            "/networks/n/last_reserved_ip.0": "10.99.0.9",
            "/networks/n/last_reserved_ip.1": "fd00::9",
            "/networks/n/lock": "",
            "/networks/n/10.99.0.2": "changed",
            "/networks/n/10.99.0.4": "new",
            "/networks/n/xlast_reserved_ip.0": "x"
          }
        }
      })
      assert.deepStrictEqual(files, {
        "/networks/n/last_reserved_ip.0": "10.99.0.8",
        "/networks/n/10.99.0.2": "changed",
        "/networks/n/10.99.0.4": "new",
        "/networks/n/xlast_reserved_ip.0": "x"
      })
      assert.deepStrictEqual(restored, [])
    }))

  it.effect("the store is gone if it is new and empty", () =>
    Effect.gen(function*() {
      const { restored } = yield* tried({
        store: "/networks/n",
        after: { files: { "/networks/n/10.99.0.9": "ID", "/networks/n/lock": "" } }
      })
      assert.deepStrictEqual(restored, ["rmdir /networks/n"])
    }))

  it.effect("the addresses are not those of neighbours that are gone", () =>
    Effect.gen(function*() {
      const ips = [{ address: "10.99.0.9/24" }, { address: "fd99::9/64" }]
      const { forgotten } = yield* tried({ answers: { ADD: JSON.stringify({ ...added, ips }) } })
      assert.deepStrictEqual(forgotten, ["ip neigh flush to 10.99.0.9", "ip neigh flush to fd99::9"])
    }))

  it.effect("new pairs of links go, and links of other kinds stay", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* tried({ after: { links: [link("veth9"), link("veth8")] } })).restored, [
        "ip link del veth9"
      ])
      assert.deepStrictEqual((yield* tried({ after: { links: [link("veth9", "macvlan")] } })).restored, [])
    }))

  const bridge = link("cni0", "bridge")
  const bridges: ReadonlyArray<readonly [what: string, given: Case, restored: ReadonlyArray<string>]> = [
    ["goes where it is new", { after: { links: [bridge] } }, ["ip link del cni0"]],
    ["stays where it was there before", { before: { links: [bridge] }, after: { links: [bridge] } }, []],
    ["stays where it has ports", { after: { links: [bridge, link("veth8", "veth", { master: "cni0" })] } }, []],
    ["goes where only another bridge has ports", {
      after: { links: [bridge, link("veth8", "veth", { master: "cni1" })] }
    }, ["ip link del cni0"]],
    ["stays where it is of another kind", { after: { links: [link("cni0", "dummy")] } }, []],
    ["that is another stays", { after: { links: [link("cni1", "bridge")] } }, []]
  ]
  for (const [what, given, restored] of bridges) {
    it.effect(`the bridge ${what}`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual((yield* tried({ ...given, bridge: "cni0" })).restored, restored)
      }))
  }

  it.effect("no bridge goes of a network without one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* tried({ after: { links: [bridge] } })).restored, [])
    }))

  const tables: ReadonlyArray<readonly [what: string, given: Case, restored: ReadonlyArray<string>]> = [
    ["goes where it is new and empty", {}, ["nft delete table ip nat"]],
    ["stays where nft is not there", { tools: ["iptables-save"] }, []],
    ["stays where it was there before", { before: { rules: save(":POSTROUTING ACCEPT", "") } }, []],
    ["stays where it has rules", {
      after: { rules: save(":POSTROUTING ACCEPT", "-A POSTROUTING -j ACCEPT") }
    }, []]
  ]
  for (const [what, given, restored] of tables) {
    it.effect(`a table of nftables that iptables made ${what}`, () =>
      Effect.gen(function*() {
        const header = "# Generated by iptables-save (nf_tables)\n"
        const withHeader = (state: State | undefined): State =>
          state?.rules === undefined ? {} : { rules: header + state.rules }
        const found = yield* tried({
          tools: ["iptables-save", "nft"],
          ...given,
          before: withHeader(given.before),
          after: withHeader(given.after ?? { rules: save(":POSTROUTING ACCEPT", "") })
        })
        assert.deepStrictEqual(found.restored, restored)
      }))
  }

  it.effect("a table of the old backend stays", () =>
    Effect.gen(function*() {
      const after = { rules: save(":POSTROUTING ACCEPT", "") }
      assert.deepStrictEqual((yield* tried({ tools: ["iptables-save", "nft"], after })).restored, [])
    }))
})
