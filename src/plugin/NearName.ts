/** Names that look like one of ours, and are none: `logfile`, `hookAdd`, `onLogFailur`, `lable`. */

/** What names of ours begin with. */
const stems = ["onLog", "onHook", "log", "hook", "label", "redact"] as const

/** The stem of a name, as far as one can tell. */
const familyOf = (name: string): string | undefined =>
  stems.find((stem) => name.replace(/[-_ ]/g, "").toLowerCase().startsWith(stem.toLowerCase()))

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")

/** A text in upper or lower case, its words apart or together: JSON Schema knows no flags. */
const inAnyCase = (text: string): string =>
  [...text].map((letter, index) => {
    const [upper, lower] = [letter.toUpperCase(), letter.toLowerCase()]
    return `${index > 0 && letter === upper ? "[-_ ]?" : ""}[${lower}${upper}]`
  }).join("")

/** A text with one letter too few, too many, another one, or two that changed places. */
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

/** The names that a name looks like, without being one of them; none where it looks like none. */
export const similar = (name: string, names: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (!new RegExp(pattern(names), "u").test(name)) return []
  const bare = (text: string) => text.replace(/[-_ ]/g, "").toLowerCase()
  const same = names.filter((each) => bare(each) === bare(name))
  const alike = names.filter((each) => new RegExp(`^(?:${mistyped(each)})$`, "u").test(name))
  return same.length > 0 ? same : alike.length > 0 ? alike : names.filter((each) => familyOf(each) === familyOf(name))
}

/** The pattern of names that look like one of these, without these themselves. */
export const pattern = (names: ReadonlyArray<string>): string => {
  const families = stems.map((stem) => {
    const rests = names.filter((name) => stems.find((each) => name.startsWith(each)) === stem)
      .map((name) => escape(name.slice(stem.length)))
    return `${inAnyCase(stem)}.*|(?:${mistyped(stem)})(?:${rests.join("|")})`
  })
  return `^(?!(?:${names.map(escape).join("|")})$)(?:${families.join("|")})$`
}
