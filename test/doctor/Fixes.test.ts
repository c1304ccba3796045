/** What mends each finding: what a person has to do, or commands that run as they stand. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Check } from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as AddressReservations from "../../src/doctor/checks/AddressReservations.ts"
import { cacheEntries } from "../../src/doctor/checks/CacheEntries.ts"
import { chainOrder } from "../../src/doctor/checks/ChainOrder.ts"
import * as ContainerSide from "../../src/doctor/checks/ContainerSide.ts"
import * as Fields from "../../src/doctor/checks/Fields.ts"
import * as Filters from "../../src/doctor/checks/Filters.ts"
import * as ForwardingSysctls from "../../src/doctor/checks/ForwardingSysctls.ts"
import * as ForwardRules from "../../src/doctor/checks/ForwardRules.ts"
import { kernelTables } from "../../src/doctor/checks/FullKernelTables.ts"
import * as Gateways from "../../src/doctor/checks/Gateways.ts"
import * as HostSide from "../../src/doctor/checks/HostSide.ts"
import { addressing } from "../../src/doctor/checks/IpamConfiguration.ts"
import * as JsonSyntax from "../../src/doctor/checks/JsonSyntax.ts"
import * as LogHistory from "../../src/doctor/checks/LogHistory.ts"
import * as Masquerade from "../../src/doctor/checks/Masquerade.ts"
import * as Namespaces from "../../src/doctor/checks/Namespaces.ts"
import * as NetworkFiles from "../../src/doctor/checks/NetworkFiles.ts"
import { capabilities } from "../../src/doctor/checks/PluginCapabilities.ts"
import { pluginFile } from "../../src/doctor/checks/PluginFile.ts"
import * as PluginNeeds from "../../src/doctor/checks/PluginNeeds.ts"
import { pluginVersions } from "../../src/doctor/checks/PluginVersions.ts"
import { policyRules } from "../../src/doctor/checks/PolicyRouting.ts"
import * as PortMappings from "../../src/doctor/checks/PortMappings.ts"
import * as Specification from "../../src/doctor/checks/Specification.ts"
import * as Trials from "../../src/doctor/checks/Trials.ts"
import { everythingSeen } from "../../src/doctor/checks/Unseen.ts"
import type * as IptablesRule from "../../src/network/IptablesRule.ts"
import * as Facts from "./facts.ts"
import * as Host from "./host.ts"

const [uplink, cni0, veth1] = Host.outside.links
const [lo, eth0] = Host.inside.links
if (uplink === undefined || cni0 === undefined || veth1 === undefined || lo === undefined || eth0 === undefined) {
  throw new Error("the healthy host has no links")
}

type Case = readonly [what: string, check: Check, change: Host.Change, ...fix: ReadonlyArray<string>]

/** What the first finding of a check is mended by. */
const specify = (...cases: ReadonlyArray<Case>) => {
  for (const [what, check, change, ...fix] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.fixes(check, Host.facts(change))[0], fix))
  }
}

const inside = "nsenter --net=/run/netns/web ip"
const route = `${inside} route replace 0.0.0.0/0 via 10.99.0.1 dev eth0`
const anew = ["attach the container web anew, or restart it"]
/** Attaching the container anew is specified on its own: here it matters only that it is what helps. */
const isAnew = (check: Check, change: Host.Change) => Facts.fixes(check, Host.facts(change))[0]?.[0]

const rulesets = (...rulesets: ReadonlyArray<IptablesRule.Ruleset>): Host.Change => ({
  host: { rules: Result.succeed({ rulesets, nft: [] }) }
})
const table = (name: string, text: string, backend?: "legacy") => Host.rules(`*${name}\n${text}\nCOMMIT`, backend)

describe("a container is attached anew", () => {
  const nothing = { rules: Result.succeed({ rulesets: [], nft: [] }) }
  const cases: ReadonlyArray<readonly [what: string, check: Check, change: Host.Change]> = [
    ["without its link", ContainerSide.link, { inside: { links: [lo] } }],
    ["without the other end of its link", HostSide.hostEnd, { outside: { links: [uplink, cni0] } }],
    ["with another end of its link", HostSide.hostEnd, { outside: { links: [uplink, cni0, { ...veth1, index: 13 }] } }],
    ["without its bridge", HostSide.bridge, { outside: { links: [uplink, veth1] } }],
    ["with an address that another host has", ContainerSide.addresses, {
      inside: { links: [{ ...eth0, addresses: eth0.addresses.map((each) => ({ ...each, isDuplicate: true })) }] }
    }],
    ["without masquerading", Masquerade.masquerade, { host: nothing }],
    ["without rules for its ports", PortMappings.portMappings, { host: nothing }],
    ["with a result that cannot be used", Namespaces.cachedResult, { attachment: { result: Result.fail("x") } }],
    ["without the rules of firewall", ForwardRules.forwardRules, {
      ...rulesets(table("filter", ":FORWARD DROP")),
      plugins: [{ type: "firewall" }]
    }]
  ]
  for (const [what, check, change] of cases) it(what, () => assert.strictEqual(isAnew(check, change), anew[0]))
})

describe("what a container lacks is given to it:", () => {
  specify(
    [
      "its link is set up, with its addresses and routes",
      ContainerSide.linkUp,
      { inside: { links: [{ ...eth0, isUp: false }] } },
      "set the link up, with the addresses and routes that it lost",
      `${inside} link set eth0 up`,
      `${inside} addr replace 10.99.0.2/24 dev eth0`,
      route
    ],
    [
      "its MAC",
      ContainerSide.mac,
      { inside: { links: [{ ...eth0, mac: "02:00:00:00:00:09" }] } },
      "set the MAC of its ADD",
      `${inside} link set eth0 address 02:00:00:00:00:01`
    ],
    [
      "its address, with its routes",
      ContainerSide.addresses,
      { inside: { links: [{ ...eth0, addresses: [] }] } },
      "add the address, and the routes that went with it",
      `${inside} addr add 10.99.0.2/24 dev eth0`,
      route
    ],
    [
      "its address in place of one of another length",
      ContainerSide.addresses,
      { inside: { links: [Host.link("eth0", {}, "10.99.0.2/32")] } },
      "replace the address, and add the routes that went with it",
      `${inside} addr del 10.99.0.2/32 dev eth0`,
      `${inside} addr add 10.99.0.2/24 dev eth0`,
      route
    ],
    ["its route", ContainerSide.routes, { inside: { routes: [] } }, "set the route of its ADD", route],
    [
      "its route in place of another",
      ContainerSide.routes,
      { inside: { routes: [Host.route("0.0.0.0/0", "eth0", { gateway: "10.99.0.9" })] } },
      "set the route of its ADD",
      route
    ],
    [
      "the MTU that its plugin is to set",
      ContainerSide.mtu,
      { bridge: { mtu: 1400 } },
      "set the MTU of both ends",
      `${inside} link set eth0 mtu 1400`
    ],
    [
      "the larger MTU of its two ends",
      ContainerSide.mtu,
      { inside: { links: [{ ...eth0, mtu: 1300 }] } },
      "set the MTU of both ends",
      `${inside} link set eth0 mtu 1500`,
      "ip link set veth1 mtu 1500"
    ],
    [
      "the MTU of its two ends for the bridge",
      ContainerSide.mtu,
      { outside: { links: [uplink, { ...cni0, mtu: 1280 }, veth1] } },
      "set the MTU of both ends",
      "ip link set cni0 mtu 1500"
    ],
    [
      "a way out of its own rules",
      Filters.insideRules,
      { attachment: { filter: [table("filter", ":OUTPUT ACCEPT\n-A OUTPUT -j DROP")] } },
      "let it through",
      "nsenter --net=/run/netns/web iptables -t filter -D OUTPUT -j DROP"
    ],
    [
      "a name server that it reaches",
      ContainerSide.nameServers,
      { attachment: { result: Host.resultWith({ dns: { nameservers: ["fd00::53"] } }) } },
      "add a route to it to \"routes\", or name a server that is reached, and restart the container"
    ],
    [
      "a name server that is an address",
      ContainerSide.nameServers,
      { attachment: { result: Host.resultWith({ dns: { nameservers: ["x"] } }) } },
      "correct \"dns\", or the file of \"resolvConf\", and restart the container"
    ]
  )
})

describe("what the host lacks is given to it:", () => {
  const links = (end: Partial<typeof veth1>, bridge: Partial<typeof cni0> = {}): Host.Change => ({
    outside: { links: [uplink, { ...cni0, ...bridge }, { ...veth1, ...end }] }
  })
  specify(
    [
      "another name of its bridge",
      HostSide.bridge,
      links({}, { kind: "dummy" }),
      "set \"bridge\" to another name, or remove the link cni0"
    ],
    [
      "its bridge is set up, with its address",
      HostSide.bridge,
      links({}, { isUp: false }),
      "set the bridge up, with its addresses",
      "ip link set cni0 up",
      "ip addr replace 10.99.0.1/24 dev cni0"
    ],
    [
      "the address of its bridge",
      HostSide.gatewayAddress,
      links({}, { addresses: [] }),
      "add the address",
      "ip addr add 10.99.0.1/24 dev cni0"
    ],
    [
      "the end of a pair is set up",
      HostSide.hostEnd,
      links({ isUp: false }),
      "set the link up, with the routes that it lost",
      "ip link set veth1 up"
    ],
    [
      "its bridge a port",
      HostSide.hostEnd,
      links({ master: undefined }),
      "make it a port of cni0",
      "ip link set veth1 master cni0"
    ],
    [
      "a port that forwards",
      HostSide.hostEnd,
      links({ portState: "disabled" }),
      "let the port forward",
      "bridge link set dev veth1 state 3"
    ],
    [
      "a route to the subnet",
      HostSide.wayBack,
      { outside: { routes: [] } },
      "lead it over cni0",
      "ip route replace 10.99.0.0/24 dev cni0"
    ],
    [
      "no route that leads elsewhere",
      HostSide.wayBack,
      { outside: { routes: [Host.route("10.99.0.0/25", "uplink", { protocol: "static" })] } },
      "delete the route",
      "ip route del 10.99.0.0/25 dev uplink"
    ],
    [
      "no route that leads nowhere",
      HostSide.wayBack,
      {
        outside: {
          routes: [Host.route("10.99.0.2/32", "", { protocol: "boot", device: undefined, type: "blackhole" })]
        }
      },
      "delete the route",
      "ip route del blackhole 10.99.0.2/32"
    ],
    [
      "another subnet than that of a link",
      HostSide.wayBack,
      { outside: { routes: [Host.route("10.99.0.0/25", "uplink")] } },
      "use a subnet that uplink does not have"
    ],
    [
      "a link that answers ARP",
      HostSide.gatewayAnswers,
      {
        ...links({}, { hasArp: false }),
        attachment: { probes: [{ address: "10.99.0.1", device: "eth0", hasAnswered: false }] }
      },
      "let the link answer ARP",
      "ip link set cni0 arp on"
    ],
    [
      "a look at where packets end",
      HostSide.gatewayAnswers,
      { attachment: { probes: [{ address: "10.99.0.1", device: "eth0", hasAnswered: false }] } },
      "see where the packets end: tcpdump -ni veth1 arp or icmp6"
    ],
    [
      "a bridge that is the gateway",
      HostSide.gatewayAnswers,
      {
        bridge: { isGateway: false },
        attachment: { probes: [{ address: "10.99.0.9", device: "eth0", hasAnswered: false }] }
      },
      "set \"isGateway\": true, detach the containers, ip link del cni0, and attach them again; or name a gateway that is " +
      "there"
    ],
    [
      "forwarding",
      ForwardingSysctls.ipForward,
      { host: { sysctls: new Map([["net.ipv4.ip_forward", "0"]]) } },
      "turn forwarding on; write it to /etc/sysctl.d too, or it is lost with a reboot",
      "sysctl -w net.ipv4.ip_forward=1"
    ],
    [
      "forwarding of a link whose name has a dot",
      ForwardingSysctls.ipForward,
      {
        bridge: { bridge: "br0.5" },
        host: { sysctls: new Map([["net.ipv4.conf.br0.5.forwarding", "0"]]) }
      },
      "turn forwarding on; write it to /etc/sysctl.d too, or it is lost with a reboot",
      "sysctl -w net/ipv4/conf/br0.5/forwarding=1"
    ],
    [
      "rules for packets of bridges",
      ForwardingSysctls.bridgeNetfilter,
      { plugins: [{ type: "portmap", snat: false }] },
      "let iptables see the packets of bridges, or remove \"snat\": false and restart the containers",
      "modprobe br_netfilter",
      "sysctl -w net.bridge.bridge-nf-call-iptables=1"
    ],
    [
      "one backend of iptables",
      ForwardingSysctls.backends,
      rulesets(table("filter", ":FORWARD DROP"), table("filter", ":FORWARD DROP", "legacy")),
      "choose one for all programs, update-alternatives --config iptables, and flush the other: iptables-legacy -F; " +
      "iptables-legacy -t nat -F"
    ],
    [
      "room in a table",
      kernelTables,
      { host: { tables: [{ name: "x", used: 5, limit: 5, setting: "net.netfilter.nf_conntrack_max" }] } },
      "make room for twice as many; write it to /etc/sysctl.d too, or it is lost with a reboot",
      "sysctl -w net.netfilter.nf_conntrack_max=10"
    ],
    [
      "no file of the cache that cannot be read",
      cacheEntries,
      { facts: { damaged: [{ file: "/a b", reason: "x" }] } },
      "remove the file; the container of this attachment has to be restarted",
      "rm '/a b'"
    ]
  )
})

describe("packets are let through", () => {
  const forward = (text: string, ...more: ReadonlyArray<IptablesRule.Ruleset>) =>
    rulesets(table("filter", text), ...more)
  const nft = (hook: string): Host.Change => ({
    host: {
      rules: Result.succeed({
        rulesets: [],
        nft: [{
          family: "inet",
          table: "fw",
          name: "c",
          hook,
          type: "filter",
          policy: "drop",
          priority: 0,
          device: undefined,
          rules: []
        }]
      })
    }
  })
  const traffic = "let the traffic of the network through"
  specify(
    [
      "without the rule that drops them",
      ForwardRules.forwardRules,
      forward(":FORWARD ACCEPT\n-A FORWARD -s 10.99.0.0/24 -m comment --comment \"a b\" -j DROP"),
      "delete the rule",
      "iptables -t filter -D FORWARD -s 10.99.0.0/24 -m comment --comment 'a b' -j DROP"
    ],
    [
      "of the network, where the policy drops them",
      ForwardRules.forwardRules,
      forward(":FORWARD DROP"),
      `${traffic}, or add { "type": "firewall" } to the chain`,
      "iptables -I FORWARD -i cni0 -j ACCEPT",
      "iptables -I FORWARD -o cni0 -j ACCEPT"
    ],
    [
      "by another policy, where the other backend has rules, which one more would not meet",
      ForwardRules.forwardRules,
      forward(":FORWARD DROP", table("nat", ":X ACCEPT\n-A X -j ACCEPT", "legacy")),
      "let it through",
      "iptables -t filter -P FORWARD ACCEPT"
    ],
    [
      "of the network, where the other backend has no rules",
      ForwardRules.forwardRules,
      forward(":FORWARD DROP", table("nat", ":X ACCEPT", "legacy")),
      `${traffic}, or add { "type": "firewall" } to the chain`,
      "iptables -I FORWARD -i cni0 -j ACCEPT",
      "iptables -I FORWARD -o cni0 -j ACCEPT"
    ],
    [
      "by another policy of another table",
      ForwardRules.forwardRules,
      rulesets(table("mangle", ":FORWARD DROP", "legacy")),
      "let it through",
      "iptables-legacy -t mangle -P FORWARD ACCEPT"
    ],
    [
      "by rules of nftables in both directions",
      ForwardRules.forwardRules,
      nft("forward"),
      traffic,
      "nft insert rule inet fw c iifname cni0 accept",
      "nft insert rule inet fw c oifname cni0 accept"
    ],
    [
      "by a rule of nftables as they come in",
      ForwardRules.forwardRules,
      nft("prerouting"),
      traffic,
      "nft insert rule inet fw c iifname cni0 accept"
    ],
    [
      "by a rule of nftables as they go out",
      ForwardRules.forwardRules,
      nft("postrouting"),
      traffic,
      "nft insert rule inet fw c oifname cni0 accept"
    ],
    [
      "to be masqueraded",
      Masquerade.masquerade,
      rulesets(table("nat", ":POSTROUTING ACCEPT\n-A POSTROUTING -j ACCEPT", "legacy")),
      "delete the rule that comes before",
      "iptables-legacy -t nat -D POSTROUTING -j ACCEPT"
    ],
    [
      "to their container",
      PortMappings.portMappings,
      rulesets(table("nat", ":PREROUTING ACCEPT\n-A PREROUTING -j DNAT --to-destination 10.0.0.1:1")),
      "delete the rule that sends it there",
      "iptables -t nat -D PREROUTING -j DNAT --to-destination 10.0.0.1:1"
    ],
    [
      "to the name server of the host",
      Filters.inputRules,
      {
        ...rulesets(table("filter", ":INPUT DROP")),
        attachment: { result: Host.resultWith({ dns: { nameservers: ["10.99.0.1"] } }) }
      },
      "let queries for names through",
      "iptables -I INPUT -i cni0 -p udp --dport 53 -j ACCEPT",
      "iptables -I INPUT -i cni0 -p tcp --dport 53 -j ACCEPT"
    ],
    [
      "without a rule that leads them elsewhere",
      policyRules,
      {
        host: {
          policies: Host.policies(
            "{\"priority\":9,\"src\":\"10.99.0.0\",\"srclen\":24,\"iif\":\"cni0\",\"action\":\"blackhole\"}"
          )
        }
      },
      "delete the rule",
      "ip -4 rule del pref 9 from 10.99.0.0/24 iif cni0 blackhole"
    ],
    [
      "without a route that leads nowhere",
      policyRules,
      {
        host: { policies: Host.policies("{\"priority\":9,\"src\":\"all\",\"table\":\"main\"}") },
        outside: { routes: [Host.route("0.0.0.0/0", "", { device: undefined, type: "unreachable" })] }
      },
      "delete the route",
      "ip route del unreachable 0.0.0.0/0"
    ]
  )
})

describe("what could not be looked at is seen", () => {
  const unseen = { rules: Result.fail("no iptables") }
  specify(
    ["by root", everythingSeen, { host: unseen }, "run doctor as root, or fix what is named above"],
    [
      "with the capabilities that are missing",
      everythingSeen,
      { host: { ...unseen, lacking: ["SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN"] } },
      "run doctor as root with all capabilities: this process lacks SYS_ADMIN, SYS_PTRACE and NET_ADMIN"
    ],
    [
      "with the one that is missing",
      everythingSeen,
      { host: { ...unseen, lacking: ["NET_ADMIN"] } },
      "run doctor as root with all capabilities: this process lacks NET_ADMIN"
    ]
  )
})

describe("addresses are made free", () => {
  const store = (fields: object): Host.Change => ({
    facts: {
      store: { folder: "/a b", reservations: [], unread: [], problem: undefined, unwritable: undefined, ...fields }
    }
  })
  const unwritable = (reason: string) => store({ unwritable: { at: "/a b", reason } })
  const taken = (isGone: boolean, fields: object = {}): Host.Change => ({
    bridge: { ipam: { type: "host-local", subnet: "10.99.0.0/30" } },
    ...store({
      reservations: [
        { file: "/x", address: "10.99.0.2", containerId: "c", ifname: "eth0", isGone, reason: "why", ...fields }
      ]
    })
  })
  const leaks = ["remove what those containers left", "cni-passthrough leaks n --fix --yes"]
  const detach = "detach the containers, ip link del cni0, and attach them again"
  const overlapping = (fields: object): Host.Change => ({
    outside: { routes: [...Host.outside.routes, Host.route("10.99.0.0/25", "uplink", fields)] }
  })
  specify(
    [
      "of what stands in place of the store",
      AddressReservations.storeUsable,
      store({ problem: "not a directory" }),
      "remove what stands in place of the folder",
      "rm '/a b'"
    ],
    [
      "of another problem of the store",
      AddressReservations.storeUsable,
      store({ problem: "x" }),
      "make /a b a folder that root can write"
    ],
    [
      "of a file system that is read-only",
      AddressReservations.storeUsable,
      unwritable("read-only file system"),
      "look at dmesg, as a file system becomes read-only when its disk fails; then: mount -o remount,rw \"$(stat -c %m '/a b')\""
    ],
    [
      "of a full file system",
      AddressReservations.storeUsable,
      unwritable("no space left on device"),
      "make room there: df -hT '/a b'; df -i '/a b'"
    ],
    [
      "of a folder that root may not write to",
      AddressReservations.storeUsable,
      unwritable("x"),
      "let root write there: lsattr -d '/a b'"
    ],
    ["of containers that are gone", AddressReservations.rangeExhausted, taken(true), ...leaks],
    ["of containers that are gone, before it matters", AddressReservations.staleReservations, taken(true), ...leaks],
    [
      "of a container of which a process is left",
      AddressReservations.rangeExhausted,
      taken(false, { process: Host.process() }),
      "look at process 4711 (bridge): all else of that container is gone. When it has ended: cni-passthrough leaks n --fix --yes"
    ],
    [
      "of containers that cannot be seen",
      AddressReservations.rangeExhausted,
      taken(false, { unknown: "no rights" }),
      "run doctor where it sees all network namespaces: some of these containers may be gone"
    ],
    ["in a larger subnet", AddressReservations.rangeExhausted, taken(false), `use a larger subnet: ${detach}`],
    [
      "in a larger subnet, where there is no bridge",
      AddressReservations.rangeExhausted,
      { ...taken(false), outside: { links: [uplink] } },
      "use a larger subnet"
    ],
    [
      "in another subnet",
      AddressReservations.overlappingSubnets,
      overlapping({}),
      `use a subnet that nothing else uses: ${detach}`
    ],
    [
      "of a route",
      AddressReservations.overlappingSubnets,
      overlapping({ protocol: "static" }),
      "delete the route, or use a subnet that overlaps with no other",
      "ip route del 10.99.0.0/25 dev uplink"
    ],
    [
      "of another link of the host",
      AddressReservations.duplicateAddress,
      { outside: { links: [Host.link("x", {}, "10.99.0.2/24")] } },
      "remove the address from x, or restart the container",
      "ip addr del 10.99.0.2/24 dev x"
    ],
    [
      "of the bridge, which is not to blame",
      AddressReservations.duplicateAddress,
      { outside: { links: [Host.link("cni0", {}, "10.99.0.2/24")] } },
      "start the container with another address"
    ],
    [
      "of one that has another of its ADD",
      AddressReservations.duplicateAddress,
      {
        inside: { links: [Host.link("eth0", {}, "10.99.0.7/24")] },
        outside: { links: [Host.link("x", {}, "10.99.0.7/24")] }
      },
      "give web the address of its ADD back",
      `${inside} addr del 10.99.0.7/24 dev eth0`,
      `${inside} addr replace 10.99.0.2/24 dev eth0`,
      route
    ],
    [
      "of an old bridge",
      Gateways.bridgeAddress,
      {
        outside: { links: [Host.link("cni0", { kind: "bridge" }, "10.99.0.9/24")] },
        facts: { attachments: [], all: [] }
      },
      "remove the old address: the next ADD sets the right one",
      "ip addr del 10.99.0.9/24 dev cni0"
    ],
    ["of a port", PortMappings.portsTaken, {
      others: [Host.attachment({ containerId: "api", file: "/x" })]
    }, "start one of them with another port"],
    ["of a program's port", PortMappings.portsTaken, {
      host: { listeners: Result.succeed([{ protocol: "tcp", port: 8080, owner: { name: "nginx", pid: 7 } }]) }
    }, "let nginx use another port, or start the container with another port"]
  )
})

describe("a configuration is mended by hand", () => {
  const of = (...plugins: ReadonlyArray<object>) => Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins })
  const ranges = (fields: object) =>
    of({ type: "bridge", ipam: { type: "host-local", ranges: [[{ subnet: "10.1.0.0/24", ...fields }]] } })
  const inside = (name: string) => `set "${name}" to an address in 10.1.0.0/24`
  const cases: ReadonlyArray<readonly [what: string, check: Check, facts: ReturnType<typeof of>, fix: string]> = [
    ["a small subnet", addressing, ranges({ subnet: "10.1.0.0/31" }), "use a larger subnet"],
    ["an address as a subnet", addressing, ranges({ subnet: "10.1.0.5/24" }), "set \"subnet\" to \"10.1.0.0/24\""],
    ["a gateway elsewhere", addressing, ranges({ gateway: "10.2.0.1" }), inside("gateway")],
    ["a start elsewhere", addressing, ranges({ rangeStart: "10.2.0.1" }), inside("rangeStart")],
    ["a range the wrong way round", addressing, ranges({ rangeStart: "10.1.0.9", rangeEnd: "10.1.0.8" }), "swap them"],
    [
      "a gateway that is the subnet",
      addressing,
      ranges({ gateway: "10.1.0.0" }),
      "set \"gateway\" to another address in 10.1.0.0/24"
    ],
    [
      "no range",
      addressing,
      of({ type: "bridge", ipam: { type: "host-local" } }),
      "add \"ranges\": [[{ \"subnet\": … }]]"
    ],
    [
      "a plugin that follows none",
      chainOrder,
      of({ type: "portmap" }),
      "put a plugin that makes an interface, such as bridge, before it"
    ],
    [
      "a plugin that stands before the one it follows",
      chainOrder,
      of({ type: "portmap" }, { type: "bridge" }),
      "put it after bridge"
    ],
    [
      "a second interface",
      chainOrder,
      of({ type: "bridge" }, { type: "tap" }),
      "remove tap from this network, and give it one of its own"
    ],
    ["ptp without addresses", chainOrder, of({ type: "ptp" }), "add \"ipam\": { \"type\": \"host-local\", … }"],
    [
      "host-device without a device",
      chainOrder,
      of({ type: "host-device" }),
      "add \"device\", the name of a link of the host"
    ],
    [
      "a small burst",
      chainOrder,
      of({ type: "bridge" }, { type: "bandwidth", egressBurst: 1 }),
      "set \"egressBurst\" to 12000 or more"
    ],
    [
      "two modes",
      chainOrder,
      of({ type: "bridge", hairpinMode: true, promiscMode: true }),
      "remove \"hairpinMode\" or \"promiscMode\""
    ],
    [
      "a capability by another name",
      capabilities,
      of({ type: "bridge", capabilities: { portMapping: true } }),
      "rename \"portMapping\" to \"portMappings\""
    ],
    ["a comma", JsonSyntax.json, Facts.ofFile("{\"a\": [1,]}"), "remove the comma"],
    ["a comment", JsonSyntax.json, Facts.ofFile("{} // x"), "remove the comment"],
    ["a word", JsonSyntax.json, Facts.ofFile("{\"a\": x}"), "correct the text at this place"],
    [
      "a key twice",
      JsonSyntax.duplicateKeys,
      Facts.ofFile("{\"a\": 1,\n\"a\": 2}"),
      "remove \"a\" in line 1 or in line 2, whichever is not meant"
    ]
  ]
  for (const [what, check, facts, fix] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.fixes(check, facts)[0], [fix]))
  }

  const given = (plugins: ReadonlyArray<object>, name: string, attached: boolean) => ({
    ...of(...plugins),
    ...(attached
      ? { attachments: [Host.attachment({ capabilityArgs: { [name]: [1] } })] }
      : { capabilityArgs: { [name]: [1] } })
  })
  const bridge = { type: "bridge", ipam: { type: "host-local", subnet: "10.1.0.0/24" } }
  const lost: ReadonlyArray<readonly [facts: ReturnType<typeof of>, fix: string]> = [
    [
      given([bridge, { type: "portmap" }], "portMappings", false),
      "add \"capabilities\": { \"portMappings\": true } to portmap"
    ],
    [given([bridge], "ips", false), "add \"capabilities\": { \"ips\": true } to bridge"],
    [
      given([bridge], "portMappings", false),
      "add { \"type\": \"portmap\", \"capabilities\": { \"portMappings\": true } } to the chain"
    ],
    [given([bridge], "mac", false), "add a plugin that has it"]
  ]
  for (const [facts, fix] of lost) {
    it(`a capability that is lost: ${fix}`, () => assert.deepStrictEqual(Facts.fixes(capabilities, facts)[0], [fix]))
  }
})

describe("a plugin is mended by hand, or made executable", () => {
  const of = (fact: Parameters<typeof Facts.plugin>[1], type = "bridge") => ({
    ...Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins: [{ type }] }),
    host: Host.facts({ host: { machine: 62 } }).host,
    cniPath: ["/opt/cni/bin"],
    plugins: new Map([Facts.plugin(type, fact)])
  })
  const elf = { _tag: "Elf", machine: 183, interpreter: undefined } as const
  const cases: ReadonlyArray<
    readonly [what: string, check: Check, facts: ReturnType<typeof of>, ...fix: ReadonlyArray<string>]
  > = [
    [
      "that is a folder",
      pluginFile,
      of({ file: undefined, candidates: [{ path: "/opt/cni/bin/bridge", kind: "folder" }] }),
      "install the plugin bridge into /opt/cni/bin"
    ],
    [
      "without an execute bit",
      pluginFile,
      of({ isExecutable: false }),
      "make it executable",
      "chmod +x /opt/cni/bin/bridge"
    ],
    ["that is empty", pluginFile, of({ format: { _tag: "Other", start: "" } }), "install the plugin bridge again"],
    ["for another processor", pluginFile, of({ format: elf }), "install the plugin bridge for x86-64"],
    [
      "without its interpreter",
      pluginFile,
      of({ format: { ...elf, machine: 62, interpreter: "/lib/ld" }, hasInterpreter: false }),
      "install /lib/ld, or a plugin that does not need it"
    ],
    [
      "that answers no VERSION",
      pluginVersions,
      of({ versions: Result.fail("x") }),
      "install the plugin bridge again, or see what it does: CNI_COMMAND=VERSION /opt/cni/bin/bridge < /dev/null"
    ],
    [
      "that does not speak the version",
      pluginVersions,
      of({ versions: Result.succeed(["0.4.0", "0.3.1"]) }),
      "set \"cniVersion\" to \"0.4.0\", which all plugins of the chain speak"
    ],
    ["that speaks no version", pluginVersions, of({ versions: Result.succeed([]) }), "install a newer bridge"]
  ]
  for (const [what, check, facts, ...fix] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.fixes(check, facts)[0], fix))
  }

  const needs = (plugin: object, host: Parameters<typeof Host.facts>[0] = {}) => ({
    ...Facts.ofFile({ cniVersion: "1.0.0", name: "n", plugins: [plugin] }),
    host: Host.facts({ host: { tools: new Map() }, ...host }).host
  })
  const path = "or, where it is installed, give the runtime a PATH with its folder, such as /usr/sbin"
  const dhcp = (fields: object) => needs({ type: "macvlan", ipam: { type: "dhcp", ...fields } })
  const lacking: ReadonlyArray<
    readonly [what: string, check: Check, facts: ReturnType<typeof needs>, ...fix: ReadonlyArray<string>]
  > = [
    ["without iptables", PluginNeeds.pluginTools, needs({ type: "portmap" }), `install the package iptables, ${path}`],
    [
      "without nft",
      PluginNeeds.pluginTools,
      needs({ type: "portmap", backend: "nftables" }),
      `install the package nftables, ${path}`
    ],
    [
      "without its link",
      PluginNeeds.masterLink,
      needs({ type: "macvlan", master: "x" }),
      "set \"master\" to a link that is there, or make the link x"
    ],
    ["without a name of its link", PluginNeeds.masterLink, needs({ type: "vlan" }), "add \"master\""],
    [
      "on a link that is down",
      PluginNeeds.masterLink,
      needs({ type: "macvlan", master: "uplink" }, { outside: { links: [{ ...uplink, isUp: false }] } }),
      "set it up",
      "ip link set uplink up"
    ],
    [
      "without its file",
      PluginNeeds.pluginFiles,
      needs({ type: "flannel" }),
      "start the program that creates it, or correct the path"
    ],
    ["without its daemon", PluginNeeds.dhcpDaemon, dhcp({}), "start it: /usr/lib/cni/dhcp daemon"],
    [
      "without its daemon, at another socket",
      PluginNeeds.dhcpDaemon,
      dhcp({ daemonSocketPath: "/x" }),
      "start it: /usr/lib/cni/dhcp daemon -socketpath /x"
    ]
  ]
  for (const [what, check, facts, ...fix] of lacking) {
    it(what, () => assert.deepStrictEqual(Facts.fixes(check, facts)[0], fix))
  }

  it("where its file is known", () => {
    const facts = { ...dhcp({}), plugins: new Map([Facts.plugin("dhcp")]) }
    assert.deepStrictEqual(Facts.fixes(PluginNeeds.dhcpDaemon, facts), [["start it: /opt/cni/bin/dhcp daemon"]])
  })
})

describe("what a trial and logs show is mended by hand", () => {
  const call = (verb: string, hasDocument: boolean) =>
    ({
      invocation: "1",
      plugin: { type: "bridge" },
      verb,
      stdin: "{}",
      execution: undefined,
      answer: { _tag: "Failure", hasDocument, code: 7, msg: "x", details: "" }
    }) as never
  const trial = (calls: ReadonlyArray<never>, left: ReadonlyArray<object> = []): Host.Change => ({
    facts: {
      trial: {
        calls,
        innermost: new Map(),
        left: left as never,
        sent: { flows: [], findings: [], problem: undefined }
      }
    }
  })
  const past = (verb: string, fields: object = {}) => ({
    network: "n",
    verb,
    time: "T",
    containerId: "a b",
    ifname: "eth0",
    netns: "/gone",
    pod: undefined,
    end: "well",
    failure: "x",
    stderr: [],
    given: new Set<string>(),
    ...fields
  })
  const history = (...operations: ReadonlyArray<object>): Host.Change => ({
    facts: {
      all: [],
      history: { operations: operations as never, gone: new Set(["/gone"]), logs: ["/var/log/cni/*.jsonl"] }
    }
  })
  const given = (...names: ReadonlyArray<string>) => ({ given: new Set(names) })
  specify(
    [
      "a failure that says why",
      Trials.trialAdd,
      trial([call("ADD", true)]),
      "mend what bridge names, and try again: cni-passthrough doctor --trial"
    ],
    [
      "a failure that does not",
      Trials.trialDel,
      trial([call("DEL", false)]),
      "use another version of bridge, or see what it does before it ends: it gives no answer that runtimes know"
    ],
    [
      "a CHECK that fails",
      Trials.trialCheck,
      trial([call("CHECK", true)]),
      "set \"disableCheck\": true where runtimes call CHECK, or use a newer plugin"
    ],
    [
      "what a DEL left",
      Trials.trialLeft,
      trial([], [{ kind: "link", text: "x" }]),
      "it was removed; use a version of the plugin whose DEL works"
    ],
    [
      "the last failure",
      LogHistory.lastFailure,
      history(past("ADD", { end: "badly" })),
      "fix what the error names. To see all of it: cni-passthrough show --failed --full --container 'a b' '/var/log/cni/*.jsonl'"
    ],
    [
      "the last failure of no container",
      LogHistory.lastFailure,
      history(past("GC", { end: "badly", containerId: "" })),
      "fix what the error names. To see all of it: cni-passthrough show --failed --full '/var/log/cni/*.jsonl'"
    ],
    [
      "an ADD without a DEL",
      LogHistory.addWithoutDel,
      history(past("ADD"), past("ADD", { ifname: "net1" })),
      "name the logs after these too, if there are any; then detach what is left",
      "cni-passthrough run del n --container-id 'a b'",
      "cni-passthrough run del n --container-id 'a b' --ifname net1"
    ],
    [
      "a DEL of fewer plugins",
      LogHistory.delWithLess,
      history(past("ADD", given("the plugin x")), past("DEL")),
      "detach containers before a network is changed; what is left: cni-passthrough leaks"
    ],
    [
      "a DEL with less",
      LogHistory.delWithLess,
      history(past("ADD", given("prevResult")), past("DEL")),
      "let the runtime give a DEL what its ADD had, as libcni does from its cache; what is left: cni-passthrough leaks"
    ]
  )
})

describe("an attachment is mended by hand", () => {
  const asked = (facts: Host.Change["facts"] = {}): Host.Change => ({
    facts: { attachments: [], selected: { words: "the pod x", value: "x" }, ...facts }
  })
  specify(
    [
      "that is in another network",
      Namespaces.attachmentKnown,
      asked({ elsewhere: ["a b"] }),
      "ask about that network: cni-passthrough doctor 'a b'"
    ],
    [
      "that is not there",
      Namespaces.attachmentKnown,
      asked(),
      "restart the container, or attach it with cni-passthrough run add. If that fails, cni-passthrough doctor " +
      "--trial shows why"
    ],
    ["whose namespace is another file", Namespaces.namespace, {
      attachment: { sight: { _tag: "Foreign", reason: "x" } }
    }, "remove the file /run/netns/web, and start the container anew"],
    ["whose namespace is that of the host", Namespaces.namespace, {
      attachment: { sight: { _tag: "There", network: Host.inside, isHost: true } }
    }, "start the container with a network namespace of its own"],
    [
      "whose namespace is gone",
      Namespaces.namespace,
      { attachment: { sight: { _tag: "Missing" } } },
      "remove what those containers left",
      "cni-passthrough leaks n --fix --yes"
    ]
  )
})

describe("a network that is not found is looked for elsewhere", () => {
  const asked = (asked: string | undefined, fields: object = {}) => ({
    ...Facts.ofFile({ cniVersion: "1.0.0", name: "pods", plugins: [{ type: "bridge" }] }),
    folder: "/net.d",
    asked,
    file: undefined,
    ...fields
  })
  const { file } = Facts.ofFile({ name: "pods" })
  const files = file === undefined ? [] : [file]
  const cases: ReadonlyArray<readonly [what: string, facts: ReturnType<typeof asked>, fix: string]> = [
    [
      "where there is none",
      asked(undefined),
      "put a .conflist into /net.d, or name the folder that the runtime uses with --conf-dir"
    ],
    ["where it is podman's", asked("podman"), "start a container, and ask again"],
    ["where no other is called nearly so", asked("web"), "put a .conflist with \"name\": \"web\" into /net.d"],
    ["where another is called nearly so", asked("pod", { files }), "use the name pods, or rename the network"]
  ]
  for (const [what, facts, fix] of cases) {
    it(what, () => assert.deepStrictEqual(Facts.fixes(NetworkFiles.networkFound, facts), [[fix]]))
  }
})

describe("the phase of each check", () => {
  it("is that of what it asks about: attachments and the host are judged by what they were made with", () => {
    const phases = (checks: ReadonlyArray<Check>) => checks.map(({ id, phase }) => `${phase} ${id}`)
    assert.isTrue(phases(Checks.configuration).every((each) => each.startsWith("configuration ")))
    assert.isTrue(phases(Checks.plugins).every((each) => each.startsWith("plugins ")))
    assert.isTrue(phases(Checks.trial).every((each) => each.startsWith("trial ")))
    assert.isTrue(phases(Checks.history).every((each) => each.startsWith("history ")))
    assert.deepStrictEqual(phases(Checks.live), [
      "plugins plugin-tools",
      "plugins plugin-files",
      "plugins master-link",
      "plugins writable-sysctls",
      "plugins dhcp-daemon",
      "plugins dhcp-server",
      "addresses address-store",
      "addresses range-exhausted",
      "addresses bridge-address",
      "addresses ipv6-disabled",
      "attachment cache-entries",
      "attachment attachment-known",
      "attachment namespace",
      "attachment cached-result",
      "attachment link",
      "attachment link-up",
      "attachment bridge",
      "attachment host-end",
      "attachment duplicate-address",
      "attachment addresses",
      "attachment routes",
      "attachment answer-routes",
      "attachment gateway-address",
      "addresses overlapping-subnets",
      "attachment host-route",
      "attachment bridge-frames",
      "attachment gateway-answers",
      "attachment neighbours",
      "attachment inside-rules",
      "host ip-forward",
      "host kernel-tables",
      "host policy-rules",
      "host way-out",
      "host forward-rules",
      "host rp-filter",
      "host rp-filter-uplink",
      "host masquerade",
      "host ports-taken",
      "host port-mappings",
      "host published-ports",
      "host hairpin",
      "attachment name-servers",
      "host input-rules",
      "host tunnel-rules",
      "host path-mtu",
      "host queues",
      "attachment mtu",
      "attachment mac",
      "host bridge-netfilter",
      "host iptables-backends",
      "addresses stale-reservations",
      "host everything-seen"
    ])
  })
})

describe("a file is renamed, corrected or removed", () => {
  const named = (path: string, config: object) => Facts.ofFile(config, path)
  const list = { cniVersion: "1.0.0", name: "n", plugins: [{ type: "bridge" }] }
  const mended: ReadonlyArray<readonly [what: string, check: Check, facts: ReturnType<typeof named>, fix: string]> = [
    [
      "a switch in quotes",
      Specification.specification,
      named("/n.conflist", { ...list, disableCheck: "true" }),
      "remove the quotes"
    ],
    [
      "a field by another name",
      Specification.specification,
      named("/n.conflist", { ...list, disablCheck: true }),
      "rename \"disablCheck\" to \"disableCheck\""
    ],
    [
      "a name that is none",
      Specification.specification,
      named("/n.conflist", { ...list, name: "-n" }),
      "correct \"name\""
    ],
    [
      "delegates that are none",
      Specification.specification,
      named("/n.conflist", { ...list, plugins: [{ type: "multus", delegates: 5 }] }),
      "correct \"delegates\""
    ],
    [
      "a version that is none",
      Specification.specification,
      named("/n.conflist", { ...list, cniVersion: "9.9.9" }),
      "set \"cniVersion\" to one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
    ],
    [
      "a field of a plugin by another name",
      Fields.fieldNames,
      named("/n.conflist", { ...list, plugins: [{ type: "bridge", isGatway: true }] }),
      "rename \"isGatway\" to \"isGateway\""
    ],
    [
      "a value that is refused",
      Fields.pluginFields,
      named("/n.conflist", { ...list, plugins: [{ type: "bridge", mtu: "1" }] }),
      "correct the value"
    ],
    [
      "a value of ours that is refused",
      Fields.pluginFields,
      named("/n.conflist", { ...list, plugins: [{ type: "passthrough", hookADD: 3 }] }),
      "correct the value"
    ]
  ]
  for (const [what, check, facts, fix] of mended) {
    it(what, () => assert.deepStrictEqual(Facts.fixes(check, facts)[0], [fix]))
  }

  it("so that runtimes load it", () => {
    const commands = (path: string, config: object) =>
      Facts.fixes(Specification.fileName, named(path, config))[0]?.slice(1)
    assert.deepStrictEqual(commands("/a b/n.txt", list), ["mv -n '/a b/n.txt' '/a b/n.conflist'"])
    assert.deepStrictEqual(commands("/net.d/n", list), ["mv -n /net.d/n /net.d/n.conflist"])
    assert.deepStrictEqual(commands("/n.conf", list), ["mv -n /n.conf /n.conflist"])
    assert.deepStrictEqual(commands("/n.conflist", { name: "n", type: "bridge" }), ["mv -n /n.conflist /n.conf"])
  })
})
