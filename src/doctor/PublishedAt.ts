/** Where a port is published, and which addresses of a container it leads to. */
import * as Cidr from "../network/Cidr.ts"
import type { PortMapping } from "./facts/Attachment.ts"

/** The host's address at which a port is published; undefined for all addresses. */
export const hostAddress = ({ hostIP }: Pick<PortMapping, "hostIP">): Cidr.Cidr | undefined => {
  const parsed = Cidr.parseAddress(hostIP)
  return parsed === undefined || parsed.address === 0n ? undefined : parsed
}

/** The first address of each family: portmap leads ports to no others. Source: plugins, `meta/portmap`. */
export const targets = <A extends Cidr.Cidr>(addresses: ReadonlyArray<A>): ReadonlyArray<A> =>
  addresses.filter(({ family }, index) => addresses.findIndex((each) => each.family === family) === index)
