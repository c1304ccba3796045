/** bond-cni 1.0. Source: github.com/k8snetworkplumbingwg/bond-cni, bond/bond.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, integer, listOf, struct } = Go

export const bond: KnownPlugin = {
  type: "bond",
  fields: {
    ifname: aString,
    mode: aString,
    linksInContainer: aBoolean,
    failOverMac: integer(0, 2),
    miimon: aString,
    links: listOf(struct({ name: aString }), "a list of objects with name"),
    mtu: integer()
  },
  handsIpamOn: true
}
