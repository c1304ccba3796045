/**
 * Parses JSON and keeps the position of each value, so that messages can point at a value and edits can insert text
 * next to it. Only the command uses this module. `jsonc-parser` continues after an error, unlike `JSON.parse`.
 */
import * as Jsonc from "jsonc-parser"
import * as Json from "./Json.ts"
import type { Path } from "./JsonText.ts"

/** The position of a value in the text. `end` is exclusive. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** A syntax error and its position. */
export interface Problem {
  readonly offset: number
  readonly message: string
}

/** A valid JSON text with the positions of its values. */
export interface Source {
  readonly text: string
  readonly value: unknown
  /** Returns the range of the value at a path, or undefined if the path has no value. */
  readonly range: (path: Path) => Range | undefined
}

/** The maximum nesting depth. The parser is recursive, and real configurations are far less deep. */
const deepest = 500

const isTooDeep = (text: string): boolean => {
  let depth = 0
  let isInString = false
  for (let index = 0; index < text.length; index++) {
    const character = text[index]
    if (character === "\"") isInString = !isInString
    else if (isInString) index += character === "\\" ? 1 : 0
    else if (character === "[" || character === "{") depth++
    else if (character === "]" || character === "}") depth--
    if (depth > deepest) return true
  }
  return false
}

const foundAt = (text: string, offset: number): string => {
  const character = text[offset]
  return character === undefined ? "the end of the file" : JSON.stringify(character)
}

/** Returns the first index at or after `offset` that is not white space. */
const skipSpace = (text: string, offset: number): number => {
  const next = /[^ \t\r\n]/g
  next.lastIndex = offset
  return next.exec(text)?.index ?? text.length
}

/** Reports a trailing comma if the text has a closing bracket at `offset` and a comma before it. */
const trailingComma = (text: string, offset: number): Problem | undefined => {
  const close = text[offset] ?? ""
  const before = text.slice(0, offset).trimEnd()
  return (close === "]" || close === "}") && before.endsWith(",")
    ? { offset: before.length - 1, message: `a trailing comma before "${close}"` }
    : undefined
}

/** Describes a syntax error. */
const explain = (text: string, { error, length, offset }: Jsonc.ParseError): Problem => {
  const at = skipSpace(text, offset)
  const found = foundAt(text, at)
  const expected = (what: string): Problem =>
    trailingComma(text, at) ?? { offset: at, message: `${found} where ${what} should be` }
  switch (error) {
    case Jsonc.ParseErrorCode.InvalidCommentToken:
      return { offset, message: "a comment, which JSON does not have" }
    case Jsonc.ParseErrorCode.PropertyNameExpected:
      return expected("a key in quotes")
    case Jsonc.ParseErrorCode.ValueExpected:
      return expected("a value")
    case Jsonc.ParseErrorCode.ColonExpected:
      return expected("\":\"")
    case Jsonc.ParseErrorCode.CommaExpected:
      return expected("\",\"")
    case Jsonc.ParseErrorCode.CloseBraceExpected:
      return expected("\",\" or \"}\"")
    case Jsonc.ParseErrorCode.CloseBracketExpected:
      return expected("\",\" or \"]\"")
    case Jsonc.ParseErrorCode.EndOfFileExpected:
      return { offset: at, message: `${found} after the end of the document` }
    case Jsonc.ParseErrorCode.InvalidSymbol:
      if (/[{,]\s*$/.test(text.slice(0, offset)) && text[skipSpace(text, offset + length)] === ":") {
        return { offset, message: "a key without quotes" }
      }
      return { offset, message: `${text.slice(offset, offset + Math.min(length, 40))} is not a JSON value` }
    case Jsonc.ParseErrorCode.UnexpectedEndOfString:
      return { offset, message: "a string without its closing quote on the same line" }
    case Jsonc.ParseErrorCode.UnexpectedEndOfNumber:
      return { offset, message: "an incomplete number" }
    case Jsonc.ParseErrorCode.InvalidCharacter:
      return { offset, message: "a string with a control character, which JSON requires to be escaped" }
    default:
      return { offset, message: "a string with an escape that JSON does not have" }
  }
}

/** Returns the node of a value. If an object has a key twice, the last one counts, as for `JSON.parse` and Go. */
const nodeAt = (root: Jsonc.Node, path: Path): Jsonc.Node | undefined =>
  path.reduce<Jsonc.Node | undefined>((node, key) => {
    if (typeof key === "number") return node?.type === "array" ? node.children?.[key] : undefined
    if (node?.type !== "object") return undefined
    return node.children?.findLast(({ children }) => children?.[0]?.value === key)?.children?.[1]
  }, root)

/** Parses a text. Returns its first syntax error if it is not JSON. */
export const parse = (text: string): Source | Problem => {
  if (text.startsWith("\uFEFF")) return { offset: 0, message: "a byte-order mark, which runtimes do not read" }
  if (isTooDeep(text)) return { offset: 0, message: `more than ${deepest} levels` }
  const errors: Array<Jsonc.ParseError> = []
  const value = Json.parse(text)
  const root = Jsonc.parseTree(text, errors, { disallowComments: true, allowTrailingComma: false })
  const [first] = errors.toSorted((left, right) => left.offset - right.offset)
  if (first !== undefined) return explain(text, first)
  if (root === undefined || value === undefined) return { offset: 0, message: "the text is not JSON" }
  return {
    text,
    value,
    range: (path) => {
      const node = nodeAt(root, path)
      return node === undefined ? undefined : { start: node.offset, end: node.offset + node.length }
    }
  }
}

/** Text that can be removed without changing the document: a byte-order mark, a comment or a trailing comma. */
const needless = /^(?:\uFEFF|\/\/[^\r\n]*|\/\*[^]*?\*\/|,(?=\s*[\]}]))/

/**
 * Replaces a byte-order mark, a comment or a trailing comma at `offset` with blanks. Returns undefined if the text has
 * something else there, which blanks would not fix.
 */
export const blanked = (text: string, offset: number): string | undefined => {
  const [found = ""] = needless.exec(text.slice(offset)) ?? []
  const blanks = found.replace(/[^\r\n]/g, " ")
  return found === "" ? undefined : `${text.slice(0, offset)}${blanks}${text.slice(offset + found.length)}`
}

/** Whether {@link parse} succeeded. */
export const isSource = (outcome: Source | Problem): outcome is Source => "range" in outcome

/** A key that occurs twice in one object. JSON readers use the last value and ignore the first. */
export interface Duplicate {
  readonly key: string
  /** The offsets of the first and the last occurrence. */
  readonly first: number
  readonly last: number
}

/** Returns the duplicate keys of all objects in the document. */
export const duplicates = ({ text }: Source): ReadonlyArray<Duplicate> => {
  const found: Array<Duplicate> = []
  const objects: Array<Map<string, number>> = []
  Jsonc.visit(text, {
    onObjectBegin: () => void objects.push(new Map()),
    onObjectEnd: () => void objects.pop(),
    onObjectProperty: (key, last) => {
      const first = objects.at(-1)?.get(key)
      if (first === undefined) objects.at(-1)?.set(key, last)
      else found.push({ key, first, last })
    }
  })
  return found
}

/**
 * Returns the range of a value. If the value is missing, returns the range of the nearest enclosing value that exists.
 */
export const nearest = (source: Source, path: Path): Range => source.range(path) ?? nearest(source, path.slice(0, -1))

/** Converts an offset to a line and a column, both starting at 1. */
export const position = (text: string, offset: number): { readonly line: number; readonly column: number } => {
  const before = text.slice(0, offset)
  return { line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") }
}
