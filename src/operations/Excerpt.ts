/** The part of a text that is kept and shown. */

/** A part of a text, and how much of it was left out. */
export interface Excerpt {
  readonly lines: ReadonlyArray<string>
  /** How many lines before the first one were left out. */
  readonly linesBefore: number
  /** How many characters after the last one were left out. */
  readonly charactersAfter: number
}

/** How much of a text is kept. */
export interface Limit {
  readonly lines: number
  readonly characters: number
}

/** Copies a text, so that it does not keep the longer text it was cut from in memory. */
export const copy = (text: string): string => Buffer.from(text).toString()

/** The last lines of a program's output, without empty ones at the end. The reason for a failure usually comes last. */
export const last = (text: string, limit: Limit): Excerpt => {
  const trimmed = text.trimEnd()
  if (trimmed === "") return { lines: [], linesBefore: 0, charactersAfter: 0 }
  const firstLine = startOfLast(trimmed, limit.lines)
  const start = Math.max(firstLine, trimmed.length - limit.characters)
  const shown = start === 0 ? trimmed : copy(trimmed.slice(start))
  return {
    lines: `${start === firstLine ? "" : "…"}${shown}`.split("\n"),
    linesBefore: start === 0 ? 0 : trimmed.slice(0, start).split("\n").length - 1,
    charactersAfter: 0
  }
}

/** The first part of a text. */
export const first = (text: string, limit: Limit): Excerpt => {
  const lines = text.slice(0, limit.characters).split("\n").slice(0, limit.lines)
  return {
    lines,
    linesBefore: 0,
    charactersAfter: text.length - lines.reduce((sum, line) => sum + line.length + 1, -1)
  }
}

/** Where the last lines begin. */
const startOfLast = (text: string, lines: number): number => {
  let start = text.length
  for (let left = lines; left > 0; left--) {
    start = text.lastIndexOf("\n", start - 1)
    if (start === -1) return 0
  }
  return start + 1
}
