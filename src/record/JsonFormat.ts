/** A record as one JSON object on one line, for machines. */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "./Escape.ts"
import { Record, type RequestRecord, type ResultRecord } from "./Record.ts"

/** The members that are JSON text, and the one that JSON records do not have. */
type Verbatim = Pick<RequestRecord, "config" | "hooks"> & Pick<ResultRecord, "result">

/** Renders a record, with a line end after it. */
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
 * Cuts the document off a record that has it as its last member, as {@link render} writes it: reading a large log is
 * mostly this. The first `,"config":` of a JSON text is a key, for in a string its quotes would be escaped. What is
 * before it is a whole object without its brace only where the key is one of the record's own, and what is after it
 * is one value only where nothing else follows. Undefined for all other lines.
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

/** The members of any other line. */
const parse = (line: string): Json.JsonObject | undefined => {
  const members = Json.parse(line)
  if (!Json.isObject(members)) return undefined
  const texts = documents.filter((name) => Object.hasOwn(members, name)).map((
    name
  ) => [name, JsonText.member(line, name)])
  return texts.length === 0 ? members : { ...members, ...Object.fromEntries(texts) }
}

/** The record that a line is; undefined if it is not one. */
export const read = (line: string): Record | undefined => Option.getOrUndefined(decode(cut(line) ?? parse(line)))
