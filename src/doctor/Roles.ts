/** What plugins of known types do in a chain. */
import type { Placed } from "./ConfigFile.ts"
import * as ThirdParty from "./plugins/ThirdParty.ts"

/** Plugins that make the interface of a container. */
const makers = new Set(["bridge", "ptp", "macvlan", "ipvlan", "vlan", "host-device", "dummy", "tap", "ovs", "sriov"])

/** Plugins that fail without the result of an earlier plugin. */
const followers = new Set(["portmap", "firewall", "bandwidth", "sbr", "vrf"])

/** Whether a plugin passes `ipam` unchanged to the IPAM plugin. Unknown plugins may change it. */
const handsIpamOn = (type: string): boolean =>
  makers.has(type) || type === "ib-sriov" || ThirdParty.byType.get(type)?.handsIpamOn === true

/** Whether a plugin receives its configuration exactly as in the file. */
export const isAsWritten = ({ at, caller }: Placed): boolean =>
  caller === undefined || at.at(-1) !== "ipam" || handsIpamOn(caller.type)

/** Whether calico replaces a value with a subnet of the node. Source: calico, `ReplaceHostLocalIPAMPodCIDRs`. */
export const isPodCidr = ({ caller }: Placed, value: unknown): boolean =>
  caller?.type === "calico" && typeof value === "string" && /^usepodcidr(?:ipv6)?$/i.test(value)

/** Types of which it is known what they do: the reference plugins, a few others, and ours. */
const wellKnown = new Set([...makers, ...followers, "tuning", "loopback", "passthrough"])

/** Whether it is known what a plugin of this type does to a result. */
export const isWellKnown = ({ type }: Placed): boolean => wellKnown.has(type)

/** Whether a plugin may publish ports without the capability, as Cilium's agent does. True for unknown plugins. */
export const mayPublishPorts = ({ caller, type }: Placed): boolean => {
  if (caller !== undefined || wellKnown.has(type)) return false
  const known = ThirdParty.byType.get(type)
  return known === undefined || known.publishesPorts === true
}

/** Whether a plugin makes the interface of a container. */
export const makesInterface = ({ caller, type }: Placed): boolean => caller === undefined && makers.has(type)

/** Whether a plugin works on the result of others. */
export const follows = ({ caller, type }: Placed): boolean =>
  caller === undefined && (followers.has(type) || ThirdParty.byType.get(type)?.follows === true)

/** The plugin that makes the interface; if none is known to, the first that is not one of our taps. */
export const makerOf = (chain: ReadonlyArray<Placed>): Placed | undefined =>
  chain.find(makesInterface) ??
    chain.find(({ caller, type }) => caller === undefined && type !== "passthrough" && !followers.has(type))

/** The first plugin of a type in a chain. */
export const ofType = (chain: ReadonlyArray<Placed>, type: string): Placed | undefined =>
  chain.find((plugin) => plugin.type === type)

/** The IPAM plugin of the plugin that makes the interface. */
export const ipamOf = (chain: ReadonlyArray<Placed>): Placed | undefined => {
  const maker = makerOf(chain)
  return chain.find(({ caller }) => caller !== undefined && caller === maker)
}

/** The name of the bridge of a network; undefined if it has none. */
export const bridgeOf = (chain: ReadonlyArray<Placed>): string | undefined => {
  const bridge = makerOf(chain)
  if (bridge?.type !== "bridge") return undefined
  const name = bridge.config["bridge"]
  return typeof name === "string" && name !== "" ? name : "cni0"
}

/** Whether a network is a VLAN of its bridge. The gateway then belongs to a separate link, not to the bridge. */
export const hasVlan = (chain: ReadonlyArray<Placed>): boolean => Number(makerOf(chain)?.config["vlan"] ?? 0) > 0

/** Whether the host itself is the gateway of a network. */
export const isRouted = (chain: ReadonlyArray<Placed>): boolean => {
  const maker = makerOf(chain)
  return maker?.type === "ptp" ||
    (maker?.type === "bridge" && (maker.config["isGateway"] === true || maker.config["isDefaultGateway"] === true))
}
