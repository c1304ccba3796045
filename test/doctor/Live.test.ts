/** Checks of the host and of attachments: what each says of a healthy host in which one thing is broken. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Fix from "../../src/doctor/Fix.ts"
import { found } from "./facts.ts"
import * as Host from "./host.ts"

const [lo, eth0] = Host.inside.links
const [uplink, cni0, veth1] = Host.outside.links
if (lo === undefined || eth0 === undefined || uplink === undefined || cni0 === undefined || veth1 === undefined) {
  throw new Error("the healthy host has no links")
}
const routes = Host.inside.routes
const withRules = (from: string | RegExp, to: string) => ({
  rules: Result.succeed({ rulesets: [Host.rules(Host.save.replace(from, to))], nft: [] })
})
const gone = (address: string) => ({
  file: `/var/lib/cni/networks/n/${address}`,
  address,
  containerId: "gone",
  ifname: "eth0",
  isGone: true,
  reason: "no process of it"
})
const store = (...reservations: ReadonlyArray<ReturnType<typeof gone>>) => ({
  store: { folder: "/var/lib/cni/networks/n", reservations, unread: [], problem: undefined, unwritable: undefined }
})
const api = (fields: Parameters<typeof Host.attachment>[0] = {}, address = "10.99.0.3/24") =>
  Host.attachment(
    {
      file: "/var/lib/cni/results/n-api-eth0",
      containerId: "api",
      netns: "/run/netns/api",
      portMappings: [],
      ...fields
    },
    { ...Host.inside, links: [Host.link("eth0", {}, address)] }
  )

const inContainer = (rule: string) => Host.rules(`*filter\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n${rule}\nCOMMIT`)
const viaMain = "{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"}"

/** What is changed, and what is found then, in its order. */
const broken: { readonly [name: string]: readonly [change: Host.Change, ...found: ReadonlyArray<RegExp>] } = {
  "a namespace that is gone": [
    { attachment: { sight: { _tag: "Missing" } } },
    /^warning namespace - eth0 of web: its network namespace \/run\/netns\/web is gone/
  ],
  "a namespace that is a file": [
    { attachment: { sight: { _tag: "Foreign", reason: "Invalid argument" } } },
    /^error namespace - .* is not a network namespace/
  ],
  "the namespace of the host": [
    { attachment: { sight: { _tag: "There", network: Host.outside, isHost: true } } },
    /^error namespace - .* is the namespace of the host itself/
  ],
  "a namespace that may not be entered": [
    { attachment: { sight: { _tag: "Unseen", reason: "Operation not permitted" } } },
    /^note everything-seen - some checks could not run/
  ],
  "a result that cannot be read": [
    { attachment: { result: Result.fail("the cache has no result") } },
    /^warning cached-result - eth0 of web: .* the cache has no result/
  ],
  "a pod that is misspelt": [
    {
      attachment: { pod: "shop/web", containerId: "0123456789abcdef".repeat(4) },
      facts: { attachments: [], selected: { words: "the pod shop/wep", value: "shop/wep" } }
    },
    /^error attachment-known - libcni's cache has no attachment of the pod shop\/wep to n: did you mean --pod shop\/web\?/
  ],
  "a pod of another network": [
    {
      facts: { attachments: [], elsewhere: ["m"], selected: { words: "the pod shop/web", value: "shop/web" } }
    },
    /^error attachment-known - libcni's cache has no attachment of the pod shop\/web to n: it is attached to m$/
  ],
  "no link": [{ inside: { links: [lo] } }, /^error link bridge .*has no such link/],
  "a link that is down": [
    { inside: { links: [{ ...eth0, isUp: false }] } },
    /^error link-up bridge eth0 of web is down/
  ],
  "a link that is down, and with it its port": [
    {
      inside: { links: [{ ...eth0, isUp: false }] },
      outside: { links: [uplink, cni0, { ...veth1, portState: "disabled" }] }
    },
    /^error link-up bridge eth0 of web is down/
  ],
  "a container that its runtime numbers, of a pod": [
    {
      attachment: { pod: "shop/web", containerId: "0123456789abcdef".repeat(4) },
      inside: { links: [{ ...eth0, isUp: false }] }
    },
    /^error link-up bridge eth0 of shop\/web \(0123456789ab\) is down/
  ],
  "no address": [
    { inside: { links: [{ ...eth0, addresses: [] }] } },
    /^error addresses bridge eth0 of web has no address 10\.99\.0\.2\/24/
  ],
  "an address of another length": [
    { inside: { links: [Host.link("eth0", { kind: "veth", peer: 12 }, "10.99.0.2/32")] } },
    /^error addresses bridge .* has 10\.99\.0\.2\/32, expected 10\.99\.0\.2\/24/
  ],
  "an address that another host has too": [
    { inside: { links: [{ ...eth0, addresses: eth0.addresses.map((each) => ({ ...each, isDuplicate: true })) }] } },
    /^error addresses host-local .*another host of the link has 10\.99\.0\.2\/24 too/
  ],
  "no default route": [
    { inside: { routes: routes.slice(1) } },
    /^error routes bridge .*no default route via 10\.99\.0\.1/,
    /^error name-servers bridge .*no route from inside leads to the name server 192\.0\.2\.53/
  ],
  "a default route elsewhere": [
    { inside: { routes: [Host.route("0.0.0.0/0", "eth0", { gateway: "10.99.0.9" })] } },
    /^error routes bridge .*the default route goes via 10\.99\.0\.9, expected via 10\.99\.0\.1/
  ],
  "a name server that is a name": [
    { attachment: { result: Host.resultWith({ dns: { nameservers: ["dns.example"] } }) } },
    /^error name-servers bridge .*"dns\.example" is not an IP address/
  ],
  "a name server that is the container": [
    { attachment: { result: Host.resultWith({ dns: { nameservers: ["::1"] } }) } },
    /^warning name-servers bridge .*::1 is the container itself/
  ],
  "another MTU inside": [
    { inside: { links: [{ ...eth0, mtu: 1300 }] } },
    /^warning mtu bridge .*its MTU is 1300, and that of its other end veth1 is 1500/
  ],
  "another MTU than the bridge is told": [
    { bridge: { mtu: 1400 } },
    /^warning mtu bridge .*its MTU is 1500, expected 1400/
  ],
  "another MTU at the bridge": [
    { outside: { links: [uplink, { ...cni0, mtu: 1280 }, veth1] } },
    /^warning mtu bridge .*of the bridge cni0 is 1280/
  ],
  "another MAC": [
    { inside: { links: [{ ...eth0, mac: "02:00:00:00:00:09" }] } },
    /^warning mac bridge eth0 of web has the MAC 02:00:00:00:00:09, expected 02:00:00:00:00:01/
  ],
  "no bridge": [{ outside: { links: [uplink, veth1] } }, /^error bridge bridge the host has no bridge cni0/],
  "a device with the name of the bridge": [
    { outside: { links: [uplink, { ...cni0, kind: "dummy" }, veth1] } },
    /^error bridge bridge .*not a bridge but of kind dummy/
  ],
  "a bridge that is down": [
    { outside: { links: [uplink, { ...cni0, isUp: false }, veth1] } },
    /^error bridge bridge the bridge cni0 is down/
  ],
  "a bridge without its address": [
    { outside: { links: [uplink, { ...cni0, addresses: [] }, veth1], routes: Host.outside.routes.slice(0, 2) } },
    /^error gateway-address bridge the bridge cni0 does not have the address 10\.99\.0\.1\/24/
  ],
  "no other end": [{ outside: { links: [uplink, cni0] } }, /^error host-end bridge .*does not have the other end/],
  "an end of another pair": [
    { outside: { links: [uplink, cni0, { ...veth1, index: 13 }] } },
    /^error host-end bridge .*veth1 is the other end of another link/
  ],
  "an end that is down": [
    { outside: { links: [uplink, cni0, { ...veth1, isUp: false }] } },
    /^error host-end bridge .*veth1, is down/
  ],
  "an end that is no port": [
    { outside: { links: [uplink, cni0, { ...veth1, master: undefined }] } },
    /^error host-end bridge .*not a port of any bridge, expected cni0/
  ],
  "an end whose port is off": [
    { outside: { links: [uplink, cni0, { ...veth1, portState: "disabled" }] } },
    /^error host-end bridge .*its port is disabled/
  ],
  "no way back": [
    { outside: { routes: Host.outside.routes.slice(0, 2) } },
    /^error host-route bridge .*the host has no route to 10\.99\.0\.2 over cni0/
  ],
  "a way back elsewhere": [
    { outside: { routes: [...Host.outside.routes, Host.route("10.99.0.2/32", "uplink")] } },
    /^error overlapping-subnets host-local .*10\.99\.0\.2\/32, which the host has on uplink/,
    /^error host-route bridge .*to uplink, expected cni0/
  ],
  "a gateway that does not answer": [
    { attachment: { probes: [{ address: "10.99.0.1", device: "eth0", hasAnswered: false }] } },
    /^error gateway-answers bridge .*10\.99\.0\.1 does not answer from inside/
  ],
  "a subnet that the host has": [
    { outside: { routes: [...Host.outside.routes, Host.route("10.99.0.0/25", "uplink")] } },
    /^error overlapping-subnets host-local .*overlaps with 10\.99\.0\.0\/25, which the host has on uplink/,
    /^error host-route bridge .*to uplink, expected cni0/
  ],
  "an address at two containers": [
    { others: [api({}, "10.99.0.2/24")] },
    /^error duplicate-address host-local web and api both have the address 10\.99\.0\.2\/24/
  ],
  "an address that the host has": [
    { outside: { links: [Host.link("uplink", {}, "10.99.0.2/24"), cni0, veth1] } },
    /^error duplicate-address host-local web has the address 10\.99\.0\.2\/24, which the host has on uplink/
  ],
  "an address of one that is gone": [
    { facts: store(gone("10.99.0.7")) },
    /^warning stale-reservations host-local the address 10\.99\.0\.7 is reserved for gone, which is gone/
  ],
  "a range that is used up": [
    { bridge: { ipam: { type: "host-local", subnet: "10.99.0.0/30" } }, facts: store(gone("10.99.0.2")) },
    /^error range-exhausted host-local 1:\d+ plugins\[0\]\.ipam: the only address .*, 1 of them by containers that are gone/,
    /^error bridge-address bridge .*has the address 10\.99\.0\.1\/24, expected 10\.99\.0\.1\/30/,
    /^warning stale-reservations/
  ],
  "a store that cannot be read": [
    {
      facts: {
        store: {
          folder: "/x",
          reservations: [],
          unread: [],
          problem: "ENOTDIR: not a directory",
          unwritable: undefined
        }
      }
    },
    /^error address-store host-local the store \/x cannot be read: ENOTDIR/
  ],
  "no forwarding of the way out": [
    { host: { sysctls: new Map([["net.ipv4.conf.uplink.forwarding", "0"]]) } },
    /^error ip-forward - .*net\.ipv4\.conf\.uplink\.forwarding is 0/
  ],
  "a table of the kernel that is full": [
    {
      host: {
        tables: [{ name: "neighbours of IPv4", used: 1024, limit: 1024, setting: "net.ipv4.neigh.default.gc_thresh3" }]
      }
    },
    /^error kernel-tables - the kernel's table of neighbours of IPv4 is full, with 1024 of 1024/
  ],
  "a table of the kernel that is nearly full": [
    { host: { tables: [{ name: "connections", used: 950, limit: 1000, setting: "net.netfilter.nf_conntrack_max" }] } },
    /^warning kernel-tables - .* is nearly full, with 950 of 1000/
  ],
  "a way back in a table that nobody asks": [
    {
      outside: { routes: [...Host.outside.routes.slice(0, 2), Host.route("10.99.0.0/24", "cni0", { table: "7" })] }
    },
    /^error host-route bridge eth0 of web: the host has no route to 10\.99\.0\.2 over cni0/
  ],
  "no forwarding": [
    { host: { sysctls: new Map([["net.ipv4.ip_forward", "0"]]) } },
    /^error ip-forward - the host does not forward IPv4: net\.ipv4\.ip_forward is 0/
  ],
  "no forwarding of the bridge": [
    { host: { sysctls: new Map([["net.ipv4.conf.cni0.forwarding", "0"]]) } },
    /^error ip-forward - .*net\.ipv4\.conf\.cni0\.forwarding is 0/
  ],
  "a policy that drops": [
    { host: withRules(":FORWARD ACCEPT", ":FORWARD DROP") },
    /^error forward-rules - what eth0 of web sends is dropped by the policy of FORWARD/
  ],
  "a policy that drops, in spite of firewall": [
    { host: withRules(":FORWARD ACCEPT", ":FORWARD DROP"), plugins: [{ type: "firewall" }] },
    /^error forward-rules firewall .*the rules of the plugin firewall are not there/
  ],
  "a rule that drops answers": [
    { host: withRules(":FORWARD ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]\n-A FORWARD -o cni0 -j DROP") },
    /^error forward-rules - answers to eth0 of web are dropped by a rule of FORWARD/
  ],
  "no masquerading": [
    { host: withRules("-j MASQUERADE", "-j ACCEPT") },
    /^error masquerade bridge .*no rule masquerades 10\.99\.0\.2/
  ],
  "no masquerading but of ports that are mapped, by a mark": [
    {
      host: withRules(
        /-A POSTROUTING .*\n/,
        "-A POSTROUTING -m mark --mark 0x2000/0x2000 -j MASQUERADE\n"
      )
    },
    /^error masquerade bridge .*no rule masquerades 10\.99\.0\.2/
  ],
  "a rule in a container that drops what it sends": [
    { attachment: { filter: [inContainer("-A OUTPUT -o eth0 -j DROP")] } },
    /^error inside-rules - what eth0 of web sends is dropped in its own namespace, by a rule of OUTPUT/
  ],
  "a policy in a container that drops what comes": [
    { attachment: { filter: [Host.rules("*filter\n:INPUT DROP [0:0]\nCOMMIT")] } },
    /^error inside-rules - what answers eth0 of web is dropped in its own namespace, by the policy of INPUT/
  ],
  "a policy that drops what the host is asked as a name server": [
    {
      host: withRules(
        "*filter",
        "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
      ),
      attachment: { result: Host.resultWith({ dns: { nameservers: ["10.99.0.1"] } }) }
    },
    /^warning input-rules - eth0 of web: what it asks the name server 10\.99\.0\.1, .* by the policy of INPUT/
  ],
  "a rule that throws away what containers send": [
    {
      host: {
        policies: Host.policies(
          "{\"priority\":9,\"src\":\"10.99.0.0\",\"srclen\":24,\"action\":\"blackhole\"}",
          viaMain
        )
      }
    },
    /^error policy-rules - what eth0 of web sends ends in blackhole/
  ],
  "a rule that leads to a table where it ends": [
    {
      host: { policies: Host.policies("{\"priority\":9,\"src\":\"all\",\"iif\":\"cni0\",\"table\":\"7\"}", viaMain) },
      outside: {
        routes: [
          ...Host.outside.routes,
          Host.route("0.0.0.0/0", "lo", { device: undefined, table: "7", type: "unreachable" })
        ]
      }
    },
    /^error policy-rules - what eth0 of web sends ends in unreachable/
  ],
  "a rule that sends answers to another link": [
    {
      host: {
        policies: Host.policies(
          "{\"priority\":9,\"src\":\"all\",\"dst\":\"10.99.0.0\",\"dstlen\":24,\"table\":\"7\"}",
          viaMain
        )
      },
      outside: { routes: [...Host.outside.routes, Host.route("0.0.0.0/0", "uplink", { table: "7" })] }
    },
    /^error policy-rules - answers to eth0 of web go to uplink, expected cni0/
  ],
  "a strict reverse path": [
    {
      host: { sysctls: new Map([["net.ipv4.conf.all.rp_filter", "1"]]) },
      outside: { routes: [...Host.outside.routes, Host.route("10.99.0.2/32", "uplink")] }
    },
    /^error overlapping-subnets/,
    /^error host-route/,
    /^error rp-filter - rp_filter of cni0 is 1/
  ],
  "rules in both backends": [
    {
      host: {
        rules: Result.succeed({
          rulesets: [
            Host.rules(Host.save),
            Host.rules(
              "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\nCOMMIT",
              "legacy"
            )
          ],
          nft: []
        })
      }
    },
    /^warning iptables-backends - .*2 in legacy and 6 in nf_tables/
  ],
  "a port that leads nowhere": [
    { host: withRules(/-A PREROUTING .*\n/, "") },
    /^error port-mappings portmap eth0 of web: no rule leads from port 8080\/tcp/
  ],
  "a port that leads elsewhere": [
    { host: withRules("10.99.0.2:80", "10.99.0.250:80") },
    /^error port-mappings portmap .*goes to 10\.99\.0\.250:80, expected 10\.99\.0\.2:80/
  ],
  "a port of two containers": [
    { others: [api({ portMappings: Host.attachment().portMappings })] },
    /^error ports-taken portmap port 8080\/tcp of the host is mapped to two containers, web and api/
  ],
  "a port that somebody listens on": [
    { host: { listeners: Result.succeed([{ protocol: "tcp", port: 8080, owner: { name: "nginx", pid: 7 } }]) } },
    /^warning ports-taken portmap .*nginx \(process 7\) listens on it/
  ],
  "a result in the cache that is empty": [
    { facts: { damaged: [{ file: "/var/lib/cni/results/n-web-eth0", reason: "it is empty" }] } },
    /^error cache-entries - runtimes cannot read \/var\/lib\/cni\/results\/n-web-eth0: it is empty/
  ],
  "no iptables": [
    { host: { tools: new Map() } },
    /^error plugin-tools bridge .*bridge needs iptables/,
    /^error plugin-tools portmap/
  ],
  "rules that nobody may read": [
    { host: { rules: Result.fail("iptables-save: you must be root") } },
    /^note everything-seen - some checks could not run/
  ]
}

/** What is right, although it looks as if it were not. */
const right: { readonly [name: string]: Host.Change } = {
  "nothing": {},
  "a gateway whose address is still looked at": {
    attachment: { probes: [{ address: "10.99.0.1", device: "eth0", hasAnswered: false }] },
    outside: {
      links: [uplink, { ...cni0, addresses: cni0.addresses.map((each) => ({ ...each, isTentative: true })) }, veth1]
    }
  },
  "a gateway of which nobody knows whether it answers": {
    attachment: { probes: [{ address: "10.99.0.1", device: "eth0", hasAnswered: undefined }] }
  },
  "a runtime that keeps a mapped port": {
    host: { listeners: Result.succeed([{ protocol: "tcp", port: 8080, owner: { name: "conmon", pid: 7 } }]) }
  },
  "a port of another address of the host": {
    others: [api({ portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "udp", hostIP: "" }] })]
  },
  "a container that is gone with the same port": {
    others: [api({ portMappings: Host.attachment().portMappings, sight: { _tag: "Missing" } })]
  },
  "a large network around the subnet": {
    outside: { routes: [...Host.outside.routes, Host.route("10.0.0.0/8", "uplink", { protocol: "static" })] }
  },
  "a VLAN whose gateway is a link of its own, where paths back are strict": {
    bridge: { vlan: 100 },
    host: { sysctls: new Map([["net.ipv4.ip_forward", "1"], ["net.ipv4.conf.all.rp_filter", "1"]]) },
    outside: {
      links: [uplink, { ...cni0, addresses: [] }, { ...cni0, name: "cni0.100", kind: "veth" }, veth1],
      routes: Host.outside.routes.map((route) => route.device === "cni0" ? { ...route, device: "cni0.100" } : route)
    }
  },
  "tuning that sets the MTU inside alone": {
    plugins: [{ type: "tuning", mtu: 1400 }],
    inside: { links: [{ ...eth0, mtu: 1400 }] }
  },
  "a container without a way out, on a host that does not forward": {
    bridge: { ipMasq: false, ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/24" }]] } },
    host: { sysctls: new Map([["net.ipv4.ip_forward", "0"]]) },
    inside: { routes: routes.slice(1) },
    attachment: { result: Host.resultWith({ routes: [], dns: {} }) }
  },
  "masquerading by a mark that something before it may give": {
    host: withRules(
      /^[^]*?-A POSTROUTING .*\n/,
      "*mangle\n:PREROUTING ACCEPT\n-A PREROUTING -s 10.99.0.0/24 -j MARK --set-xmark 0x1/0x1\nCOMMIT\n" +
        Host.save.replace(/-A POSTROUTING [^]*/, "-A POSTROUTING -m mark --mark 0x1/0x1 -j MASQUERADE\n")
    )
  },
  "a container with a firewall that lets answers in": {
    attachment: {
      filter: [
        Host.rules(
          "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -j ACCEPT\nCOMMIT"
        )
      ]
    }
  },
  "a host that drops what nobody needs of it": {
    host: withRules(
      "*filter",
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
    )
  },
  "a host that drops all but what it is asked as a name server": {
    host: withRules(
      "*filter",
      "*filter\n:INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n-A INPUT -i cni0 -p udp -m udp --dport 53 -j ACCEPT"
    ),
    attachment: { result: Host.resultWith({ dns: { nameservers: ["10.99.0.1"] } }) }
  },
  "rules that send what containers send through a tunnel": {
    host: {
      policies: Host.policies(
        "{\"priority\":8,\"not\":null,\"src\":\"all\",\"fwmark\":\"0x1\",\"table\":\"7\"}",
        "{\"priority\":9,\"src\":\"all\",\"table\":\"main\",\"suppress_prefixlen\":0}",
        "{\"priority\":10,\"src\":\"10.99.0.0\",\"srclen\":24,\"table\":\"8\"}",
        viaMain
      )
    },
    outside: {
      routes: [
        ...Host.outside.routes,
        Host.route("0.0.0.0/0", "lo", { device: undefined, table: "7", type: "blackhole" }),
        Host.route("0.0.0.0/0", "tunnel", { table: "8" })
      ]
    }
  },
  "containers in a table of their own": {
    host: {
      policies: Host.policies(
        "{\"priority\":9,\"src\":\"all\",\"dst\":\"10.99.0.0\",\"dstlen\":24,\"table\":\"7\"}",
        viaMain
      ),
      sysctls: new Map([["net.ipv4.conf.all.rp_filter", "1"]])
    },
    outside: { routes: [...Host.outside.routes.slice(0, 2), Host.route("10.99.0.0/24", "cni0", { table: "7" })] }
  },
  "a bridge in a VRF": {
    outside: {
      links: [
        ...Host.outside.links.map((each) => each.name === "cni0" ? { ...each, master: "red" } : each),
        Host.link("red", { index: 20, kind: "vrf" })
      ],
      routes: [...Host.outside.routes.slice(0, 2), Host.route("10.99.0.0/24", "cni0", { table: "7" })]
    }
  },
  "rules that cannot be understood": {
    host: withRules(":FORWARD ACCEPT [0:0]", ":FORWARD DROP [0:0]\n-A FORWARD -m recent --rcheck -j ACCEPT")
  }
}

const live = (change: Host.Change) => found(Checks.live, Host.facts(change))

describe("the checks of the host and of attachments find", () => {
  for (const [name, [change, ...expected]] of Object.entries(broken)) {
    it(name, () => {
      const findings = live(change)
      assert.strictEqual(findings.length, expected.length, findings.join("\n"))
      expected.forEach((pattern, index) => assert.match(findings[index] ?? "", pattern))
    })
  }
})

describe("the checks of the host and of attachments find nothing wrong with", () => {
  for (const [name, change] of Object.entries(right)) {
    it(name, () => assert.deepStrictEqual(live(change), []))
  }
})

it("does not call masquerading right of which it cannot tell", () => {
  const change = { host: withRules(/-A POSTROUTING .*\n/, "-A POSTROUTING -m recent --rcheck -j MASQUERADE\n") }
  const masquerade = Check.examine(Checks.live, Host.facts(change)).checks.find(({ check }) => check === "masquerade")
  assert.deepStrictEqual(masquerade, {
    check: "masquerade",
    status: "skipped",
    reason: "rules that cannot be understood decide whether 10.99.0.2 is masqueraded",
    leavesOpen: ["world", "world-large", "name-server"]
  })
})

describe("several networks", () => {
  it("are told as one: what is found for more of them once, and each check as the gravest of all", () => {
    const off = { host: { sysctls: new Map([["net.ipv4.ip_forward", "0"]]) } }
    const reports = [{}, off, off].map((change) => Check.examine(Checks.live, Host.facts(change)))
    const { checks, findings } = Check.merge(reports)
    assert.deepStrictEqual(findings.map(({ check }) => check), ["ip-forward"])
    assert.deepStrictEqual(checks.map(({ check }) => check), Checks.live.map(({ id }) => id))
    const statuses = new Map(checks.map(({ check, status }) => [check, status]))
    assert.deepStrictEqual([statuses.get("ip-forward"), statuses.get("routes")], ["failed", "ok"])
  })
})

const fixOf = (change: Host.Change, id?: string) => {
  const { findings } = Check.examine(Checks.live, Host.facts(change))
  return findings.find(({ check }) => id === undefined || check === id)?.fix
}

/** The commands of a fix, as a person would write them. */
const commandsOf = (change: Host.Change, id?: string) => fixOf(change, id)?.commands.map((command) => command.join(" "))

describe("a fix", () => {
  it("gives an address that two have back to the one whose ADD gave it, with its routes", () => {
    const change = {
      others: [
        api({ result: Host.resultWith({ ips: [{ address: "10.99.0.3/24", gateway: "10.99.0.1" }] }) }, "10.99.0.2/24")
      ]
    }
    assert.deepStrictEqual(commandsOf(change), [
      "nsenter --net=/run/netns/api ip addr del 10.99.0.2/24 dev eth0",
      "nsenter --net=/run/netns/api ip addr replace 10.99.0.3/24 dev eth0",
      "nsenter --net=/run/netns/api ip route replace 0.0.0.0/0 via 10.99.0.1 dev eth0"
    ])
  })

  it("takes away a route to a part of the subnet that leads elsewhere", () => {
    const ofRoute = (fields: Parameters<typeof Host.route>[2]) =>
      fixOf(
        { outside: { routes: [...Host.outside.routes, Host.route("10.99.0.0/25", "uplink", fields)] } },
        "host-route"
      )
    assert.deepStrictEqual([
      ofRoute({ protocol: "static" })?.commands,
      ofRoute({ protocol: "boot", device: undefined, type: "blackhole" })?.commands,
      ofRoute({ protocol: "kernel" })
    ], [
      [["ip", "route", "del", "10.99.0.0/25", "dev", "uplink"]],
      [["ip", "route", "del", "blackhole", "10.99.0.0/25"]],
      { text: "use a subnet that uplink does not have", commands: [] }
    ])
  })

  it("takes away the rule in a container that drops, each word as one word", () => {
    const filter = [inContainer("-A OUTPUT -m comment --comment \"$(id) x\" -j DROP")]
    assert.deepStrictEqual(fixOf({ attachment: { filter } })?.commands, [[
      "nsenter",
      "--net=/run/netns/web",
      "iptables",
      "-t",
      "filter",
      "-D",
      "OUTPUT",
      "-m",
      "comment",
      "--comment",
      "$(id) x",
      "-j",
      "DROP"
    ]])
  })

  it("sets a link up with the addresses and routes of its ADD", () => {
    assert.deepStrictEqual(commandsOf({ inside: { links: [lo, { ...eth0, isUp: false }] } }, "link-up"), [
      "nsenter --net=/run/netns/web ip link set eth0 up",
      "nsenter --net=/run/netns/web ip addr replace 10.99.0.2/24 dev eth0",
      "nsenter --net=/run/netns/web ip route replace 0.0.0.0/0 via 10.99.0.1 dev eth0"
    ])
  })

  it("leaves the route alone that another interface has", () => {
    const net1 = Host.link("net1", { index: 9 }, "10.6.0.2/24")
    const inside = {
      links: [lo, { ...eth0, isUp: false }, net1],
      routes: [Host.route("0.0.0.0/0", "net1", { gateway: "10.6.0.1" })]
    }
    assert.deepStrictEqual(commandsOf({ inside }, "link-up"), [
      "nsenter --net=/run/netns/web ip link set eth0 up",
      "nsenter --net=/run/netns/web ip addr replace 10.99.0.2/24 dev eth0"
    ])
  })

  it("leaves a rule of FORWARD alone that other traffic may need", () => {
    const fixFor = (rule: string) =>
      fixOf({ host: withRules(":FORWARD ACCEPT [0:0]", `:FORWARD ACCEPT [0:0]\n${rule}`) }, "forward-rules")?.commands
        .map(Fix.line)
    assert.deepStrictEqual(fixFor("-A FORWARD -j REJECT --reject-with icmp-host-prohibited"), [
      "iptables -t filter -I FORWARD -i cni0 -j ACCEPT",
      "iptables -t filter -I FORWARD -o cni0 -j ACCEPT"
    ])
    assert.deepStrictEqual(fixFor("-A FORWARD -s 10.99.0.2/32 -j DROP"), [
      "iptables -t filter -D FORWARD -s 10.99.0.2/32 -j DROP"
    ])
  })

  it("is safe to be pasted, whatever a container or a link is called", () => {
    const evil = "x; touch /tmp/pwned $(id) `id` '"
    const attachment = { containerId: evil, netns: `/run/netns/${evil}` }
    const changes: ReadonlyArray<Host.Change> = [
      { attachment, inside: { links: [lo] } },
      { attachment, inside: { links: [{ ...eth0, mtu: 1300 }] } },
      { attachment, inside: { routes: routes.slice(1) } },
      { attachment, host: withRules("-j MASQUERADE", "-j ACCEPT") }
    ]
    for (const change of changes) {
      const lines = (fixOf(change)?.commands ?? []).map(Fix.line).join("\n")
      assert.include(lines, `'x; touch /tmp/pwned $(id) \`id\` '`.slice(1, -1))
      const outsideQuotes = lines.replaceAll("'\\''", "").replaceAll(/'[^']*'/g, "").replaceAll("\\'", "")
      assert.notMatch(outsideQuotes, /touch|\$\(|`/)
    }
  })
})

/** The findings of a change: check, message, and the commands of the fix. */
const toldOf = (change: Host.Change) =>
  Check.examine(Checks.live, Host.facts(change)).findings.map(({ check, fix, message }) => ({
    check,
    message,
    commands: fix.commands.map(Fix.line)
  }))

const forwardPolicy = (...rules: ReadonlyArray<string>) =>
  withRules(":FORWARD ACCEPT [0:0]", [":FORWARD DROP [0:0]", ...rules].join("\n"))
const outward = ["-A FORWARD -i cni0 -j ACCEPT", "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"]

describe("what comes in for a published port", () => {
  it("is dropped by a policy that lets out what the container sends, and its answers", () => {
    assert.deepStrictEqual(toldOf({ host: forwardPolicy(...outward) }), [{
      check: "forward-rules",
      message: "what comes in for port 8080/tcp of eth0 of web (10.99.0.2:80) is dropped by the policy of FORWARD",
      commands: ["iptables -I FORWARD -o cni0 -p tcp -d 10.99.0.2 --dport 80 -j ACCEPT"]
    }])
  })

  it("is not let in by what the plugin firewall accepts", () => {
    const firewall = [
      "-A FORWARD -d 10.99.0.2/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A FORWARD -s 10.99.0.2/32 -j ACCEPT"
    ]
    assert.lengthOf(toldOf({ host: forwardPolicy(...firewall) }), 1)
  })

  it("gets through where a rule lets in this port, or some senders", () => {
    for (
      const rule of [
        "-A FORWARD -o cni0 -p tcp --dport 80 -j ACCEPT",
        "-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT",
        "-A FORWARD -s 198.51.100.0/24 -j ACCEPT"
      ]
    ) {
      assert.deepStrictEqual(toldOf({ host: forwardPolicy(...outward, rule) }), [], rule)
    }
  })

  it("comes in by an uplink where its address has no subnet, as on lo", () => {
    const attachment = {
      portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP: "198.51.100.7" }]
    }
    const outside = { links: [Host.link("lo", { index: 1 }, "198.51.100.7/32"), ...Host.outside.links] }
    const host = forwardPolicy(...outward, "-A FORWARD -i uplink -o cni0 -j ACCEPT")
    assert.deepStrictEqual(toldOf({ attachment, outside, host }).filter(({ check }) => check === "forward-rules"), [])
  })

  it("is not promised to the world where the port is one of the host itself", () => {
    const attachment = {
      portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP: "127.0.0.1" }]
    }
    const findings = toldOf({ attachment, host: forwardPolicy(...outward) })
    assert.deepStrictEqual(findings.filter(({ check }) => check === "forward-rules"), [])
  })
})

describe("what containers of one bridge send to each other", () => {
  const filtered = (...rules: ReadonlyArray<string>): Host.Change => {
    const own = Host.attachment({ portMappings: [] })
    const both = [own, api({ result: Host.resultWith({ ips: [{ address: "10.99.0.3/24", interface: 2 }] }) })]
    return {
      host: {
        ...forwardPolicy("-A FORWARD -i cni0 -o uplink -j ACCEPT", "-A FORWARD -i uplink -j ACCEPT", ...rules),
        sysctls: new Map([["net.ipv4.ip_forward", "1"], ["net.bridge.bridge-nf-call-iptables", "1"]])
      },
      facts: { attachments: both, all: both }
    }
  }
  const forwarded = (change: Host.Change) => toldOf(change).filter(({ check }) => check === "forward-rules")

  it("is dropped by a policy that lets out what they send to the world", () => {
    assert.deepStrictEqual(forwarded(filtered()), [{
      check: "forward-rules",
      message: "what eth0 of web (10.99.0.2) sends to eth0 of api (10.99.0.3) on the same bridge is dropped by the " +
        "policy of FORWARD",
      commands: ["iptables -I FORWARD -i cni0 -o cni0 -j ACCEPT"]
    }])
  })

  it("is kept apart on purpose by a rule that names the bridge twice, and by portIsolation", () => {
    assert.deepStrictEqual(forwarded(filtered("-A FORWARD -i cni0 -o cni0 -j DROP")), [])
    assert.deepStrictEqual(forwarded({ ...filtered(), bridge: { portIsolation: true } }), [])
  })

  it("meets no rule where bridges do not call iptables", () => {
    const change = filtered()
    const sysctls = new Map([["net.ipv4.ip_forward", "1"]])
    assert.deepStrictEqual(forwarded({ ...change, host: { ...change.host, sysctls } }), [])
  })
})

it("follows ip rule to the uplink by which a container sends, where another one has the default route", () => {
  const change = {
    outside: {
      links: [...Host.outside.links, Host.link("wan2", { index: 20 }, "203.0.114.2/24")],
      routes: [...Host.outside.routes, Host.route("0.0.0.0/0", "wan2", { table: "200", gateway: "203.0.114.1" })]
    },
    attachment: { portMappings: [] },
    host: {
      ...forwardPolicy("-A FORWARD -i cni0 -o wan2 -j ACCEPT", "-A FORWARD -i wan2 -o cni0 -j ACCEPT"),
      policies: Host.policies("{\"priority\":1000,\"src\":\"10.99.0.0\",\"srclen\":24,\"table\":\"200\"}", viaMain)
    }
  }
  assert.deepStrictEqual(toldOf(change), [])
})

describe("a neighbour", () => {
  const stale = (address: string, device: string, mac: string, state = "PERMANENT") => ({
    neighbours: [{ address, device, mac, states: [state] }]
  })

  it("that the host knows by the MAC of an earlier container is named, and forgotten", () => {
    assert.deepStrictEqual(toldOf({ outside: stale("10.99.0.2", "cni0", "22:47:9a:ce:70:88") }), [{
      check: "neighbours",
      message: "eth0 of web: the host sends what is for 10.99.0.2 to the MAC 22:47:9a:ce:70:88, expected " +
        "02:00:00:00:00:01",
      commands: ["ip neigh del 10.99.0.2 dev cni0"]
    }])
  })

  it("that the container knows its gateway by is named too", () => {
    const [told] = toldOf({ inside: stale("10.99.0.1", "eth0", "22:47:9a:ce:70:88") })
    assert.strictEqual(
      told?.message,
      "eth0 of web: the container sends what is for 10.99.0.1 to the MAC 22:47:9a:ce:70:88, expected 02:00:00:00:00:01"
    )
    assert.deepStrictEqual(told?.commands, ["nsenter --net=/run/netns/web ip neigh del 10.99.0.1 dev eth0"])
  })

  it("that was learned is corrected by the kernel, as the MAC of a bridge changes with its ports", () => {
    assert.deepStrictEqual(toldOf({ outside: stale("10.99.0.2", "cni0", "22:47:9a:ce:70:88", "REACHABLE") }), [])
  })

  it("may be any link of the container, such as a bridge that has eth0 as its port", () => {
    const bridge = Host.link("br0", { index: 9, kind: "bridge", mac: "22:47:9a:ce:70:88" })
    const change = { outside: stale("10.99.0.2", "cni0", "22:47:9a:ce:70:88"), inside: { links: [lo, eth0, bridge] } }
    assert.deepStrictEqual(toldOf(change), [])
  })

  it("that is right, unknown, or behind another link is no fault", () => {
    for (const mac of ["02:00:00:00:00:01", "02:00:00:00:00:01".toUpperCase(), ""]) {
      assert.deepStrictEqual(toldOf({ outside: stale("10.99.0.2", "cni0", mac) }), [], mac)
    }
    assert.deepStrictEqual(toldOf({ outside: stale("10.99.0.2", "uplink", "22:47:9a:ce:70:88") }), [])
  })
})

it("leaves a rule alone that others may need, and adds one before it for the network", () => {
  const rules = (fields: string) => Host.policies(`{"priority":5270,"src":"all",${fields}"table":"52"}`, viaMain)
  const outside = { routes: [...Host.outside.routes, Host.route("10.99.0.0/24", "uplink", { table: "52" })] }
  const commands = (fields: string) =>
    toldOf({ outside, host: { policies: rules(fields) } }).find(({ check }) => check === "policy-rules")?.commands
  assert.deepStrictEqual(commands(""), ["ip -4 rule add pref 5269 to 10.99.0.0/24 lookup main"])
  assert.deepStrictEqual(commands("\"dst\":\"10.99.0.0\",\"dstlen\":24,"), [
    "ip -4 rule del pref 5270 to 10.99.0.0/24 lookup 52"
  ])
})

describe("a tunnel to other hosts", () => {
  const tunnel = {
    links: [
      ...Host.outside.links,
      Host.link("flannel.1", { index: 30, kind: "vxlan", tunnel: { port: 8472, family: 4, below: "uplink" } })
    ],
    routes: [...Host.outside.routes, Host.route("10.244.2.0/24", "flannel.1")]
  }
  const established = "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"
  const input = (...rules: ReadonlyArray<string>) =>
    withRules(":FORWARD ACCEPT [0:0]", [":FORWARD ACCEPT [0:0]", ":INPUT DROP [0:0]", established, ...rules].join("\n"))

  it("brings nothing where INPUT drops its packets", () => {
    assert.deepStrictEqual(toldOf({ outside: tunnel, host: input("-A INPUT -i lo -j ACCEPT") }), [{
      check: "tunnel-rules",
      message:
        "what other hosts send through the tunnel flannel.1 (vxlan, UDP port 8472) is dropped by the policy of INPUT",
      commands: ["iptables -I INPUT -i uplink -p udp --dport 8472 -j ACCEPT"]
    }])
  })

  it("is right where a rule lets it in, from some hosts too, and where no route leads through it", () => {
    for (const rule of ["-A INPUT -p udp --dport 8472 -j ACCEPT", "-A INPUT -s 192.0.2.0/24 -p udp -j ACCEPT"]) {
      assert.deepStrictEqual(toldOf({ outside: tunnel, host: input(rule) }), [], rule)
    }
    assert.deepStrictEqual(toldOf({ outside: { links: tunnel.links }, host: input() }), [])
  })
})

describe("attaching anew", () => {
  const lost = { host: withRules("-j MASQUERADE", "-j RETURN") }
  const chain = "CNI-8a27acf6a8da9ae16f628c2a"

  it("is DEL and ADD with all that the runtime gave, so that the container keeps its address", () => {
    const change = {
      ...lost,
      attachment: { args: "IgnoreUnknown=1;K8S_POD_NAME=web", capabilityArgs: { portMappings: [{ hostPort: 8080 }] } }
    }
    const commands = commandsOf(change, "masquerade")
    assert.deepStrictEqual(commands?.slice(-2), [
      "cni-passthrough run del n --container-id web --netns /run/netns/web",
      "cni-passthrough run add n --container-id web --netns /run/netns/web " +
      "--args IgnoreUnknown=1;K8S_POD_NAME=web;IP=10.99.0.2 --capability-args {\"portMappings\":[{\"hostPort\":8080}]}"
    ])
    assert.strictEqual(fixOf(change, "masquerade")?.cuts, "open connections of eth0 of web")
  })

  it("makes the chain of nat that DEL needs first, where it is gone", () => {
    const commands = commandsOf({ attachment: { args: "IP=10.99.0.2" }, ...lost }, "masquerade")
    assert.strictEqual(commands?.[0], `iptables -t nat -N ${chain}`)
    assert.include(commands?.at(-1), "--args IP=10.99.0.2")
    const rules = withRules(/:CNI-1 /, `:${chain} - [0:0]\n:CNI-1 `)
    const network = Host.facts({ host: rules, inside: { links: [lo] } })
    const [first] = Check.examine(Checks.live, network).findings
    assert.deepStrictEqual(first?.fix.commands.map(([program]) => program), ["cni-passthrough", "cni-passthrough"])
  })

  it("is left to the runtime where no file has the network", () => {
    const facts = Host.facts({ inside: { links: [lo] } })
    const file = facts.file === undefined ? undefined : { ...facts.file, isCached: true }
    const [first] = Check.examine(Checks.live, { ...facts, file }).findings
    assert.deepStrictEqual(first?.fix, { text: "restart the container web", commands: [] })
  })

  it("names the file of a network that is in no folder of configurations", () => {
    const facts = { ...Host.facts({ inside: { links: [lo] } }), folder: undefined }
    const [first] = Check.examine(Checks.live, facts).findings
    assert.deepStrictEqual(first?.fix.commands.slice(-2).map((words) => words.slice(0, 4).join(" ")), [
      "cni-passthrough run del /etc/cni/net.d/10-n.conflist",
      "cni-passthrough run add /etc/cni/net.d/10-n.conflist"
    ])
  })

  it("names the folders that are not the default", () => {
    const facts = Host.facts({ inside: { links: [lo] } })
    const folders = { folder: "/etc/other", cniPath: ["/a", "/b"], cacheDir: "/var/lib/other" }
    const [first] = Check.examine(Checks.live, { ...facts, ...folders }).findings
    assert.include(
      first?.fix.commands.at(-1)?.join(" "),
      "--conf-dir /etc/other --cni-path /a:/b --cache-dir /var/lib/other"
    )
  })
})
