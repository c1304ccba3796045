/** Amazon VPC CNI 1.19. Source: github.com/aws/amazon-vpc-cni-k8s, cmd/routed-eni-cni-plugin/cni.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aString } = Go

export const awsCni: KnownPlugin = {
  type: "aws-cni",
  fields: {
    vethPrefix: Go.shortText(4),
    mtu: aString,
    podSGEnforcingMode: aString,
    pluginLogFile: aString,
    pluginLogLevel: aString
  }
}
