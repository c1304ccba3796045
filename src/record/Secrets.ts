/**
 * Masks values that look like secrets by their names or formats. A log stays with the people who run the host, but a
 * report may be attached to a public issue.
 */
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "./Escape.ts"
import type { Record } from "./Record.ts"
import * as SecretNames from "./SecretNames.ts"
import * as SecretShapes from "./SecretShapes.ts"
import * as SecretText from "./SecretText.ts"

const { masked } = SecretShapes

/** Whether to mask the value at a path of a record. */
export type IsSecret = (path: JsonText.Path) => boolean

/** The rules for masking. */
interface Rules {
  readonly isSecret: IsSecret
  /** Whether to mask values by their formats too. */
  readonly byShape: boolean
  /** A quick pre-check whether a text may contain a secret. Most texts contain none and need no parsing. */
  readonly isSuspicious: (text: string) => boolean
}

/** The maximum depth of JSON documents inside strings of other JSON documents. */
const maxDepth = 8

const isJson = (text: string, depth: number): boolean =>
  depth < maxDepth && /^\s*[{[]/.test(text) && Json.parse(text) !== undefined

/**
 * A quoted text, which may be truncated and may contain escaped quotes. It may also end inside an escape: otherwise,
 * the rest of the line would be searched again from each of its quotes.
 */
const quoted = /"((?:[^"\n\\]|\\[^])*)("|\\?$)/g

/** Masks the secrets of a line that are in embedded JSON or in quotes. */
const inLine = (line: string, rules: Rules, depth: number): string => {
  const start = line.search(/[{[]/)
  const end = Math.max(line.lastIndexOf("}"), line.lastIndexOf("]")) + 1
  const document = line.slice(start, end)
  if (isJson(document, depth)) {
    return `${line.slice(0, start)}${inDocument(document, rules, depth)}${line.slice(end)}`
  }
  return depth === maxDepth ? line : line.replace(quoted, (text, inside: string, ending: string) => {
    const content = Json.parse(`"${inside}"`)
    const shown = typeof content === "string" ? inText(content, rules, depth + 1) : content
    return shown === content ? text : `${JSON.stringify(shown).slice(0, -1)}${ending}`
  })
}

/** Masks the secrets of a text: prose, a JSON document, or lines of both. */
const inText = (text: string, rules: Rules, depth: number): string => {
  if (!rules.isSuspicious(text)) return text
  if (isJson(text, depth)) return inDocument(text, rules, depth)
  const whole = rules.byShape ? SecretShapes.withoutKeys(text) : text
  const read = whole.split("\n").map((line) => inLine(line, rules, depth)).join("\n")
  const named = SecretText.mask(read, (name) => rules.isSecret([name]))
  return rules.byShape ? SecretShapes.without(named) : named
}

/** The start of an argument that ends with the value of a secret. */
const inPair = (before: string, name: string, text: string): string =>
  SecretNames.isHarmless(name, text.slice(before.length)) ? text : `${before}${masked}`

/** Masks secrets in CNI_ARGS, whose pairs end only at `;`. */
const inArgs = (text: string, rules: Rules, depth: number): string =>
  text.split(";").map((pair) => {
    const [before = "", name = ""] = /^\s*([^=]*)=/.exec(pair) ?? []
    return rules.isSecret([name]) ? inPair(before, name, pair) : inText(pair, rules, depth)
  }).join(";")

/** Masks secrets in a Base64 value. Binary data stays unchanged. */
const inBase64 = (text: string, rules: Rules, depth: number): string => {
  const bytes = Buffer.from(text, "base64").toString("latin1")
  const shown = inText(bytes, rules, depth)
  return shown === bytes ? text : Buffer.from(shown, "latin1").toString("base64")
}

/** Returns the replacement for the JSON text of a secret. */
const inSecret = (name: string, value: string): string => {
  const content = value[0] === "\"" ? String(JSON.parse(value)) : value
  return SecretNames.isHarmless(name, content) ? value : `"${masked}"`
}

/** A member that holds the name of the value in another member: `{"name": "TOKEN", "value": "x"}`. */
interface Members {
  readonly name?: { readonly start: number; readonly text: string }
  /** The position of the value. */
  readonly value?: number
}

/** Returns the positions of secret values whose names are in other members, and the positions of those names. */
const namedValues = (text: string, { isSecret }: Rules) => {
  const found = { secrets: new Set<number>(), names: new Set<number>() }
  if (!/"(?:values?|operator)"/i.test(text)) return found
  const open: Array<Members> = []
  JsonText.eachValue(text, (path, start, end) => {
    // Objects are visited after their members.
    const { name, value } = open[path.length + 1] ?? {}
    open.length = Math.min(open.length, path.length + 1)
    if (name !== undefined && value !== undefined) {
      found.names.add(name.start)
      if (isSecret([name.text])) found.secrets.add(value)
    }
    const member = String(path.at(-1)).toLowerCase()
    const others = open[path.length]
    const isText = text[start] === "\""
    if (/^(?:name|key)$/.test(member) && isText) {
      open[path.length] = { ...others, name: { start, text: String(JSON.parse(text.slice(start, end))) } }
    } else if (/^(?:values?|operator)$/.test(member)) open[path.length] = { ...others, value: start }
  })
  return found
}

/** Masks the secrets of a JSON text. Every other byte stays as it was. */
const inDocument = (text: string, rules: Rules, depth: number): string => {
  if (!rules.isSuspicious(text)) return text
  const found: Array<{ readonly start: number; readonly end: number; readonly value: string }> = []
  const { names, secrets } = namedValues(text, rules)
  let argument: { readonly list: string; readonly program: string; readonly before: string } | undefined

  const shownIn = (path: JsonText.Path, content: string): string => {
    const isOwn = depth === 0 && path.length === 1
    const member = path.at(-1)
    if (isOwn && member === "stdinBase64") return inBase64(content, rules, depth + 1)
    if (member === "CNI_ARGS" || (isOwn && member === "args")) return inArgs(content, rules, depth + 1)
    if (typeof member !== "number") return inText(content, rules, depth + 1)
    // Each element is one whole argument or variable, so nothing follows its value.
    const [pair = "", variable = ""] = /^-{0,2}([A-Za-z_][\w.-]*)=/.exec(content) ?? []
    if (rules.isSecret([variable])) return inPair(pair, variable, content)
    // The value of an argument may be the next argument, and its meaning may depend on the program.
    const list = path.slice(0, -1).join("/")
    const { before, program } = argument?.list === list ? argument : { before: "", program: content }
    argument = { list, program, before: content }
    const [, name] = content.startsWith("-") ? [] : /^--?([A-Za-z][\w.-]*)$/.exec(before) ?? []
    if (name !== undefined && rules.isSecret([name])) return inPair("", name, content)
    const start = `${program} ${before} `
    const line = name !== undefined || content.startsWith("-") ? inText(`${start}${content}`, rules, depth + 1) : ""
    return line.startsWith(start) ? line.slice(start.length) : inText(content, rules, depth + 1)
  }

  const inString = (path: JsonText.Path, value: string): string => {
    const content = String(JSON.parse(value))
    const shown = shownIn(path, content)
    return shown === content ? value : Escape.inJson(JSON.stringify(shown))
  }

  JsonText.eachValue(text, (path, start, end) => {
    const value = text.slice(start, end)
    // The top-level members of a record are our own, so their names mark no secrets.
    const isNamed = (depth > 0 || path.length > 1) && !names.has(start) && rules.isSecret(path)
    const isSecret = isNamed || secrets.has(start)
    const shown = isSecret ? inSecret(String(path.at(-1)), value) : value[0] === "\"" ? inString(path, value) : value
    if (shown === value) return
    while ((found.at(-1)?.start ?? -1) > start) found.pop() // the parts of this value, which is masked as a whole
    found.push({ start, end, value: shown })
  })
  let out = ""
  let copied = 0
  for (const { end, start, value } of found) {
    out += text.slice(copied, start) + value
    copied = end
  }
  out += text.slice(copied)
  return rules.byShape ? SecretShapes.withoutTokens(out) : out
}

/** The default rules: mask everything that looks like a secret. */
const defaultRules: Rules = {
  isSecret: (path) => {
    const name = path.at(-1)
    return typeof name === "string" && SecretNames.looksSecret(name)
  },
  byShape: true,
  isSuspicious: (text) =>
    SecretNames.hint.test(text) || SecretShapes.hint.test(text) || text.includes("\"stdinBase64\"")
}

/**
 * Masks everything that looks like a secret in the JSON text of a record or of a list of records, including text inside
 * strings. Every other byte stays as it was. `isNamed` selects additional values that the user named.
 */
export const inJson = (text: string, isNamed?: IsSecret): string =>
  inDocument(
    text,
    isNamed === undefined
      ? defaultRules
      : { isSecret: (path) => defaultRules.isSecret(path) || isNamed(path), byShape: true, isSuspicious: () => true },
    0
  )

/** Masks only the values that the user named. */
export const namedInJson = (text: string, isNamed: IsSecret): string =>
  inDocument(text, { isSecret: isNamed, byShape: false, isSuspicious: () => true }, 0)

/** Masks everything that looks like a secret in a record. */
export const inRecord = (record: Record): Record => {
  const { config, result, ...members } = record as Record & { readonly config?: string; readonly result?: string }
  return {
    ...JSON.parse(inDocument(JSON.stringify(members), defaultRules, 0)),
    ...(config === undefined ? {} : { config: inDocument(config, defaultRules, 1) }),
    ...(result === undefined ? {} : { result: inDocument(result, defaultRules, 1) })
  }
}
