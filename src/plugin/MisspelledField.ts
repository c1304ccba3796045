/** Recognizes misspelled names of our fields: `logfile`, `hookAdd`, `onLogFailur`, `lable`. */

/** The beginnings of our field names. */
const stems = ["onLog", "onHook", "log", "hook", "label", "redact"] as const

/** Returns the stem of a name, ignoring case and separators. */
const stemOf = (name: string): string | undefined =>
  stems.find((stem) => name.replace(/[-_ ]/g, "").toLowerCase().startsWith(stem.toLowerCase()))

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/**
 * Returns a pattern for a text in any case and with any separators between its words. JSON Schema has no flags for
 * that.
 */
const inAnyCase = (text: string): string =>
  [...text].map((letter, index) => {
    const [upper, lower] = [letter.toUpperCase(), letter.toLowerCase()]
    return `${index > 0 && letter === upper ? "[-_ ]?" : ""}[${lower}${upper}]`
  }).join("")

/** Returns a pattern for a text with one letter missing, added or replaced, or with two adjacent letters swapped. */
const mistyped = (text: string): string => {
  const parts = Array.from(
    { length: text.length + 1 },
    (_, index) => [text.slice(0, index), text.slice(index)] as const
  )
  return parts.flatMap(([before, after]) => [
    `${escape(before)}.?${escape(after.slice(1))}`,
    `${escape(before)}.${escape(after)}`,
    ...(after.length < 2 ? [] : [escape(`${before}${after[1]}${after[0]}${after.slice(2)}`)])
  ]).join("|")
}

/** Returns the names that a misspelled name resembles. Empty if it resembles none. */
export const similar = (name: string, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (!new RegExp(pattern(names), "u").test(name)) return []
  const bare = (text: string) => text.replace(/[-_ ]/g, "").toLowerCase()
  const same = names.filter((each) => bare(each) === bare(name))
  const alike = names.filter((each) => new RegExp(`^(?:${mistyped(each)})$`, "u").test(name))
  return same.length > 0 ? same : alike.length > 0 ? alike : names.filter((each) => stemOf(each) === stemOf(name))
}

/** Returns a pattern for misspellings of these names. It does not match the names themselves. */
export const pattern = (names: ReadonlyArray<string>): string => {
  const families = stems.map((stem) => {
    const rests = names.filter((name) => stems.find((each) => name.startsWith(each)) === stem)
      .map((name) => escape(name.slice(stem.length)))
    return `${inAnyCase(stem)}.*|(?:${mistyped(stem)})(?:${rests.join("|")})`
  })
  return `^(?!(?:${names.map(escape).join("|")})$)(?:${families.join("|")})$`
}
