/**
 * Parses the JSON that host tools print. iproute2 escapes only quotes, backslashes and a few control characters in link
 * names, so root in a container can choose a name that makes the JSON invalid. Source: iproute2, `lib/json_writer.c`.
 */
import * as Json from "./Json.ts"

/**
 * Control characters that JSON strings must escape, except line ends and tabs, which iproute2 escapes itself; and
 * escapes.
 */
// oxlint-disable-next-line no-control-regex
const special = /\\[^]|[\u0000-\u0008\u000b\u000c\u000e-\u001f]/g

const mended = (text: string): string =>
  text.replace(special, (found) => {
    if (found === "\\'") return "'" // older versions escape it
    return found.startsWith("\\") ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`
  })

/** Parses a text. Returns undefined if it is not JSON even after its control characters are escaped. */
export const parse = (text: string): unknown => Json.parse(text) ?? Json.parse(mended(text))
