/** The keys: j and k or arrows move through the operations, / searches, Escape goes back. */

/** What keys can do on the page. */
export interface Actions {
  /** Moves to the next or the previous operation. `from` is the one that has the focus. */
  readonly go: (from: number | undefined, by: 1 | -1) => void
  readonly search: () => void
  /** Closes an operation. */
  readonly close: (id: number) => void
  /** Clears the search text. */
  readonly clear: () => void
}

const operationOf = (target: Element): number | undefined => {
  const button = target.closest(".operation")?.querySelector<HTMLElement>("[data-operation]")
  return button === null || button === undefined ? undefined : Number(button.dataset["operation"])
}

/** Whether an element uses keys itself. */
const takesKeys = (target: Element): boolean => target.closest("input, select, textarea") !== null

/** Listens until the returned function is called. */
export const listen = (actions: Actions): () => void => {
  const onKey = (event: KeyboardEvent) => {
    const { altKey, ctrlKey, key, metaKey, target } = event
    if (altKey || ctrlKey || metaKey || !(target instanceof Element)) return
    const id = operationOf(target)
    if (key === "Escape") {
      if (target instanceof HTMLInputElement) {
        actions.clear()
        target.blur()
      } else if (id !== undefined) actions.close(id)
      return
    }
    if (takesKeys(target)) return
    // Arrows scroll unless the line of an operation has the focus.
    const isOnLine = target instanceof HTMLElement && target.dataset["operation"] !== undefined
    const by = key === "j" || (isOnLine && key === "ArrowDown")
      ? 1
      : key === "k" || (isOnLine && key === "ArrowUp")
      ? -1
      : 0
    if (by !== 0) actions.go(id, by)
    else if (key === "/") actions.search()
    else return
    event.preventDefault()
  }
  document.addEventListener("keydown", onKey)
  return () => document.removeEventListener("keydown", onKey)
}
