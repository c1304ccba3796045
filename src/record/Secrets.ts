/**
 * Keeps what looks like a secret out of what is given away: by the name that a value has, and by its shape. A log is kept
 * by those who run the host; a report is attached to an issue.
 */
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "./Escape.ts"
import type { Record } from "./Record.ts"
import * as SecretNames from "./SecretNames.ts"
import * as SecretShapes from "./SecretShapes.ts"
import * as SecretText from "./SecretText.ts"

const { masked } = SecretShapes

/** Whether the value at a path of a record may not be shown. */
export type IsSecret = (path: JsonText.Path) => boolean

/** What is masked. */
interface Rules {
  readonly isSecret: IsSecret
  /** Whether values are masked by their shape too. */
  readonly byShape: boolean
  /** Whether a text may have a secret, which few have: all others need not be taken apart. */
  readonly isSuspicious: (text: string) => boolean
}

/** How many texts may be inside one another as JSON in strings, each read as what it is. */
const deepest = 8

const isJson = (text: string, depth: number): boolean =>
  depth < deepest && /^\s*[{[]/.test(text) && Json.parse(text) !== undefined

/** A text in quotes, also one that is not whole, and has others in it. */
const quoted = /"(?:[^"\n\\]|\\.)*(?:"|$)/g

/** A line without secrets in JSON that a part of it is, or in texts in quotes. */
const inLine = (line: string, rules: Rules, depth: number): string => {
  const start = line.search(/[{[]/)
  const end = Math.max(line.lastIndexOf("}"), line.lastIndexOf("]")) + 1
  const document = start === -1 ? "" : line.slice(start, end)
  if (isJson(document, depth)) {
    return `${line.slice(0, start)}${inDocument(document, rules, depth)}${line.slice(end)}`
  }
  return depth === deepest ? line : line.replace(quoted, (text) => {
    const isWhole = text.length > 1 && text.endsWith("\"")
    const content = Json.parse(isWhole ? text : `${text}"`)
    const shown = typeof content === "string" ? inText(content, rules, depth + 1) : content
    return shown === content ? text : JSON.stringify(shown).slice(0, isWhole ? undefined : -1)
  })
}

/** A text that a person reads, a JSON document, or lines of both. */
const inText = (text: string, rules: Rules, depth: number): string => {
  if (!rules.isSuspicious(text)) return text
  if (isJson(text, depth)) return inDocument(text, rules, depth)
  const whole = rules.byShape ? SecretShapes.withoutKeys(text) : text
  const read = whole.split("\n").map((line) => inLine(line, rules, depth)).join("\n")
  const named = SecretText.mask(read, (name) => rules.isSecret([name]))
  return rules.byShape ? SecretShapes.without(named) : named
}

/** What ends with the value of a secret, and begins with this. */
const inPair = (before: string, name: string, text: string): string =>
  SecretNames.isHarmless(name, text.slice(before.length)) ? text : `${before}${masked}`

/** CNI_ARGS: pairs of which only `;` is the end. */
const inArgs = (text: string, rules: Rules, depth: number): string =>
  text.split(";").map((pair) => {
    const [before = "", name = ""] = /^\s*([^=]*)=/.exec(pair) ?? []
    return rules.isSecret([name]) ? inPair(before, name, pair) : inText(pair, rules, depth)
  }).join(";")

/** Bytes in Base64. What is no text stays as it is. */
const inBase64 = (text: string, rules: Rules, depth: number): string => {
  const bytes = Buffer.from(text, "base64").toString("latin1")
  const shown = inText(bytes, rules, depth)
  return shown === bytes ? text : Buffer.from(shown, "latin1").toString("base64")
}

/** What stands in the place of a secret, given as JSON text. */
const inSecret = (name: string, value: string): string => {
  const content = value[0] === "\"" ? String(JSON.parse(value)) : value
  return SecretNames.isHarmless(name, content) ? value : `"${masked}"`
}

/** Members that say of one another what they are: `{"name": "TOKEN", "value": "x"}`. */
interface Members {
  readonly name?: string
  /** Where they are. */
  readonly key?: number
  readonly value?: number
}

/** Where the values of secrets are of which another member has the name, and the values that are no more than names. */
const namedValues = (text: string, { isSecret }: Rules) => {
  const found = { secrets: new Set<number>(), names: new Set<number>() }
  if (!/"(?:values?|operator)"/i.test(text)) return found
  const open: Array<Members> = []
  JsonText.eachValue(text, (path, start, end) => {
    // An object comes after its members.
    const { key, name, value } = open[path.length + 1] ?? {}
    open.length = Math.min(open.length, path.length + 1)
    if (key !== undefined && value !== undefined) found.names.add(key)
    if (name !== undefined && value !== undefined && isSecret([name])) found.secrets.add(value)
    const member = String(path.at(-1)).toLowerCase()
    const others = open[path.length]
    const isText = text[start] === "\""
    if (/^(?:name|key)$/.test(member) && isText) {
      const key = member === "key" ? { key: start } : {}
      open[path.length] = { ...others, ...key, name: String(JSON.parse(text.slice(start, end))) }
    } else if (/^(?:values?|operator)$/.test(member)) open[path.length] = { ...others, value: start }
  })
  return found
}

/** A JSON text with its secrets masked, and every other byte as it was. */
const inDocument = (text: string, rules: Rules, depth: number): string => {
  if (!rules.isSuspicious(text)) return text
  const found: Array<{ readonly start: number; readonly end: number; readonly value: string }> = []
  const { names, secrets } = namedValues(text, rules)
  let argument = { list: "", program: "", before: "" }

  const shownIn = (path: JsonText.Path, content: string): string => {
    const isOwn = depth === 0 && path.length === 1
    const member = path.at(-1)
    if (isOwn && member === "stdinBase64") return inBase64(content, rules, depth + 1)
    if (member === "CNI_ARGS" || (isOwn && member === "args")) return inArgs(content, rules, depth + 1)
    if (typeof member !== "number") return inText(content, rules, depth + 1)
    // All of an element is one argument, or one variable: there is no other after it.
    const [pair = "", variable = ""] = /^-{0,2}([A-Za-z_][\w.-]*)=/.exec(content) ?? []
    if (rules.isSecret([variable])) return inPair(pair, variable, content)
    // An argument may have its value in the one after it, and what it means may depend on the program.
    const list = path.slice(0, -1).join("/")
    const { before, program } = argument.list === list && member > 0 ? argument : { before: "", program: content }
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
    // What stands at the top of a record is its own, and names nobody's secret.
    const isNamed = (depth > 0 || path.length > 1) && !names.has(start) && rules.isSecret(path)
    const isSecret = isNamed || secrets.has(start)
    const shown = isSecret ? inSecret(String(path.at(-1)), value) : value[0] === "\"" ? inString(path, value) : value
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
  out += text.slice(copied)
  return rules.byShape ? SecretShapes.withoutTokens(out) : out
}

/** What looks like a secret. */
const usual: Rules = {
  isSecret: (path) => {
    const name = path.at(-1)
    return typeof name === "string" && SecretNames.looksSecret(name)
  },
  byShape: true,
  isSuspicious: (text) =>
    SecretNames.hint.test(text) || SecretShapes.hint.test(text) || text.includes("\"stdinBase64\"")
}

/**
 * The JSON text of a record, or of a list of others, with what looks like a secret masked, also in texts that it has as
 * strings; every other byte is as it was. `isNamed` adds those that somebody named.
 */
export const inJson = (text: string, isNamed?: IsSecret): string =>
  inDocument(
    text,
    isNamed === undefined
      ? usual
      : { isSecret: (path) => usual.isSecret(path) || isNamed(path), byShape: true, isSuspicious: () => true },
    0
  )

/** The JSON text of a record without those alone that somebody named. */
export const namedInJson = (text: string, isNamed: IsSecret): string =>
  inDocument(text, { isSecret: isNamed, byShape: false, isSuspicious: () => true }, 0)

/** A record with what looks like a secret masked. */
export const inRecord = (record: Record): Record => {
  const { config, result, ...members } = record as Record & { readonly config?: string; readonly result?: string }
  return {
    ...JSON.parse(inDocument(JSON.stringify(members), usual, 0)),
    ...(config === undefined ? {} : { config: inDocument(config, usual, 1) }),
    ...(result === undefined ? {} : { result: inDocument(result, usual, 1) })
  }
}
