/** SR-IOV 2.8. Source: github.com/k8snetworkplumbingwg/sriov-cni, pkg/types/types.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, integer } = Go

export const sriov: KnownPlugin = {
  type: "sriov",
  fields: {
    DPDKMode: aBoolean,
    master: aString,
    mac: aString,
    vlan: integer(),
    vlanQoS: integer(),
    deviceID: aString,
    min_tx_rate: integer(),
    max_tx_rate: integer(),
    spoofchk: aString,
    trust: aString,
    link_state: aString
  },
  handsIpamOn: true
}
