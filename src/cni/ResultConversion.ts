/**
 * Converts results between specification versions. Sources: CNI specification, section 5, "Success"; libcni,
 * `pkg/types`, for what older versions lose.
 */
import * as Result from "effect/Result"
import * as Net from "node:net"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as CniVersion from "./CniVersion.ts"
import * as ResultSchema from "./ResultSchema.ts"
import type { Current, Family, Oldest, Route, WithVersions } from "./ResultSchema.ts"

/** Keeps the members that are neither absent, null nor an empty list. */
const given = <T extends object>(members: T): { [Name in keyof T]?: Exclude<T[Name], null | undefined> } =>
  Object.fromEntries(
    Object.entries(members).filter(([, value]) =>
      value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)
    )
  ) as never

/** The elements of a list without null. An absent list is empty. */
const elements = <T>(list: ReadonlyArray<T | null> | null | undefined): ReadonlyArray<T> =>
  (list ?? []).filter((element) => element !== null)

const isV4 = (cidrOrAddress: string | null | undefined): boolean =>
  Net.isIPv4((cidrOrAddress ?? "").split("/")[0]?.replace(/^::ffff:(?=\d+\.)/i, "") ?? "")

const upFromOldest = ({ dns, ip4, ip6 }: Oldest): WithVersions => {
  const of = (ip: Oldest["ip4"], version: string) =>
    ip === null || ip === undefined
      ? []
      : [given({ version, address: ip.ip, gateway: ip.gateway })]
  return given({
    ips: [...of(ip4, "4"), ...of(ip6, "6")],
    routes: [...elements(ip4?.routes), ...elements(ip6?.routes)],
    dns: dns
  })
}

const downToOldest = ({ dns, ips, routes }: WithVersions): Result.Result<Oldest, string> => {
  const of = (version: string, isMine: (route: Route) => boolean) => {
    const ip = elements(ips).find((each) => each.version === version)
    return ip === undefined ? null : given({
      ip: ip.address,
      gateway: ip.gateway,
      routes: elements(routes).filter(isMine).map(({ dst, gw }) => given({ dst: dst, gw: gw }))
    })
  }
  const ip4 = of("4", ({ dst }) => isV4(dst))
  const ip6 = of("6", ({ dst }) => !isV4(dst))
  return ip4 === null && ip6 === null
    ? Result.fail("it has no address, and results of that version have one")
    : Result.succeed(given({ ip4, ip6, dns: dns }))
}

const upFromVersions = ({ dns, interfaces, ips, routes }: WithVersions): Current =>
  given({
    interfaces: elements(interfaces),
    ips: elements(ips).map(({ address, gateway, interface: index }) =>
      given({ address: address, gateway: gateway, interface: index })
    ),
    routes: elements(routes),
    dns: dns
  })

const downToVersions = ({ dns, interfaces, ips, routes }: Current): WithVersions =>
  given({
    interfaces: elements(interfaces).map(({ mac, name, sandbox }) => given({ name: name, mac: mac, sandbox: sandbox })),
    ips: elements(ips).map((ip) => ({ version: isV4(ip.address) ? "4" : "6", ...ip })),
    routes: elements(routes),
    dns: dns
  })

const convertMembers = (result: Json.JsonObject, from: Family, to: Family): Result.Result<object, string> => {
  if (from === "oldest") {
    const later = Result.map(ResultSchema.read.oldest(result), upFromOldest)
    return to === "current" ? Result.map(later, upFromVersions) : later
  }
  if (from === "withVersions") {
    const known = ResultSchema.read.withVersions(result)
    return to === "current" ? Result.map(known, upFromVersions) : Result.flatMap(known, downToOldest)
  }
  const older = Result.map(ResultSchema.read.current(result), downToVersions)
  return to === "oldest" ? Result.flatMap(older, downToOldest) : older
}

/**
 * Converts a result, as JSON text, to another version, or returns why that is impossible. If both versions have the
 * same members, only `cniVersion` changes in the text. Versions 0.1.0 and 0.2.0 have no interfaces and only one address
 * of each family, so the rest is lost.
 */
export const convert = (document: string, toVersion: string): Result.Result<string, string> => {
  const result = Json.parse(document)
  if (!Json.isObject(result)) return Result.fail(`found ${Json.describe(result)}, expected an object`)
  const wrong = ResultSchema.problem(result)
  if (wrong !== undefined) return Result.fail(wrong)
  if (!CniVersion.isSupported(toVersion)) return Result.fail(`version ${toVersion} is not known`)
  const version = ResultSchema.versionOf(result) as string
  if (version === toVersion) return Result.succeed(document)
  const from = ResultSchema.familyOf(version)
  const to = ResultSchema.familyOf(toVersion)
  if (from === to) return Result.succeed(JsonText.withMembers(document, { cniVersion: JSON.stringify(toVersion) }))
  return Result.map(
    convertMembers(result, from, to),
    (members) => JSON.stringify({ cniVersion: toVersion, ...members })
  )
}
