/** The page. */
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import { Filters } from "./Filters.tsx"
import { Findings } from "./Findings.tsx"
import * as Keyboard from "./Keyboard.ts"
import { List } from "./List.tsx"
import { entries, everything, type Filter, findings, itemsOf, matching, traces } from "./Model.ts"
import { Search } from "./Search.tsx"
import { moment, plural, zone } from "./Texts.ts"
import { Traces } from "./Traces.tsx"

const usePrinting = (): boolean => {
  const [isPrinting, setPrinting] = useState(false)
  useEffect(() => {
    const before = () => setPrinting(true)
    const after = () => setPrinting(false)
    addEventListener("beforeprint", before)
    addEventListener("afterprint", after)
    return () => {
      removeEventListener("beforeprint", before)
      removeEventListener("afterprint", after)
    }
  }, [])
  return isPrinting
}

/** The period between two moments. Names the day once if both are on the same day. */
const between = (first: string, last: string): string => {
  const [from, to] = [moment(first).slice(0, 19), moment(last).slice(0, 19)]
  if (from === to) return from
  return `${from} – ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to}`
}

const Header = () => {
  const shown = matching(everything)
  const failed = shown.filter(({ operation }) => operation.hasFailed).length
  const first = shown[0]?.operation.time
  const last = shown.at(-1)?.operation.time
  const times = first === undefined || last === undefined ? undefined : `${between(first, last)} ${zone()}`
  return (
    <header>
      <h1>cni-passthrough report</h1>
      {shown.length === 0 ? null : (
        <p>
          <span>{plural(shown.length, "operation")}</span>
          <span class={failed > 0 ? "bad" : "good"}>{failed > 0 ? `${failed} failed` : "none failed"}</span>
          <span>{times}</span>
        </p>
      )}
    </header>
  )
}

/** The operations that are open at first: the first one that failed. */
const openAtFirst = (): ReadonlySet<number> => {
  const first = entries.find(({ operation }) => operation.hasFailed)
  return new Set(first === undefined ? [] : [first.id])
}

/** Whether the page is about traced packets, and no log had anything about the container's networks. */
const isTraceAlone = traces !== undefined && entries.length === 0

export const App = () => {
  const [filter, setFilter] = useState(everything)
  const [open, setOpen] = useState(openAtFirst)
  const [wanted, setWanted] = useState<{ readonly id: number }>()
  const search = useRef<HTMLInputElement>(null)
  const isPrinting = usePrinting()
  const all = useMemo(() => matching(everything).length, [])
  const items = useMemo(() => itemsOf(matching(filter)), [filter])
  const ids = useMemo(() => items.flatMap((item) => item.kind === "operation" ? [item.entry.id] : []), [items])
  // The focus stays on the filters, and does not return to an operation.
  const ask = useCallback((change: (before: Filter) => Filter) => {
    setWanted(undefined)
    setFilter(change)
  }, [])
  const toggle = useCallback((id: number) =>
    setOpen((before) => {
      const now = new Set(before)
      if (!now.delete(id)) now.add(id)
      return now
    }), [])
  useLayoutEffect(() =>
    Keyboard.listen({
      go: (from, by) => {
        const at = from === undefined ? (by === 1 ? 0 : ids.length - 1) : ids.indexOf(from) + by
        const id = ids[Math.max(0, Math.min(ids.length - 1, at))]
        if (id !== undefined) setWanted({ id })
      },
      search: () => search.current?.focus(),
      close: (id) => {
        setOpen((before) => new Set([...before].filter((other) => other !== id)))
        setWanted({ id })
      },
      clear: () => ask((before) => ({ ...before, text: "" }))
    }), [ids])
  return (
    <>
      <Header />
      <main>
        {findings === undefined ? null : <Findings list={findings} />}
        {traces === undefined ? null : <Traces list={traces} />}
        {entries.length === 0 ? null : <Filters filter={filter} onChange={(next) => ask(() => next)} search={search} />}
        <p class="found" role="status">
          {filter === everything || ids.length === all ? "" : plural(ids.length, "operation")}
        </p>
        {ids.length === 0
          ? (
            isTraceAlone ? null : (
              <p class="nothing">
                {entries.length === 0 ? "No operations were logged." : "No operation matches."}
              </p>
            )
          )
          : (
            <Search.Provider value={filter.text.trim()}>
              <List items={items} open={open} wanted={wanted} isPrinting={isPrinting} onToggle={toggle} />
            </Search.Provider>
          )}
      </main>
      {isTraceAlone ? null : (
        <footer>
          <p>
            <kbd>j</kbd> <kbd>k</kbd> next, previous · <kbd>Enter</kbd> open · <kbd>/</kbd> search · <kbd>Esc</kbd> back
          </p>
          <p>
            The records are in this file: <code>cni-passthrough show FILE.html</code> reads them.
          </p>
        </footer>
      )}
    </>
  )
}
