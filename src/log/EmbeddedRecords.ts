/** The records embedded in an HTML report, which make a report readable as a log. */
import * as Json from "../json/Json.ts"

/** The first bytes of every report, and of no other file. */
export const beginning =
  "<!doctype html>\n<!-- A report of cni-passthrough. To read its records: cni-passthrough show FILE -->"

/** How many bytes of a file identify it as a report. */
export const headLength = beginning.length

/** The markup before the JSON list of the records. */
export const recordsBegin = "<script type=\"application/json\" id=\"records\">"

/** Whether a file with these first bytes is a report. */
export const isReport = (head: Uint8Array): boolean => Buffer.from(head).toString("latin1") === beginning

/** The records of a report as JSON texts; undefined if the report has none or is damaged. */
export const recordsOf = (html: string): ReadonlyArray<string> | undefined => {
  const start = html.indexOf(recordsBegin)
  if (start === -1) return undefined
  const from = start + recordsBegin.length
  const list = Json.parse(html.slice(from, html.indexOf("</script>", from)))
  return Array.isArray(list) && list.every((text) => typeof text === "string") ? list : undefined
}
