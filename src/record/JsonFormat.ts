/** Renders a record as one JSON object on one line, and reads it back. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "./Escape.ts"
import { Record, type RequestRecord, type ResultRecord } from "./Record.ts"

/** The members that hold JSON text, and `hooks`, which JSON records omit. */
type Verbatim = Pick<RequestRecord, "config" | "hooks"> & Pick<ResultRecord, "result">

/** Renders a record and a line break. */
export const render = (record: Record): string => {
  const { config, hooks: _, result, ...members } = record as Verbatim & Record
  const verbatim = (name: string, document: string | undefined) =>
    document === undefined ? "" : `,"${name}":${JsonText.onOneLine(document)}`
  const texts = verbatim("config", config) + verbatim("result", result)
  return Escape.inJson(`${JSON.stringify(members).slice(0, -1)}${texts}}\n`)
}

const decode = /* @__PURE__ */ Schema.decodeUnknownOption(Record)

const documents = ["config", "result"] as const

/**
 * Splits a line as {@link render} writes it: the record's own members, then the document as the last member. Reading a
 * large log spends most of its time here, so this avoids the slower scan in {@link parse}. The first `,"config":` in a
 * JSON text is a key, because the quotes would be escaped inside a string. It belongs to the record itself only if the
 * text before it is a complete object without its closing brace, and it is the last member only if the text after it is
 * one value. Returns undefined for all other lines.
 */
const cut = (line: string): Json.JsonObject | undefined => {
  if (!line.endsWith("}")) return undefined
  for (const name of documents) {
    const at = line.indexOf(`,"${name}":`)
    if (at === -1) continue
    const head = Json.parse(`${line.slice(0, at)}}`)
    if (!Json.isObject(head) || documents.some((other) => Object.hasOwn(head, other))) return undefined
    const document = line.slice(at + name.length + 4, -1)
    return Json.parse(document) === undefined ? undefined : { ...head, [name]: document.trim() }
  }
  return undefined
}

/** Parses any other line. */
const parse = (line: string): Json.JsonObject | undefined => {
  const members = Json.parse(line)
  if (!Json.isObject(members)) return undefined
  const texts = documents.filter((name) => Object.hasOwn(members, name)).map((
    name
  ) => [name, JsonText.member(line, name)])
  return texts.length === 0 ? members : { ...members, ...Object.fromEntries(texts) }
}

/** Reads a record. Returns undefined if the line is not one. */
export const read = (line: string): Record | undefined => Option.getOrUndefined(decode(cut(line) ?? parse(line)))
