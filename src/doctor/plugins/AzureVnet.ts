/** Azure CNI 1.6. Source: github.com/Azure/azure-container-networking, cni/netconfig.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, listOf } = Go

export const azureVnet: KnownPlugin = {
  type: "azure-vnet",
  fields: {
    mode: aString,
    master: aString,
    bridge: aString,
    logLevel: aString,
    logTarget: aString,
    ipsToRouteViaHost: listOf(aString, "a list of addresses"),
    multiTenancy: aBoolean,
    enableSnatOnHost: aBoolean,
    enableExactMatchForPodName: aBoolean,
    disableHairpinOnHostInterface: aBoolean,
    disableIPTableLock: aBoolean,
    cnsurl: aString,
    executionMode: aString
  }
}
