/** whereabouts 0.9. Source: github.com/k8snetworkplumbingwg/whereabouts, pkg/types/types.go, `IPAMConfig`. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, anAddress, listOf, struct } = Go

export const whereabouts: KnownPlugin = {
  type: "whereabouts",
  fields: {
    datastore: aString,
    addresses: listOf(struct({ address: aString, gateway: anAddress }), "a list of objects with address"),
    exclude: listOf(aString, "a list of networks"),
    range: aString,
    range_start: anAddress,
    range_end: anAddress,
    gateway: aString,
    etcd_host: aString,
    log_file: aString,
    log_level: aString,
    enable_overlapping_ranges: aBoolean,
    kubernetes: struct({ kubeconfig: aString, k8s_api_root: aString }),
    configuration_path: aString
  },
  files: [
    { at: ["kubernetes", "kubeconfig"], purpose: "it needs this file to reach the API server" },
    { at: ["configuration_path"], purpose: "it reads its settings there" }
  ]
}
