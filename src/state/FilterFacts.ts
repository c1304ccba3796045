/** Facts out of what `nft`, `iptables-save` and `ipset save` print. */

/** A table of nftables: its family and its name. */
export type Table = readonly [family: string, name: string]

/** The tables in what `nft list …` prints. */
export const tablesOf = (text: string): ReadonlyArray<Table> =>
  [...text.matchAll(/^table (\S+) (\S+) \{/gm)].map(([, family = "", name = ""]) => [family, name])

/** Whether iptables would have made a table of this name. */
export const isOfIptables = ([family, name]: Table): boolean =>
  /^ip6?$/.test(family) && /^(?:filter|nat|mangle|raw|security)$/.test(name)

/** The elements of a set, without when they expire. */
const elementsOf = (text: string): ReadonlyArray<string> =>
  (/\{(.*)\}/s.exec(text)?.[1] ?? "").replace(/\s+/g, " ").match(/(?:"[^"]*"|[^,"])+/g)
    ?.map((element) => element.replace(/ expires \w+/, "").trim()) ?? []

/** Facts of one object of a table, such as a chain, from its first line and the lines within it. */
const objectFacts = (table: string, head: string, lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [, sort = "", name = ""] = /^((?:ct )?\S+) (\S+)/.exec(head) ?? []
  const isChain = sort === "chain"
  const properties: Array<string> = []
  const facts: Array<string> = []
  for (const [index, line] of lines.entries()) {
    if (!isChain && line.startsWith("elements = {")) {
      // Packets fill those that are dynamic.
      if (!properties.some((property) => /^flags .*dynamic/.test(property))) {
        for (const element of elementsOf(lines.slice(index).join(" "))) {
          facts.push(`element ${table} ${name} ${element}`)
        }
      }
      break
    }
    if (!isChain || /^(?:type \w+ hook|comment ")/.test(line)) properties.push(line)
    else facts.push(`rule ${table} ${name} ${line}`)
  }
  // The type of a chain comes first, whatever this version of the tool has before it.
  if (isChain) properties.sort().reverse()
  return [`${sort} ${table} ${name} ${properties.join(isChain ? " " : "; ")}`.trim(), ...facts]
}

/** Facts of the tables in what `nft -s list table` prints: as `nft add` would take them, one for each line. */
export const nft = (text: string): ReadonlyArray<string> => {
  const facts: Array<string> = []
  let table = ""
  let properties: Array<string> = []
  let head: string | undefined
  let within: Array<string> = []
  for (const line of text.split("\n")) {
    const tabs = /^\t*/.exec(line)?.[0].length ?? 0
    const words = line.trim()
    if (words === "") continue
    if (tabs === 0 && words !== "}") {
      table = words.replace(/^table (\S+ \S+).*/, "$1")
      properties = []
    } else if (tabs === 0) facts.push(`table ${[table, ...properties].join(" ")}`)
    else if (tabs === 1 && head === undefined) {
      if (words.endsWith(" {")) head = words
      else properties.push(words)
    } else if (tabs === 1) {
      facts.push(...objectFacts(table, head ?? "", within))
      head = undefined
      within = []
    } else within.push(words)
  }
  return facts
}

/**
 * Facts of what an `iptables-save` prints, without counters: chains, policies other than the usual one, and rules, each
 * as the command would take it, after the family (`ip`, `ip6`, `legacy ip`, …) and the table.
 */
export const iptables = (family: string, text: string): ReadonlyArray<string> => {
  const facts: Array<string> = []
  let table = ""
  for (const line of text.split("\n")) {
    if (line.startsWith("-")) facts.push(`${family} ${table} ${line}`)
    else if (line.startsWith("*")) table = line.slice(1)
    else if (line.startsWith(":")) {
      const [chain = "", policy = ""] = line.slice(1).split(" ")
      if (policy === "-") facts.push(`${family} ${table} -N ${chain}`)
      else if (policy !== "ACCEPT") facts.push(`${family} ${table} -P ${chain} ${policy}`)
    }
  }
  return facts
}

/** The tables that `iptables-nft-save` leaves to `nft`, as they have in them what iptables does not know. */
export const incompatibleTables = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/^# Table `(\w+)' is incompatible/gm)].map(([, name = ""]) => name)

/** Facts of what `ipset save` prints, without sizes, counters and the time that is left. */
export const ipsets = (text: string): ReadonlyArray<string> =>
  text.split("\n").filter((line) => line !== "").map((line) =>
    line.startsWith("create ")
      ? line.replace(/ (?:hashsize|bucketsize|initval) \w+/g, "")
      : line.replace(/ (?:timeout|packets|bytes) \d+(?=[^"]*(?:"[^"]*"[^"]*)*$)/g, "")
  )
