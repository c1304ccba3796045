/**
 * JSON as text. `JSON.parse` followed by `JSON.stringify` rounds large integers, turns `1.0` into `1` and moves
 * keys that look like numbers, so what has to pass without loss is taken from the text itself. All functions take
 * text that `JSON.parse` has accepted, and none of them recurses: the depth is the sender's choice.
 */

const quote = 0x22
const backslash = 0x5c

/** The index behind the string that opens at `open`. */
const endOfString = (text: string, open: number): number => {
  for (let close = text.indexOf("\"", open + 1);; close = text.indexOf("\"", close + 1)) {
    let before = close - 1
    while (text.charCodeAt(before) === backslash) before--
    if ((close - before) % 2 === 1) return close + 1
  }
}

/**
 * The text of a member of the object that `text` is: the last one of that name, as `JSON.parse` and Go take it.
 * Undefined where there is none.
 */
export const member = (text: string, name: string): string | undefined => {
  let depth = 0
  let key = ""
  let valueStart = -1
  let found: string | undefined
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === quote) {
      const end = endOfString(text, index)
      if (depth === 1 && valueStart < 0) key = JSON.parse(text.slice(index, end))
      index = end - 1
    } else if (code === 0x7b || code === 0x5b) depth++ // { [
    else if (code === 0x3a && depth === 1 && valueStart < 0) valueStart = index + 1 // :
    else if ((code === 0x2c && depth === 1) || (code === 0x7d && depth === 1)) { // , }
      if (key === name && valueStart >= 0) found = text.slice(valueStart, index)
      valueStart = -1
      if (code === 0x7d) depth--
    } else if (code === 0x7d || code === 0x5d) depth-- // } ]
  }
  return found?.replace(/^[ \t\r\n]+/, "").trimEnd()
}

/** The same document on one line. Line ends are never inside a JSON string, so the values keep every byte. */
export const onOneLine = (text: string): string => text.trim().replace(/[\r\n][ \t\r\n]*/g, "")

/** Deeper than this nothing is indented further, or the white space alone would grow with the square of the depth. */
const deepestIndent = 32

/** The same document with a member or element a line, each level indented by two, the way `jq` prints it. */
export const indented = (text: string): string => {
  let out = ""
  let depth = 0
  let copied = 0
  const lineBreak = () => "\n" + "  ".repeat(Math.min(depth, deepestIndent))
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code === quote) {
      index = endOfString(text, index) - 1
      continue
    }
    if (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d) {
      out += text.slice(copied, index)
    } else if (code === 0x7b || code === 0x5b) {
      out += text.slice(copied, index + 1)
      const next = /[^ \t\r\n]/g
      next.lastIndex = index + 1
      const close = next.exec(text)
      if (close !== null && (close[0] === "}" || close[0] === "]")) {
        out += close[0]
        index = close.index
      } else {
        depth++
        out += lineBreak()
      }
    } else if (code === 0x7d || code === 0x5d) {
      depth--
      out += text.slice(copied, index) + lineBreak() + text[index]
    } else if (code === 0x2c) out += text.slice(copied, index + 1) + lineBreak()
    else if (code === 0x3a) out += text.slice(copied, index + 1) + " "
    else continue
    copied = index + 1
  }
  return out + text.slice(copied)
}

/** Where a value is in a document: the keys and indices that lead to it. */
export type Path = ReadonlyArray<string | number>

/** The same document with `replacement` in the place of each value that is chosen, and of all that is in it. */
export const replace = (text: string, replacement: string, isChosen: (path: Path) => boolean): string => {
  const path: Array<string | number> = []
  let out = ""
  let copied = 0
  let isKey = false
  let chosen: { readonly start: number; readonly depth: number } | undefined
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? ""
    const place = path.at(-1)
    if (/[\s:]/.test(character)) continue
    if (character === ",") {
      if (typeof place === "number") path[path.length - 1] = place + 1
      else isKey = true
      continue
    }
    if (isKey && character !== "}") {
      const end = endOfString(text, index)
      path[path.length - 1] = JSON.parse(text.slice(index, end))
      index = end - 1
      isKey = false
      continue
    }
    isKey = false
    if (character === "}" || character === "]") path.pop()
    else {
      if (chosen === undefined && isChosen(path)) chosen = { start: index, depth: path.length }
      isKey = character === "{"
      if (isKey || character === "[") {
        path.push(isKey ? "" : 0)
        continue
      }
      if (character === "\"") index = endOfString(text, index) - 1
      else while (/[^\s,\]}]/.test(text[index + 1] ?? ",")) index++
    }
    if (chosen?.depth === path.length) {
      out += text.slice(copied, chosen.start) + replacement
      copied = index + 1
      chosen = undefined
    }
  }
  return out + text.slice(copied)
}
