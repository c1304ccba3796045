/**
 * The canonical lines of the log. Each describes one thing in a network namespace: `veth0 veth up mtu 1500 master
 * cni0`.
 */

/** The lines of a text that are not blank. */
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

/** The attributes in a line, by name. `flags` are the words without a value; all others have one. */
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

/** A thing and its attributes. */
export interface Described {
  readonly name: string
  readonly says: ReadonlyMap<string, string>
}

/** The attributes of a thing in words. */
export const said = (says: ReadonlyMap<string, string>): ReadonlyArray<string> =>
  [...says].map(([name, value]) => value === "" ? name : `${name} ${value}`)

/**
 * A thing in words. Attributes that nearly every address or route has, such as its origin and scope, stay in the log.
 */
export const sentence = ({ name, says }: Described): string =>
  [name, ...said(new Map([...says].filter(([name]) => !/^(?:brd|proto|scope|label)$/.test(name))))].join(" ")

/** Reads the lines of one kind. */
export interface Reader {
  /** The identity of a thing, independent of its attributes. Several routes and rules may share one. */
  readonly identity: (line: string) => string
  /** The link that a line is about. */
  readonly link?: (line: string) => string | undefined
  /** The thing and its attributes, for a kind whose things can change and keep their identity. */
  readonly describe?: (line: string) => Described
  /** A line in words. */
  readonly words: (line: string) => string
}
