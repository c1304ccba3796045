/** What the checks of a trial say of the calls that were made in it. */
import { assert, describe, it } from "@effect/vitest"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Trials from "../../src/doctor/checks/Trials.ts"
import type { Facts } from "../../src/doctor/Facts.ts"
import type { Left, Sent } from "../../src/doctor/facts/Trial.ts"
import type { Finding, Found } from "../../src/doctor/Finding.ts"
import * as Fix from "../../src/doctor/Fix.ts"
import type { Flow } from "../../src/doctor/flow/Flow.ts"
import type { Failure } from "../../src/exec/PluginAnswer.ts"
import type { Call } from "../../src/runtime/Chain.ts"
import { found, said } from "./facts.ts"
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
  env: {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: "c1",
    CNI_NETNS: "/run/netns/x",
    CNI_IFNAME: "eth0",
    CNI_ARGS: "",
    CNI_PATH: "/opt/cni/bin"
  },
  stdin: JSON.stringify({ type, prevResult }),
  file: `/opt/cni/bin/${type}`,
  execution: undefined,
  answer: "msg" in answer
    ? { _tag: "Failure", hasDocument: true, code: 7, msg: "", details: "", ...answer }
    : { _tag: "Success", document: JSON.stringify(answer) }
})

const sent = { flows: [], findings: [], problem: undefined }

const findings = (
  calls: ReadonlyArray<Call>,
  left: ReadonlyArray<Left> = [],
  innermost = new Map<string, string>(),
  change: Host.Change = {}
) => found(Checks.trial, Host.facts({ ...change, facts: { trial: { calls, innermost, left, sent } } }))

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

describe("the checks of a trial", () => {
  const facts = (calls: ReadonlyArray<Call>, left: ReadonlyArray<Left> = []) =>
    Host.facts({ facts: { trial: { calls, innermost: new Map(), left, sent } } })
  const bytes = (text: string) => new TextEncoder().encode(text)
  const failing = (
    verb: Call["verb"],
    failure: Partial<Failure>,
    printed: { readonly stdout?: string; readonly stderr?: string } = {}
  ) => ({
    ...call(verb, "bridge", { msg: "no", ...failure }),
    execution: { stdout: bytes(printed.stdout ?? ""), stderr: bytes(printed.stderr ?? "") } as never
  })

  it("have nothing to say where there was none", () => {
    for (const check of Checks.trial) assert.deepStrictEqual(said(check, Host.facts()), "no trial was requested")
  })

  it("have nothing to say of a verb that no plugin was called for", () => {
    const [add, , del, , checked] = Checks.trial.map((check) => said(check, facts([])))
    assert.deepStrictEqual([add, del, checked], [
      "no plugin was called for ADD",
      "no plugin was called for DEL",
      "no plugin was called for CHECK"
    ])
  })

  it("prove a failure with its details, and the last lines that the plugin wrote", () => {
    const printed = { stdout: "out\n", stderr: "1\n\n2\n3\n4\n5\n6\n" }
    assert.deepStrictEqual(said(Trials.trialAdd, facts([failing("ADD", { details: "more" }, printed)])), [[
      "error bridge ADD fails in bridge: code 7: no",
      "details: more",
      ...["2", "3", "4", "5", "6"].map((line) => `stderr: ${line}`)
    ]])
  })

  it("leave out the code that the reference plugins give every error", () => {
    const failed = failing("ADD", { code: 999, msg: "no room\nat all" })
    assert.deepStrictEqual(said(Trials.trialAdd, facts([failed])), [["error bridge ADD fails in bridge: no room"]])
  })

  it("prove a failure without a document with what was written in its place", () => {
    const failed = failing("ADD", { hasDocument: false, code: undefined }, { stdout: " panic \n", stderr: "\n" })
    assert.deepStrictEqual(said(Trials.trialAdd, facts([failed])), [[
      "error bridge ADD fails in bridge: no",
      "stdout: panic"
    ]])
    assert.deepStrictEqual(said(Trials.trialAdd, facts([{ ...failed, execution: undefined }])), [
      ["error bridge ADD fails in bridge: no"]
    ])
  })

  it("prove a failure with the last 4096 bytes at most", () => {
    const failed = failing("ADD", {}, { stderr: "x".repeat(5000) })
    assert.strictEqual(said(Trials.trialAdd, facts([failed]))[0]?.[1]?.length, 4096 + "stderr: ".length)
  })

  const nested: ReadonlyArray<readonly [failure: Partial<Failure>, culprit: string]> = [
    [{ msg: "plugin type=\"host-local\" failed (add)" }, "host-local"],
    [{ msg: "x", details: "failed to find plugin \"host-local\" in path" }, "host-local"],
    [{ msg: "plugin type=\"other\" failed (add)" }, "bridge"],
    [{ msg: "no IP addresses available in range set" }, "host-local"],
    [{ msg: "failed to allocate all requested IPs" }, "host-local"],
    [{ msg: "requested IP address is not available" }, "host-local"],
    [{ msg: "duplicate allocation is not allowed" }, "host-local"],
    [{ msg: "open /var/lib/cni/networks/n/lock: denied" }, "host-local"],
    [{ msg: "dial unix /run/cni/dhcp.sock" }, "host-local"],
    [{ msg: "link not found" }, "bridge"]
  ]
  for (const [failure, culprit] of nested) {
    it(`blame ${culprit} for: ${failure.msg} ${failure.details ?? ""}`, () => {
      const [[first = ""] = []] = said(Trials.trialAdd, facts([failing("ADD", failure)]))
      assert.isTrue(
        first.startsWith(`error ${culprit} ADD fails in ${culprit === "bridge" ? "" : "host-local in "}bridge`)
      )
    })
  }

  it("blame a plugin alone that calls no other", () => {
    const failed = {
      ...failing("ADD", { msg: "no IP addresses available" }),
      plugin: { type: "portmap", title: "portmap" }
    }
    assert.strictEqual(
      said(Trials.trialAdd, facts([failed]))[0]?.[0],
      "error portmap ADD fails in portmap: code 7: no IP addresses available"
    )
  })

  it("pass over the CHECK of portmap alone", () => {
    const msg = "could not check ipv6 dnat"
    const found = (verb: Call["verb"], type: string) =>
      Checks.trial.flatMap((check) => {
        const answer = said(check, facts([call(verb, type, { msg })]))
        return typeof answer === "string" ? [] : answer
      }).length
    assert.deepStrictEqual([found("CHECK", "portmap"), found("CHECK", "bridge"), found("DEL", "portmap")], [0, 1, 1])
  })

  it("compare what plugins answer part by part", () => {
    const before = {
      interfaces: [{ name: "veth1" }, { name: "eth0", sandbox: "/n" }],
      ips: [{ address: "10.99.0.2/24" }],
      routes: [{ dst: "0.0.0.0/0" }]
    }
    const added = (after: object, given: object = before) =>
      said(Trials.trialResult, facts([call("ADD", "mine", after, given)]))
    const shown = (when: string, ...parts: ReadonlyArray<string>) => parts.map((part) => `${when}: ${part}`)
    const parts = ["interface veth1", "interface eth0 in /n", "address 10.99.0.2/24", "route 0.0.0.0/0"]
    assert.deepStrictEqual(added(before), [])
    assert.deepStrictEqual(added({ ...before, ips: [...before.ips, { address: "10.98.0.1/24" }] }), [])
    assert.deepStrictEqual(added({ ...before, routes: [] }), [[
      "error mine mine drops what the plugins before it answered: route 0.0.0.0/0",
      ...shown("before", ...parts),
      ...shown("after", ...parts.slice(0, 3))
    ]])
    assert.deepStrictEqual(
      added({ ...before, ips: [{ address: "10.98.0.1/24" }] })[0]?.[0],
      "error mine mine changes what the plugins before it answered: address 10.99.0.2/24"
    )
    assert.deepStrictEqual(
      added({ ips: [{ address: "10.98.0.1/24" }] }, { interfaces: [{ name: "veth1" }] })[0]?.[0],
      "error mine mine drops what the plugins before it answered: interface veth1"
    )
    assert.deepStrictEqual(added({ interfaces: 5, ips: [5] }, { interfaces: {}, ips: [5] }), [])
  })

  it("compare nothing where no plugin gave a result", () => {
    assert.strictEqual(
      said(Trials.trialResult, facts([call("ADD", "mine", { msg: "x" }), call("DEL", "mine", {})])),
      "no plugin gave a result"
    )
    assert.strictEqual(said(Trials.trialResult, facts([call("DEL", "mine", {})])), "no plugin gave a result")
    const both = [call("ADD", "one", result("10.99.0.2/24")), call("ADD", "two", { msg: "x" })]
    assert.deepStrictEqual(said(Trials.trialResult, facts(both)), [])
  })

  it("tell all that one plugin left as one, with its kinds once", () => {
    const left: ReadonlyArray<Left> = [
      { kind: "link", text: "veth8" },
      { kind: "rule", text: "iptables -t nat -A POSTROUTING -j CNI-1" },
      { kind: "link", text: "veth9" }
    ]
    assert.deepStrictEqual(said(Trials.trialLeft, facts([], left)), [[
      "error bridge after DEL there is still link, rule of the trial",
      "link: veth8",
      "rule: iptables -t nat -A POSTROUTING -j CNI-1",
      "link: veth9"
    ]])
    assert.deepStrictEqual(said(Trials.trialLeft, facts([])), [])
  })
})

describe("the packets of a trial", () => {
  const flow = (fields: Partial<Flow> = {}): Flow => ({
    kind: "world",
    attachment: Host.attachment({ containerId: "cni-doctor-1" }, Host.inside),
    words: "the world, by up0",
    from: "10.99.0.9",
    to: "world",
    family: 4,
    protocol: "tcp",
    port: 443,
    size: 84,
    path: ["eth0", "up0"],
    status: "dropped",
    reason: "the world, by up0: the packet was dropped by ip filter FORWARD in host (-j DROP)",
    verified: true,
    ...fields
  })
  const finding = (fields: Partial<Finding> = {}): Finding => ({
    level: "error",
    check: "forward-rules",
    plugin: "firewall",
    message: "FORWARD drops it",
    evidence: ["-A FORWARD -j DROP"],
    fix: Fix.run("delete the rule", ["iptables", "-D", "FORWARD", "1"]),
    ...fields
  })
  const lost = (sent: Partial<Sent>, failed: ReadonlyArray<string> = [], facts: Partial<Facts> = {}) => {
    const trial = {
      calls: [],
      innermost: new Map(),
      left: [],
      sent: { flows: [], findings: [], problem: undefined, ...sent }
    }
    return Trials.trialFlows.find(Host.facts({ facts: { trial, ...facts } }), new Set(failed))
  }
  const levels = (found: ReturnType<typeof lost>) => (found as ReadonlyArray<Found>).map(({ level }) => level)

  it("that arrive tell nothing", () => {
    assert.deepStrictEqual(lost({ flows: [flow({ status: "arrives", reason: "" })] }), [])
  })

  it("that are dropped are an error, with what was sent", () => {
    assert.deepStrictEqual(lost({ flows: [flow()] }), [{
      level: "error",
      message: "the world, by up0: the packet was dropped by ip filter FORWARD in host (-j DROP)",
      evidence: ["sent: tcp from 10.99.0.9 to world port 443, 84 bytes"],
      fix: "correct what the finding names, and try again: cni-passthrough doctor --trial"
    }])
  })

  it("that one rule drops are told once", () => {
    const reason = "the packet was dropped by ip filter FORWARD in host (-j DROP)"
    const other = flow({ words: "name server 1.1.1.1", reason: `name server 1.1.1.1: ${reason}` })
    const found = lost({ flows: [flow(), other] })
    assert.isArray(found)
    assert.deepStrictEqual((found as ReadonlyArray<Found>).map(({ message }) => message), [
      `the world, by up0; name server 1.1.1.1: ${reason}`
    ])
  })

  it("that are dropped between containers are a note where no two live containers need the flow", () => {
    const reason = "the packet was dropped by ip filter FORWARD in host (policy drop)"
    const flows = [flow({ kind: "peer", reason })]
    const live = Host.attachment({}, Host.inside)
    assert.deepStrictEqual(levels(lost({ flows }, [], { all: [live] })), ["note"])
    assert.deepStrictEqual(levels(lost({ flows }, [], { all: [live, live] })), ["error"])
    assert.deepStrictEqual(levels(lost({ flows: [...flows, flow({ reason })] })), ["error"])
  })

  it("that were not sent tell nothing, even if they are predicted to be dropped", () => {
    assert.deepStrictEqual(lost({ flows: [flow({ verified: false })] }), [])
  })

  it("are not told beside the finding about living attachments that explains them", () => {
    const flows = [flow({ check: "forward-rules" })]
    assert.deepStrictEqual(lost({ flows }, ["forward-rules"]), [])
    assert.lengthOf(lost({ flows }, ["masquerade"]) as ReadonlyArray<Found>, 1)
  })

  it("have the plugin, the evidence and the fix of the check that explains them", () => {
    const [found] = lost({ flows: [flow({ check: "forward-rules" })], findings: [finding()] }) as ReadonlyArray<Found>
    assert.deepInclude(found, { plugin: "firewall", fix: finding().fix })
    assert.include(found?.evidence.join("\n"), "-A FORWARD -j DROP")
  })

  it("have no commands about the temporary namespace, which is gone", () => {
    const commands = finding({ fix: Fix.run("set it", ["nsenter", "--net=/run/netns/cni-doctor-1", "ip", "addr"]) })
    const [found] = lost({ flows: [flow({ check: "forward-rules" })], findings: [commands] }) as ReadonlyArray<Found>
    assert.match(String(found?.fix), /^correct what the finding names/)
  })

  it("that could not be sent leave the check undecided, with the reason", () => {
    assert.deepStrictEqual(lost({ flows: [flow({ verified: false })], problem: "nft is missing" }), {
      skipped: "packets were not sent: nft is missing",
      isUnknown: true
    })
  })
})
