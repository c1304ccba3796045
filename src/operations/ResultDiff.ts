/**
 * What one plugin did to the result of the plugins before it. A result may be hostile: the work is linear in its size,
 * nothing here recurses with its depth, and the text about one value is short.
 */
import { isObject, type JsonObject } from "../json/Json.ts"

/** One difference between two results. */
export interface Change {
  readonly kind: "added" | "removed" | "changed"
  readonly what: string
}

/** Below this depth, values are compared whole, and shown as `{…}` and `[…]`. */
const deepest = 6

/** How many characters of a value, and how many elements of a list, are shown. */
const longest = 200

const short = (text: string): string => text.length <= longest ? text : `${text.slice(0, longest)}…`

const json = (value: unknown, depth: number): string => {
  if (typeof value === "string") return JSON.stringify(short(value))
  if (typeof value !== "object" || value === null) return String(value)
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"]
  if (depth === deepest) return `${open}…${close}`
  const parts: Array<string> = []
  let length = 0
  for (const key of Object.keys(value)) {
    if (length > longest) {
      parts.push("…")
      break
    }
    const shown = json((value as JsonObject)[key], depth + 1)
    parts.push(Array.isArray(value) ? shown : `${JSON.stringify(short(key))}:${shown}`)
    length += parts.at(-1)?.length ?? 0
  }
  return `${open}${parts.join(",")}${close}`
}

/** A value in a line of text. */
export const show = (value: unknown): string => short(typeof value === "string" ? value : json(value, 0))

const own = (object: JsonObject, key: string): unknown => Object.hasOwn(object, key) ? object[key] : undefined

const keysOf = (
  left: JsonObject,
  right: JsonObject
): ReadonlyArray<string> => [...new Set([...Object.keys(left), ...Object.keys(right)])]

/** Whether two values are equal, regardless of the order of keys. */
export const isEqual = (before: unknown, after: unknown): boolean => {
  const open: Array<readonly [unknown, unknown]> = [[before, after]]
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    const [left, right] = pair
    if (left === right) continue
    if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false
    if (Array.isArray(left) !== Array.isArray(right)) return false
    const keys = Object.keys(left)
    if (keys.length !== Object.keys(right).length) return false
    for (const key of keys) {
      if (!Object.hasOwn(right, key)) return false
      open.push([(left as JsonObject)[key], (right as JsonObject)[key]])
    }
  }
  return true
}

interface List {
  /** The word for one element. */
  readonly word: string
  readonly identity: (element: JsonObject) => string
}

/** The lists of a result whose elements have an identity. Source: CNI specification, section 5, "ADD Success". */
const lists: ReadonlyMap<string, List> = new Map([
  ["interfaces", {
    word: "interface",
    identity: ({ name, sandbox }) =>
      show(name) + (sandbox === undefined || sandbox === "" ? "" : ` in ${show(sandbox)}`)
  }],
  ["ips", { word: "address", identity: ({ address }) => show(address) }],
  ["routes", { word: "route", identity: ({ dst }) => show(dst) }]
])

/** Members that are part of the identity, or mean nothing to a person. */
const silent = new Set(["name", "sandbox", "address", "dst", "version"])

/** ` (mac 5e:…, mtu 1500)`: the other members of an element. */
const details = (element: JsonObject): string => {
  const words = Object.entries(element).filter(([key]) => !silent.has(key)).map(([key, value]) =>
    `${short(key)} ${show(value)}`
  )
  return words.length === 0 ? "" : ` (${short(words.join(", "))})`
}

/** Elements by identity. Several may have the same one. */
const byIdentity = (value: unknown, { identity }: List): ReadonlyMap<string, ReadonlyArray<JsonObject>> => {
  const found = new Map<string, Array<JsonObject>>()
  for (const element of Array.isArray(value) ? value.filter(isObject) : []) {
    const name = identity(element)
    const same = found.get(name)
    if (same === undefined) found.set(name, [element])
    else same.push(element)
  }
  return found
}

const listChanges = (list: List, before: unknown, after: unknown): ReadonlyArray<Change> => {
  const old = byIdentity(before, list)
  const now = byIdentity(after, list)
  return [
    ...[...old].flatMap(([name, elements]) =>
      elements.flatMap((element, index): ReadonlyArray<Change> => {
        const other = now.get(name)?.[index]
        const what = `${list.word} ${name}`
        return other === undefined ? [{ kind: "removed", what }] : valueChanges(what, element, other, 1)
      })
    ),
    ...[...now].flatMap(([name, elements]) =>
      elements.slice(old.get(name)?.length).map((element): Change => ({
        kind: "added",
        what: `${list.word} ${name}${details(element)}`
      }))
    )
  ]
}

const valueChanges = (name: string, before: unknown, after: unknown, depth: number): ReadonlyArray<Change> => {
  if (isEqual(before, after)) return []
  if (isObject(before) && isObject(after) && depth < deepest) {
    return keysOf(before, after)
      .flatMap((key) => valueChanges(`${name} ${short(key)}`, own(before, key), own(after, key), depth + 1))
  }
  if (before === undefined) return [{ kind: "added", what: `${name} ${show(after)}` }]
  if (after === undefined) return [{ kind: "removed", what: `${name} ${show(before)}` }]
  return [{ kind: "changed", what: `${name}: ${show(before)} → ${show(after)}` }]
}

const memberChanges = (key: string, before: unknown, after: unknown): ReadonlyArray<Change> => {
  if (isEqual(before, after)) return []
  const list = lists.get(key)
  if (list !== undefined) return listChanges(list, before, after)
  // An object that appears or goes is listed member by member, so an empty one is not listed.
  return isObject(before) || isObject(after)
    ? valueChanges(short(key), before ?? {}, after ?? {}, 1)
    : valueChanges(short(key), before, after, 1)
}

/** The differences between two results. `undefined` stands for no result yet. */
export const between = (before: unknown, after: unknown): ReadonlyArray<Change> => {
  const old = isObject(before) ? before : {}
  const now = isObject(after) ? after : {}
  return keysOf(old, now)
    .filter((key) => key !== "cniVersion")
    .flatMap((key) => memberChanges(key, own(old, key), own(now, key)))
}
