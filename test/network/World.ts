/** What is set in the two namespaces of a test, as a model: what was done to them says what must be seen. */
import type { Kind } from "../../src/network/StateKind.ts"
import type { Place } from "./namespaces.ts"

/** One thing that is set. */
export interface Thing {
  readonly place: Place
  /** What it is, such as `link` or `chain`. */
  readonly sort: string
  readonly name: string
  /** The facts of it, by their kind. */
  readonly facts: ReadonlyArray<readonly [kind: Kind, line: string]>
  /** Keys of the things that it goes with. */
  readonly parents: ReadonlyArray<string>
  /** What an operation must know of it. */
  readonly about: { readonly [name: string]: unknown }
}

export type Differences = { readonly [place: string]: { readonly [kind: string]: Difference } }

interface Difference {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
}

export const keyOf = ({ name, place, sort }: Pick<Thing, "place" | "sort" | "name">): string =>
  `${place} ${sort} ${name}`

/** The lines of all facts, numbered where they are equal, each after its place and its kind. */
const linesOf = (things: Iterable<Thing>): ReadonlySet<string> => {
  const lines = new Set<string>()
  for (const { facts, place } of things) {
    for (const [kind, fact] of facts) {
      let line = `${place}\t${kind}\t${fact}`
      for (let count = 2; lines.has(line); count++) line = `${place}\t${kind}\t${fact} #${count}`
      lines.add(line)
    }
  }
  return lines
}

/** What was set at one moment: to be compared with what is set at another. */
export interface Moment {
  readonly lines: ReadonlySet<string>
  readonly sysctls: ReadonlyMap<string, string>
  readonly links: ReadonlySet<string>
}

export class World {
  readonly things = new Map<string, Thing>()
  /** The values of sysctls, by their place and name. */
  readonly sysctls = new Map<string, string>()
  private count = 0

  /** A number that nothing had before. */
  fresh(): number {
    return ++this.count
  }

  add(thing: Thing): void {
    this.things.set(keyOf(thing), thing)
  }

  /** Takes a thing away, and all that goes with it. */
  remove(key: string): void {
    const thing = this.things.get(key)
    if (thing === undefined) return
    this.things.delete(key)
    if (thing.sort === "link") {
      for (const name of this.sysctls.keys()) {
        if (name.startsWith(`${thing.place} `) && name.includes(`.${thing.name}.`)) this.sysctls.delete(name)
      }
    }
    for (const [other, { parents }] of this.things) if (parents.includes(key)) this.remove(other)
  }

  find(place: Place, sort: string, fits: (thing: Thing) => boolean = () => true): ReadonlyArray<Thing> {
    return [...this.things.values()].filter((thing) => thing.place === place && thing.sort === sort && fits(thing))
  }

  /** What goes with this thing, but for the other end of a pair of links. */
  childrenOf(thing: Thing): ReadonlyArray<Thing> {
    const key = keyOf(thing)
    return [...this.things.values()].filter((each) =>
      each.parents.includes(key) && !thing.parents.includes(keyOf(each))
    )
  }

  moment(): Moment {
    const links = [...this.things.values()].filter(({ sort }) => sort === "link")
    return { lines: linesOf(this.things.values()), sysctls: new Map(this.sysctls), links: new Set(links.map(keyOf)) }
  }
}

const linkOf = (name: string): string | undefined => {
  const [, place, link] = /^(\S+) net\.ipv4\.conf\.(\w+)\.\w+$/.exec(name) ?? []
  return link === undefined || link === "all" || link === "default" ? undefined : `${place} link ${link}`
}

/** What sysctls of links are unless somebody sets them. */
const usual = "0"

const sysctlLines = (moment: Moment, other: Moment): ReadonlyArray<string> =>
  [...new Set([...moment.sysctls.keys(), ...other.sysctls.keys()])].flatMap((name) => {
    const value = moment.sysctls.get(name) ?? usual
    const link = linkOf(name)
    const isTold = value !== (other.sysctls.get(name) ?? usual) &&
      (link === undefined || (moment.links.has(link) && other.links.has(link)))
    return isTold ? [`${name.replace(" ", "\tsysctls\t")} = ${value}`] : []
  })

const missing = (lines: ReadonlySet<string>, other: ReadonlySet<string>) =>
  [...lines].filter((line) => !other.has(line))

/** What must be found between two moments. */
export const between = (before: Moment, after: Moment): Differences => {
  const found: { [place: string]: { [kind: string]: { added: Array<string>; removed: Array<string> } } } = {}
  const put = (side: "added" | "removed", lines: ReadonlyArray<string>) => {
    for (const line of [...lines].sort()) {
      const [place = "", kind = "", fact = ""] = line.split("\t")
      const kinds = found[place] ??= {}
      const difference = kinds[kind] ??= { added: [], removed: [] }
      difference[side].push(fact)
    }
  }
  put("added", [...missing(after.lines, before.lines), ...sysctlLines(after, before)])
  put("removed", [...missing(before.lines, after.lines), ...sysctlLines(before, after)])
  return found
}
