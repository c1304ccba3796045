/** The ranges that host-local allocates addresses from. Source: host-local, `backend/allocator`. */
import { isObject, type JsonObject } from "../json/Json.ts"
import type { Path } from "../json/JsonText.ts"
import * as Cidr from "../network/Cidr.ts"

/** A range of a configuration. */
export interface Range {
  readonly at: Path
  readonly subnet: Cidr.Cidr
  readonly start: bigint
  readonly end: bigint
  readonly gateway: Cidr.Cidr
  /** Whether the configuration names the gateway. */
  readonly saysGateway: boolean
  readonly written: JsonObject
}

/** A set of ranges: a container gets one address of each set. */
export type RangeSet = ReadonlyArray<Range>

const textOf = (value: unknown): string => typeof value === "string" ? value : ""

const rangeOf = (written: unknown, at: Path): ReadonlyArray<Range> => {
  if (!isObject(written)) return []
  const given = Cidr.parse(textOf(written["subnet"]))
  if (given === undefined) return []
  const subnet = Cidr.network(given)
  const addressOf = (name: string) => Cidr.parseAddress(textOf(written[name]))
  const gateway = addressOf("gateway")
  const lastUsable = subnet.family === 4 ? Cidr.last(subnet) - 1n : Cidr.last(subnet)
  return [{
    at,
    subnet,
    start: addressOf("rangeStart")?.address ?? subnet.address + 1n,
    end: addressOf("rangeEnd")?.address ?? lastUsable,
    gateway: gateway ?? { family: subnet.family, address: subnet.address + 1n, length: subnet.family === 4 ? 32 : 128 },
    saysGateway: gateway !== undefined,
    written
  }]
}

/** The sets of ranges of an `ipam` part at a path, without unreadable ones. */
export const of = (ipam: JsonObject, at: Path): ReadonlyArray<RangeSet> => {
  const { ranges, subnet } = ipam
  const lone = subnet === undefined || subnet === "" ? [] : [rangeOf(ipam, at)]
  const sets = Array.isArray(ranges)
    ? ranges.map((set, index) =>
      Array.isArray(set) ? set.flatMap((range, inner) => rangeOf(range, [...at, "ranges", index, inner])) : []
    )
    : []
  return [...lone, ...sets].filter((set) => set.length > 0)
}

/** Whether a set allocates an address. */
export const gives = (set: RangeSet, address: Cidr.Cidr): boolean =>
  set.some(({ end, gateway, start, subnet }) =>
    address.family === subnet.family && address.address >= start && address.address <= end &&
    !Cidr.isSameAddress(address, gateway)
  )

const hasGateway = ({ end, gateway, start, subnet }: Range): boolean =>
  gateway.family === subnet.family && gateway.address >= start && gateway.address <= end

/** How many addresses a set allocates. */
export const size = (set: RangeSet): bigint =>
  set.reduce(
    (total, range) =>
      total + (range.end < range.start ? 0n : range.end - range.start + 1n - (hasGateway(range) ? 1n : 0n)),
    0n
  )

/** Display form of a set. */
export const text = (set: RangeSet): string =>
  set.map(({ end, start, subnet: { family } }) =>
    `${Cidr.addressText({ family, address: start })}-${Cidr.addressText({ family, address: end })}`
  ).join(", ")

/** The same with the gateways in its ranges, which it does not allocate. */
export const textWithGateways = (set: RangeSet): string => {
  const gateways = set.filter(hasGateway).map(({ gateway }) => Cidr.addressText(gateway))
  return gateways.length === 0
    ? text(set)
    : `${text(set)} (${gateways.join(", ")} ${gateways.length === 1 ? "is the gateway" : "are gateways"})`
}

/** Whether two groups of ranges belong to the same subnets but share no address. */
export const areApart = (some: ReadonlyArray<Range>, others: ReadonlyArray<Range>): boolean =>
  some.length > 0 && others.length > 0 &&
  some.every(({ end, start, subnet }) =>
    others.every((other) =>
      !Cidr.overlap(subnet, other.subnet) ||
      (Cidr.text(subnet) === Cidr.text(other.subnet) && (end < other.start || other.end < start))
    )
  )
