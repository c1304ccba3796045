/** Which routes and rules leave open whether a flow arrives, and which do not concern it. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Flows from "../../src/doctor/flow/Flows.ts"
import * as Host from "./host.ts"

/** The status of each kind of flow, with the reason if it is not known to arrive. */
const statuses = (change: Host.Change): { readonly [kind: string]: string } => {
  const facts = Host.facts(change)
  const flows = Flows.of(Checks.live, facts, Check.examine(Checks.live, facts))
  return Object.fromEntries(flows.map(({ kind, reason, status }) => [kind, status === "arrives" ? status : reason]))
}

const viaMain = "{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"}"
const withPolicies = (...rules: ReadonlyArray<string>): Host.Change => ({
  host: { policies: Host.policies(...rules, viaMain) }
})
const withRules = (pattern: string, replacement: string): { readonly rules: Host.Change["host"] } => ({
  rules: { rules: Result.succeed({ rulesets: [Host.rules(Host.save.replace(pattern, replacement))], nft: [] }) }
})

describe("a route of the host", () => {
  it("leads every flow on a healthy host", () => {
    const found = statuses({})
    for (const kind of ["world", "name-server", "port-world", "port-host", "port-loopback", "port-itself"]) {
      assert.strictEqual(found[kind], "arrives", kind)
    }
  })

  it("that leads what comes for a published port elsewhere leaves it open", () => {
    const found = statuses(withPolicies("{\"priority\":9,\"src\":\"all\",\"iif\":\"uplink\",\"action\":\"blackhole\"}"))
    assert.strictEqual(found["port-world"], "the host may route what 93.184.216.34 sends to 10.99.0.2 to blackhole")
    assert.strictEqual(found["port-host"], "arrives")
  })

  it("that loses what the host itself sends leaves its own flows open", () => {
    const found = statuses(withPolicies("{\"priority\":9,\"src\":\"all\",\"iif\":\"lo\",\"action\":\"unreachable\"}"))
    const reason = "the host may route what 10.99.0.1 sends to 10.99.0.2 to unreachable"
    assert.deepStrictEqual([found["port-host"], found["port-loopback"]], [reason, reason])
    assert.strictEqual(found["world"], "arrives")
  })

  it("to a name server is asked for itself, and not the one to the world", () => {
    const dns = { attachment: { result: Host.resultWith({ dns: { nameservers: ["192.0.2.53"] } }) } }
    const [, ...others] = Host.outside.routes
    const found = statuses({ ...dns, outside: { routes: others } })
    assert.match(found["world"] ?? "", /the host has no route out/)
    assert.strictEqual(found["name-server"], "arrives")
  })
})

describe("a routing rule for marked packets", () => {
  const marked = "{\"priority\":9,\"src\":\"all\",\"fwmark\":\"0x1\",\"action\":\"blackhole\"}"
  const reason = "rules may mark its packets, and `ip rule` routes by marks"
  const found = (rule: string) => {
    const { rules } = withRules("*filter", `*mangle\n:PREROUTING ACCEPT [0:0]\n${rule}\nCOMMIT\n*filter`)
    return statuses({ host: { ...rules, ...withPolicies(marked).host } })["port-world"]
  }

  it("leaves open what a rule may mark", () => {
    assert.strictEqual(found("-A PREROUTING -p tcp -j MARK --set-xmark 0x1/0xffffffff"), reason)
    assert.strictEqual(found("-A PREROUTING -m length --length 60 -j MARK --set-xmark 0x1/0xffffffff"), reason)
  })

  it("changes nothing about packets that no rule marks", () => {
    assert.strictEqual(found("-A PREROUTING -p udp -j MARK --set-xmark 0x1/0xffffffff"), "arrives")
  })

  it("changes nothing if it leads to the same link", () => {
    const same = "{\"priority\":9,\"src\":\"all\",\"fwmark\":\"0x1\",\"table\":\"main\"}"
    const { rules } = withRules(
      "*filter",
      "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j MARK --set-xmark 0x1\nCOMMIT\n*filter"
    )
    assert.strictEqual(statuses({ host: { ...rules, ...withPolicies(same).host } })["port-world"], "arrives")
  })
})

describe("an exception from nat", () => {
  const notLed = "rules of nat may not lead it to the container"

  it("leaves open what comes for a published port from outside, and not what the host sends", () => {
    const { rules } = withRules("-A PREROUTING", "-A PREROUTING -d 192.0.2.0/24 -j ACCEPT\n-A PREROUTING")
    const found = statuses({ host: rules ?? {} })
    assert.deepStrictEqual([found["port-world"], found["port-host"]], [notLed, "arrives"])
  })

  it("leaves open what the host sends to its own address", () => {
    const { rules } = withRules("-A OUTPUT", "-A OUTPUT -d 192.0.2.2/32 -j RETURN\n-A OUTPUT")
    const found = statuses({ host: rules ?? {} })
    assert.deepStrictEqual([found["port-host"], found["port-loopback"]], [notLed, "arrives"])
  })
})

describe("the namespace of a container", () => {
  it("that has no route to the world leaves those flows open", () => {
    const found = statuses({ inside: { answers: [] } })
    assert.strictEqual(found["world"], "the container may have no route to world")
    assert.strictEqual(found["port-host"], "arrives")
  })

  it("with a route that loses packets leaves open what it concerns", () => {
    const lost = Host.route("192.0.2.0/24", "lo", { type: "blackhole" })
    const found = statuses({ inside: { routes: [...Host.inside.routes, lost] } })
    const reason = "the container has a route that loses packets: blackhole 192.0.2.0/24"
    assert.deepStrictEqual([found["name-server"], found["port-host"]], [reason, reason])
    assert.strictEqual(found["world"], "arrives")
  })

  it("with a rule for one port leaves open the flows of that port alone", () => {
    const filter = [
      Host.rules(
        "*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n-A OUTPUT -p udp -m udp --dport 53 -j DROP\nCOMMIT",
        "legacy"
      )
    ]
    const found = statuses({ attachment: { filter } })
    assert.strictEqual(found["name-server"], "rules in /run/netns/web may drop it")
    assert.deepStrictEqual([found["world"], found["port-world"]], ["arrives", "arrives"])
  })
})
