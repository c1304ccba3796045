/** What one plugin did to the result of the plugins before it. */
import { isObject, type JsonObject as Value } from "../cni/isObject.ts"

/** One difference between two results. */
export interface Change {
  readonly kind: "added" | "removed" | "changed"
  readonly what: string
}

const show = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value) ?? ""

/** The lists of a result whose elements have an identity, with the word for one. Source: CNI specification, section 5. */
const lists: { readonly [key: string]: { readonly word: string; readonly identity: (element: Value) => string } } = {
  interfaces: {
    word: "interface",
    identity: ({ name, sandbox }) =>
      show(name) + (sandbox === undefined || sandbox === "" ? "" : ` in ${show(sandbox)}`)
  },
  ips: { word: "address", identity: ({ address }) => show(address) },
  routes: { word: "route", identity: ({ dst }) => show(dst) }
}

/** Members that are part of the identity, or say nothing to a person. */
const silent = new Set(["name", "sandbox", "address", "dst", "version"])

/** `mac 5e:…, mtu 1500`: what else an element says. */
const details = (element: Value): string => {
  const words = Object.entries(element).filter(([key]) => !silent.has(key)).map(([key, value]) =>
    `${key} ${show(value)}`
  )
  return words.length === 0 ? "" : ` (${words.join(", ")})`
}

const listChanges = (key: string, before: ReadonlyArray<unknown>, after: ReadonlyArray<unknown>): Array<Change> => {
  const { identity, word } = lists[key] ?? { word: key, identity: show }
  const index = (elements: ReadonlyArray<unknown>) => {
    const found = new Map<string, Value>()
    for (const element of elements.filter(isObject)) {
      let name = identity(element)
      while (found.has(name)) name += "'" // the same once more
      found.set(name, element)
    }
    return found
  }
  const old = index(before)
  const now = index(after)
  return [
    ...[...old].flatMap(([name, element]): Array<Change> => {
      const other = now.get(name)
      if (other === undefined) return [{ kind: "removed", what: `${word} ${name}` }]
      return valueChanges(`${word} ${name}`, element, other)
    }),
    ...[...now].flatMap(([name, element]): Array<Change> =>
      old.has(name) ? [] : [{ kind: "added", what: `${word} ${name}${details(element)}` }]
    )
  ]
}

const valueChanges = (name: string, before: unknown, after: unknown): Array<Change> => {
  if (before === undefined && after === undefined) return []
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])]
      .flatMap((key) => valueChanges(`${name} ${key}`, before[key], after[key]))
  }
  if (show(before) === show(after)) return []
  if (before === undefined) return [{ kind: "added", what: `${name} ${show(after)}` }]
  if (after === undefined) return [{ kind: "removed", what: `${name} ${show(before)}` }]
  return [{ kind: "changed", what: `${name}: ${show(before)} → ${show(after)}` }]
}

/** The differences between two results, `undefined` standing for none yet. */
export const between = (before: unknown, after: unknown): ReadonlyArray<Change> => {
  const old = isObject(before) ? before : {}
  const now = isObject(after) ? after : {}
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) => {
    if (key === "cniVersion") return []
    const [left, right] = [old[key], now[key]]
    if (lists[key] !== undefined) {
      return listChanges(key, Array.isArray(left) ? left : [], Array.isArray(right) ? right : [])
    }
    return isObject(left) || isObject(right)
      ? valueChanges(key, isObject(left) ? left : {}, isObject(right) ? right : {})
      : valueChanges(key, left, right)
  })
}
