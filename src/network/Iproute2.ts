/** Reads the JSON of `ip` and `bridge`, and builds lines from it. */
import * as Json from "../json/Json.ts"

/** A link, an address, … as a tool prints it in JSON. */
export type Item = Json.JsonObject

/** The objects of a list. */
export const items = (value: unknown): ReadonlyArray<Item> => Array.isArray(value) ? value.filter(Json.isObject) : []

/** A member of an object; undefined if it is missing, or if the value is not an object. */
export const member = (value: unknown, name: string): unknown => Json.isObject(value) ? value[name] : undefined

/** A text; undefined for any other value. */
export const optional = (value: unknown): string | undefined => typeof value === "string" ? value : undefined

/** A text; empty for any other value. */
export const text = (value: unknown): string => optional(value) ?? ""

/** The texts of a list. */
export const texts = (value: unknown): ReadonlyArray<string> =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : []

/** Whether an item has a flag. */
export const hasFlag = ({ flags }: Item) => (flag: string): boolean => Array.isArray(flags) && flags.includes(flag)

/** Words and groups of words as one line. */
export const words = (...parts: ReadonlyArray<string | false>): string => parts.filter(Boolean).join(" ")

/** A word and its value; empty if there is no value, or if it is the usual one. */
export const pair = (word: string, value: unknown, usual?: unknown): string =>
  value === undefined || value === "" || value === usual ? "" : `${word} ${String(value)}`

/** Several members of an item, each with its name. Members that are 0 are left out. */
export const pairs = (item: unknown, names: string): string =>
  words(...names.split(" ").map((name) => pair(name, member(item, name), 0)))

/** The words for which a condition holds. */
export const those = (names: string, holds: (name: string) => boolean): string =>
  names.split(" ").filter(holds).join(" ")
