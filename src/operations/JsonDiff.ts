/** Compares two JSON values member by member, and gives each difference its path: `ipam.ranges[0][0].subnet`. */
import { isObject } from "../json/Json.ts"
import { type Change, isEqual, show } from "./ResultDiff.ts"

/** Below this depth, values are compared whole. */
const deepest = 32

const member = (path: string, key: string): string =>
  /^[\w-]+$/.test(key) ? `${path === "" ? "" : `${path}.`}${key}` : `${path}[${JSON.stringify(key)}]`

/** The keys of both values with their paths; undefined if the values cannot be compared part by part. */
const parts = (left: unknown, right: unknown, path: string): ReadonlyMap<string, string> | undefined => {
  const keys = () => [...new Set([...Object.keys(left as object), ...Object.keys(right as object)])]
  if (Array.isArray(left) && Array.isArray(right)) return new Map(keys().map((key) => [key, `${path}[${key}]`]))
  if (isObject(left) && isObject(right)) return new Map(keys().map((key) => [key, member(path, key)]))
  return undefined
}

const valueOf = (value: unknown, key: string): unknown =>
  Object.hasOwn(value as object, key) ? (value as { readonly [key: string]: unknown })[key] : undefined

const quoted = (value: unknown): string => typeof value === "string" ? JSON.stringify(show(value)) : show(value)

/** The differences. `undefined` stands for an absent value. */
export const between = (left: unknown, right: unknown, path = "", depth = 0): ReadonlyArray<Change> => {
  if (isEqual(left, right)) return []
  const inside = depth < deepest ? parts(left, right, path) : undefined
  if (inside !== undefined) {
    return [...inside].flatMap(([key, at]) => between(valueOf(left, key), valueOf(right, key), at, depth + 1))
  }
  const name = path === "" ? "the document" : path
  if (left === undefined) return [{ kind: "added", what: `${name}: ${quoted(right)}` }]
  if (right === undefined) return [{ kind: "removed", what: `${name}: ${quoted(left)}` }]
  return [{ kind: "changed", what: `${name}: ${quoted(left)} → ${quoted(right)}` }]
}
