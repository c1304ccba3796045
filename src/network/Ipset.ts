/** Sets of ipset and their elements: reads `ipset save`, and lines such as `add NAME 10.88.0.2`. */
import { firstWords, linesOf, type Reader, wordsOf } from "./Line.ts"

/** The lines of `ipset save`, without sizes, counters and remaining timeouts. */
export const lines = (text: string): ReadonlyArray<string> =>
  linesOf(text).map((line) =>
    line.replace(
      line.startsWith("create")
        ? / (?:hashsize|bucketsize|initval) \w+/g
        : / (?:timeout|packets|bytes) \d+(?=[^"]*(?:"[^"]*"[^"]*)*$)/g,
      ""
    )
  )

export const reader: Reader = {
  identity: (line) => firstWords(line, wordsOf(line)[0] === "create" ? 2 : 3),
  words: (line) => {
    const [verb, name, ...rest] = wordsOf(line)
    return verb === "create" ? `ipset ${name} (${rest.join(" ")})` : `ipset ${name}: ${rest.join(" ")}`
  }
}
