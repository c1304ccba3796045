/**
 * Addresses that a configuration fixes. A second namespace with the same address would take over the first one's
 * traffic.
 */
import * as Result from "effect/Result"
import { isObject, type JsonObject } from "../../json/Json.ts"
import * as Cidr from "../../network/Cidr.ts"
import type { Facts } from "../Facts.ts"
import * as Names from "../Names.ts"
import * as Roles from "../Roles.ts"
import { interfacesOf } from "./Attachment.ts"

/** What a configuration may request by convention. Source: CNI conventions, "args in network config". */
const argsOf = ({ chain }: Facts): ReadonlyArray<JsonObject> =>
  chain.flatMap(({ config: { args } }) => isObject(args) && isObject(args["cni"]) ? [args["cni"]] : [])

const texts = (value: unknown): ReadonlyArray<string> =>
  (Array.isArray(value) ? value : [value]).filter((each) => typeof each === "string" && each !== "")

/** The addresses that each attachment gets: those of static, of `args`, and of the capability `ips`. */
const addressesOf = (facts: Facts): ReadonlyArray<Cidr.Cidr> => {
  const { addresses } = Roles.ofType(facts.chain, "static")?.config ?? {}
  const listed = Array.isArray(addresses) ? addresses.filter(isObject).map(({ address }) => address) : []
  return [...texts(listed), ...[facts.capabilityArgs, ...argsOf(facts)].flatMap(({ ips }) => texts(ips))]
    .flatMap((text) => Cidr.parse(text) ?? Cidr.parseAddress(text) ?? [])
}

/** The MAC addresses that each attachment gets. */
const macsOf = (facts: Facts): ReadonlyArray<string> =>
  [facts.capabilityArgs, ...facts.chain.map(({ config }) => config), ...argsOf(facts)]
    .flatMap(({ mac }) => texts(mac)).map((mac) => mac.toLowerCase())

/** Whether all attachments of the network get the same address or the same MAC. */
export const isFixed = (facts: Facts): boolean => addressesOf(facts).length + macsOf(facts).length > 0

/**
 * A sentence that names who has an address or a MAC that the configuration fixes; undefined if no known container does.
 */
export const ownerOf = (facts: Facts): string | undefined => {
  const [addresses, macs] = [addressesOf(facts), macsOf(facts)]
  for (const attachment of facts.all) {
    if (attachment.sight?._tag === "Missing" || Result.isFailure(attachment.result)) continue
    const result = attachment.result.success
    const own = (result.ips ?? []).flatMap((ip) => Cidr.parse(ip?.address ?? "") ?? [])
    const address = addresses.find((each) => own.some((other) => Cidr.isSameAddress(each, other)))
    const mac = macs.find((each) => interfacesOf(result).some((other) => other.mac.toLowerCase() === each))
    const fixed = address === undefined ? mac : Cidr.addressText(address)
    if (fixed !== undefined) {
      return `the configuration fixes ${fixed}, which ${Names.attachment(attachment)} has: a trial would cut it off`
    }
  }
  return undefined
}
