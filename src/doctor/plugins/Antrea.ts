/** Antrea 2.3. Source: github.com/antrea-io/antrea, pkg/agent/cniserver/types/types.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aString, integer } = Go

export const antrea: KnownPlugin = {
  type: "antrea",
  fields: { deviceID: aString, mtu: integer() }
}
