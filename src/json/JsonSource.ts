/**
 * JSON with the places of its values, so that people can be told where something is, and text be put in beside it. For
 * the command alone: `jsonc-parser` is the field's library for it, and goes on after the first mistake.
 */
import * as Jsonc from "jsonc-parser"
import * as Json from "./Json.ts"
import type { Path } from "./JsonText.ts"

/** The first index of a value, and the one after its last. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** What is wrong in a text, and where. */
export interface Problem {
  readonly offset: number
  readonly message: string
}

/** A text that is JSON, with the places of all values in it. */
export interface Source {
  readonly text: string
  readonly value: unknown
  /** The range of the value at a path; undefined if there is none. */
  readonly range: (path: Path) => Range | undefined
}

/** How deep a document may be nested. Configurations are not; the parser recurses. */
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

/** The first index from `offset` on that is not white space. */
const skipSpace = (text: string, offset: number): number => {
  const next = /[^ \t\r\n]/g
  next.lastIndex = offset
  return next.exec(text)?.index ?? text.length
}

/** A comma before what closes a list or an object; undefined if the text has something else at `offset`. */
const trailingComma = (text: string, offset: number): Problem | undefined => {
  const close = text[offset] ?? ""
  const before = text.slice(0, offset).trimEnd()
  return (close === "]" || close === "}") && before.endsWith(",")
    ? { offset: before.length - 1, message: `a trailing comma before "${close}"` }
    : undefined
}

/** What the first mistake of a text is, in words. */
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
      return { offset, message: "a number that breaks off" }
    case Jsonc.ParseErrorCode.InvalidCharacter:
      return { offset, message: "a string with a control character, which JSON wants escaped" }
    default:
      return { offset, message: "a string with an escape that JSON does not have" }
  }
}

/** The node of a value: of members with one name the last, as `JSON.parse` and Go take it. */
const nodeAt = (root: Jsonc.Node, path: Path): Jsonc.Node | undefined =>
  path.reduce<Jsonc.Node | undefined>((node, key) => {
    if (typeof key === "number") return node?.type === "array" ? node.children?.[key] : undefined
    if (node?.type !== "object") return undefined
    return node.children?.findLast(({ children }) => children?.[0]?.value === key)?.children?.[1]
  }, root)

/** Reads JSON, or says what the first thing is that is wrong with it. */
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

/** What readers could do without: a byte-order mark, a comment, a trailing comma. */
const needless = /^(?:\uFEFF|\/\/[^\r\n]*|\/\*[^]*?\*\/|,(?=\s*[\]}]))/

/** The text with blanks in place of what is wrong at `offset`; undefined if more than that has to be done. */
export const blanked = (text: string, offset: number): string | undefined => {
  const [found = ""] = needless.exec(text.slice(offset)) ?? []
  const blanks = found.replace(/[^\r\n]/g, " ")
  return found === "" ? undefined : `${text.slice(0, offset)}${blanks}${text.slice(offset + found.length)}`
}

/** Whether a text could be read. */
export const isSource = (outcome: Source | Problem): outcome is Source => "range" in outcome

/** A key that an object has twice: readers take the last, and what the first says is lost. */
export interface Duplicate {
  readonly key: string
  /** Where the first is, and the last. */
  readonly first: number
  readonly last: number
}

/** The keys that an object of the document has more than once. */
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

/** The range of a value, or of the nearest one around it: what is missing is missing there. */
export const nearest = (source: Source, path: Path): Range => source.range(path) ?? nearest(source, path.slice(0, -1))

/** Line and column of an offset, both from 1. */
export const position = (text: string, offset: number): { readonly line: number; readonly column: number } => {
  const before = text.slice(0, offset).split("\n")
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }
}
