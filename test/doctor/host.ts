/** A host with a healthy network: a bridge, portmap and one container. Tests break one thing of it at a time. */
import * as Result from "effect/Result"
import type { Facts, Host } from "../../src/doctor/Facts.ts"
import type { Attachment } from "../../src/doctor/facts/Attachment.ts"
import type { ContainerProcess } from "../../src/doctor/facts/ContainerProcesses.ts"
import * as Cidr from "../../src/network/Cidr.ts"
import * as IptablesRule from "../../src/network/IptablesRule.ts"
import type { Link } from "../../src/network/Link.ts"
import type { Namespace } from "../../src/network/Namespace.ts"
import * as PolicyRule from "../../src/network/PolicyRule.ts"
import type { Route } from "../../src/network/Route.ts"
import { ofFile } from "./facts.ts"

/** What a text says, which has to be an address with the length of its prefix. */
export const cidr = (text: string): Cidr.Cidr => {
  const found = Cidr.parse(text)
  if (found === undefined) throw new Error(`${text} is not an address with the length of its prefix`)
  return found
}

/** What a text says, which has to be an address. */
export const address = (text: string): Cidr.Cidr => {
  const found = Cidr.parseAddress(text)
  if (found === undefined) throw new Error(`${text} is not an address`)
  return found
}

const addressOf = (text: string) => ({ ...cidr(text), text, isDuplicate: false, isTentative: false })

/** A plugin at work for the container `web`. */
export const process = (fields: Partial<ContainerProcess> = {}): ContainerProcess => ({
  pid: 4711,
  name: "bridge",
  containerId: "web",
  ifname: "eth0",
  args: "",
  ...fields
})

/** A link that is up. */
export const link = (name: string, fields: Partial<Link> = {}, ...addresses: ReadonlyArray<string>): Link => ({
  index: 2,
  peer: undefined,
  peerHere: undefined,
  name,
  isUp: true,
  hasArp: true,
  hasCarrier: true,
  state: "UP",
  mtu: 1500,
  mac: "02:00:00:00:00:01",
  master: undefined,
  kind: "",
  tunnel: undefined,
  portState: undefined,
  port: undefined,
  filters: { 4: false, 6: false },
  queue: "noqueue",
  hasXdp: false,
  addresses: addresses.map(addressOf),
  ...fields
})

/** A route of the main table. */
export const route = (to: string, device: string, fields: Partial<Route> = {}): Route => ({
  to: cidr(to),
  device,
  gateway: undefined,
  table: "main",
  type: "unicast",
  protocol: "kernel",
  metric: 0,
  isLinkDown: false,
  ...fields
})

/** The links and routes of a container. */
export const inside: Namespace = {
  links: [link("lo", {}, "127.0.0.1/8"), link("eth0", { kind: "veth", index: 3, peer: 12 }, "10.99.0.2/24")],
  routes: [route("0.0.0.0/0", "eth0", { gateway: "10.99.0.1" }), route("10.99.0.0/24", "eth0")],
  neighbours: [],
  answers: [
    { from: "10.99.0.2", to: "93.184.216.34", device: "eth0", table: "main" },
    { from: "fd99::2", to: "2606:2800::1", device: "eth0", table: "main" }
  ]
}

/** The links and routes of the host. */
export const outside: Namespace = {
  links: [
    link("uplink", { index: 2 }, "192.0.2.2/24"),
    link("cni0", { index: 10, kind: "bridge" }, "10.99.0.1/24"),
    link("veth1", { index: 12, peer: 3, kind: "veth", master: "cni0", portState: "forwarding" })
  ],
  routes: [
    route("0.0.0.0/0", "uplink", { gateway: "192.0.2.1" }),
    route("192.0.2.0/24", "uplink"),
    route("10.99.0.0/24", "cni0")
  ],
  neighbours: [],
  answers: []
}

/** The rules that bridge and portmap make. */
export const save = `*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:CNI-1 - [0:0]
-A PREROUTING -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.99.0.2:80
-A OUTPUT -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.99.0.2:80
-A POSTROUTING -s 10.99.0.2/32 -m comment --comment "name: \\"n\\" id: \\"web\\"" -j CNI-1
-A CNI-1 -d 10.99.0.0/24 -j ACCEPT
-A CNI-1 ! -d 224.0.0.0/4 -j MASQUERADE
-A POSTROUTING -m mark --mark 0x2000/0x2000 -j MASQUERADE
COMMIT
*filter
:FORWARD ACCEPT [0:0]
COMMIT`

/** Rules as `iptables-save` prints them. */
export const rules = (text: string, backend: "nf_tables" | "legacy" = "nf_tables"): IptablesRule.Ruleset => ({
  backend,
  family: 4,
  tables: IptablesRule.parse(text)
})

const result = {
  cniVersion: "1.0.0",
  interfaces: [
    { name: "cni0", mac: "02:00:00:00:00:01", sandbox: "" },
    { name: "veth1", mac: "02:00:00:00:00:01", sandbox: "" },
    { name: "eth0", mac: "02:00:00:00:00:01", sandbox: "/run/netns/web" }
  ],
  ips: [{ address: "10.99.0.2/24", gateway: "10.99.0.1", interface: 2 }],
  routes: [{ dst: "0.0.0.0/0" }],
  dns: { nameservers: ["192.0.2.53"] }
}

/** The attachment of a container. */
export const attachment = (fields: Partial<Attachment> = {}, network: Namespace = inside): Attachment => ({
  file: "/var/lib/cni/results/n-web-eth0",
  network: "n",
  containerId: "web",
  ifname: "eth0",
  netns: "/run/netns/web",
  pod: undefined,
  args: "",
  config: undefined,
  portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp", hostIP: "" }],
  capabilityArgs: {},
  result: Result.succeed(result),
  sight: { _tag: "There", network, isHost: false },
  probes: [{ address: "10.99.0.1", device: "eth0", hasAnswered: true }],
  filter: [],
  nft: [],
  ...fields
})

/** A result that says nothing. */
export const emptyResult = Result.succeed({})

/** A result with other members. */
export const resultWith = (members: object) => Result.succeed({ ...result, ...members })

const bridge = {
  type: "bridge",
  bridge: "cni0",
  isGateway: true,
  ipMasq: true,
  ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/24" }]], routes: [{ dst: "0.0.0.0/0" }] }
}

/** Rules as `ip -j rule` prints them, after that of the table local. */
export const policies = (...rules: ReadonlyArray<string>) =>
  PolicyRule.parse(`[${["{\"priority\":0,\"src\":\"all\",\"table\":\"local\"}", ...rules].join(",")}]`, 4)

const host: Host = {
  network: Result.succeed(outside),
  rules: Result.succeed({ rulesets: [rules(save)], nft: [] }),
  policies: policies("{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"}"),
  sysctls: new Map([["net.ipv4.ip_forward", "1"]]),
  tables: [{ name: "connections", used: 9, limit: 262144, setting: "net.netfilter.nf_conntrack_max" }],
  listeners: Result.succeed([]),
  tools: new Map([["iptables", "/usr/sbin/iptables"], ["nft", "/usr/sbin/nft"]]),
  files: new Set(),
  lacking: [],
  hasReadOnlySysctls: false,
  queues: [],
  machine: 62
}

/** What is changed of the healthy host. */
export interface Change {
  /** Members of bridge, and of the plugins after it. */
  readonly bridge?: object
  readonly plugins?: ReadonlyArray<object>
  readonly host?: Partial<Host>
  readonly outside?: Partial<Namespace>
  readonly inside?: Partial<Namespace>
  readonly attachment?: Partial<Attachment>
  /** Other attachments than the one that is looked at. */
  readonly others?: ReadonlyArray<Attachment>
  readonly facts?: Partial<Facts>
}

/** The facts of the healthy host, with what is changed of it. */
export const facts = (change: Change = {}): Facts => {
  const { plugins = [{ type: "portmap", capabilities: { portMappings: true } }] } = change
  const own = attachment(change.attachment, { ...inside, ...change.inside })
  const network = Result.succeed({ ...outside, ...change.outside })
  return {
    ...ofFile({ cniVersion: "1.0.0", name: "n", plugins: [{ ...bridge, ...change.bridge }, ...plugins] }),
    folder: "/etc/cni/net.d",
    host: { ...host, network, ...change.host },
    store: {
      folder: "/var/lib/cni/networks/n",
      reservations: [],
      unread: [],
      problem: undefined,
      unwritable: undefined
    },
    attachments: [own],
    all: [own, ...change.others ?? []],
    ...change.facts
  }
}
