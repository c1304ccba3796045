/**
 * Results of all versions of the specification: whether runtimes take one, and what it is in another version.
 * Sources: CNI specification, section 5, "Success"; libcni, `pkg/types`, for what is lost on the way down.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Issue } from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as Net from "node:net"
import * as Json from "../json/Json.ts"
import * as JsonSource from "../json/JsonSource.ts"
import * as JsonText from "../json/JsonText.ts"
import * as SchemaProblem from "../json/SchemaProblem.ts"
import * as CniVersion from "./CniVersion.ts"

/** A member that may be left out. `null` counts as left out, as it does for libcni. */
const optional = <S extends Schema.Top>(schema: S, expected: string) =>
  Schema.optionalKey(Schema.NullOr(schema).annotate({ identifier: expected }))

const list = <S extends Schema.Top>(element: S, expected: string) =>
  optional(Schema.Array(element), `a list of ${expected}`)

const text = Schema.String.annotate({ identifier: "a string" })
const optionalText = optional(text, "a string")
const optionalInt = optional(Schema.Int.annotate({ identifier: "an integer" }), "an integer")

const isCidr = (value: string): boolean => {
  const [address = "", length = "", ...more] = value.split("/")
  const family = address.includes("%") ? 0 : Net.isIP(address)
  return family !== 0 && more.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128)
}

const expectedCidr = "an address with the length of its prefix, such as 10.1.0.5/16"
const cidr = Schema.String.annotate({ identifier: expectedCidr })
  .check(Schema.makeFilter(isCidr, { expected: expectedCidr }))

const expectedAddress = "an IP address"
const address = optional(
  Schema.String.annotate({ identifier: expectedAddress }).check(
    Schema.makeFilter((value: string) => value === "" || (!value.includes("%") && Net.isIP(value) !== 0), {
      expected: expectedAddress
    })
  ),
  expectedAddress
)

const object = <Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.Struct(fields).annotate({ identifier: "an object" })

const Dns = object({
  nameservers: list(text, "strings"),
  domain: optionalText,
  search: list(text, "strings"),
  options: list(text, "strings")
})
const Route = object({
  dst: optional(cidr, expectedCidr),
  gw: address,
  mtu: optionalInt,
  advmss: optionalInt,
  priority: optionalInt,
  table: optionalInt,
  scope: optionalInt
})
const Interface = object({
  name: optionalText,
  mac: optionalText,
  mtu: optionalInt,
  sandbox: optionalText,
  socketPath: optionalText,
  pciID: optionalText
})
const Ip = object({
  version: optionalText,
  interface: optionalInt,
  address: optional(cidr, expectedCidr),
  gateway: address
})
const OldIp = object({ ip: optional(cidr, expectedCidr), gateway: address, routes: list(Route, "routes") })

/** Results up to 0.2.0: one address of each family. */
const Oldest = object({
  ip4: optional(OldIp, "an object"),
  ip6: optional(OldIp, "an object"),
  dns: optional(Dns, "an object")
})

/** Results from 0.3.0 on. Those before 1.0.0 have the `version` of each address. */
const Later = object({
  interfaces: list(Interface, "interfaces"),
  ips: list(Ip, "addresses"),
  routes: list(Route, "routes"),
  dns: optional(Dns, "an object")
})

type Oldest = typeof Oldest.Type
type Later = typeof Later.Type
type Route = typeof Route.Type

/** Versions whose results have the same members. */
type Family = "oldest" | "withVersions" | "current"

const familyOf = (version: string): Family =>
  CniVersion.isAtLeast(version, "1.0.0")
    ? "current"
    : CniVersion.isAtLeast(version, "0.3.0")
    ? "withVersions"
    : "oldest"

const decodeOldest = SchemaParser.decodeUnknownResult(Oldest)
const decodeLater = SchemaParser.decodeUnknownResult(Later)

const inWords = ({ message, path }: SchemaProblem.Problem): string => `${JsonSource.pathText(path)}: ${message}`

const read = <A>(
  decode: (value: unknown) => Result.Result<A, Issue>,
  value: unknown
): Result.Result<A, string> =>
  Result.mapError(decode(value), (issue) => SchemaProblem.of(issue, value).map(inWords)[0] ?? "an unusable result")

/** Members that are there, and neither null nor an empty list. */
const given = <T extends object>(members: T): Partial<T> =>
  Object.fromEntries(
    Object.entries(members).filter(([, value]) =>
      value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)
    )
  ) as Partial<T>

const isV4 = (cidrOrAddress: string | null | undefined): boolean =>
  Net.isIPv4((cidrOrAddress ?? "").split("/")[0]?.replace(/^::ffff:(?=\d+\.)/i, "") ?? "")

const upFromOldest = ({ dns, ip4, ip6 }: Oldest): Later => {
  const of = (ip: typeof OldIp.Type | null | undefined, version: string) =>
    ip === null || ip === undefined
      ? []
      : [given({ version, address: ip.ip ?? null, gateway: ip.gateway ?? null })]
  return given({
    ips: [...of(ip4, "4"), ...of(ip6, "6")],
    routes: [...ip4?.routes ?? [], ...ip6?.routes ?? []],
    dns: dns ?? null
  })
}

const downToOldest = ({ dns, ips, routes }: Later): Result.Result<Oldest, string> => {
  const of = (version: string, isMine: (route: Route) => boolean) => {
    const ip = (ips ?? []).find((each) => each.version === version)
    return ip === undefined ? null : given({
      ip: ip.address ?? null,
      gateway: ip.gateway ?? null,
      routes: (routes ?? []).filter(isMine).map(({ dst, gw }) => given({ dst: dst ?? null, gw: gw ?? null }))
    })
  }
  const ip4 = of("4", ({ dst }) => isV4(dst))
  const ip6 = of("6", ({ dst }) => !isV4(dst))
  return ip4 === null && ip6 === null
    ? Result.fail("it has no address, and results of that version have one")
    : Result.succeed(given({ ip4, ip6, dns: dns ?? null }))
}

/** From results of 0.4.0 to those of 1.0.0, or back. */
const between = ({ dns, interfaces, ips, routes }: Later, to: Family): Later =>
  given({
    interfaces: (interfaces ?? []).map(({ mac, name, sandbox }) =>
      given({ name: name ?? "", mac: mac ?? null, sandbox: sandbox ?? null })
    ),
    ips: (ips ?? []).map(({ address, gateway, interface: index }) =>
      given({
        ...(to === "withVersions" ? { version: isV4(address) ? "4" : "6" } : {}),
        interface: index ?? null,
        address: address ?? null,
        gateway: gateway ?? null
      })
    ),
    routes: routes ?? null,
    dns: dns ?? null
  })

/** The version that a result says; the oldest where it says none. */
const versionOf = (result: Json.JsonObject): unknown => result["cniVersion"] || CniVersion.implied

/** Why runtimes do not take a result; undefined where they do. */
export const problem = (result: Json.JsonObject): string | undefined => {
  const version = versionOf(result)
  if (typeof version !== "string" || !CniVersion.isSupported(version)) {
    return `cniVersion: found ${Json.describe(version)}, expected one of ${CniVersion.supported.join(", ")}`
  }
  const outcome: Result.Result<unknown, string> = familyOf(version) === "oldest"
    ? read(decodeOldest, result)
    : read(decodeLater, result)
  return Result.isFailure(outcome) ? outcome.failure : undefined
}

const convertMembers = (result: Json.JsonObject, from: Family, to: Family): Result.Result<object, string> => {
  if (from === "oldest") {
    return Result.map(read(decodeOldest, result), (oldest) => {
      const later = upFromOldest(oldest)
      return to === "current" ? between(later, to) : later
    })
  }
  return Result.flatMap(read(decodeLater, result), (later) => {
    if (to !== "oldest") return Result.succeed(between(later, to))
    return downToOldest(from === "current" ? between(later, "withVersions") : later)
  })
}

/**
 * The same result in another version, as JSON text, or why there is none. Where the members are the same in both
 * versions, nothing but `cniVersion` changes in the text. On the way to 0.2.0 and 0.1.0 interfaces are lost, and of
 * several addresses of a family all but the first.
 */
export const convert = (document: string, toVersion: string): Result.Result<string, string> => {
  const result = Json.parse(document)
  if (!Json.isObject(result)) return Result.fail(`found ${Json.describe(result)}, expected an object`)
  const wrong = problem(result)
  if (wrong !== undefined) return Result.fail(wrong)
  if (!CniVersion.isSupported(toVersion)) return Result.fail(`version ${toVersion} is not known`)
  const version = versionOf(result) as string
  if (version === toVersion) return Result.succeed(document)
  const from = familyOf(version)
  const to = familyOf(toVersion)
  if (from === to) return Result.succeed(JsonText.withMembers(document, { cniVersion: JSON.stringify(toVersion) }))
  return Result.map(
    convertMembers(result, from, to),
    (members) => JSON.stringify({ cniVersion: toVersion, ...members })
  )
}
