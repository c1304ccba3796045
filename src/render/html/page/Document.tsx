/** Original texts, which can be folded, and copied byte for byte. */
import type { ComponentChildren } from "preact"
import { useContext, useEffect, useState } from "preact/hooks"
import * as JsonText from "../../../json/JsonText.ts"
import * as Escape from "../../../record/Escape.ts"
import { Json } from "./Json.tsx"
import { isFound, Marked, Search } from "./Search.tsx"
import { plural } from "./Texts.ts"

/** Above this size, in characters, a document is not broken into lines. */
const largestReadable = 1_048_576

/** Copies through a selection, for pages without access to the clipboard. */
const copyBySelection = (text: string): boolean => {
  const area = document.createElement("textarea")
  area.value = text
  document.body.append(area)
  area.select()
  const isCopied = document.execCommand("copy")
  area.remove()
  return isCopied
}

const copy = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    return copyBySelection(text)
  }
}

/** Copies a text unchanged. */
export const Copy = ({ name, text }: { readonly name: string; readonly text: string }) => {
  const [state, setState] = useState<"" | "copied" | "cannot copy">("")
  useEffect(() => {
    if (state === "") return
    const timer = setTimeout(() => setState(""), 2000)
    return () => clearTimeout(timer)
  }, [state])
  return (
    <button
      type="button"
      class="copy"
      aria-label={`Copy ${name}`}
      onClick={() => void copy(text).then((isCopied) => setState(isCopied ? "copied" : "cannot copy"))}
    >
      <span aria-live="polite">{state === "" ? "copy" : state}</span>
    </button>
  )
}

/** Escapes characters that change the direction of text or move a cursor. */
const shown = Escape.inLines

/** A part of the page that can be opened. Its content is made only then. */
export const Fold = ({ children, isOpen = false, more, title }: {
  readonly title: string
  readonly more?: string
  readonly isOpen?: boolean
  readonly children: () => ComponentChildren
}) => {
  const [isOpened, setOpened] = useState(isOpen)
  return (
    <details class="fold" open={isOpened} onToggle={({ currentTarget }) => setOpened(currentTarget.open)}>
      <summary>
        <span class="title">{title}</span>
        {more === undefined ? null : <span class="more">{more}</span>}
      </summary>
      {isOpened ? children() : null}
    </details>
  )
}

/** A text in a fold, which opens by itself if it contains the search text, unless it stays folded. */
export const Document = ({ isJson = false, isOpen = false, name, staysFolded = false, text }: {
  readonly name: string
  readonly text: string
  readonly isJson?: boolean
  readonly isOpen?: boolean
  readonly staysFolded?: boolean
}) => {
  const search = useContext(Search)
  const isIndented = isJson && text.length <= largestReadable
  const size = plural(new TextEncoder().encode(text).length, "byte")
  return (
    <Fold title={name} more={size} isOpen={isOpen || (!staysFolded && isFound(text, search))}>
      {() => (
        <div class="document">
          <Copy name={name} text={text} />
          {/* It scrolls, so the keyboard must reach it. */}
          <pre tabIndex={0} role="group" aria-label={name} class={isIndented ? "json" : ""}>
            {isIndented ? <Json text={shown(JsonText.indented(text))} /> : <Marked text={shown(text)} />}
          </pre>
        </div>
      )}
    </Fold>
  )
}
