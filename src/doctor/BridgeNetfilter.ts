/** Whether the rules of iptables see the frames that bridges switch. */
import type { Host } from "./Facts.ts"

/** The sysctl of each family that decides this for all bridges. */
export const sysctls = {
  4: "net.bridge.bridge-nf-call-iptables",
  6: "net.bridge.bridge-nf-call-ip6tables"
} as const

/** Whether the host's sysctl shows frames of a family to the rules. */
export const isOn = (host: Pick<Host, "sysctls"> | undefined, family: 4 | 6): boolean =>
  host?.sysctls.get(sysctls[family]) === "1"
