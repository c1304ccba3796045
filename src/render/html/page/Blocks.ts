/** Splits indented JSON into parts that can be folded: lines, and objects and lists with the lines inside them. */

/** An object or a list of several lines. */
export interface Block {
  /** Its first line, such as `  "ipam": {`. */
  readonly head: string
  readonly parts: ReadonlyArray<Part>
  /** Its last line, such as `  },`. */
  readonly tail: string
}

/** Consecutive lines as one text, or a block. */
export type Part = string | Block

/** Nothing deeper than this is folded, since the author of a document can nest it to any depth. */
const deepest = 8

/** The least number of lines after the first one of a block. */
const fewest = 4

/** Adds a part. Lines are joined to the lines before them. */
const add = (parts: Array<Part>, part: Part): void => {
  const last = parts.at(-1)
  if (typeof part === "string" && typeof last === "string") parts[parts.length - 1] = `${last}\n${part}`
  else parts.push(part)
}

/** Splits a text into parts. Joined with line ends, they are the same text. */
export const of = (text: string): ReadonlyArray<Part> => {
  const top: Array<Part> = []
  const open: Array<{ readonly head: string; readonly parts: Array<Part>; lines: number }> = []
  let depth = 0
  for (const line of text.split("\n")) {
    for (const block of open) block.lines++
    const isEnd = /^ *[}\]]/.test(line)
    const isBegin = /[{[]$/.test(line)
    if (isBegin && depth++ < deepest) {
      open.push({ head: line, parts: [], lines: 0 })
      continue
    }
    const block = isEnd && depth-- === open.length ? open.pop() : undefined
    const around = open.at(-1)?.parts ?? top
    if (block === undefined) add(around, line)
    else if (block.lines >= fewest) around.push({ head: block.head, parts: block.parts, tail: line })
    else for (const part of [block.head, ...block.parts, line]) add(around, part)
  }
  return open.length === 0 ? top : [text]
}
