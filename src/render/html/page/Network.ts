/** The network of an attachment, from its result and its configuration. */
import * as JsonText from "../../../json/JsonText.ts"
import * as Escape from "../../../record/Escape.ts"
import type { Operation } from "../PageData.ts"
import { records } from "./Model.ts"

/** An interface and its addresses. */
export interface Interface {
  readonly name: string
  readonly mac: string
  readonly addresses: ReadonlyArray<string>
}

/** The parts to draw. */
export interface Network {
  readonly namespace: string
  readonly inside: ReadonlyArray<Interface>
  /** The host ends of links. */
  readonly outside: ReadonlyArray<Interface>
  readonly bridges: ReadonlyArray<Interface>
  readonly gateways: ReadonlyArray<string>
  readonly routes: ReadonlyArray<string>
  /** `host 8080/tcp → 10.88.0.2:80` */
  readonly ports: ReadonlyArray<string>
}

const isObject = (value: unknown): value is { readonly [name: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const own = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined

const listOf = (value: unknown, name: string): ReadonlyArray<unknown> => {
  const list = own(value, name)
  return Array.isArray(list) ? list : []
}

const text = (value: unknown, name: string): string => {
  const found = own(value, name)
  return typeof found === "string" || typeof found === "number" ? Escape.inLine(String(found)) : ""
}

const documents = ({ steps }: Operation, event: string, name: string): ReadonlyArray<unknown> =>
  steps.flatMap((step) => step.records ?? []).flatMap((index) => {
    const record = records[index] ?? "{}"
    if (!record.includes(`"event":"${event}"`)) return []
    const document = JsonText.member(record, name)
    return document === undefined ? [] : [JSON.parse(document) as unknown]
  })

/** An address without its prefix length. */
const host = (address: string): string => address.split("/")[0] ?? ""

const mappingsOf = (configs: ReadonlyArray<unknown>, address: string): ReadonlyArray<string> => {
  const found = configs.flatMap((config) => listOf(own(config, "runtimeConfig"), "portMappings")).map((mapping) => {
    const from = [text(mapping, "hostIP"), text(mapping, "hostPort")].filter(Boolean).join(":")
    return `host ${from}/${text(mapping, "protocol") || "tcp"} → ${address}:${text(mapping, "containerPort")}`
  })
  return [...new Set(found)]
}

/** An address of a result. */
interface Address {
  readonly address: string
  readonly gateway: string
  /** The index of its interface; undefined if the result does not say. */
  readonly index: number | undefined
}

/** The addresses of a result. Versions up to 0.2.0 have `ip4` and `ip6`. Source: CNI specification, section 5. */
const addressesOf = (result: unknown): ReadonlyArray<Address> => [
  ...["ip4", "ip6"].map((name) => own(result, name)).filter(isObject).map((ip) => ({
    address: text(ip, "ip"),
    gateway: text(ip, "gateway"),
    index: undefined
  })),
  ...listOf(result, "ips").map((ip) => {
    const index = own(ip, "interface")
    return {
      address: text(ip, "address"),
      gateway: text(ip, "gateway"),
      index: typeof index === "number" ? index : undefined
    }
  })
]

const routesOf = (result: unknown): ReadonlyArray<string> =>
  [result, own(result, "ip4"), own(result, "ip6")].flatMap((it) => listOf(it, "routes"))
    .map((route) => [text(route, "dst"), text(route, "gw") && `via ${text(route, "gw")}`].filter(Boolean).join(" "))

/** How many of each are drawn. */
const most = 8

const few = <A>(list: ReadonlyArray<A>): ReadonlyArray<A> => list.slice(0, most)

/** The network of an operation; undefined if its result has neither addresses nor interfaces. */
export const of = (operation: Operation): Network | undefined => {
  const configs = documents(operation, "request", "config")
  const result = documents(operation, "result", "result").at(-1) ??
    configs.map((config) => own(config, "prevResult")).find(isObject)
  const addresses = addressesOf(result)
  const interfaces = listOf(result, "interfaces").map((it, index) => ({
    name: text(it, "name"),
    mac: text(it, "mac"),
    sandbox: text(it, "sandbox"),
    addresses: few(addresses.filter((one) => one.index === index).map(({ address }) => address))
  }))
  if (addresses.length === 0 && interfaces.length === 0) return undefined
  const inside = interfaces.filter(({ sandbox }) => sandbox !== "")
  const onHost = interfaces.filter(({ sandbox }) => sandbox === "")
  // Addresses without an interface belong to the requested one.
  const loose = addresses.filter(({ index }) => index === undefined).map(({ address }) => address)
  const [first = { name: Escape.inLine(operation.ifname ?? ""), mac: "", addresses: [] }, ...others] = inside
  const named = new Set(configs.map((config) => text(config, "bridge")).filter(Boolean))
  const isBridge = ({ name }: { readonly name: string }, index: number) =>
    named.has(name) || (named.size === 0 && index === 0 && onHost.length > 1)
  return {
    namespace: Escape.inLine((operation.netns ?? "namespace").split("/").at(-1) ?? ""),
    inside: few([{ ...first, addresses: few([...first.addresses, ...loose]) }, ...others]),
    outside: few(onHost.filter((it, index) => !isBridge(it, index))),
    bridges: few(onHost.filter(isBridge)),
    gateways: few([...new Set(addresses.map(({ gateway }) => gateway).filter(Boolean))]),
    routes: few(routesOf(result)),
    ports: few(mappingsOf(configs, host(addresses[0]?.address ?? "")))
  }
}
