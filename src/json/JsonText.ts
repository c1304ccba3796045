/**
 * Reads and edits JSON without parsing it into values. `JSON.parse` followed by `JSON.stringify` rounds large integers,
 * turns `1.0` into `1` and reorders keys that look like numbers, so anything that must pass without loss is cut from
 * the text itself. All functions take text that `JSON.parse` has accepted. None of them recurses, because the sender
 * controls the nesting depth.
 */

/** The position of a value in a document: the keys and indices that lead to it. */
export type Path = ReadonlyArray<string | number>

/** Formats a path for people: `plugins[0].type`. */
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

/** Returns the index after the string that begins at `open`. */
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

/** Returns the index after the number or literal that begins at `start`. */
const endOfScalar = (text: string, start: number): number => {
  let end = start + 1
  while (text.charCodeAt(end) > 0x20 && !isStructure(text.charCodeAt(end))) end++ // charCodeAt returns NaN at the end of the text
  return end
}

/** Calls `visit` for each token with the code of its first character, its start and its end. */
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

/** Decodes the token of a key. */
const keyOf = (token: string): string => token.includes("\\") ? JSON.parse(token) : token.slice(1, -1)

/** Calls `visit` for each value with its path and its range. A list or an object is visited after its contents. */
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

/**
 * Returns the members of an object as text, by name. If a name occurs twice, the last value counts, as for `JSON.parse`
 * and Go.
 */
export const members = (text: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  eachValue(text, (path, start, end) => {
    const [name] = path
    if (path.length === 1 && typeof name === "string") found.set(name, text.slice(start, end))
  })
  return found
}

/** Returns a member of an object as text, or undefined if the object has no such member. */
export const member = (text: string, name: string): string | undefined => members(text).get(name)

/** Replaces each value whose path `isChosen` accepts, including its contents, with `replacement`. */
export const replace = (text: string, replacement: string, isChosen: (path: Path) => boolean): string => {
  const chosen: Array<{ readonly start: number; readonly end: number }> = []
  eachValue(text, (path, start, end) => {
    if (!isChosen(path)) return
    while ((chosen.at(-1)?.start ?? -1) > start) chosen.pop() // the parts of this value, which is replaced as a whole
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

/** Returns the elements of a list as text. */
export const elements = (text: string): ReadonlyArray<string> => {
  const found: Array<string> = []
  eachValue(text, (path, start, end) => {
    if (path.length === 1) found.push(text.slice(start, end))
  })
  return found
}

/** Sets members of an object, given as JSON text. Existing members are replaced in place; new ones are appended. */
export const withMembers = (text: string, members: { readonly [name: string]: string }): string =>
  Object.entries(members).reduce((document, [name, value]) => {
    if (member(document, name) !== undefined) {
      return replace(document, value, (path) => path.length === 1 && path[0] === name)
    }
    const open = document.slice(0, document.lastIndexOf("}")).trimEnd()
    return `${open}${open.endsWith("{") ? "" : ","}${JSON.stringify(name)}:${value}}`
  }, text)

/** Puts a document on one line. JSON strings contain no line breaks, so the values keep every byte. */
export const onOneLine = (text: string): string => text.trim().replace(/[\r\n][ \t\r\n]*/g, "")

/** The maximum indentation depth. Without it, the white space would grow with the square of the nesting depth. */
const deepestIndent = 32

/** Formats a document like `jq`: one member or element on each line, and two spaces for each level. */
export const indented = (text: string): string => {
  let out = ""
  let depth = 0
  let isOpen = false // whether the previous token opened a list or an object
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
