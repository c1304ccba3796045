/** Whether the host and its containers know each other by the right MAC addresses. */
import * as Cidr from "../../network/Cidr.ts"
import type { Link } from "../../network/Link.ts"
import type { Namespace } from "../../network/Namespace.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Roles from "../Roles.ts"

/**
 * A neighbour entry that was set by hand. The kernel corrects the entries that it learned, for example when a bridge's
 * MAC changes with its ports.
 */
const entryOf = ({ neighbours }: Namespace, device: string, address: Cidr.Cidr) =>
  neighbours.find((each) => {
    const known = Cidr.parseAddress(each.address)
    return each.device === device && each.mac !== "" && each.states.includes("PERMANENT") && known !== undefined &&
      Cidr.isSameAddress(known, address)
  })

const isSameMac = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase()

export const neighbours: Check = {
  id: "neighbours",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const all = AttachedContainer.of(facts).filter(({ link, outside }) => link !== undefined && outside !== undefined)
    if (all.length === 0) return { skipped: "there is no attachment whose namespace could be looked into" }
    const bridge = Roles.bridgeOf(facts.chain)
    return all.flatMap((seen): ReadonlyArray<Found> => {
      const { attachment: { ifname, netns }, link, outside, title } = seen
      const device = bridge ?? seen.hostEnd
      const ownLink = outside?.links.find(({ name }) => name === device)
      if (link === undefined || outside === undefined || ownLink === undefined || device === undefined) return []
      const wrong = (
        who: string,
        { mac }: Link,
        others: ReadonlyArray<Link>,
        namespace: Namespace,
        via: string,
        address: Cidr.Cidr,
        command: (...words: ReadonlyArray<string>) => Fix.Command
      ): ReadonlyArray<Found> => {
        const entry = entryOf(namespace, via, address)
        // Any link may answer: a bridge with the link as its port, or another port of the same bridge.
        const isOwn = entry !== undefined && others.some((each) => isSameMac(entry.mac, each.mac))
        if (entry === undefined || mac === "" || isOwn) return []
        const text = Cidr.addressText(address)
        return [{
          level: "error",
          message: `${title}: ${who} sends what is for ${text} to the MAC ${entry.mac}, expected ${mac}`,
          evidence: [`neighbour ${text} dev ${via} lladdr ${entry.mac} ${entry.states.join(",")}`],
          fix: Fix.run("let it ask again", command("neigh", "del", text, "dev", via))
        }]
      }
      return [
        ...AttachedContainer.addressesOf(seen).flatMap((address) =>
          wrong("the host", link, seen.inside.links, outside, device, address, (...words) => ["ip", ...words])
        ),
        ...AttachedContainer.gatewaysOf(seen)
          .filter((gateway) => ownLink.addresses.some((each) => Cidr.isSameAddress(each, gateway)))
          .flatMap((gateway) =>
            wrong(
              "the container",
              ownLink,
              outside.links,
              seen.inside,
              ifname,
              gateway,
              (...words) => Fix.inside(netns, "ip", ...words)
            )
          )
      ]
    })
  }
}
