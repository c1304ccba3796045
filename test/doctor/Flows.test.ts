/** Whether the flows that attachments should carry arrive, as far as the facts show. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import type { Facts } from "../../src/doctor/Facts.ts"
import * as Flows from "../../src/doctor/flow/Flows.ts"
import * as Host from "./host.ts"

const flowsOf = (facts: Facts) => Flows.of(Checks.live, facts, Check.examine(Checks.live, facts))

/** A healthy host, with a container that has no ports and no name servers. */
const plain = (change: Host.Change = {}) =>
  Host.facts({
    ...change,
    attachment: { portMappings: [], result: Host.resultWith({ dns: {} }), ...change.attachment }
  })

/** The flows in one line each. */
const lines = (facts: Facts) =>
  flowsOf(facts).map(({ check, reason, status, words }) =>
    `${words}: ${status}${check === undefined ? reason === "" ? "" : `, ${reason}` : `, ${check}`}`
  )

const port = { hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP: "" }

const large = "large packets to the world: unknown, not known without sending one: --trial"

describe("the flows of an attachment", () => {
  it("are those to its gateway and to the world, which arrive on a healthy host", () => {
    assert.deepStrictEqual(lines(plain()), [
      "gateway 10.99.0.1: arrives",
      "the world, by uplink: arrives",
      large
    ])
  })

  it("do not ask for the trial that there was", () => {
    const tried = lines(plain({ facts: { trial: { sent: {} } as never } }))
    assert.deepStrictEqual(tried.at(-1), "large packets to the world: unknown, not known: only the trial sends packets")
  })

  it("are dropped if a finding stops them, and no others", () => {
    const off = { host: { sysctls: new Map([["net.ipv4.ip_forward", "0"]]) } }
    assert.deepStrictEqual(lines(plain(off)), [
      "gateway 10.99.0.1: arrives",
      "the world, by uplink: dropped, ip-forward",
      "large packets to the world: dropped, ip-forward"
    ])
  })

  it("are unknown if the rules of the host are unknown", () => {
    const blind = { host: { rules: Result.fail("no iptables") } }
    assert.deepStrictEqual(lines(plain(blind)), [
      "gateway 10.99.0.1: unknown, no iptables",
      "the world, by uplink: unknown, no iptables",
      "large packets to the world: unknown, no iptables"
    ])
  })

  it("are unknown if its namespace cannot be entered", () => {
    const unseen = { attachment: { sight: { _tag: "Unseen", reason: "permission denied" } as const } }
    for (const line of lines(Host.facts(unseen))) assert.match(line, /: unknown, permission denied$/)
  })

  it("are dropped if its namespace is gone", () => {
    const gone = { attachment: { sight: { _tag: "Missing" } as const } }
    for (const line of lines(Host.facts(gone))) assert.match(line, /: dropped, namespace$/)
  })

  it("do not include the world without a default route", () => {
    const inner = { attachment: { result: Host.resultWith({ routes: [], dns: {} }) } }
    assert.deepStrictEqual(lines(plain(inner)), ["gateway 10.99.0.1: arrives"])
  })

  it("include those to a published port from each side", () => {
    const words = flowsOf(Host.facts({ attachment: { portMappings: [port] } })).map(({ words }) => words)
    assert.deepStrictEqual(words.filter((each) => each.startsWith("port")), [
      "port 8080/tcp from the world",
      "port 8080/tcp from the host",
      "port 8080/tcp from the container itself",
      "port 8080/tcp by 127.0.0.1"
    ])
  })

  it("to a published port can fail while the others arrive", () => {
    const statuses = flowsOf(Host.facts({ attachment: { portMappings: [{ ...port, hostPort: 81 }] } }))
      .map(({ kind, status }) => [kind, status])
    assert.deepInclude(statuses, ["port-world", "dropped"])
    assert.deepInclude(statuses, ["world", "arrives"])
  })

  it("include those to its name servers", () => {
    assert.include(lines(Host.facts()), "name server 192.0.2.53: arrives")
  })

  it("to a name server that is no address are dropped", () => {
    const named = { attachment: { result: Host.resultWith({ dns: { nameservers: ["dns.example"] } }) } }
    assert.include(lines(Host.facts(named)), "name server dns.example: dropped, name-servers")
  })

  it("have the fields that scripts need", () => {
    const [, world] = flowsOf(Host.facts())
    assert.deepInclude(world, { from: "10.99.0.2", to: "world", family: 4, protocol: "tcp", port: 443 })
    assert.deepStrictEqual(world?.path.at(-1), "uplink")
  })
})

describe("rules of the host", () => {
  const other = Host.attachment({ containerId: "db", file: "/db", netns: "/run/netns/db", portMappings: [] }, {
    ...Host.inside,
    links: [Host.link("eth0", { kind: "veth", index: 3, peer: 14 }, "10.99.0.3/24")]
  })
  const withRule = (...rules: ReadonlyArray<string>) => {
    const text = Host.save.replace(
      ":FORWARD ACCEPT [0:0]\n",
      [":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT", ...rules, ""].join("\n")
    )
    const facts = Host.facts({ host: { rules: Result.succeed({ rulesets: [Host.rules(text)], nft: [] }) } })
    return { ...facts, attachments: [...facts.attachments, other] }
  }
  const lost = (...rules: ReadonlyArray<string>) =>
    flowsOf(withRule(...rules)).filter(({ attachment, status }) =>
      attachment.containerId === "web" && status === "dropped"
    )
      .map(({ kind }) => kind)

  it("that drop all that is forwarded stop each flow that is", () => {
    assert.deepStrictEqual(
      lost("-A FORWARD -j DROP").filter((kind) => kind !== "peer"),
      ["world", "world-large", "name-server", "port-world", "port-container", "port-itself"]
    )
  })

  it("that drop answers stop the flow that they answer", () => {
    assert.include(lost("-A FORWARD -i cni0 -o uplink -p tcp -j DROP"), "port-world")
  })

  it("that drop one port stop the flow to it, and no other", () => {
    const own = (rule: string) => lost(rule).filter((kind) => kind !== "peer")
    assert.deepStrictEqual(own("-A FORWARD -i cni0 -p udp -m udp --dport 53 -j DROP"), ["name-server"])
    assert.deepStrictEqual(own("-A FORWARD -i cni0 -p tcp -m tcp --dport 443 -j DROP"), ["world", "world-large"])
  })

  it("that drop what goes to one name server stop the flow to it, and no other", () => {
    const facts = withRule("-A FORWARD -d 198.51.100.53/32 -j DROP")
    const [web, ...others] = facts.attachments
    assert.isDefined(web)
    const named = { ...web, result: Host.resultWith({ dns: { nameservers: ["198.51.100.53", "198.51.100.54"] } }) }
    const flows = flowsOf({ ...facts, attachments: [named, ...others] })
      .filter(({ attachment, kind }) => attachment.containerId === "web" && kind !== "peer")
    assert.deepStrictEqual(flows.filter(({ status }) => status === "dropped").map(({ words }) => words), [
      "name server 198.51.100.53"
    ])
    assert.deepInclude(flows.map(({ status, words }) => [words, status]), ["name server 198.51.100.54", "arrives"])
  })

  it("that drop the answers of a name server stop the flow to it", () => {
    const own = lost("-A FORWARD -s 192.0.2.53/32 -p udp -j DROP").filter((kind) => kind !== "peer")
    assert.deepStrictEqual(own, ["name-server"])
  })

  it("that drop what the host sends stop what it sends to a published port", () => {
    const own = lost("-A OUTPUT -d 10.99.0.0/24 -j DROP").filter((kind) => kind !== "peer")
    assert.deepStrictEqual(own, ["port-host", "port-loopback"])
  })

  it("that cannot be evaluated leave flows open, and name themselves", () => {
    const rule = "-A FORWARD -m statistic --mode random --probability 0.5 -j DROP"
    const world = flowsOf(withRule(rule)).find(({ kind }) => kind === "world")
    assert.deepStrictEqual([world?.status, world?.reason], [
      "unknown",
      `it depends on a rule that cannot be evaluated: nf_tables: ${rule}`
    ])
  })

  it("that may keep containers apart on purpose leave flows between them open, and name themselves", () => {
    const rule = "-A FORWARD -i cni0 -o cni0 -j DROP"
    const itself = flowsOf(withRule(rule)).find(({ kind }) => kind === "port-itself")
    assert.deepStrictEqual([itself?.status, itself?.reason], [
      "unknown",
      `a rule drops it, perhaps to keep containers apart on purpose: nf_tables: ${rule}`
    ])
  })

  it("that cannot be evaluated change nothing if a packet ends in the same way", () => {
    const flows = flowsOf(withRule("-A FORWARD -m statistic --mode random --probability 0.5 -j ACCEPT"))
    assert.deepStrictEqual(flows.find(({ kind }) => kind === "world")?.status, "arrives")
  })
})

describe("a finding about one attachment", () => {
  it("stops no flow of another one", () => {
    const facts = plain()
    const gone = Host.attachment({ containerId: "gone", file: "/gone" }, Host.inside)
    const both = { ...facts, attachments: [...facts.attachments, { ...gone, sight: { _tag: "Missing" } as const }] }
    const byContainer = flowsOf(both).map(({ attachment, status }) => [attachment.containerId, status])
    assert.deepInclude(byContainer, ["gone", "dropped"])
    assert.notDeepInclude(byContainer, [facts.attachments[0]?.containerId, "dropped"])
  })
})

describe("an attachment of an earlier configuration", () => {
  it("has the flows of that configuration", () => {
    const facts = Host.facts({ attachment: { portMappings: [port] } })
    const earlier = Host.facts({ plugins: [], attachment: { portMappings: [port] } })
    const flows = flowsOf({ ...facts, attachments: [], earlier: [earlier] })
    assert.deepStrictEqual(flows.map(({ kind }) => kind), ["gateway", "world", "world-large", "name-server"])
  })
})
