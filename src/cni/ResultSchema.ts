/** The schemas of results in each version. Sources: CNI specification, section 5, "Success"; libcni, `pkg/types`. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as Net from "node:net"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as SchemaProblem from "../json/SchemaProblem.ts"
import * as CniVersion from "./CniVersion.ts"

/** An optional member. Null counts as absent, as for libcni. */
const optional = <S extends Schema.Top>(schema: S, expected: string) =>
  Schema.optionalKey(Schema.NullOr(schema).annotate({ identifier: expected }))

/** An optional list. Its elements may be null, as for libcni. */
const list = <S extends Schema.Top>(element: S, elements: string, one: string) =>
  optional(Schema.Array(Schema.NullOr(element).annotate({ identifier: one })), `a list of ${elements}`)

const text = Schema.String.annotate({ identifier: "a string" })
const optionalText = optional(text, "a string")
const texts = list(text, "strings", "a string")
const isInteger = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 63
const optionalInt = optional(
  Schema.Number.annotate({ identifier: "an integer" })
    .check(Schema.makeFilter(isInteger, { expected: "an integer" })),
  "an integer"
)

const isCidr = (value: string): boolean => {
  const [address = "", length = "", ...more] = value.split("/")
  const family = address.includes("%") ? 0 : Net.isIP(address)
  return family !== 0 && more.length === 0 && /^\d{1,3}$/.test(length) && Number(length) <= (family === 4 ? 32 : 128)
}

const expectedCidr = "an address with the length of its prefix, such as 10.1.0.5/16"
const cidr = Schema.optionalKey(
  Schema.String.annotate({ identifier: expectedCidr }).check(Schema.makeFilter(isCidr, { expected: expectedCidr }))
)

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

const Dns = optional(object({ nameservers: texts, domain: optionalText, search: texts, options: texts }), "an object")
const Route = object({
  dst: cidr,
  gw: address,
  mtu: optionalInt,
  advmss: optionalInt,
  priority: optionalInt,
  table: optionalInt,
  scope: optionalInt
})
const routes = list(Route, "routes", "an object")
const interfaceMembers = { name: optionalText, mac: optionalText, sandbox: optionalText }
const ipMembers = { interface: optionalInt, address: cidr, gateway: address }
const OldIp = optional(object({ ip: cidr, gateway: address, routes }), "an object")

/** Results up to 0.2.0: one address of each family. */
const Oldest = object({ ip4: OldIp, ip6: OldIp, dns: Dns })

/** Results from 0.3.0 to 0.4.0: each address states its family as `version`. */
const WithVersions = object({
  interfaces: list(object(interfaceMembers), "interfaces", "an object"),
  ips: list(object({ version: optionalText, ...ipMembers }), "addresses", "an object"),
  routes,
  dns: Dns
})

/** Results since 1.0.0, including the members that 1.1.0 added to interfaces. */
const Current = object({
  interfaces: list(
    object({ ...interfaceMembers, mtu: optionalInt, socketPath: optionalText, pciID: optionalText }),
    "interfaces",
    "an object"
  ),
  ips: list(object(ipMembers), "addresses", "an object"),
  routes,
  dns: Dns
})

export type Oldest = typeof Oldest.Type
export type WithVersions = typeof WithVersions.Type
export type Current = typeof Current.Type
export type Route = typeof Route.Type

/** Versions whose results have the same members. */
export type Family = "oldest" | "withVersions" | "current"

/** The family of a version. */
export const familyOf = (version: string): Family =>
  CniVersion.isAtLeast(version, "1.0.0")
    ? "current"
    : CniVersion.isAtLeast(version, "0.3.0")
    ? "withVersions"
    : "oldest"

const inWords = ({ message, path }: SchemaProblem.Problem): string => `${JsonText.pathText(path)}: ${message}`

const reader = <A>(schema: Schema.ConstraintDecoder<A>) => {
  const decode = SchemaParser.decodeUnknownResult(schema)
  return (value: unknown): Result.Result<A, string> =>
    Result.mapError(decode(value), (issue) => SchemaProblem.of(issue, value).map(inWords)[0] ?? "it cannot be read")
}

/** Decodes the known members of a result. Fails with a description of the first invalid one. */
export const read = { oldest: reader(Oldest), withVersions: reader(WithVersions), current: reader(Current) }

/** The version that a result states, or the oldest one if it states none. */
export const versionOf = (result: Json.JsonObject): unknown => result["cniVersion"] || CniVersion.implied

/** Returns why runtimes reject a result, or undefined if they accept it. */
export const problem = (result: Json.JsonObject): string | undefined => {
  const version = versionOf(result)
  if (typeof version !== "string" || !CniVersion.isSupported(version)) {
    return `cniVersion: found ${Json.describe(version)}, expected one of ${CniVersion.supported.join(", ")}`
  }
  const outcome: Result.Result<object, string> = read[familyOf(version)](result)
  return Result.isFailure(outcome) ? outcome.failure : undefined
}
