/** A text of indented JSON as what can be folded: lines, and objects and lists with the lines in them. */

/** An object or a list of several lines. */
export interface Block {
  /** Its first line, such as `  "ipam": {`. */
  readonly head: string
  readonly parts: ReadonlyArray<Part>
  /** Its last line, such as `  },`. */
  readonly tail: string
}

/** Lines that follow each other, as one text, or a block. */
export type Part = string | Block

/** Deeper than this nothing is folded: the depth is the choice of those who wrote the document. */
const deepest = 8

/** How many lines there are at least after the first one of what can be folded. */
const fewest = 4

/** Adds a part, lines to the lines before them. */
const add = (parts: Array<Part>, part: Part): void => {
  const last = parts.at(-1)
  if (typeof part === "string" && typeof last === "string") parts[parts.length - 1] = `${last}\n${part}`
  else parts.push(part)
}

/** Cuts a text into parts. Joined by line ends they are the same text. */
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
