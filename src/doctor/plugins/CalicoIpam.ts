/** calico-ipam 3.30. Source: github.com/projectcalico/calico, cni-plugin/pkg/types/types.go, `IPAM`. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aString, listOf } = Go

export const calicoIpam: KnownPlugin = {
  type: "calico-ipam",
  fields: {
    assign_ipv4: aString,
    assign_ipv6: aString,
    ipv4_pools: listOf(aString, "a list of strings"),
    ipv6_pools: listOf(aString, "a list of strings")
  }
}
