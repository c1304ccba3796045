/** flannel 1.7. Source: github.com/flannel-io/cni-plugin, flannel.go. */
import * as Go from "../GoFields.ts"
import type { KnownPlugin } from "./KnownPlugin.ts"

const { aString, anObject } = Go

/** flannel sets these itself, and rejects a delegate that has them. */
const own = new Set(["name", "ipam"])

const delegate: Go.Reader = (value, path) =>
  Object.keys(Object(value)).filter((key) => own.has(key)).map((key) => ({
    path: [...path, key],
    message: "found a field that flannel sets itself and rejects here"
  }))

export const flannel: KnownPlugin = {
  type: "flannel",
  fields: { subnetFile: aString, dataDir: aString, delegate, ipam: anObject, runtimeConfig: anObject },
  files: [{ at: ["subnetFile"], fallback: "/run/flannel/subnet.env", purpose: "flanneld on this host writes it" }]
}
