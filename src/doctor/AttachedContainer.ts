/** Attachments whose namespaces could be inspected. The checks of attachments work on these. */
import * as Result from "effect/Result"
import type * as ResultSchema from "../cni/ResultSchema.ts"
import * as Cidr from "../network/Cidr.ts"
import type { Link } from "../network/Link.ts"
import type { Namespace } from "../network/Namespace.ts"
import type { Facts } from "./Facts.ts"
import { type Attachment, interfacesOf } from "./facts/Attachment.ts"
import type { Found } from "./Finding.ts"
import * as Names from "./Names.ts"
import * as Roles from "./Roles.ts"

/** An attachment with its result and the state of its namespace. */
export interface AttachedContainer {
  readonly attachment: Attachment
  readonly result: ResultSchema.Current
  /** The namespace of the container. */
  readonly inside: Namespace
  /** The attachment's link in that namespace. */
  readonly link: Link | undefined
  /** The host's namespace; undefined if it is unknown. */
  readonly outside: Namespace | undefined
  /** The name of the host's end of the link pair; undefined if the plugin makes no pair. */
  readonly hostEnd: string | undefined
  /** The type of the plugin that made the link. */
  readonly maker: string | undefined
  /** Display name. */
  readonly title: string
}

/** The attachments whose namespaces and results are known. */
export const of = ({ attachments, chain, host }: Facts): ReadonlyArray<AttachedContainer> =>
  attachments.flatMap((attachment) => {
    const { ifname, result, sight } = attachment
    if (sight._tag !== "There" || sight.isHost || Result.isFailure(result)) return []
    const bridge = Roles.bridgeOf(chain)
    const end = interfacesOf(result.success).find(({ name, sandbox }) =>
      sandbox === "" && name !== bridge && name !== ""
    )
    const maker = Roles.makerOf(chain)?.type
    const hasPair = maker === "bridge" || maker === "ptp"
    return [{
      attachment,
      result: result.success,
      inside: sight.network,
      link: sight.network.links.find(({ name }) => name === ifname),
      outside: host !== undefined && Result.isSuccess(host.network) ? host.network.success : undefined,
      hostEnd: hasPair ? end?.name : undefined,
      maker,
      title: Names.attachment(attachment)
    }]
  })

/** The attachments to compare this one with, so that each pair is compared once. */
export const attachmentsAfter = ({ file }: Attachment, { all, attachments }: Pick<Facts, "all" | "attachments">) => {
  const index = attachments.findIndex((each) => each.file === file)
  const done = new Set(attachments.slice(0, index + 1).map((each) => each.file))
  return all.filter((each) => !done.has(each.file))
}

/** The plugin to blame for a link. */
export const culprit = ({ maker }: AttachedContainer): Pick<Found, "plugin"> =>
  maker === undefined ? {} : { plugin: maker }

/** A link in one line. */
export const linkText = ({ isUp, kind, mac, master, mtu, name, state }: Link): string =>
  `${name}: ${isUp ? "up" : "down"}, state ${state}, mtu ${mtu}, ${mac}${kind === "" ? "" : `, ${kind}`}${
    master === undefined ? "" : `, port of ${master}`
  }`

/** Addresses of the result that belong to the link of the attachment. */
export const addressesOf = (
  { attachment: { ifname }, result }: {
    readonly attachment: Pick<Attachment, "ifname">
    readonly result: ResultSchema.Current
  }
): ReadonlyArray<Cidr.Cidr & { readonly text: string }> => {
  const interfaces = interfacesOf(result)
  return (result.ips ?? []).flatMap((ip) => {
    const cidr = Cidr.parse(ip?.address ?? "")
    if (cidr === undefined) return []
    const index = ip?.interface
    const owner = typeof index === "number" ? interfaces[index] : undefined
    const isOurs = owner === undefined || (owner.sandbox !== "" && owner.name === ifname)
    return isOurs ? [{ ...cidr, text: ip?.address ?? "" }] : []
  })
}

/** Gateways of the result. */
export const gatewaysOf = ({ result }: Pick<AttachedContainer, "result">): ReadonlyArray<Cidr.Cidr> =>
  (result.ips ?? []).flatMap((ip) => Cidr.parseAddress(ip?.gateway ?? "") ?? [])
