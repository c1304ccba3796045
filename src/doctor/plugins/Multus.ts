/** Multus 4.1. Source: github.com/k8snetworkplumbingwg/multus-cni, pkg/types/types.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, listOf } = Go

export const multus: KnownPlugin = {
  type: "multus",
  fields: {
    confDir: aString,
    cniDir: aString,
    binDir: aString,
    defaultNetworks: listOf(aString, "a list of strings"),
    kubeconfig: aString,
    logFile: aString,
    logLevel: aString,
    logToStderr: aBoolean,
    readinessindicatorfile: aString,
    namespaceIsolation: aBoolean,
    globalNamespaces: aString,
    systemNamespaces: listOf(aString, "a list of strings"),
    multusNamespace: aString
  },
  files: [
    { at: ["kubeconfig"], purpose: "it needs this file to reach the API server" },
    { at: ["readinessindicatorfile"], purpose: "it waits for this file before it attaches anything" }
  ]
}
