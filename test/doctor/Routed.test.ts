/** Attachments, and their way out through the host. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as AttachedContainer from "../../src/doctor/AttachedContainer.ts"
import * as Names from "../../src/doctor/Names.ts"
import * as Routed from "../../src/doctor/Routed.ts"
import * as Tables from "../../src/doctor/Tables.ts"
import * as Host from "./host.ts"

const [uplink, cni0, veth1] = Host.outside.links
const [loopback, eth0] = Host.inside.links
if (uplink === undefined || cni0 === undefined || veth1 === undefined || eth0 === undefined) {
  throw new Error("the healthy host has no links")
}

/** The first attachment that could be looked into. */
const seen = (change: Host.Change = {}): AttachedContainer.AttachedContainer =>
  AttachedContainer.of(Host.facts(change))[0] ?? assert.fail("no attachment is seen")

describe("an attachment is seen", () => {
  it("with its link, the namespaces on both sides, and who made it", () => {
    const { attachment, ...found } = seen()
    assert.strictEqual(attachment.containerId, "web")
    assert.deepStrictEqual(found, {
      result: Result.getOrThrow(Host.attachment().result),
      inside: Host.inside,
      link: eth0,
      outside: Host.outside,
      hostEnd: "veth1",
      maker: "bridge",
      title: "eth0 of web"
    })
  })

  const unseen: { readonly [what: string]: Host.Change } = {
    "where its namespace is gone": { attachment: { sight: { _tag: "Missing" } } },
    "where its namespace is that of the host": {
      attachment: { sight: { _tag: "There", network: Host.inside, isHost: true } }
    },
    "where its result is not known": { attachment: { result: Result.fail("no result") } }
  }
  for (const [what, change] of Object.entries(unseen)) {
    it(`only where all that is known, and not ${what}`, () => {
      assert.deepStrictEqual(AttachedContainer.of(Host.facts(change)), [])
    })
  }

  it("without what is not there", () => {
    assert.isUndefined(seen({ inside: { links: loopback === undefined ? [] : [loopback] } }).link)
    assert.isUndefined(seen({ host: { network: Result.fail("no ip") } }).outside)
    assert.isUndefined(seen({ facts: { host: undefined } }).outside)
  })

  it("with an end on the host of plugins that make a pair alone", () => {
    const hostEnd = (type: string) => seen({ bridge: { type } }).hostEnd
    assert.deepStrictEqual([hostEnd("ptp"), hostEnd("macvlan")], ["cni0", undefined])
    const interfaces = [{ name: "", sandbox: "" }, { name: "eth0", sandbox: "/run/netns/web" }, { name: "veth7" }]
    assert.strictEqual(seen({ attachment: { result: Host.resultWith({ interfaces }) } }).hostEnd, "veth7")
  })

  it("with its plugin to blame, where that is known", () => {
    assert.deepStrictEqual(AttachedContainer.culprit(seen()), { plugin: "bridge" })
    assert.deepStrictEqual(AttachedContainer.culprit({ ...seen(), maker: undefined }), {})
  })
})

describe("an attachment is called by", () => {
  const digits = "0123456789abcdef".repeat(4)
  const names: ReadonlyArray<readonly [containerId: string, pod: string | undefined, name: string]> = [
    ["web", undefined, "eth0 of web"],
    ["web", "shop/web", "eth0 of shop/web (web)"],
    ["web", "web", "eth0 of web"],
    [digits, undefined, "eth0 of 0123456789ab"],
    [digits, "shop/web", "eth0 of shop/web (0123456789ab)"],
    [`${digits}0`, undefined, `eth0 of ${digits}0`],
    [digits.slice(1), undefined, `eth0 of ${digits.slice(1)}`],
    [digits.toUpperCase(), undefined, `eth0 of ${digits.toUpperCase()}`]
  ]
  for (const [containerId, pod, name] of names) {
    it(name, () => assert.strictEqual(Names.attachment({ containerId, pod, ifname: "eth0" }), name))
  }
})

describe("the attachments that one is compared with", () => {
  const named = (...ids: ReadonlyArray<string>) =>
    ids.map((containerId) => Host.attachment({ containerId, file: `/results/${containerId}` }))

  it("are those after it, and those of other networks, so that none are compared twice", () => {
    const attachments = named("a", "b", "c")
    const all = [...attachments, ...named("d")]
    const rivals = attachments.map((each) =>
      AttachedContainer.attachmentsAfter(each, { all, attachments }).map(({ containerId }) => containerId)
    )
    assert.deepStrictEqual(rivals, [["b", "c", "d"], ["c", "d"], ["d"]])
  })
})

describe("a link is written", () => {
  it("in one line, with its kind and its bridge where it has them", () => {
    const link = Host.link("eth0", { mtu: 1400, state: "UNKNOWN" })
    assert.strictEqual(AttachedContainer.linkText(link), "eth0: up, state UNKNOWN, mtu 1400, 02:00:00:00:00:01")
    assert.strictEqual(
      AttachedContainer.linkText({ ...link, isUp: false, kind: "veth", master: "cni0" }),
      "eth0: down, state UNKNOWN, mtu 1400, 02:00:00:00:00:01, veth, port of cni0"
    )
  })
})

describe("the addresses of an attachment in its result", () => {
  const addresses = (ips: ReadonlyArray<unknown>) =>
    AttachedContainer.addressesOf(seen({ attachment: { result: Host.resultWith({ ips }) } })).map(({ text }) => text)

  it("are those of its own link, and those of none", () => {
    assert.deepStrictEqual(
      addresses([
        { address: "10.99.0.2/24", interface: 2 },
        { address: "10.99.0.3/24", interface: 1 }, // of the host
        { address: "10.99.0.4/24" },
        { address: "10.99.0.5/24", interface: 9 },
        { address: "web" },
        null
      ]),
      ["10.99.0.2/24", "10.99.0.4/24", "10.99.0.5/24"]
    )
  })

  it("are not those of another link of the container", () => {
    const interfaces = [{ name: "eth0", sandbox: "/run/netns/web" }, { name: "net1", sandbox: "/run/netns/web" }]
    const ips = [{ address: "10.99.0.2/24", interface: 0 }, { address: "10.99.0.3/24", interface: 1 }]
    const result = Host.resultWith({ interfaces, ips })
    assert.deepStrictEqual(AttachedContainer.addressesOf(seen({ attachment: { result } })), [
      { ...Host.cidr("10.99.0.2/24"), text: "10.99.0.2/24" }
    ])
  })

  it("are none where the result has none", () => {
    const result = Host.emptyResult
    assert.deepStrictEqual(AttachedContainer.addressesOf(seen({ attachment: { result } })), [])
    assert.deepStrictEqual(AttachedContainer.gatewaysOf(seen({ attachment: { result } })), [])
  })

  it("have gateways, but for what is no address", () => {
    const ips = [{ address: "10.99.0.2/24", gateway: "10.99.0.1" }, { address: "fd00::2/64", gateway: "x" }, {}, null]
    assert.deepStrictEqual(AttachedContainer.gatewaysOf(seen({ attachment: { result: Host.resultWith({ ips }) } })), [
      Host.address("10.99.0.1")
    ])
  })
})

describe("a way out through the host", () => {
  const ways = (change: Host.Change = {}) =>
    Routed.of(Host.facts(change)).map(({ address, device }) => `${address.text} behind ${device}`)

  it("is that of an address behind the bridge", () => {
    assert.deepStrictEqual(ways(), ["10.99.0.2/24 behind cni0"])
  })

  it("is that of an address behind the end on the host, where there is no bridge", () => {
    const interfaces = [{ name: "veth1", sandbox: "" }, { name: "eth0", sandbox: "/run/netns/web" }]
    const result = Host.resultWith({ interfaces, ips: [{ address: "10.99.0.2/24" }] })
    assert.deepStrictEqual(ways({ bridge: { type: "ptp" }, attachment: { result } }), ["10.99.0.2/24 behind veth1"])
    const without = Host.resultWith({ interfaces: interfaces.slice(1), ips: [{ address: "10.99.0.2/24" }] })
    assert.deepStrictEqual(ways({ bridge: { type: "ptp" }, attachment: { result: without } }), [])
  })

  const closed: { readonly [what: string]: Host.Change } = {
    "of a network whose gateway is another": { bridge: { isGateway: false } },
    "of a container without its link": { inside: { links: [] } },
    "of a container without a route over a gateway": { inside: { routes: Host.inside.routes.slice(1) } },
    "of a container with a gateway of the other family": {
      inside: { routes: [Host.route("::/0", "eth0", { gateway: "fd00::1" })] }
    },
    "of a container whose route goes nowhere": {
      inside: { routes: [Host.route("0.0.0.0/0", "eth0", { gateway: "10.99.0.1", type: "blackhole" })] }
    }
  }
  for (const [what, change] of Object.entries(closed)) {
    it(`is not that ${what}`, () => assert.deepStrictEqual(ways(change), []))
  }
})

describe("the links that the host reaches the world by", () => {
  const uplinks = (...routes: ReadonlyArray<ReturnType<typeof Host.route>>) => {
    const facts = Host.facts({ outside: { routes } })
    return [Routed.uplinksOf(facts, 4), Routed.uplinkOf(facts, 4), Routed.uplinkOf(facts, 6)]
  }

  it("are those of the default routes of the main table, each once", () => {
    assert.deepStrictEqual(
      uplinks(
        Host.route("10.0.0.0/8", "vpn"),
        Host.route("0.0.0.0/0", "other", { table: "7" }),
        Host.route("0.0.0.0/0", "wan1"),
        Host.route("0.0.0.0/0", "wan2"),
        Host.route("0.0.0.0/0", "wan1", { gateway: "192.0.2.9" }),
        Host.route("0.0.0.0/0", "", { device: undefined, type: "blackhole" }),
        Host.route("::/0", "wan6")
      ),
      [["wan1", "wan2"], "wan1", "wan6"]
    )
  })

  it("are none where nothing is known, and eth0 stands for them then", () => {
    assert.deepStrictEqual(uplinks(), [[], "eth0", "eth0"])
    const unknown = [Host.facts({ facts: { host: undefined } }), Host.facts({ host: { network: Result.fail("x") } })]
    assert.deepStrictEqual(unknown.map((facts) => Routed.uplinksOf(facts, 4)), [[], []])
  })

  it("lead to a peer far away of each family", () => {
    assert.deepStrictEqual(Routed.elsewhere, {
      4: Host.address("93.184.216.34"),
      6: Host.address("2606:2800::1")
    })
  })
})

describe("another table than main may lead to an address", () => {
  const address = Host.cidr("10.99.0.2/24")
  const route = Host.route("10.99.0.0/24", "cni0", { table: "7" })
  const asking = (fields: object) => Host.policies(JSON.stringify({ priority: 9, src: "all", table: "7", ...fields }))
  const mayLead = (
    { links = Host.outside.links, policies = asking({}), to = route }: {
      readonly links?: typeof Host.outside.links
      readonly policies?: ReturnType<typeof asking>
      readonly to?: typeof route
    }
  ) => Tables.mayLead({ policies }, { ...Host.outside, links, routes: [to] }, address, "cni0")

  const led: { readonly [what: string]: Parameters<typeof mayLead>[0] } = {
    "where a rule asks it": {},
    "where a rule asks it for this subnet": { policies: asking({ dst: "10.99.0.0", dstlen: 24 }) },
    "where the link has a table of its own": {
      policies: [],
      links: [{ ...cni0, master: "red" }, Host.link("red", { kind: "vrf" })]
    }
  }
  for (const [what, given] of Object.entries(led)) it(what, () => assert.isTrue(mayLead(given)))

  const lost: { readonly [what: string]: Parameters<typeof mayLead>[0] } = {
    "where no rule asks it": { policies: [] },
    "where a rule asks another table": { policies: asking({ table: "8" }) },
    "where a rule asks it for another subnet": { policies: asking({ dst: "10.98.0.0", dstlen: 24 }) },
    "where a rule of the other family asks it": {
      policies: asking({}).map((rule) => ({ ...rule, family: 6 }) as const)
    },
    "where its route is over another link": { to: { ...route, device: "uplink" } },
    "where its route goes nowhere": { to: { ...route, type: "blackhole" } },
    "where its route is one of main": { to: { ...route, table: "main" }, policies: asking({ table: "main" }) },
    "where its route is to another subnet": { to: Host.route("10.98.0.0/24", "cni0", { table: "7" }) },
    "where the link is a port of a bridge": {
      policies: [],
      links: [{ ...cni0, master: "red" }, Host.link("red", { kind: "bridge" })]
    },
    "where a VRF is not that of the link": { policies: [], links: [cni0, Host.link("red", { kind: "vrf" })] }
  }
  for (const [what, given] of Object.entries(lost)) it(`but not ${what}`, () => assert.isFalse(mayLead(given)))
})
