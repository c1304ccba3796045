/** ovs-cni 0.38. Source: github.com/k8snetworkplumbingwg/ovs-cni, pkg/types/types.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aString, integer, listOf, struct } = Go

export const ovs: KnownPlugin = {
  type: "ovs",
  fields: {
    bridge: aString,
    vlan: integer(0),
    mtu: integer(),
    trunk: listOf(
      struct({ minID: integer(0), maxID: integer(0), id: integer(0) }),
      "a list of objects with id, or minID and maxID"
    ),
    deviceID: aString,
    ofport_request: integer(0),
    configuration_path: aString,
    socket_file: aString,
    link_state_check_retries: integer(),
    link_state_check_interval: integer()
  },
  handsIpamOn: true
}
