/**
 * JSON as text. `JSON.parse` followed by `JSON.stringify` rounds large integers, turns `1.0` into `1` and moves
 * keys that look like numbers, so what has to pass without loss is taken from the text itself. All functions take
 * text that `JSON.parse` has accepted, and none of them recurses: the depth is the sender's choice.
 */

/** Where a value is in a document: the keys and indices that lead to it. */
export type Path = ReadonlyArray<string | number>

/** A path as people write it: `plugins[0].type`. */
export const pathText = (path: Path): string =>
  path.reduce<string>(
    (name, key) => typeof key === "number" ? `${name}[${key}]` : name === "" ? key : `${name}.${key}`,
    ""
  )

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const openBracket = 0x5b
const backslash = 0x5c
const closeBracket = 0x5d
const openBrace = 0x7b
const closeBrace = 0x7d

/** The index after the string that opens at `open`. */
const endOfString = (text: string, open: number): number => {
  for (let close = text.indexOf("\"", open + 1);; close = text.indexOf("\"", close + 1)) {
    let before = close - 1
    while (text.charCodeAt(before) === backslash) before--
    if ((close - before) % 2 === 1) return close + 1
  }
}

const isStructure = (code: number): boolean =>
  code === comma || code === colon || code === openBrace || code === closeBrace || code === openBracket ||
  code === closeBracket

/** The index after the number or word that begins at `start`. */
const endOfScalar = (text: string, start: number): number => {
  let end = start + 1
  while (end < text.length && text.charCodeAt(end) > 0x20 && !isStructure(text.charCodeAt(end))) end++
  return end
}

/** The one scanner: calls `visit` for each token with the code of its first character, its start and its end. */
const scan = (text: string, visit: (code: number, start: number, end: number) => void): void => {
  for (let start = 0, end; start < text.length; start = end) {
    const code = text.charCodeAt(start)
    end = start + 1
    if (code <= 0x20) continue
    if (code === quote) end = endOfString(text, start)
    else if (!isStructure(code)) end = endOfScalar(text, start)
    visit(code, start, end)
  }
}

/** The key that a token of the text is. */
const keyOf = (token: string): string => token.includes("\\") ? JSON.parse(token) : token.slice(1, -1)

/** Calls `visit` for each value with its path and its range, a list or an object after all that is in it. */
export const eachValue = (text: string, visit: (path: Path, start: number, end: number) => void): void => {
  const path: Array<string | number> = []
  const starts: Array<number> = []
  let isKey = false
  scan(text, (code, start, end) => {
    if (code === openBrace || code === openBracket) {
      isKey = code === openBrace
      path.push(isKey ? "" : 0)
      starts.push(start)
    } else if (code === closeBrace || code === closeBracket) {
      isKey = false
      path.pop()
      visit(path, starts.pop() ?? 0, end)
    } else if (code === comma) {
      const place = path[path.length - 1]
      isKey = typeof place === "string"
      if (typeof place === "number") path[path.length - 1] = place + 1
    } else if (code === colon) isKey = false
    else if (isKey) path[path.length - 1] = keyOf(text.slice(start, end))
    else visit(path, start, end)
  })
}

/** The texts of the members of the object that `text` is, by their names: of several the last one, as `JSON.parse` and Go take it. */
export const members = (text: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  eachValue(text, (path, start, end) => {
    const [name] = path
    if (path.length === 1 && typeof name === "string") found.set(name, text.slice(start, end))
  })
  return found
}

/** The text of a member of the object that `text` is. Undefined where there is none. */
export const member = (text: string, name: string): string | undefined => members(text).get(name)

/** The same document with `replacement` in the place of each value that is chosen, and of all that is in it. */
export const replace = (text: string, replacement: string, isChosen: (path: Path) => boolean): string => {
  const chosen: Array<{ readonly start: number; readonly end: number }> = []
  eachValue(text, (path, start, end) => {
    if (!isChosen(path)) return
    while ((chosen.at(-1)?.start ?? -1) > start) chosen.pop() // the parts of this value, which goes as a whole
    chosen.push({ start, end })
  })
  let out = ""
  let copied = 0
  for (const { end, start } of chosen) {
    out += text.slice(copied, start) + replacement
    copied = end
  }
  return out + text.slice(copied)
}

/** The texts of the elements of the list that `text` is. */
export const elements = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  eachValue(text, (path, start, end) => {
    if (path.length === 1) found.push(text.slice(start, end))
  })
  return found
}

/**
 * The object that `text` is with these members, given as JSON text: in the place of those of their name, or at its end.
 */
export const withMembers = (text: string, members: { readonly [name: string]: string }): string =>
  Object.entries(members).reduce((document, [name, value]) => {
    if (member(document, name) !== undefined) {
      return replace(document, value, (path) => path.length === 1 && path[0] === name)
    }
    const open = document.slice(0, document.lastIndexOf("}")).trimEnd()
    return `${open}${open.endsWith("{") ? "" : ","}${JSON.stringify(name)}:${value}}`
  }, text)

/** The same document on one line. Line ends are never inside a JSON string, so the values keep every byte. */
export const onOneLine = (text: string): string => text.trim().replace(/[\r\n][ \t\r\n]*/g, "")

/** Deeper than this nothing is indented further, or the white space alone would grow with the square of the depth. */
const deepestIndent = 32

/** The same document with a member or element a line, each level indented by two, the way `jq` prints it. */
export const indented = (text: string): string => {
  let out = ""
  let depth = 0
  let isOpen = false // the token before opened a list or an object
  const lineBreak = () => "\n" + "  ".repeat(Math.min(depth, deepestIndent))
  scan(text, (code, start, end) => {
    const closes = code === closeBrace || code === closeBracket
    if (closes) depth--
    if (isOpen !== closes) out += lineBreak()
    isOpen = code === openBrace || code === openBracket
    if (isOpen) depth++
    out += text.slice(start, end)
    if (code === comma) out += lineBreak()
    if (code === colon) out += " "
  })
  return out
}
