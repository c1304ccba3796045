/** The records in an HTML report. They can be read back, so that a report is a log too. */
import * as Json from "../json/Json.ts"

/** How each report begins, and no other file. */
export const beginning =
  "<!doctype html>\n<!-- A report of cni-passthrough. To read its records: cni-passthrough show FILE -->"

/** How many of the first bytes of a file show whether it is a report. */
export const headLength = beginning.length

/** What comes before the JSON list of the records. */
export const recordsBegin = "<script type=\"application/json\" id=\"records\">"

/** Whether a file with these first bytes is a report. */
export const isReport = (head: Uint8Array): boolean => Buffer.from(head).toString("latin1") === beginning

/** The texts of the records of a report; undefined if it has none, or is damaged. */
export const recordsOf = (html: string): ReadonlyArray<string> | undefined => {
  const start = html.indexOf(recordsBegin)
  if (start === -1) return undefined
  const from = start + recordsBegin.length
  const list = Json.parse(html.slice(from, html.indexOf("</script>", from)))
  return Array.isArray(list) && list.every((text) => typeof text === "string") ? list : undefined
}
