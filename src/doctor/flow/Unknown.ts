/** What inspection cannot show, whatever the checks say. */
import * as Result from "effect/Result"
import type { Facts } from "../Facts.ts"

/** The limits of inspection, and the links whose programs were not judged. */
export const of = ({ host }: Facts): ReadonlyArray<string> => {
  const links = host !== undefined && Result.isSuccess(host.network) ? host.network.success.links : []
  const programmed = links.filter(({ hasXdp }) => hasXdp).map(({ name }) => name)
  return [
    "whether programs answer",
    ...(programmed.length === 0 ? [] : [`what the eBPF program of ${programmed.join(", ")} (XDP) does`]),
    "what filters of tc and other eBPF programs do",
    ...(host === undefined || host.tools.has("nft") ? [] : ["what rules of nftables do, as nft was not found"]),
    "what is beyond the links of the host"
  ]
}
