/** linkerd-cni 1.6. Source: github.com/linkerd/linkerd2-proxy-init, cni-plugin/main.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, integer, listOf, struct } = Go

export const linkerdCni: KnownPlugin = {
  type: "linkerd-cni",
  fields: {
    log_level: aString,
    linkerd: struct({
      "incoming-proxy-port": integer(0, 65535),
      "outgoing-proxy-port": integer(0, 65535),
      "proxy-uid": integer(),
      "ports-to-redirect": listOf(integer(), "a list of ports, without quotes"),
      "inbound-ports-to-ignore": listOf(aString, "a list of ports, in quotes"),
      "outbound-ports-to-ignore": listOf(aString, "a list of ports, in quotes"),
      "subnets-to-ignore": listOf(aString, "a list of networks"),
      simulate: aBoolean,
      "use-wait-flag": aBoolean,
      "iptables-mode": aString,
      ipv6: aBoolean
    }),
    kubernetes: struct({ kubeconfig: aString, k8s_api_root: aString })
  },
  files: [{ at: ["kubernetes", "kubeconfig"], purpose: "it needs this file to reach the API server" }]
}
