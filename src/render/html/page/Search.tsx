/** Marks the search text wherever it occurs on the page. */
import { createContext } from "preact"
import { useContext } from "preact/hooks"

/** The search text; empty if there is none. */
export const Search = createContext("")

/** How many matches in one text are marked. */
const most = 1000

/** Whether a text contains the search text, regardless of case. */
export const isFound = (text: string, search: string): boolean =>
  search !== "" && text.toLowerCase().includes(search.toLowerCase())

/** The parts of a text. Those at odd indices are matches. */
const partsOf = (text: string, search: string): ReadonlyArray<string> => {
  const [lower, word] = [text.toLowerCase(), search.toLowerCase()]
  // Some letters are longer in lower case, which would shift the positions.
  if (word === "" || lower.length !== text.length) return [text]
  const parts: Array<string> = []
  let from = 0
  for (let at = lower.indexOf(word); at !== -1 && parts.length < most; at = lower.indexOf(word, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + word.length))
    from = at + word.length
  }
  return [...parts, text.slice(from)]
}

/** A text with its matches marked. */
export const Marked = ({ text }: { readonly text: string }) => {
  const parts = partsOf(text, useContext(Search))
  return <>{parts.map((part, at) => at % 2 === 0 ? part : <mark key={at}>{part}</mark>)}</>
}
