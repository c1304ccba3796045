/** The text that is searched, wherever on the page it is. */
import { createContext } from "preact"
import { useContext } from "preact/hooks"

/** The text that is searched; empty where none is. */
export const Search = createContext("")

/** How many places of one text are marked. */
const most = 1000

/** Whether a text has the one that is searched. */
export const isFound = (text: string, search: string): boolean =>
  search !== "" && text.toLowerCase().includes(search.toLowerCase())

/** The parts of a text: those at odd places are what is searched. */
const partsOf = (text: string, search: string): ReadonlyArray<string> => {
  const [lower, word] = [text.toLowerCase(), search.toLowerCase()]
  // Some letters are longer as small ones: then the places are not the same.
  if (word === "" || lower.length !== text.length) return [text]
  const parts: Array<string> = []
  let from = 0
  for (let at = lower.indexOf(word); at !== -1 && parts.length < most; at = lower.indexOf(word, from)) {
    parts.push(text.slice(from, at), text.slice(at, at + word.length))
    from = at + word.length
  }
  return [...parts, text.slice(from)]
}

/** A text in which what is searched is marked. */
export const Marked = ({ text }: { readonly text: string }) => {
  const parts = partsOf(text, useContext(Search))
  return <>{parts.map((part, at) => at % 2 === 0 ? part : <mark key={at}>{part}</mark>)}</>
}
