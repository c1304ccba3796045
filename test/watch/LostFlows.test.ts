/** Which traffic of attachments a change cuts, and which it restores. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Facts } from "../../src/doctor/Facts.ts"
import * as LostFlows from "../../src/watch/LostFlows.ts"
import * as Host from "../doctor/host.ts"

/** What is cut when a host changes from one state to the other. */
const cuts = (before: Facts, after: Facts) => {
  const judged = LostFlows.of([after])
  const keys = LostFlows.cuts(LostFlows.of([before]), judged)
  return LostFlows.described(judged, keys, (_, { status }) => status === "dropped")
}

const namesOfCuts = (before: Facts, after: Facts) => cuts(before, after).map(({ flow }) => flow)

const healthy = Host.facts()
const withRules = (text: string) =>
  Host.facts({ host: { rules: Result.succeed({ rulesets: [Host.rules(text)], nft: [] }) } })
const withoutDnat = withRules(Host.save.replace(/^.*DNAT.*\n/gm, ""))
const linkDown = Host.facts({
  inside: { links: Host.inside.links.map((link) => link.name === "eth0" ? { ...link, isUp: false } : link) }
})
const isolated = Host.facts({ host: { sysctls: new Map([["net.ipv4.ip_forward", "0"]]) } })
const blind = Host.facts({ host: { rules: Result.fail("no iptables") } })

describe("a change that does not stop any flow", () => {
  it("cuts nothing", () => {
    assert.deepStrictEqual(cuts(healthy, healthy), [])
  })
})

describe("a flush of the rules of portmap", () => {
  it("cuts the port from each side, and nothing else", () => {
    assert.deepStrictEqual(namesOfCuts(healthy, withoutDnat), [
      "port 8080/tcp",
      "port 8080/tcp from the host",
      "port 8080/tcp from the container itself",
      "port 8080/tcp by 127.0.0.1"
    ])
  })

  it("is explained by the check of doctor that found it", () => {
    const [cut] = cuts(healthy, withoutDnat)
    assert.deepInclude(cut, { network: "n", containerId: "web", ifname: "eth0", check: "port-mappings" })
    assert.match(cut?.reason ?? "", /8080/)
  })
})

describe("a flow to the world", () => {
  it("has no uplink in its name, and stands for its large packets too", () => {
    const names = namesOfCuts(healthy, isolated)
    assert.include(names, "the world")
    assert.notInclude(names.join(), "uplink")
    assert.notInclude(names.join(), "large packets")
  })

  it("that takes another uplink is not cut", () => {
    const outside = {
      links: Host.outside.links.map((link) => link.name === "uplink" ? { ...link, name: "other" } : link),
      routes: Host.outside.routes.map((route) => route.device === "uplink" ? { ...route, device: "other" } : route)
    }
    assert.deepStrictEqual(cuts(healthy, Host.facts({ outside })), [])
  })
})

it("a link that goes down cuts all traffic, which is said once", () => {
  const found = cuts(healthy, linkDown)
  assert.deepStrictEqual(found.map(({ check, flow }) => [flow, check]), [["all traffic", "link-up"]])
})

describe("a flow that is not known to arrive", () => {
  it("is not cut when the rules cannot be read any more", () => {
    assert.deepStrictEqual(cuts(healthy, blind), [])
  })

  it("is not cut when its rules can be read again, because it may have been lost before", () => {
    assert.deepStrictEqual(cuts(blind, linkDown), [])
  })

  it("keeps what was known before", () => {
    const before = LostFlows.of([healthy])
    const between = LostFlows.known(before, LostFlows.of([blind]))
    assert.isNotEmpty(LostFlows.cuts(between, LostFlows.of([withoutDnat])))
  })
})

describe("a container that comes or goes", () => {
  const gone = Host.facts({ attachment: { sight: { _tag: "Missing" } } })

  it("loses nothing", () => {
    assert.deepStrictEqual(cuts(healthy, gone), [])
    assert.deepStrictEqual(cuts(gone, linkDown), [])
  })

  it("cuts nothing of another container", () => {
    const file = "/var/lib/cni/results/n-db-eth0"
    const both = (there: boolean): Facts => {
      const db = Host.attachment({
        containerId: "db",
        file,
        netns: "/run/netns/db",
        portMappings: [],
        result: Host.resultWith({ ips: [{ address: "10.99.0.3/24", gateway: "10.99.0.1", interface: 2 }] }),
        ...(there ? {} : { sight: { _tag: "Missing" } as const })
      }, Host.inside)
      return { ...healthy, attachments: [...healthy.attachments, db], all: [...healthy.all, db] }
    }
    assert.deepStrictEqual(cuts(both(true), both(false)), [])
  })
})

describe("flows that arrive again", () => {
  const restored = (before: Facts) => {
    const judged = LostFlows.of([healthy])
    const keys = LostFlows.dropped(LostFlows.of([before])).filter((key) => judged.get(key)?.status === "arrives")
    return LostFlows.described(judged, keys, (key) => keys.includes(key))
  }

  it("are named as when they were cut, without a reason", () => {
    const [first] = restored(withoutDnat)
    assert.deepStrictEqual(first, { network: "n", containerId: "web", ifname: "eth0", flow: "port 8080/tcp" })
  })

  it("are all traffic if nothing arrived before", () => {
    assert.deepStrictEqual(restored(linkDown).map(({ flow }) => flow), ["all traffic"])
  })
})
