/** Cilium 1.17. Source: github.com/cilium/cilium, plugins/cilium-cni/types/types.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aBoolean, aString, integer } = Go

export const ciliumCni: KnownPlugin = {
  type: "cilium-cni",
  fields: {
    mtu: integer(),
    "enable-debug": aBoolean,
    "log-file": aString,
    "log-format": aString,
    "chaining-mode": aString,
    "enable-route-mtu": aBoolean
  },
  publishesPorts: true
}
