/** What the checks of a trial say of the calls that were made in it. */
import { assert, describe, it } from "@effect/vitest"
import * as Checks from "../../src/doctor/Checks.ts"
import type { Left } from "../../src/doctor/facts/Trial.ts"
import type { Failure } from "../../src/exec/PluginAnswer.ts"
import type { Call } from "../../src/runtime/Chain.ts"
import { found } from "./facts.ts"
import * as Host from "./host.ts"

const result = (...addresses: ReadonlyArray<string>) => ({
  cniVersion: "1.0.0",
  interfaces: [{ name: "eth0", sandbox: "/run/netns/x" }],
  ips: addresses.map((address) => ({ address }))
})

/** A call of a plugin that was given a result, and what it answered. */
const call = (
  verb: Call["verb"],
  type: string,
  answer: Partial<Failure> | object,
  prevResult: object = result("10.99.0.2/24")
): Call => ({
  invocation: "1",
  plugin: { type, title: type },
  verb,
  time: 0,
  env: {},
  stdin: JSON.stringify({ type, prevResult }),
  file: `/opt/cni/bin/${type}`,
  execution: undefined,
  answer: "msg" in answer
    ? { _tag: "Failure", hasDocument: true, code: 7, msg: "", details: "", ...answer }
    : { _tag: "Success", document: JSON.stringify(answer) }
})

const findings = (
  calls: ReadonlyArray<Call>,
  left: ReadonlyArray<Left> = [],
  innermost = new Map<string, string>(),
  change: Host.Change = {}
) => found(Checks.trial, Host.facts({ ...change, facts: { trial: { calls, innermost, left } } }))

describe("a trial", () => {
  it("in which all goes well tells nothing", () => {
    const same = result("10.99.0.2/24")
    assert.deepStrictEqual(
      findings([call("ADD", "portmap", same), call("CHECK", "portmap", {}), call("DEL", "bridge", {})]),
      []
    )
  })

  it("names the plugin that was seen to fail inside another, whatever its words are", () => {
    const failed = call("ADD", "bridge", { msg: "is a directory" })
    assert.deepStrictEqual(findings([failed], [], new Map([["1", "host-local"]])), [
      "error trial-add host-local ADD fails in host-local in bridge: code 7: is a directory"
    ])
  })

  it("names the plugin that fails, and the nested one where the failure is its", () => {
    assert.deepStrictEqual(findings([call("ADD", "bridge", { msg: "no such zone\nand more" })]), [
      "error trial-add bridge ADD fails in bridge: code 7: no such zone"
    ])
    for (
      const msg of [
        "plugin type=\"host-local\" failed (add): no room",
        "failed to allocate for range 0: no IP addresses available",
        "failed to find plugin \"host-local\" in path"
      ]
    ) {
      assert.match(
        findings([call("ADD", "bridge", { msg })]).join(),
        /^error trial-add host-local ADD fails in host-local in bridge/
      )
    }
  })

  it("tells a CHECK that fails as a warning, and a DEL that fails as an error", () => {
    assert.deepStrictEqual(
      findings([call("CHECK", "mine", { msg: "x" }), call("DEL", "mine", { msg: "y", code: undefined })]),
      [
        "error trial-del mine DEL fails in mine: y",
        "warning trial-check mine CHECK fails in mine: code 7: x"
      ]
    )
  })

  it("passes over portmap's CHECK for rules of IPv6, where there is no such address, and only there", () => {
    const msg = "could not check ipv6 dnat: chain CNI-DN-0 not found in iptables table nat"
    assert.deepStrictEqual(findings([call("CHECK", "portmap", { msg })]), [])
    const dual = result("10.99.0.2/24", "fd99::2/64")
    assert.match(findings([call("CHECK", "portmap", { msg }, dual)]).join(), /^warning trial-check portmap/)
    assert.match(
      findings([call("CHECK", "portmap", { msg: "could not check ipv4 dnat" })]).join(),
      /trial-check portmap/
    )
  })

  it("names the plugin that drops, or changes, what those before it answered", () => {
    assert.deepStrictEqual(findings([call("ADD", "mine", { cniVersion: "1.0.0" })]), [
      "error trial-result mine mine drops what the plugins before it answered: interface eth0 in /run/netns/x, " +
      "address 10.99.0.2/24"
    ])
    assert.match(
      findings([call("ADD", "mine", result("10.99.0.9/24"))]).join(),
      /^error trial-result mine mine changes what .*: address 10\.99\.0\.2\/24$/
    )
  })

  it("names the plugin that leaves something after its DEL", () => {
    const left: ReadonlyArray<Left> = [
      { kind: "reservation", text: "/var/lib/cni/networks/n/10.99.0.9" },
      { kind: "rule", text: "iptables -t nat -A CNI-HOSTPORT-DNAT -j CNI-DN-1" },
      { kind: "link", text: "veth9" }
    ]
    assert.deepStrictEqual(findings([], left), [
      "error trial-left host-local after DEL there is still reservation of the trial",
      "error trial-left portmap after DEL there is still rule of the trial",
      "error trial-left bridge after DEL there is still link of the trial"
    ])
  })
})

describe("what is left after the DEL of a trial", () => {
  const [portmap, firewall] = [{ type: "portmap" }, { type: "firewall" }]
  const published = "iptables -t nat -A CNI-HOSTPORT-DNAT -j CNI-DN-1"
  const filtered = "iptables -t filter -A CNI-FORWARD -d 10.99.0.2/32 -j ACCEPT"
  const masquerading = "iptables -t nat -A POSTROUTING -s 10.99.0.2/32 -j CNI-1"
  const cases: { readonly [name: string]: readonly [left: Left, plugins: ReadonlyArray<object>, leaver: string] } = {
    "is of portmap where it is a rule that publishes a port": [
      { kind: "rule", text: published },
      [portmap, firewall],
      "portmap"
    ],
    "is of portmap where it is a rule of nftables that publishes a port": [
      { kind: "rule", text: "ip cni_hostport hostports dnat name: web" },
      [portmap, firewall],
      "portmap"
    ],
    "is of the plugin that makes the interface where no portmap is there": [
      { kind: "rule", text: published },
      [firewall],
      "bridge"
    ],
    "is of firewall where it is a rule that filters": [
      { kind: "rule", text: filtered },
      [portmap, firewall],
      "firewall"
    ],
    "is of no plugin where it is a rule that filters, and no firewall is there": [
      { kind: "rule", text: filtered },
      [portmap],
      "-"
    ],
    "is of the plugin that makes the interface where it is another rule": [
      { kind: "rule", text: masquerading },
      [portmap, firewall],
      "bridge"
    ],
    "is of the plugin that makes the interface where it is a link, whatever that is called": [
      { kind: "link", text: "CNI-DN-1 -t filter" },
      [portmap, firewall],
      "bridge"
    ],
    "is of host-local where it is a reservation, whatever that is called": [
      { kind: "reservation", text: "/var/lib/cni/networks/-t filter/CNI-DN-1" },
      [portmap, firewall],
      "host-local"
    ]
  }
  for (const [name, [left, plugins, leaver]] of Object.entries(cases)) {
    it(name, () => {
      assert.deepStrictEqual(findings([], [left], new Map(), { plugins }), [
        `error trial-left ${leaver} after DEL there is still ${left.kind} of the trial`
      ])
    })
  }
})
