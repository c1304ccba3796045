/**
 * JSON that tools of the host print. iproute2 prints names of links as they are, but for quotes, backslashes and a few
 * control characters: root in a container can give a link a name that is no JSON. Source: iproute2,
 * `lib/json_writer.c`.
 */
import * as Json from "./Json.ts"

/** What a string of JSON must not have as it is, but for ends of lines and tabs, which iproute2 escapes; and escapes. */
// oxlint-disable-next-line no-control-regex
const special = /\\[^]|[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g

const mended = (text: string): string =>
  text.replace(special, (found) => {
    if (found === "\\'") return "'" // older versions escape it
    return found.startsWith("\\") ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`
  })

/** The value of a text; undefined where the text is not JSON, even where its control characters are escaped. */
export const parse = (text: string): unknown => Json.parse(text) ?? Json.parse(mended(text))
