/** The network of an attachment, as its result and its configuration say. */
import * as JsonText from "../../json/JsonText.ts"
import * as Escape from "../../record/Escape.ts"
import type { Operation } from "./Data.ts"
import { records } from "./Model.ts"

/** An interface, and what it has. */
export interface Interface {
  readonly name: string
  readonly mac: string
  readonly addresses: ReadonlyArray<string>
}

/** What there is to draw. */
export interface Network {
  readonly namespace: string
  readonly inside: ReadonlyArray<Interface>
  /** Ends of links in the host. */
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

/** The address of a prefix, with its length left out. */
const host = (address: string): string => address.split("/")[0] ?? ""

const mappingsOf = (configs: ReadonlyArray<unknown>, address: string): ReadonlyArray<string> => {
  const found = configs.flatMap((config) => listOf(own(config, "runtimeConfig"), "portMappings")).map((mapping) => {
    const from = [text(mapping, "hostIP"), text(mapping, "hostPort")].filter(Boolean).join(":")
    return `host ${from}/${text(mapping, "protocol") || "tcp"} → ${address}:${text(mapping, "containerPort")}`
  })
  return [...new Set(found)]
}

/** How many of each are drawn. */
const most = 8

/** The network of an operation; undefined where its result does not say what there is. */
export const of = (operation: Operation): Network | undefined => {
  const configs = documents(operation, "request", "config")
  const results = [...documents(operation, "result", "result"), ...configs.map((config) => own(config, "prevResult"))]
  const result = documents(operation, "result", "result").at(-1) ?? results.find(isObject)
  const ips = listOf(result, "ips")
  const interfaces = listOf(result, "interfaces").map((it, index) => ({
    name: text(it, "name"),
    mac: text(it, "mac"),
    sandbox: text(it, "sandbox"),
    addresses: ips.filter((ip) => own(ip, "interface") === index).map((ip) => text(ip, "address")).slice(0, most)
  }))
  const inside = interfaces.filter(({ sandbox }) => sandbox !== "")
  const named = new Set(configs.map((config) => text(config, "bridge")).filter(Boolean))
  const loose = ips.filter((ip) => typeof own(ip, "interface") !== "number").map((ip) => text(ip, "address"))
  if (ips.length === 0 && interfaces.length === 0) return undefined
  const onHost = interfaces.filter(({ sandbox }) => sandbox === "")
  const isBridge = ({ name }: { readonly name: string }, index: number) =>
    named.has(name) || (named.size === 0 && index === 0 && onHost.length > 1)
  return {
    namespace: Escape.inLine((operation.netns ?? "namespace").split("/").at(-1) ?? ""),
    inside: inside.length === 0
      ? [{ name: Escape.inLine(operation.ifname ?? ""), mac: "", addresses: loose.slice(0, most) }]
      : inside.slice(0, most),
    outside: onHost.filter((it, index) => !isBridge(it, index)).slice(0, most),
    bridges: onHost.filter(isBridge).slice(0, most),
    gateways: [...new Set(ips.map((ip) => text(ip, "gateway")).filter(Boolean))].slice(0, most),
    routes: listOf(result, "routes").slice(0, most)
      .map((route) => [text(route, "dst"), text(route, "gw") && `via ${text(route, "gw")}`].filter(Boolean).join(" ")),
    ports: mappingsOf(configs, host(text(ips[0], "address"))).slice(0, most)
  }
}
