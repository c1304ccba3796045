/** Rules by their handles. */
import { assert, it } from "@effect/vitest"
import * as Ruleset from "../../src/trace/Ruleset.ts"
import * as Captured from "./captured.ts"

const { ruleset } = Captured.of("rejected", "host")

const filter = (name: string) => ({ family: "ip", table: "filter", name })

it("a rule of iptables is what iptables-nft-save prints, also where nft cannot show all of it", () => {
  const counted = ruleset.chains.get("ip filter COUNTED")
  assert.deepStrictEqual(counted?.rules.map(({ iptables }) => iptables), [
    "-A COUNTED -d 192.0.2.9/32 -m string --string \"foo\" --algo bm -j DROP"
  ])
  const [first] = ruleset.chains.get("ip filter FORWARD")?.rules ?? []
  assert.strictEqual(first?.iptables, "-A FORWARD -s 10.99.0.2/32 -j REJECT --reject-with icmp-port-unreachable")
  assert.deepStrictEqual(Ruleset.ruleOf(ruleset, filter("FORWARD"), first?.handle ?? 0), first)
})

it("a rule of nftables is what nft lists without counters, as in logs", () => {
  const [rule] = ruleset.chains.get("inet own through")?.rules ?? []
  assert.deepInclude(rule, {
    text: "ip daddr 198.51.100.7 counter drop comment \"no # handle 3\"",
    iptables: undefined
  })
})

it("a chain has its hook and policy, or none if other chains jump to it", () => {
  const hooks = ["FORWARD", "COUNTED"].map((name) => ruleset.chains.get(Ruleset.keyOf(filter(name)))?.hook)
  assert.deepStrictEqual(hooks, ["forward", undefined])
  assert.strictEqual(ruleset.chains.get("ip filter FORWARD")?.policy, "accept")
})

it("rules of iptables that changed in between are left as nft lists them", () => {
  const listed = "table ip filter { # handle 1\n\tchain INPUT { # handle 1\n\t\tcounter drop # handle 2\n\t}\n}\n"
  const saved = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\n-A INPUT -j DROP\nCOMMIT\n"
  const { chains } = Ruleset.parse(listed, { ip: saved, ip6: "" })
  assert.deepStrictEqual(chains.get("ip filter INPUT")?.rules, [{
    handle: 2,
    text: "counter drop",
    iptables: undefined
  }])
})

it("connections are tracked if a rule needs it, and otherwise not", () => {
  const chain = (rule: string) => `table inet t {\n\tchain c {\n\t\t${rule} # handle 1\n\t}\n}\n`
  const tracks = (rule: string) => Ruleset.parse(chain(rule), { ip: "", ip6: "" }).tracksConnections
  assert.isTrue(ruleset.tracksConnections)
  assert.isFalse(Captured.of("rejected", "web").ruleset.tracksConnections)
  assert.deepStrictEqual(["ct state new accept", "masquerade", "ip saddr 10.0.0.1 drop"].map(tracks), [
    true,
    true,
    false
  ])
})
