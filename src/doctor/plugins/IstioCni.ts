/** istio-cni 1.27. Source: github.com/istio/istio, cni/pkg/plugin/plugin.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, listOf, struct } = Go

export const istioCni: KnownPlugin = {
  type: "istio-cni",
  fields: {
    plugin_log_level: aString,
    cni_agent_run_dir: aString,
    ambient_enabled: aBoolean,
    exclude_namespaces: listOf(aString, "a list of strings"),
    pod_namespace: aString,
    native_nftables: aBoolean,
    kubernetes: struct({ kubeconfig: aString, exclude_namespaces: listOf(aString, "a list of strings") })
  },
  files: [{ at: ["kubernetes", "kubeconfig"], purpose: "it needs this file to reach the API server" }]
}
