/** The canonical lines of the log: one thing of a network namespace each, such as `veth0 veth up mtu 1500 master cni0`. */

/** The lines of a text that have something in them. */
export const linesOf = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line.trim() !== "")

/** The words of a line. A text in quotes is one word. */
export const wordsOf = (text: string): ReadonlyArray<string> =>
  text.includes("\"") ? text.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? [] : text.split(" ")

/** The first words of a line. */
export const firstWords = (text: string, count: number): string => wordsOf(text).slice(0, count).join(" ")

/** The word after another one. */
export const after = (words: ReadonlyArray<string>, word: string): string | undefined => {
  const index = words.indexOf(word)
  return index === -1 ? undefined : words[index + 1]
}

/** What a line says of a thing, by name. `flags` are the words that stand for themselves; all others have a value. */
export const attributesOf = (words: ReadonlyArray<string>, flags: string): ReadonlyMap<string, string> => {
  const alone = new Set(flags.split(" "))
  const found = new Map<string, string>()
  for (let index = 0; index < words.length; index++) {
    const name = words[index] ?? ""
    if (alone.has(name)) found.set(name, "")
    else if (name === "nexthop") {
      found.set(name, words.slice(index + 1).join(" "))
      break
    } else {
      // The gateway of an IPv4 route may be an IPv6 address: `via inet6 fe80::1`.
      const family = words[index + 1] === "inet6" ? [words[++index]] : []
      found.set(name, [...family, words[++index] ?? ""].join(" "))
    }
  }
  return found
}

/** A thing, and what a line says of it. */
export interface Described {
  readonly name: string
  readonly says: ReadonlyMap<string, string>
}

/** The attributes of a thing in words. */
export const said = (says: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...says].map(([name, value]) => value === "" ? name : `${name} ${value}`)

/** A thing in words. Every address and route says who made it and how far it reaches; that stays in the log. */
export const sentence = ({ name, says }: Described): string =>
  [name, ...said(new Map([...says].filter(([name]) => !/^(?:brd|proto|scope|label)$/.test(name))))].join(" ")

/** How the lines of one kind are read back. */
export interface Reader {
  /** What a thing is known by, whatever is said about it. Several routes and rules may have the same. */
  readonly identity: (line: string) => string
  /** The link that a line is about. */
  readonly link?: (line: string) => string | undefined
  /** What a line says, where a thing may change without becoming another one. */
  readonly describe?: (line: string) => Described
  /** A line in a person's words. */
  readonly words: (line: string) => string
}
