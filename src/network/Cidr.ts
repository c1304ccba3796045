/** Addresses and subnets as numbers, so that they can be compared. */
import * as NetAddress from "effect/net/NetAddress"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/** A subnet, or an address with its prefix length. */
export interface Cidr {
  readonly family: 4 | 6
  readonly address: bigint
  readonly length: number
}

const bitsOf = { 4: 32, 6: 128 } as const

/** The number whose digits in base 2 ** `bits` are these, the highest first. */
const numberOf = (digits: ReadonlyArray<number>, bits: bigint): bigint =>
  digits.reduce((value, digit) => (value << bits) | BigInt(digit), 0n)

/** The digits of a number in base 2 ** `bits`. */
const digitsOf = (value: bigint, bits: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, index) => Number(BigInt.asUintN(bits, value >> BigInt(bits * (count - 1 - index)))))

/**
 * Parses an address; undefined if the text is not one. An IPv4-mapped IPv6 address becomes an IPv4 address, as in Go.
 */
export const parseAddress = (text: string): Cidr | undefined => {
  const parsed = NetAddress.ipFromString(text)
  if (Result.isFailure(parsed)) return undefined
  const ip = parsed.success
  const plain = NetAddress.isIpv6Address(ip) ? Option.getOrElse(NetAddress.fromIpv4Mapped(ip), () => ip) : ip
  return NetAddress.isIpv4Address(plain)
    ? { family: 4, address: numberOf(NetAddress.ipv4ToOctets(plain), 8n), length: 32 }
    : { family: 6, address: numberOf(NetAddress.ipv6ToSegments(plain), 16n), length: 128 }
}

/** Parses an address with its prefix length; undefined if the text is not one. */
export const parse = (text: string): Cidr | undefined => {
  const [head = "", length = "", ...more] = text.split("/")
  const address = parseAddress(head)
  if (address === undefined || more.length > 0 || !/^\d{1,3}$/.test(length)) return undefined
  return Number(length) > bitsOf[address.family] ? undefined : { ...address, length: Number(length) }
}

/** The subnet with its host bits cleared. */
export const network = ({ address, family, length }: Cidr): Cidr => {
  const rest = BigInt(bitsOf[family] - length)
  return { family, length, address: (address >> rest) << rest }
}

/** The last address of a subnet. */
export const last = (cidr: Cidr): bigint =>
  network(cidr).address + (1n << BigInt(bitsOf[cidr.family] - cidr.length)) - 1n

/** Whether an address or a subnet is in a subnet. */
export const contains = (outer: Cidr, inner: Cidr): boolean =>
  outer.family === inner.family && outer.length <= inner.length &&
  network({ ...inner, length: outer.length }).address === network(outer).address

/** The address alone, as a prefix of full length. */
export const single = <A extends Cidr>(cidr: A): A => ({ ...cidr, length: bitsOf[cidr.family] })

/** Whether two subnets have an address in common. */
export const overlap = (left: Cidr, right: Cidr): boolean => contains(left, right) || contains(right, left)

/** Whether two addresses are equal, regardless of their prefix lengths. */
export const isSameAddress = (left: Cidr, right: Cidr): boolean =>
  left.family === right.family && left.address === right.address

/** An address as text. Source: RFC 5952. */
export const addressText = ({ address, family }: Pick<Cidr, "address" | "family">): string =>
  family === 4
    ? digitsOf(address, 8, 4).join(".")
    : NetAddress.formatIp(
      Result.getOrThrow(NetAddress.ipv6FromSegments(digitsOf(address, 16, 8) as unknown as NetAddress.Ipv6Segments))
    )

/** A subnet as text. */
export const text = (cidr: Cidr): string => `${addressText(cidr)}/${cidr.length}`

/** Whether this is the destination of a default route. */
export const isDefault = ({ length }: Cidr): boolean => length === 0

/** Whether this is a loopback address, which never leaves its network namespace. */
export const isLoopback = ({ address, family }: Cidr): boolean =>
  family === 4 ? address >> 24n === 127n : address === 1n

const linkLocal = parse("fe80::/10") as Cidr

/** Whether this is a link-local address of IPv6, which every link has. */
export const isLinkLocal = (address: Cidr): boolean => contains(linkLocal, single(address))

/** An address with a port: `10.1.0.5:80`, `[fd00::5]:80`. */
export const endpoint = (address: string, port: number): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`
