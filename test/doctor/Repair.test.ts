/** Repairs that several checks propose: an attachment made anew, its routes, what containers that are gone left. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Attachment } from "../../src/doctor/facts/Attachment.ts"
import * as Fix from "../../src/doctor/Fix.ts"
import * as Repair from "../../src/doctor/Repair.ts"
import * as Host from "./host.ts"

/** The commands that attach a container anew, without those that make chains of nat first. */
const reattached = (
  fields: Partial<Attachment>,
  change: Host.Change = {},
  options: Parameters<typeof Repair.reattach>[2] = {}
) =>
  Repair.reattach([Host.attachment(fields)], Host.facts(change), options).commands.map(Fix.line)
    .filter((line) => line.startsWith("cni-passthrough"))

/** The arguments that the new ADD is given. */
const argsOf = (...args: Parameters<typeof reattached>) => / --args (\S+)/.exec(reattached(...args).at(-1) ?? "")?.[1]

describe("the arguments of an attachment that is made anew", () => {
  const cases: ReadonlyArray<readonly [args: string, given: string]> = [
    ["", "'IgnoreUnknown=1;IP=10.99.0.2'"],
    ["K8S_POD_NAME=web", "'IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.99.0.2'"],
    ["IgnoreUnknown=1;A=b", "'IgnoreUnknown=1;A=b;IP=10.99.0.2'"],
    ["A=b;IgnoreUnknown=TRUE", "'A=b;IgnoreUnknown=TRUE;IP=10.99.0.2'"],
    ["IgnoreUnknown=0", "'IgnoreUnknown=1;IgnoreUnknown=0;IP=10.99.0.2'"],
    ["XIgnoreUnknown=1", "'IgnoreUnknown=1;XIgnoreUnknown=1;IP=10.99.0.2'"],
    ["IgnoreUnknown=10", "'IgnoreUnknown=1;IgnoreUnknown=10;IP=10.99.0.2'"],
    ["IP=10.99.0.9", "IP=10.99.0.9"],
    ["A=b;IP=10.99.0.9", "'A=b;IP=10.99.0.9'"],
    ["XIP=10.99.0.9", "'IgnoreUnknown=1;XIP=10.99.0.9;IP=10.99.0.2'"]
  ]
  for (const [args, given] of cases) {
    it(`ask for its address: ${args || "none"}`, () => assert.strictEqual(argsOf({ args }), given))
  }

  it("do not ask for an address that it is not to keep, that is not known, or that another plugin gives", () => {
    assert.isUndefined(argsOf({}, {}, { keepsAddress: false }))
    assert.strictEqual(argsOf({ args: "A=b" }, {}, { keepsAddress: false }), "A=b")
    assert.isUndefined(argsOf({ result: Result.fail("x") }))
    assert.isUndefined(argsOf({ result: Host.emptyResult }))
    assert.isUndefined(argsOf({}, { bridge: { ipam: { type: "dhcp" } } }))
  })
})

describe("an attachment that is made anew", () => {
  it("is detached and attached with all that names it", () => {
    const [del, add] = reattached({ ifname: "net1", capabilityArgs: { mac: "x" } })
    assert.strictEqual(del, "cni-passthrough run del n --container-id web --netns /run/netns/web --ifname net1")
    assert.strictEqual(
      add,
      "cni-passthrough run add n --container-id web --netns /run/netns/web --ifname net1 " +
        "--args 'IgnoreUnknown=1;IP=10.99.0.2' --capability-args '{\"mac\":\"x\"}'"
    )
  })

  it("cuts its connections, and has one sentence for one and for several", () => {
    const facts = Host.facts()
    const one = Host.attachment()
    const { cuts, text } = Repair.reattach([one], facts)
    assert.deepStrictEqual([text, cuts], [
      "attach the container web anew, or restart it",
      "open connections of eth0 of web"
    ])
    const two = Repair.reattach([one, Host.attachment({ containerId: "api" })], facts)
    assert.deepStrictEqual([two.text, two.cuts], [
      "attach the containers web, api anew, or restart them",
      "open connections of eth0 of web, open connections of eth0 of api"
    ])
  })

  it("is left to its runtime where the network has no file, or the namespace is not there", () => {
    const facts = Host.facts()
    const byHand = { text: "restart the container web", commands: [] }
    assert.deepStrictEqual(Repair.reattach([Host.attachment()], { ...facts, file: undefined }), byHand)
    assert.deepStrictEqual(Repair.reattach([Host.attachment({ sight: { _tag: "Missing" } })], facts), byHand)
    const both = [Host.attachment(), Host.attachment({ containerId: "api", sight: { _tag: "Missing" } })]
    assert.deepStrictEqual(Repair.reattach(both, facts), { text: "restart the containers web, api", commands: [] })
    assert.lengthOf(Repair.reattach([Host.attachment({ sight: undefined as never })], facts).commands, 3)
  })

  const chain = "CNI-8a27acf6a8da9ae16f628c2a"
  const made = (fields: Partial<Attachment>, change: Host.Change = {}) =>
    Repair.reattach([Host.attachment(fields)], Host.facts(change)).commands.map(Fix.line)
      .filter((line) => !line.startsWith("cni-passthrough"))
  const dual = {
    result: Host.resultWith({ ips: ["10.99.0.2/24", "10.99.0.3/24", "fd99::2/64"].map((address) => ({ address })) })
  }
  const has = (table: string, name: string) => ({
    host: { rules: Result.succeed({ rulesets: [Host.rules(`*${table}\n:${name} -\nCOMMIT`)], nft: [] }) }
  })
  it("has the chains of nat made that its DEL needs, once for each family", () => {
    assert.deepStrictEqual(made({}), [`iptables -t nat -N ${chain}`])
    assert.deepStrictEqual(made(dual), [`iptables -t nat -N ${chain}`, `ip6tables -t nat -N ${chain}`])
    assert.deepStrictEqual(made(dual, has("nat", chain)), [`ip6tables -t nat -N ${chain}`])
    assert.deepStrictEqual(made({}, has("filter", chain)), [`iptables -t nat -N ${chain}`])
    assert.deepStrictEqual(made({}, has("nat", "CNI-1")), [`iptables -t nat -N ${chain}`])
  })

  it("has no chains made where no plugin masquerades, or the rules are not known", () => {
    assert.deepStrictEqual(made({}, { bridge: { ipMasq: false } }), [])
    assert.deepStrictEqual(made({}, { host: { rules: Result.fail("x") } }), [])
    assert.deepStrictEqual(made({}, { facts: { host: undefined } }), [])
    assert.deepStrictEqual(made({ result: Result.fail("x") }), [])
  })
})

describe("the folders of a command", () => {
  const of = (folder: string | undefined, cniPath: ReadonlyArray<string>, cacheDir: string) =>
    Repair.foldersOf({ folder, cniPath, cacheDir })
  it("are named where they are not the default", () => {
    assert.deepStrictEqual(of("/etc/cni/net.d", ["/opt/cni/bin", "/usr/lib/cni"], "/var/lib/cni"), [])
    assert.deepStrictEqual(of(undefined, [], "/var/lib/cni"), [])
    assert.deepStrictEqual(of("/a", ["/b", "/c"], "/d"), [
      "--conf-dir",
      "/a",
      "--cni-path",
      "/b:/c",
      "--cache-dir",
      "/d"
    ])
  })

  it("are those of what removes leaks, which needs no plugins", () => {
    const removal = Repair.removeLeaks({ ...Host.facts(), folder: "/a", cacheDir: "/d" })
    assert.deepStrictEqual([removal.text, ...removal.commands.map(Fix.line)], [
      "remove what those containers left",
      "cni-passthrough leaks n --fix --yes --conf-dir /a --cache-dir /d"
    ])
    const [unnamed] =
      Repair.removeLeaks({ file: undefined, folder: undefined, cacheDir: "/var/lib/cni", network: undefined }).commands
    assert.deepStrictEqual(unnamed, ["cni-passthrough", "leaks", "", "--fix", "--yes"])
  })
})

describe("the routes of a result", () => {
  const routesOf = (members: object) =>
    Repair.routes(Host.attachment({ result: Host.resultWith(members) })).map(Fix.line)
  const set = "nsenter --net=/run/netns/web ip route replace"
  it("go via their own gateway, or that of an address of their family", () => {
    const ips = [{ address: "fd99::2/64", gateway: "fd99::1" }, { address: "10.99.0.2/24", gateway: "10.99.0.1" }, {}]
    const routes = [{ dst: "0.0.0.0/0" }, { dst: "10.1.2.3/16", gw: "10.99.0.9" }, { dst: "::/0" }, { dst: "x" }, null]
    assert.deepStrictEqual(routesOf({ ips, routes }), [
      `${set} 0.0.0.0/0 via 10.99.0.1 dev eth0`,
      `${set} 10.1.0.0/16 via 10.99.0.9 dev eth0`,
      `${set} ::/0 via fd99::1 dev eth0`
    ])
    assert.deepStrictEqual(routesOf({ ips: [], routes: [{ dst: "0.0.0.0/0", gw: "x" }] }), [
      `${set} 0.0.0.0/0 dev eth0`
    ])
  })

  it("are none where the result has none, or cannot be read", () => {
    assert.deepStrictEqual(Repair.routes(Host.attachment({ result: Host.emptyResult })), [])
    assert.deepStrictEqual(Repair.routes(Host.attachment({ result: Result.fail("x") })), [])
    const unread = Host.attachment({ result: Result.fail("x") })
    assert.isUndefined(Repair.gatewayOf(unread, Host.cidr("0.0.0.0/0"), undefined))
    assert.deepStrictEqual(Repair.gatewayOf(unread, Host.cidr("0.0.0.0/0"), "10.99.0.9"), Host.address("10.99.0.9"))
  })
})

describe("a command", () => {
  it("is written as one line for a shell", () => {
    assert.strictEqual(Fix.line(Fix.command("ip addr del", "a b", "dev", "x")), "ip addr del 'a b' dev x")
    assert.strictEqual(Fix.line(Fix.inside("/n", "ip addr show")), "nsenter --net=/n ip addr show")
  })

  const names: ReadonlyArray<readonly [name: string, settable: string]> = [
    ["net.ipv4.ip_forward", "net.ipv4.ip_forward"],
    ["net.ipv4.conf.eth0.rp_filter", "net.ipv4.conf.eth0.rp_filter"],
    ["net.ipv4.conf.eth0.5.rp_filter", "net/ipv4/conf/eth0.5/rp_filter"],
    ["net.ipv6.neigh.eth0.5.gc_stale_time", "net/ipv6/neigh/eth0.5/gc_stale_time"],
    ["net.ipv4.neigh.default.gc_thresh3", "net.ipv4.neigh.default.gc_thresh3"]
  ]
  for (const [name, settable] of names) {
    it(`sets ${name} as ${settable}`, () => {
      assert.deepStrictEqual(Fix.sysctl("x", name, 1), {
        text: "x; write it to /etc/sysctl.d too, or it is lost with a reboot",
        commands: [["sysctl", "-w", `${settable}=1`]]
      })
    })
  }
})
