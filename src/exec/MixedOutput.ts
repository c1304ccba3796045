/** Finds JSON documents in output that also contains log lines or further documents. */
import * as Json from "../json/Json.ts"

export interface MixedOutput {
  /** The JSON objects, in order. */
  readonly documents: ReadonlyArray<Json.JsonObject>
  /** Whether the output contains anything else but white space. */
  readonly hasOther: boolean
}

/**
 * How many characters to search after braces that start no document. After that, the rest counts as other text: each
 * such brace may cost a scan of the whole rest.
 */
const searchLimit = 4_194_304

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d

/** Returns the index after the brace that closes the one at `start`, or undefined if none does. */
const endOfObject = (text: string, start: number): number | undefined => {
  let depth = 0
  let isString = false
  for (let index = start; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (isString) {
      if (code === backslash) index++
      else if (code === quote) isString = false
    } else if (code === quote) isString = true
    else if (code === openBrace) depth++
    else if (code === closeBrace && --depth === 0) return index + 1
  }
  return undefined
}

/** Finds the documents of a text. A document starts on a new line, or right after another one. */
export const of = (text: string): MixedOutput => {
  const documents: Array<Json.JsonObject> = []
  const beginning = /^[ \t]*\{/gm
  let other = ""
  let from = 0
  let searched = 0
  while (from < text.length) {
    const rest = /\s*/y
    rest.lastIndex = from
    rest.test(text)
    beginning.lastIndex = from
    const isRightAfter = documents.length > 0 && text.charCodeAt(rest.lastIndex) === openBrace
    if (!isRightAfter && beginning.exec(text) === null) break
    const start = isRightAfter ? rest.lastIndex : beginning.lastIndex - 1
    if (searched > searchLimit) break
    const end = endOfObject(text, start)
    const document = end === undefined ? undefined : Json.parse(text.slice(start, end))
    if (end !== undefined && Json.isObject(document)) {
      documents.push(document)
      other += text.slice(from, start)
      from = end
    } else {
      searched += (end ?? text.length) - start
      other += text.slice(from, start + 1)
      from = start + 1
    }
  }
  return { documents, hasOther: (other + text.slice(from)).trim() !== "" }
}

/** `2 JSON documents and other text` */
export const describe = ({ documents: { length }, hasOther }: MixedOutput): string =>
  `${length} JSON document${length === 1 ? "" : "s"}${hasOther ? " and other text" : ""}`
