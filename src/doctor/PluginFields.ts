/**
 * The fields of the reference plugins, of versions 1.1 to 1.9, and what they refuse.
 * Source: containernetworking/plugins, the `NetConf` of each.
 */
import type * as Json from "../json/Json.ts"
import * as Go from "./GoFields.ts"
import * as ThirdParty from "./plugins/ThirdParty.ts"

const { aBoolean, aCidr, aLink, aMac, aString, anAddress, integer, listOf, mapOf, struct } = Go

const mtu = integer(0, 2 ** 31 - 1)
const mac = { mac: aMac }
const masquerade = { ipMasq: aBoolean, ipMasqBackend: Go.oneOf("", "iptables", "nftables") }
const routes = listOf(
  struct({
    dst: aCidr,
    gw: anAddress,
    mtu: integer(),
    advmss: integer(),
    priority: integer(),
    table: integer(),
    scope: integer()
  }),
  "a list of routes"
)
const range = { rangeStart: anAddress, rangeEnd: anAddress, subnet: aCidr, gateway: anAddress }
const vlanId = integer(1, 4094)

/** The fields that the plugins of each type read, besides the common ones. */
const ofPlugins: { readonly [type: string]: Go.Fields } = {
  bridge: {
    bridge: aLink,
    isGateway: aBoolean,
    isDefaultGateway: aBoolean,
    forceAddress: aBoolean,
    ...masquerade,
    mtu,
    hairpinMode: aBoolean,
    promiscMode: aBoolean,
    vlan: integer(0, 4094),
    vlanTrunk: listOf(
      struct({ minID: vlanId, maxID: vlanId, id: vlanId }),
      "a list of objects with id, or minID and maxID"
    ),
    preserveDefaultVlan: aBoolean,
    macspoofchk: aBoolean,
    enabledad: aBoolean,
    disableContainerInterface: aBoolean,
    portIsolation: aBoolean
  },
  ptp: { ...masquerade, mtu },
  macvlan: {
    master: aString,
    mode: Go.oneOf("", "bridge", "private", "vepa", "passthru"),
    mtu,
    ...mac,
    linkInContainer: aBoolean,
    bcqueuelen: integer(0)
  },
  ipvlan: { master: aString, mode: Go.oneOf("", "l2", "l3", "l3s"), mtu, linkInContainer: aBoolean },
  vlan: { master: aString, vlanId: integer(0, 4094), mtu, linkInContainer: aBoolean },
  "host-device": { device: aString, hwaddr: aMac, kernelpath: aString, pciBusID: aString, DPDKMode: aBoolean },
  portmap: {
    backend: Go.oneOf("iptables", "nftables"),
    snat: aBoolean,
    conditionsV4: listOf(aString, "a list of strings"),
    conditionsV6: listOf(aString, "a list of strings"),
    masqAll: aBoolean,
    markMasqBit: integer(0, 31),
    externalSetMarkChain: aString
  },
  firewall: {
    backend: Go.preferably("iptables", "firewalld"),
    iptablesAdminChainName: aString,
    firewalldZone: aString,
    ingressPolicy: Go.oneOf("", "open", "same-bridge", "isolated")
  },
  tuning: {
    dataDir: aString,
    sysctl: mapOf(aString, (key) => /^net[./]/.test(key), "a name that begins with \"net.\""),
    ...mac,
    promisc: aBoolean,
    mtu,
    txQLen: integer(0),
    allmulti: aBoolean
  },
  bandwidth: {
    ingressRate: integer(0),
    ingressBurst: integer(0),
    egressRate: integer(0),
    egressBurst: integer(0)
  },
  sbr: { table: integer(), gateways: listOf(aString, "a list of addresses"), addSourceHints: aBoolean },
  vrf: { vrfname: aString, table: integer(0) },
  "host-local": {
    ...range,
    routes,
    dataDir: aString,
    resolvConf: aString,
    ranges: listOf(
      listOf(struct(range), "a list of ranges: [[{ \"subnet\": … }]]"),
      "a list of lists of ranges"
    )
  },
  static: {
    routes,
    addresses: listOf(struct({ address: aCidr, gateway: anAddress }), "a list of objects with address")
  },
  dhcp: {
    daemonSocketPath: aString,
    request: Go.listOf(Go.anObject, "a list"),
    provide: Go.listOf(Go.anObject, "a list")
  }
}

/** The common fields, which runtimes read or pass on. */
const common = [
  "name",
  "cniVersion",
  "type",
  "capabilities",
  "ipam",
  "dns",
  "args",
  "prevResult",
  "runtimeConfig",
  "raw",
  "label"
]

/** Types of plugins whose fields are known. */
export const types: ReadonlyArray<string> = [...Object.keys(ofPlugins), "loopback", "dummy", "tap", "passthrough"]

/** The names of the fields that a plugin of a type reads; undefined if they are not known. */
export const namesOf = (type: string): ReadonlyArray<string> | undefined => {
  const fields = ofPlugins[type]
  return fields === undefined ? undefined : [...Object.keys(fields), ...common]
}

/**
 * What a plugin rejects in its configuration. We know third-party plugins in one version only, and another may accept
 * it.
 */
export const problems = (type: string, config: Json.JsonObject): ReadonlyArray<Go.Problem> => {
  const reference = ofPlugins[type]
  if (reference !== undefined) return struct(reference)(config, [])
  const other = ThirdParty.byType.get(type)
  return other === undefined
    ? []
    : struct(other.fields)(config, []).map((problem) => ({ ...problem, isHarmless: true }))
}
