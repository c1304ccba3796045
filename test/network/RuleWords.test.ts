/** Rules of packet filters, as the plugins of CNI make them, in a person's words. */
import { assert, describe, it } from "@effect/vitest"
import * as IptablesRule from "../../src/network/IptablesRule.ts"
import * as NftablesRuleset from "../../src/network/NftablesRuleset.ts"

const id = "name: \\\"podman\\\" id: \\\"5c01f03d8d6d\\\""

/** Rules, and what is said about them. */
const rules = {
  // portmap
  "-p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.88.0.2:80": "tcp dport 8080 → 10.88.0.2:80",
  "-p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd99::2]:80": "tcp dport 8080 → [fd99::2]:80",
  "-s 127.0.0.1/32 -d 127.0.0.1/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK":
    "udp dport 53 from 127.0.0.1 to 127.0.0.1 jump CNI-HOSTPORT-SETMARK",
  [`-p tcp -m comment --comment "dnat ${id}" -m multiport --dports 80,443 -j CNI-DN-1`]:
    "tcp dport 80,443 jump CNI-DN-1",
  "-m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT": "to local addresses jump CNI-HOSTPORT-DNAT",
  "-m mark --mark 0x2000/0x2000 -j MASQUERADE": "mark 0x2000 masquerade",
  "-m comment --comment \"CNI portfwd masquerade mark\" -j MARK --set-xmark 0x2000/0x2000": "set mark 0x2000",
  // bridge with ipMasq
  [`-s 10.88.0.2/32 -m comment --comment "${id}" -j CNI-1`]: "from 10.88.0.2 jump CNI-1",
  [`-s fd99::2/128 -m comment --comment "${id}" -j CNI-1`]: "from fd99::2 jump CNI-1",
  [`-d 10.88.0.0/16 -m comment --comment "${id}" -j ACCEPT`]: "to 10.88.0.0/16 accept",
  [`! -d 224.0.0.0/4 -m comment --comment "${id}" -j MASQUERADE`]: "not to 224.0.0.0/4 masquerade",
  // firewall
  "-d 10.88.0.2/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT":
    "to 10.88.0.2 state related,established accept",
  "-i cni0 ! -o cni0 -m comment --comment \"x\" -j CNI-ISOLATION-STAGE-2":
    "in cni0 not out cni0 jump CNI-ISOLATION-STAGE-2",
  // of others
  "-p tcp -m limit --limit 3/min -j LOG --log-prefix \"a b\"": "tcp --limit 3/min LOG --log-prefix a b",
  "-s 10.0.0.1/32 -j SNAT --to-source 192.0.2.1": "from 10.0.0.1 source → 192.0.2.1",
  "-g OTHER": "goto OTHER",
  "-g OTHER --x": "OTHER --x",
  "-p udp -m udp --sport 53 -j DROP": "udp sport 53 drop",
  "-p udp -m multiport --sports 53,54 -j RETURN": "udp sport 53,54 return",
  "! -p tcp -j REJECT --reject-with icmp-port-unreachable": "not tcp reject --reject-with icmp-port-unreachable",
  "-m addrtype --src-type LOCAL -m state --state NEW,RELATED -j X": "from local addresses state new,related jump X",
  "-m mark --mark 0x1/0x2 -j MARK --set-xmark 0x3/0x4": "mark 0x1/0x2 set mark 0x3/0x4",
  "-j MARK --or-mark 5": "MARK --or-mark 5",
  "-s 10.0.0.0/24 -d fd99::/64 -j X": "from 10.0.0.0/24 to fd99::/64 jump X",
  "-j DNAT --to-destination 10.0.0.1 --random": "→ 10.0.0.1 --random",
  "-j SNAT --to-source 10.0.0.1 --random": "source → 10.0.0.1 --random",
  "-j DNAT --random": "DNAT --random",
  "-j SNAT --random": "SNAT --random",
  "-j X --to-destination 10.0.0.1 --to-source 10.0.0.2": "X --to-destination 10.0.0.1 --to-source 10.0.0.2",
  "-j ACCEPTED": "jump ACCEPTED",
  "-j ACCEPT #2": "accept #2",
  "-m comment --comment \"#2\" -j LOG --log-prefix \"a \\\"b\\\"\"": "LOG --log-prefix a \"b\"",
  "! -i eth0 --fragment": "not in eth0 --fragment",
  "": ""
}

describe("a rule of iptables in a person's words", () => {
  for (const [rule, words] of Object.entries(rules)) {
    it(`is ${JSON.stringify(words)}`, () => assert.strictEqual(IptablesRule.ruleWords(rule), words))
  }
})

describe("the words of a rule", () => {
  it("are those of iptables-save, whose quotes and backslashes are left out", () => {
    assert.deepStrictEqual(IptablesRule.split(`a "b \\" c" "" " d`), ["a", `b " c`, "", `"`, "d"])
    assert.deepStrictEqual(IptablesRule.split(""), [])
  })
})

describe("a rule of nftables in a person's words", () => {
  it("is what nft lists, without counters and comments", () => {
    assert.strictEqual(
      NftablesRuleset.ruleWords("ip saddr 10.88.0.2 counter packets 1 bytes 60 jump CNI-1 comment \"x\""),
      "ip saddr 10.88.0.2 jump CNI-1"
    )
    assert.strictEqual(
      NftablesRuleset.ruleWords("tcp dport 8080 counter dnat to 10.88.0.2:80"),
      "tcp dport 8080 → 10.88.0.2:80"
    )
    assert.strictEqual(
      NftablesRuleset.ruleWords("tcp dport 80 counter name \"c1\" drop"),
      "tcp dport 80 counter name \"c1\" drop"
    )
    assert.strictEqual(NftablesRuleset.ruleWords("tcp dport 80 dnat ip to 10.88.0.2:80"), "tcp dport 80 → 10.88.0.2:80")
    assert.strictEqual(NftablesRuleset.ruleWords("dnat ip6 to [fd99::2]:80"), "→ [fd99::2]:80")
    assert.strictEqual(NftablesRuleset.ruleWords("snat to 10.0.0.1"), "source → 10.0.0.1")
    assert.strictEqual(NftablesRuleset.ruleWords("snat ip6 to fd99::1"), "source → fd99::1")
    assert.strictEqual(NftablesRuleset.ruleWords("counter packets 0 bytes 0"), "")
    assert.strictEqual(NftablesRuleset.ruleWords("a  b counter"), "a b")
  })
})
