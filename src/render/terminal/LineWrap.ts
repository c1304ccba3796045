/** Wraps lines to fit a screen, rather than cut them: the decisive word is often the last one. */
import * as CliOutput from "effect/cli/CliOutput"

/** Text whose characters take one column each, as most text does: measuring other text is slow. */
const narrow = /^[ -~…]*$/

/** How many columns a text takes on a terminal. */
export const columns = (text: string): number => narrow.test(text) ? text.length : CliOutput.displayWidth(text)

/** The parts of a word that is wider than a line. */
const pieces = (word: string, width: number): ReadonlyArray<string> => {
  const found: Array<string> = []
  let piece = ""
  let taken = 0
  for (const character of word) {
    const more = columns(character)
    if (taken + more > width && piece !== "") {
      found.push(piece)
      piece = ""
      taken = 0
    }
    piece += character
    taken += more
  }
  return [...found, piece]
}

/** A command that a user may copy into a shell. */
const command = /^ *(?:ip|cni-passthrough) /

/** Wraps the lines of a text to fit a screen, except commands. */
export const text = (message: string, width: number): string =>
  message.split("\n").flatMap((line) => command.test(line) ? [line] : lines(line, width)).join("\n")

/**
 * Wraps a line between words, and inside a word only if the word is wider than a line. Continuation lines are indented.
 */
export const lines = (text: string, width: number): ReadonlyArray<string> => {
  if (columns(text) <= width) return [text]
  const spaces = text.length - text.trimStart().length
  const indent = " ".repeat(Math.min(spaces, Math.floor(width / 2)))
  const further = width >= 20 ? `${indent}  ` : indent
  const found: Array<string> = []
  let line = indent
  let taken = indent.length
  let isEmpty = true
  const end = () => {
    found.push(line)
    line = further
    taken = further.length
    isEmpty = true
  }
  for (const word of text.trimStart().split(" ")) {
    const space = isEmpty ? 0 : 1
    const more = columns(word)
    if (taken + space + more <= width) {
      line += `${isEmpty ? "" : " "}${word}`
      taken += space + more
      isEmpty = false
      continue
    }
    if (!isEmpty) end()
    for (const piece of pieces(word, Math.max(1, width - further.length))) {
      if (!isEmpty) end()
      line += piece
      taken += columns(piece)
      isEmpty = false
    }
  }
  if (!isEmpty) found.push(line)
  return found
}

/** A text, cut off if it is wider than this. */
export const cut = (text: string, width: number): string =>
  columns(text) <= width ? text : `${pieces(text, Math.max(1, width - 1))[0] ?? ""}…`
