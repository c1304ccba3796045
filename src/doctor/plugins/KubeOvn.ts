/** Kube-OVN 1.14. Source: github.com/kubeovn/kube-ovn, pkg/netconf/netconf.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aString } = Go

export const kubeOvn: KnownPlugin = {
  type: "kube-ovn",
  fields: { server_socket: aString, provider: aString, deviceID: aString, vf_driver: aString },
  files: [{ at: ["server_socket"], purpose: "kube-ovn-cni on this host listens there" }]
}
