/** Attachments whose namespaces could be looked into: what the checks of attachments are about. */
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

/** An attachment, what its plugins said, and what there is. */
export interface AttachedContainer {
  readonly attachment: Attachment
  readonly result: ResultSchema.Current
  /** The namespace of the container. */
  readonly inside: Namespace
  /** The link of the attachment in it. */
  readonly link: Link | undefined
  /** The namespace of the host; undefined if it is not known. */
  readonly outside: Namespace | undefined
  /** The name of the end of its pair of links that the host has; undefined if its plugin makes no pair. */
  readonly hostEnd: string | undefined
  /** The type of the plugin that made the link. */
  readonly maker: string | undefined
  /** How it is called in messages. */
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

/** The attachments that one can be compared with, so that no two of them are compared twice. */
export const attachmentsAfter = ({ file }: Attachment, { all, attachments }: Pick<Facts, "all" | "attachments">) => {
  const index = attachments.findIndex((each) => each.file === file)
  const done = new Set(attachments.slice(0, index + 1).map((each) => each.file))
  return all.filter((each) => !done.has(each.file))
}

/** The plugin that is to blame for a link. */
export const culprit = ({ maker }: AttachedContainer): Pick<Found, "plugin"> =>
  maker === undefined ? {} : { plugin: maker }

/** A link in one line. */
export const linkText = ({ isUp, kind, mac, master, mtu, name, state }: Link): string =>
  `${name}: ${isUp ? "up" : "down"}, state ${state}, mtu ${mtu}, ${mac}${kind === "" ? "" : `, ${kind}`}${
    master === undefined ? "" : `, port of ${master}`
  }`

/** Addresses of the result that belong to the link of the attachment. */
export const addressesOf = (
  { attachment: { ifname }, result }: AttachedContainer
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
export const gatewaysOf = ({ result }: AttachedContainer): ReadonlyArray<Cidr.Cidr> =>
  (result.ips ?? []).flatMap((ip) => Cidr.parseAddress(ip?.gateway ?? "") ?? [])
