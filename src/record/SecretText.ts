/**
 * Finds secrets in the output of programs: `NAME=value`, headers, arguments, YAML, and JSON, which may be truncated or
 * inside quotes that are escaped any number of times.
 */
import { endsSecret, isHarmless, looksSecret } from "./SecretNames.ts"
import { masked } from "./SecretShapes.ts"

interface Range {
  readonly start: number
  readonly end: number
}

/** Matches a sticky pattern at an index. */
const matchAt = (pattern: RegExp, text: string, index: number): string => {
  pattern.lastIndex = index
  return pattern.exec(text)?.[0] ?? ""
}

/** Returns the text of a named group, or an empty string if the group did not take part in the match. */
const group = (found: RegExpExecArray, name: string): string => found.groups?.[name] ?? ""

const quote = /\\{0,31}["'`]/y
const restOfLine = /[^\r\n]*/y
const restOfHeader = /(?:="[^\r\n"]*"|[^\r\n"'`\\])*/y
/** A value up to a delimiter, or to what looks like the next pair: `a=1,b=2`. */
const word =
  /(?:(?:Bearer|Basic|Digest|Token|Negotiate) +)?(?:\[redacted\]|(?:[^\s;,&"'`\\]|\\(?!\\*["'`nrt])|[,&](?![\w.-]+=|[\s&]|$))+)/iy

/**
 * Returns the index after the quoted text that begins at `from`. The number of backslashes before the quotes shows how
 * deep they are nested.
 */
const endOfQuoted = (text: string, from: number, opened: string): number => {
  const depth = opened.length - 1
  const character = opened.slice(-1)
  for (let end = text.indexOf(character, from); end !== -1; end = text.indexOf(character, end + 1)) {
    let start = end
    while (text[start - 1] === "\\") start--
    if (depth === 0 ? (end - start) % 2 === 0 : end - start <= depth) return depth === 0 ? end : start
  }
  return from + matchAt(restOfLine, text, from).length
}

const structure = /\\{0,31}"|[{}[\]]/g

/** Returns the index after the object or list that begins at `from`, or the end of the text if it is truncated. */
const endOfStructure = (text: string, from: number): number => {
  let depth = 0
  let at = from
  while (true) {
    structure.lastIndex = at
    const found = structure.exec(text)
    if (found === null) return text.length
    at = structure.lastIndex
    if (found[0].endsWith("\"")) at = endOfQuoted(text, at, found[0]) + found[0].length
    else depth += found[0] === "{" || found[0] === "[" ? 1 : -1
    if (depth === 0) return Math.min(at, text.length)
  }
}

/** The range of a quoted value, or of a word without trailing brackets and punctuation. */
const valueAt = (text: string, start: number): Range => {
  const opened = matchAt(quote, text, start)
  const inside = start + opened.length
  if (opened !== "") return { start: inside, end: endOfQuoted(text, inside, opened) }
  const value = matchAt(word, text, start)
  const bare = value.endsWith(masked) ? value : value.replace(/[\])}>,.]{1,20}$/, "")
  return { start, end: start + (bare === "" ? value : bare).length }
}

/** The range of a JSON value. */
const memberAt = (text: string, start: number): Range =>
  /[{[]/.test(text.charAt(start))
    ? { start, end: endOfStructure(text, start) }
    : valueAt(text, start)

const lineAt = (text: string, start: number, rest: RegExp): Range => ({
  start,
  end: start + matchAt(rest, text, start).trimEnd().length
})

/** The rest of a YAML line whose value is on the following lines. */
const opensBlock = /(?:[|>][+-]?\d?)?(?:[ \t]*\r?\n)+/y
const indentation = /[ \t]*(?=\S)/y
const blankLines = /(?:[ \t]*\r?\n)*/y

/** The range of the following lines that are indented further, including blank lines between them. */
const blockAt = (text: string, start: number, indent: string): Range | undefined => {
  const first = start + matchAt(opensBlock, text, start).length
  let end = first
  for (let line = first; matchAt(indentation, text, line).length > indent.length;) {
    end = line + matchAt(restOfLine, text, line).length
    line = end + matchAt(blankLines, text, end).length
  }
  return end === first ? undefined : { start: first + matchAt(indentation, text, first).length, end }
}

/** A name and the separator before its value. */
const assignment =
  /(?:(?<![\w.\\-])|(?<=\\[nrt]))(?<opened>\\{0,31}["'`])?(?<dashes>-{0,2})(?<name>[A-Za-z_.][\w.-]{0,100})(?<closed>\k<opened>)?(?<separator>[ \t]*(?::=|=>|[:=])[ \t]*)/g

/** An option and the separator before its value, which is the next argument. */
const argument = /(?<![\w-])--?(?<name>[A-Za-z][\w.-]{0,100})(?:\\{0,31}["'],?[ \t]*|[ \t]+)(?!-)/g

/** `[[TOKEN x] [K8S_POD_NAME web]]`, as Go prints CNI_ARGS. */
const pairInList = /(?<=\[)(?<name>[A-Za-z_][\w.-]{0,100}) (?=[^\s[\]]+\])/g

/** Text that may precede a name at the start of a line. */
const beginsLine = /(?:^|\n|\\n|(?<!redacted)\][ \t])(?<indent>[ \t]*)(?:[-*<>#]+[ \t]+|export[ \t]+)*$/

/** Words before a name in a parser's error message. */
const parserWords = /\b(?:unknown|unexpected|missing|duplicate|unrecognized|expected|required|no)[ \t]$/i

/** Two words of a sentence. */
const prose = /[a-z]+[ ,]+[a-z]+\b/y

/**
 * Returns the range of the value after a name that looks like that of a secret. Returns undefined if the text after the
 * name is not a value.
 */
const rangeOf = (text: string, found: RegExpExecArray): Range | undefined => {
  const [name, opened, separator] = [group(found, "name"), group(found, "opened"), group(found, "separator")]
  const start = found.index + found[0].length
  if (group(found, "closed") !== "") return memberAt(text, start)
  // `"Authorization: Bearer x"`: the quotes enclose the whole pair.
  const before = text.slice(Math.max(0, found.index - 60), found.index)
  const beginning = group(found, "dashes") === "" ? beginsLine.exec(before) : null
  if (separator.includes("=")) {
    if (opened !== "") return { start, end: endOfQuoted(text, start, opened) }
    // The output of `env`.
    const isLine = beginning !== null && text.includes("\n") && matchAt(quote, text, start) === ""
    return isLine ? lineAt(text, start, restOfLine) : valueAt(text, start)
  }
  if ((looksSecret(name) && !endsSecret(name)) || text.startsWith("//", start) || text[start] === ":") return undefined
  if (before.endsWith("/")) return undefined // the tag of an image
  if (opened !== "") return { start, end: endOfQuoted(text, start, opened) }
  if (beginning !== null) {
    const block = blockAt(text, start, group(beginning, "indent"))
    if (block !== undefined) return block
    return matchAt(quote, text, start) === "" ? lineAt(text, start, restOfLine) : valueAt(text, start)
  }
  if (/(?:authorization|cookie)$/i.test(name)) return lineAt(text, start, restOfHeader)
  const isProse = separator.endsWith(" ") && (parserWords.test(before) || matchAt(prose, text, start) !== "")
  return isProse ? undefined : valueAt(text, start)
}

/** Masks the values that `find` locates after the matches of a pattern. */
const withMasked = (
  text: string,
  pattern: RegExp,
  find: (found: RegExpExecArray) => Range | undefined
): string => {
  let out = ""
  let copied = 0
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const range = find(found)
    if (range === undefined) continue
    out += `${text.slice(copied, range.start)}${masked}`
    copied = range.end
    pattern.lastIndex = range.end
  }
  return out + text.slice(copied)
}

/** The text after a `key` that is just a name: `"key": "zone", "operator": "In"`. */
const valueOfKey = /\\{0,31}["']?[\s,;]{1,60}\\{0,31}["']?(?:values?|operator)\b/iy

/** `"name": "DB_PASSWORD", "value": "x"` in any notation. */
const namedValue =
  /\b(?:name|key)\b\\{0,31}["']?[ \t]*[:=][ \t]*\\{0,31}["']?(?<name>[A-Za-z_][\w.-]{0,100})\\{0,31}["']?[\s,;]{1,60}\\{0,31}["']?value\\{0,31}["']?[ \t]*[:=][ \t]*/gi

/** `<password>x</password>` */
const element = /<(?<name>[A-Za-z_][\w.:-]{0,100})>(?=[^<>]{1,10000}<\/\k<name>>)/g

const afterMatch = (text: string, found: RegExpExecArray): Range => memberAt(text, found.index + found[0].length)

const inElement = (text: string, { 0: tag, index }: RegExpExecArray): Range => ({
  start: index + tag.length,
  end: text.indexOf("<", index + tag.length)
})

/** Masks the values whose names `isSecret` accepts. */
export const mask = (text: string, isSecret: (name: string) => boolean): string => {
  const places = [
    { pattern: assignment, rangeIn: rangeOf },
    { pattern: argument, rangeIn: afterMatch },
    { pattern: pairInList, rangeIn: afterMatch },
    { pattern: namedValue, rangeIn: afterMatch },
    { pattern: element, rangeIn: inElement }
  ]
  return places.reduce((rest, { pattern, rangeIn }) =>
    withMasked(rest, pattern, (found) => {
      const name = group(found, "name")
      const range = isSecret(name) ? rangeIn(rest, found) : undefined
      if (range === undefined || isHarmless(name, rest.slice(range.start, range.end))) return undefined
      return name.toLowerCase() === "key" && matchAt(valueOfKey, rest, range.end) !== "" ? undefined : range
    }), text)
}
