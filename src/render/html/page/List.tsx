/**
 * The operations in their groups. Of ten thousand, about thirty are visible, so they are drawn in pieces, each when it
 * comes near the visible part of the page.
 */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks"
import type { Item } from "./Model.ts"
import { OperationView } from "./OperationView.tsx"

/** How many lines a piece has. */
const pieceLength = 40

export interface ListProps {
  readonly items: ReadonlyArray<Item>
  readonly open: ReadonlySet<number>
  /** The operation to focus. */
  readonly wanted: { readonly id: number } | undefined
  readonly isPrinting: boolean
  readonly onToggle: (id: number) => void
}

const Line = ({ isOpen, item, onToggle }: {
  readonly item: Item
  readonly isOpen: boolean
  readonly onToggle: (id: number) => void
}) => {
  switch (item.kind) {
    case "section":
      return (
        <h2>
          {item.title} <span class="count">{item.count}</span>
        </h2>
      )
    case "group":
      return (
        <h3>
          {item.title} <span class="quiet">{item.id}</span>
        </h3>
      )
    case "operation":
      return <OperationView entry={item.entry} isOpen={isOpen} onToggle={onToggle} />
  }
}

const keyOf = (item: Item, index: number): string | number => item.kind === "operation" ? item.entry.id : `at ${index}`

/** How far from the visible part of the page a piece is drawn. */
const margin = "1000px"

const Piece = ({ isFirst, isPrinting, items, onToggle, open, wanted }: ListProps & { readonly isFirst: boolean }) => {
  const [isNear, setNear] = useState(isFirst)
  /** Its height when it was last drawn, in pixels: the visible part must not move when the piece goes. */
  const [height, setHeight] = useState<number>()
  const place = useRef<HTMLDivElement>(null)
  const ids = items.flatMap((item) => item.kind === "operation" ? [item.entry.id] : [])
  const opened = ids.filter((id) => open.has(id))
  const isWanted = wanted !== undefined && ids.includes(wanted.id)
  const isDrawn = isNear || isPrinting || isWanted || opened.length > 0
  useEffect(() => {
    if (place.current === null) return
    const observer = new IntersectionObserver((seen) => {
      for (const { boundingClientRect, isIntersecting, target } of seen) {
        if (!isIntersecting && target.childElementCount > 0) setHeight(boundingClientRect.height)
        setNear(isIntersecting)
      }
    }, { rootMargin: margin })
    observer.observe(place.current)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    if (isWanted) document.getElementById(`operation-${wanted.id}`)?.focus()
  }, [wanted])
  const lines = useMemo(
    () =>
      isDrawn
        ? items.map((item, index) => (
          <Line
            key={keyOf(item, index)}
            item={item}
            isOpen={item.kind === "operation" && opened.includes(item.entry.id)}
            onToggle={onToggle}
          />
        ))
        : null,
    [items, isDrawn, opened.join(), onToggle]
  )
  const style = height === undefined ? { "--lines": String(items.length) } : { height: `${height}px` }
  return isDrawn
    ? <div ref={place} class="piece">{lines}</div>
    : <div ref={place} class="piece later" style={style} />
}

export const List = ({ items, ...props }: ListProps) => {
  const version = useRef(0)
  const pieces = useMemo(() => {
    version.current++
    const count = Math.ceil(items.length / pieceLength)
    return Array.from({ length: count }, (_, at) => items.slice(at * pieceLength, (at + 1) * pieceLength))
  }, [items])
  return (
    <>
      {pieces.map((piece, at) => (
        <Piece
          key={`${version.current}-${at}`}
          items={piece}
          isFirst={at === 0}
          {...props}
        />
      ))}
    </>
  )
}
