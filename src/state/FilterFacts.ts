/** Facts out of what `nft`, `iptables-save` and `ipset save` print. */
import { lines } from "./Lines.ts"

/** The tables in what `nft list …` prints, each as its family and its name. */
export const tablesOf = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^table (\S+ \S+) \{/gm)].map(([, table = ""]) => table)

/** When an element expires. Its comment, which follows, may have the same words. */
const expiry = /^([^"]*?) expires \w+/

/** What is in one `{ … }` of a set: its elements, without when they expire. */
const elementsOf = (text: string): ReadonlyArray<string> =>
  (/\{(.*)\}/s.exec(text)?.[1] ?? "").match(/(?:"[^"]*"?|[^,"]+)+/g)
    ?.map((element) => element.replace(expiry, "$1").replace(/\s+/g, " ").trim()) ?? []

/** Facts of one object of a table, such as a chain, from its first words and what is within it. */
const objectFacts = (table: string, sort: string, name: string, body: string): ReadonlyArray<string> => {
  const fact = (sort: string, ...parts: ReadonlyArray<string>) => [sort, table, name, ...parts].join(" ").trim()
  if (sort === "chain") {
    const all = lines(body).map((line) => line.trim())
    const isProperty = (line: string) => /^(?:type \w+ hook|comment ")/.test(line)
    return [
      fact(sort, ...all.filter(isProperty).sort().reverse()), // the type first
      ...all.filter((line) => !isProperty(line)).map((line) => fact("rule", line))
    ]
  }
  const [properties = "", ...elements] = body.split("\telements = ")
  // Packets fill those that are dynamic.
  const told = /\bflags .*dynamic/.test(properties) ? [] : elementsOf(elements.join())
  return [
    fact(sort, lines(properties).map((line) => line.trim()).join("; ")),
    ...told.map((element) => fact("element", element))
  ]
}

/** Facts of the table that `nft -s list table` prints: as `nft add` would take them, one for each line. */
export const nft = (text: string): ReadonlyArray<string> =>
  tablesOf(text).flatMap((table) => [
    ["table", table, ...[...text.matchAll(/^\t(\S.*[^{\n])$/gm)].map(([, line = ""]) => line)].join(" "),
    ...[...text.matchAll(/^\t((?:ct )?\S+) (\S+) \{\n((?:\t\t.*\n)*)/gm)]
      .flatMap(([, sort = "", name = "", body = ""]) => objectFacts(table, sort, name, body))
  ])

/**
 * Facts of what an `iptables-save` prints, without counters: chains, policies other than the usual one, and rules, each
 * as the command would take it, after the family (`ip`, `ip6`, `legacy ip`, …) and the table.
 */
export const iptables = (family: string, text: string): ReadonlyArray<string> => {
  const facts: Array<string> = []
  let place = ""
  for (const line of text.split("\n")) {
    if (line.startsWith("-")) facts.push(place + line) // first, as there may be ten thousands of them
    else if (line.startsWith("*")) place = `${family} ${line.slice(1)} `
    else {
      const [, chain = "", policy = ""] = /^:(\S+) (\S+)/.exec(line) ?? []
      if (policy === "-") facts.push(`${place}-N ${chain}`)
      else if (policy !== "" && policy !== "ACCEPT") facts.push(`${place}-P ${chain} ${policy}`)
    }
  }
  return facts
}

/** Whether `iptables-nft-save` leaves a table to `nft`, as it has in it what iptables does not know. */
export const isIncompatible = (text: string, table: string): boolean =>
  text.includes(`# Table \`${table.split(" ")[1]}' is incompatible`)

/** Facts of what `ipset save` prints, without sizes, counters and the time that is left. */
export const ipsets = (text: string): ReadonlyArray<string> =>
  lines(text).map((line) =>
    line.replace(
      line.startsWith("create")
        ? / (?:hashsize|bucketsize|initval) \w+/g
        : / (?:timeout|packets|bytes) \d+(?=[^"]*(?:"[^"]*"[^"]*)*$)/g,
      ""
    )
  )
