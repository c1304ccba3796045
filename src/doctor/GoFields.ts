/**
 * Fields of configurations as Go programs read them: names match in any case, null counts as absent, and a text is not
 * a number.
 * Source: Go, `encoding/json`.
 */
import * as Json from "../json/Json.ts"
import type { Path } from "../json/JsonText.ts"
import * as Cidr from "../network/Cidr.ts"

/** Something that a plugin rejects or ignores. */
export interface Problem {
  readonly path: Path
  readonly message: string
  /** Whether the plugin accepts it, but does something else than what was meant. */
  readonly isHarmless?: boolean
}

/** Reads a value and returns its problems. */
export type Reader = (value: unknown, path: Path) => ReadonlyArray<Problem>

const found = (value: unknown, path: Path, expected: string): ReadonlyArray<Problem> => [
  { path, message: `found ${Json.describe(value)}, expected ${expected}` }
]

/** A value that passes a test. Null counts as absent. */
const value = (isRight: (value: unknown) => boolean, expected: string): Reader => (value, path) =>
  value === null || isRight(value) ? [] : found(value, path, expected)

export const aBoolean = value((value) => typeof value === "boolean", "true or false")
export const aString = value((value) => typeof value === "string", "a string")
export const anObject = value(Json.isObject, "an object")

/** A whole number in these bounds. */
export const integer = (least = -(2 ** 53), most = 2 ** 53) =>
  value(
    (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most,
    least === -(2 ** 53)
      ? "a whole number, without quotes"
      : `a whole number${most === 2 ** 53 ? `, at least ${least}` : ` from ${least} to ${most}`}, without quotes`
  )

/** A string of limited length. */
export const shortText = (most: number) =>
  value(
    (value) => typeof value === "string" && Buffer.byteLength(value) <= most,
    `a string of at most ${most} characters`
  )

/** One of these texts. */
export const oneOf = (...texts: ReadonlyArray<string>) =>
  value(
    (value) => typeof value === "string" && texts.includes(value),
    texts.filter((text) => text !== "").map((text) => JSON.stringify(text)).join(" or ")
  )

/** Preferably one of these texts: the plugin accepts others, but does something else. */
export const preferably = (...texts: ReadonlyArray<string>): Reader => (value, path) =>
  typeof value !== "string"
    ? aString(value, path)
    : oneOf("", ...texts)(value, path).map((problem) => ({ ...problem, isHarmless: true }))

/** An IP address. An empty text counts as absent. */
export const anAddress = value(
  (value) => typeof value === "string" && (value === "" || Cidr.parseAddress(value) !== undefined),
  "an IP address such as \"10.1.0.1\""
)

/** A subnet. */
export const aCidr = value(
  (value) => typeof value === "string" && Cidr.parse(value) !== undefined,
  "an address with the length of its prefix, such as \"10.1.0.0/16\""
)

/** The name of a link. Source: Linux, `dev_valid_name`. */
export const aLink = value(
  (value) => typeof value === "string" && Buffer.byteLength(value) <= 15 && !/[/:\s]/.test(value),
  "the name of a link: at most 15 bytes, without \"/\", \":\" and blanks"
)

/** A hardware address. */
export const aMac = value(
  (value) => typeof value === "string" && (value === "" || /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(value)),
  "a MAC address such as \"02:00:00:00:00:01\""
)

/** A list of such values. */
export const listOf = (element: Reader, expected: string): Reader => (list, path) =>
  list === null
    ? []
    : Array.isArray(list)
    ? list.flatMap((each, index) => element(each, [...path, index]))
    : found(list, path, expected)

/** An object with such values under any key that passes. */
export const mapOf =
  (element: Reader, isKey: (key: string) => boolean = () => true, keys = ""): Reader => (object, path) =>
    object === null ?
      [] :
      !Json.isObject(object) ?
      found(object, path, "an object") :
      Object.entries(object).flatMap(([key, each]) => [
        ...(isKey(key)
          ? []
          : [{ path: [...path, key], message: `found the key ${JSON.stringify(key)}, expected ${keys}` }]),
        ...element(each, [...path, key])
      ])

/** Fields of an object, by name. */
export interface Fields {
  readonly [name: string]: Reader
}

/** The value of a field, which Go finds by its name in any case. */
export const field = (object: Json.JsonObject, name: string): unknown =>
  object[name] ?? Object.entries(object).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1]

/** An object with these fields. Other fields are ignored. */
export const struct = (fields: Fields): Reader => (object, path) => {
  if (object === null) return []
  if (!Json.isObject(object)) return found(object, path, "an object")
  return Object.entries(object).flatMap(([key, each]) => {
    const name = Object.keys(fields).find((name) => name.toLowerCase() === key.toLowerCase())
    return name === undefined ? [] : fields[name]?.(each, [...path, key]) ?? []
  })
}
