/** Neighbours: reads `ip -j neigh`, and lines such as `10.88.0.1 dev eth0 lladdr 02:… PERMANENT`. */
import { type Item, text, texts } from "./Iproute2.ts"
import { after, attributesOf, type Described, firstWords, type Reader, sentence, wordsOf } from "./Line.ts"

/** How to reach a neighbour, as far as known. */
export interface Neighbour {
  readonly address: string
  readonly device: string
  /** Its MAC address; empty while unknown. */
  readonly mac: string
  /** `REACHABLE`, `FAILED`, …. */
  readonly states: ReadonlyArray<string>
}

/** Reads a neighbour. */
export const parse = (neighbour: Item): Neighbour => ({
  address: text(neighbour["dst"]),
  device: text(neighbour["dev"]),
  mac: text(neighbour["lladdr"]),
  states: texts(neighbour["state"])
})

/** A neighbour that the kernel learned from traffic, or looks for. */
const learned = /^\S+ dev \S+ (?:.* )?(?:REACHABLE|STALE|DELAY|PROBE|NOARP|INCOMPLETE|FAILED|NONE)(?: |$)/

/** Whether a line is a neighbour that comes and goes by itself. */
export const isLearned = (line: string): boolean => learned.test(line)

/** Whether a line is a neighbour that a program or a person set. */
export const isSet = (line: string): boolean => / (?:PERMANENT|extern_learn|proxy)$/.test(line)

const describe = (line: string): Described => ({
  name: `neighbour ${firstWords(line, 3)}`,
  says: attributesOf(wordsOf(line).slice(3), "PERMANENT extern_learn proxy")
})

export const reader: Reader = {
  identity: (line) => firstWords(line, 3),
  link: (line) => after(wordsOf(line), "dev"),
  describe,
  words: (line) => sentence(describe(line))
}
