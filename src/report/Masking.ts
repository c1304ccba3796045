/**
 * Keeps what looks like a secret out of what is given away. A log is kept by those who run the host; a report is attached
 * to an issue.
 */
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "../record/Escape.ts"

/** What stands in the place of a secret, as in the records of a tap that redacts. */
const masked = "[redacted]"

/** Whether the value at a path of a record may not be shown. */
export type IsSecret = (path: JsonText.Path) => boolean

/** Words of which each alone tells a secret, wherever they stand in a name. */
const anywhere =
  /passw(?:or)?d|passphrase|passcode|secret|token|credential|psk|bearer|(?:api|access|private|secret|encryption|shared)key/i

/** Words that tell a secret only where they are words of their own: `apiKey`, `tls-auth`; not `monkey`, `author`. */
const asWord = new Set(["key", "keys", "pass", "pwd", "auth", "cred", "creds", "pin"])

/** The last word of names that say where a secret is, and not what it is. */
const places = new Set(["file", "files", "path", "dir", "folder", "name", "names", "ref", "id", "type", "version"])

const wordsOf = (name: string): ReadonlyArray<string> =>
  name.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^a-z0-9]+/).filter(Boolean)

const verdicts = new Map<string, boolean>()

/** Whether a name looks like that of a secret. */
export const looksSecret = (name: string): boolean => {
  const known = verdicts.get(name)
  if (known !== undefined) return known
  const words = wordsOf(name)
  const is = !places.has(words.at(-1) ?? "") && (anywhere.test(name) || words.some((word) => asWord.has(word)))
  if (verdicts.size < 10_000) verdicts.set(name, is)
  return is
}

const looksSecretAt: IsSecret = (path) => typeof path.at(-1) === "string" && looksSecret(String(path.at(-1)))

/** `NAME=value`, as in CNI_ARGS and in what `env` prints. */
const pair = /(^|[;&,\s"'])([A-Za-z_][\w.-]*)=([^;&,\s"']+)/g

/** How many texts may be inside one another, as JSON in strings. */
const deepest = 4

/** A text that a person reads, a JSON document, or lines of both. */
const inText = (text: string, isSecret: IsSecret, depth: number): string => {
  const start = text.trimStart()[0]
  if ((start === "{" || start === "[") && Json.parse(text) !== undefined) return inDocument(text, isSecret, depth)
  if (text.includes("\n")) return text.split("\n").map((line) => inText(line, isSecret, depth)).join("\n")
  return text.replace(
    pair,
    (whole, before: string, name: string) => isSecret([name]) ? `${before}${name}=${masked}` : whole
  )
}

/** What stands in the place of a secret. What is on or off, or not there, is not one. */
const inSecret = (value: string): string =>
  value === "true" || value === "false" || value === "null" || value === "\"\"" ? value : `"${masked}"`

/** What stands in the place of another value; the same where it is no text, or has no secret in it. */
const inOther = (value: string, isSecret: IsSecret, depth: number): string => {
  if (value[0] !== "\"" || depth === deepest) return value
  const text: string = JSON.parse(value)
  const shown = inText(text, isSecret, depth + 1)
  return shown === text ? value : Escape.inJson(JSON.stringify(shown))
}

/** A JSON text with its secrets masked, and every other byte as it was. */
const inDocument = (text: string, isSecret: IsSecret, depth: number): string => {
  const found: Array<{ readonly start: number; readonly end: number; readonly value: string }> = []
  JsonText.eachValue(text, (path, start, end) => {
    // What stands at the top of a record is its own, and names nobody's secret.
    const value = text.slice(start, end)
    const shown = (depth > 0 || path.length > 1) && isSecret(path) ? inSecret(value) : inOther(value, isSecret, depth)
    if (shown === value) return
    while ((found.at(-1)?.start ?? -1) > start) found.pop() // the parts of this value, which goes as a whole
    found.push({ start, end, value: shown })
  })
  let out = ""
  let copied = 0
  for (const { end, start, value } of found) {
    out += text.slice(copied, start) + value
    copied = end
  }
  return out + text.slice(copied)
}

/** Most records have nothing that could be a secret, and need not be taken apart. */
const isSuspicious = (text: string): boolean => /pass|pwd|secret|token|cred|psk|bearer|key|auth|pin|\\u00/i.test(text)

/**
 * The JSON text of a record with what looks like a secret masked, also in texts that it has as strings; every other byte
 * is as it was. `isNamed` adds those that somebody named, and `looks` says what looks like one.
 */
export const record = (text: string, isNamed?: IsSecret, looks: IsSecret = looksSecretAt): string => {
  if (isNamed === undefined) return isSuspicious(text) ? inDocument(text, looks, 0) : text
  return inDocument(text, (path) => looks(path) || isNamed(path), 0)
}
