/** Addresses and subnets as numbers, so that they can be compared. */
import * as Net from "node:net"

/** A subnet, or an address with its prefix length. */
export interface Cidr {
  readonly family: 4 | 6
  readonly address: bigint
  readonly length: number
}

const bitsOf = { 4: 32, 6: 128 } as const

const fromV4 = (text: string): bigint => text.split(".").reduce((value, part) => value * 256n + BigInt(part), 0n)

const fromV6 = (text: string): bigint => {
  const dotted = /(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const hex = (value: bigint) => value.toString(16)
  const plain = dotted === null
    ? text
    : text.slice(0, dotted.index) + `${hex(fromV4(dotted[0]) >> 16n)}:${hex(fromV4(dotted[0]) & 0xffffn)}`
  const [before = "", after] = plain.split("::")
  const groups = (part: string) => part === "" ? [] : part.split(":")
  const tail = after === undefined ? [] : groups(after)
  const head = groups(before)
  const zeros = after === undefined ? [] : Array.from({ length: 8 - head.length - tail.length }, () => "0")
  return [...head, ...zeros, ...tail].reduce((value, group) => value * 65536n + BigInt(`0x${group}`), 0n)
}

/**
 * Parses an address; undefined if the text is not one. An IPv4-mapped IPv6 address becomes an IPv4 address, as in Go.
 */
export const parseAddress = (text: string): Cidr | undefined => {
  const family = text.includes("%") ? 0 : Net.isIP(text)
  if (family === 4) return { family, address: fromV4(text), length: 32 }
  if (family !== 6) return undefined
  const address = fromV6(text)
  return address >> 32n === 0xffffn
    ? { family: 4, address: address & 0xffffffffn, length: 32 }
    : { family: 6, address, length: 128 }
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

/** An address as text, IPv6 with its longest run of zeros left out. */
export const addressText = ({ address, family }: Pick<Cidr, "address" | "family">): string => {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (address >> shift) & 255n).join(".")
  const groups = Array.from({ length: 8 }, (_, index) => ((address >> BigInt(112 - 16 * index)) & 0xffffn).toString(16))
  const text = groups.join(":")
  const [run] = [...text.matchAll(/(?<=^|:)0(?::0)+(?=:|$)/g)]
    .toSorted((left, right) => right[0].length - left[0].length)
  if (run === undefined) return text
  const before = text.slice(0, run.index).replace(/:$/, "")
  return `${before}::${text.slice(run.index + run[0].length).replace(/^:/, "")}`
}

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
