/**
 * What identifies an attachment: its container ID, its addresses, and the links that its results name. A fact that
 * mentions one of these belongs to the attachment.
 */
import * as Crypto from "node:crypto"
import * as Json from "../json/Json.ts"
import * as Operation from "./Operation.ts"

/** What identifies an attachment. */
export interface AttachmentIdentity {
  readonly containerId: string | undefined
  readonly netns: string | undefined
  /** The part of its chain names after `CNI-` and `CNI-DN-`, at the longest length in use. */
  readonly chains: ReadonlySet<string>
  /** Without prefix lengths. */
  readonly addresses: ReadonlySet<string>
  readonly gateways: ReadonlySet<string>
  /** Host links that its results name: the host end of a veth, and the bridge that other attachments share. */
  readonly hostLinks: ReadonlySet<string>
  /** Links known to be shared, from the recorded changes, or from the configuration if that is kept. */
  readonly sharedLinks: ReadonlySet<string>
  /** Hardware addresses of its interfaces in the container. */
  readonly macs: ReadonlySet<string>
}

/** Names a chain as the CNI plugins do. Source: containernetworking/plugins, pkg/utils/utils.go, FormatChainName. */
export const natChainOf = (network: string, containerId: string): string =>
  Crypto.createHash("sha512").update(network + containerId).digest("hex").slice(0, 24)

const objects = (value: unknown): ReadonlyArray<Json.JsonObject> =>
  Array.isArray(value) ? value.filter(Json.isObject) : Json.isObject(value) ? [value] : []

/** The most addresses, and the most links, that are kept for an attachment. */
const most = 1000

const add = (set: Set<string>, value: unknown): void => {
  if (typeof value === "string" && value !== "" && set.size < most) set.add(value)
}

const withoutPrefix = (address: unknown): unknown => typeof address === "string" ? address.split("/")[0] : undefined

/** A bridge, or a link with others attached, as facts describe them. */
const shared = /"([^" ]+) bridge (?:up|down) | master ([^" ]+)/g

/** The names of links that several attachments share. */
const sharedIn = ({ changes = "", config }: Operation.Step): ReadonlyArray<unknown> => {
  const document = config === undefined ? undefined : Json.parse(config)
  return [
    ...[...changes.matchAll(shared)].map(([, bridge, master]) => bridge ?? master),
    ...(Json.isObject(document) ? [document["bridge"], document["master"]] : [])
  ]
}

/**
 * Collects the identity of an attachment from the runs of an operation: their requests, and the results that went in
 * and came out.
 */
export const of = (steps: ReadonlyArray<Operation.Step>): AttachmentIdentity => {
  const runs = [...Operation.runsOf(steps)]
  const containerId = runs[0]?.request.containerId
  const networks = new Set(runs.map(({ request }) => request.network))
  const documents = new Set(runs.flatMap(({ before, result }) => [before, result]))
  const addresses = new Set<string>()
  const gateways = new Set<string>()
  const hostLinks = new Set<string>()
  const macs = new Set<string>()
  const sharedLinks = new Set<string>()
  for (const run of runs) for (const name of sharedIn(run)) add(sharedLinks, name)
  for (const document of documents) {
    const result = document === undefined ? undefined : Json.parse(document)
    if (!Json.isObject(result)) continue
    // Before version 0.3.0, a result has one address for each family.
    for (const ip of [...objects(result["ips"]), ...objects(result["ip4"]), ...objects(result["ip6"])]) {
      add(addresses, withoutPrefix(ip["address"] ?? ip["ip"]))
      add(gateways, withoutPrefix(ip["gateway"]))
    }
    for (const { mac, name, sandbox } of objects(result["interfaces"])) {
      if (sandbox === undefined || sandbox === "") add(hostLinks, name)
      else add(macs, mac)
    }
  }
  return {
    containerId,
    netns: runs[0]?.request.netns,
    chains: new Set(
      [...networks].flatMap((network) =>
        network === undefined || containerId === undefined ? [] : [natChainOf(network, containerId)]
      )
    ),
    addresses,
    gateways,
    hostLinks,
    sharedLinks,
    macs
  }
}

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")

/** Matches any of these texts, but not inside a longer name or address. */
export const anyOf = (texts: Iterable<string>): RegExp | undefined => {
  const list = [...texts].filter((text) => text !== "").sort((left, right) => right.length - left.length)
  return list.length === 0
    ? undefined
    : new RegExp(`(?<![\\w:-]|\\w\\.)(?:${list.map(escaped).join("|")})(?![\\w-]|\\.\\w|:[\\da-f]*:)`, "g")
}
