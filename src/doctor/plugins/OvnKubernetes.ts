/** OVN-Kubernetes. Source: github.com/ovn-org/ovn-kubernetes, go-controller/pkg/cni/types/types.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aString } = Go

export const ovnKubernetes: KnownPlugin = {
  type: "ovn-k8s-cni-overlay",
  fields: { deviceID: aString, logFile: aString, logLevel: aString }
}
