/** Addresses that a configuration fixes: a second namespace with the same address would take the first one's traffic. */
import * as Result from "effect/Result"
import { isObject } from "../../json/Json.ts"
import * as Cidr from "../Cidr.ts"
import type { Facts } from "../Facts.ts"
import * as Names from "../Names.ts"
import * as Roles from "../Roles.ts"
import { interfacesOf } from "./Attachment.ts"

/** The addresses that each attachment gets: those of static, and of the capability `ips`. */
const addressesOf = ({ capabilityArgs, chain }: Facts): ReadonlyArray<Cidr.Cidr> => {
  const { addresses } = Roles.ofType(chain, "static")?.config ?? {}
  const listed = Array.isArray(addresses) ? addresses.filter(isObject).map(({ address }) => address) : []
  const { ips } = capabilityArgs
  return [...listed, ...(Array.isArray(ips) ? ips : [])].flatMap((text) =>
    typeof text === "string" ? Cidr.parse(text) ?? Cidr.parseAddress(text) ?? [] : []
  )
}

/** The MAC addresses that each attachment gets. */
const macsOf = ({ capabilityArgs, chain }: Facts): ReadonlyArray<string> =>
  [capabilityArgs["mac"], ...chain.map(({ config }) => config["mac"])]
    .filter((mac) => typeof mac === "string" && mac !== "").map((mac) => String(mac).toLowerCase())

/** Who has an address or a MAC that the configuration fixes, as a sentence; undefined if no known container has. */
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
