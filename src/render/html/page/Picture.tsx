/** The network of an attachment as a picture: the container above, the host below. */
import type { Interface, Network } from "./Network.ts"

const width = 420
const line = 18
const padding = 12

/** How many characters fit on a line of a box. */
const longest = 50

const fitting = (text: string): string => text.length <= longest ? text : `${text.slice(0, longest - 1)}…`

/** A box with a title and lines under it. */
interface Box {
  readonly title: string
  readonly lines: ReadonlyArray<string>
  readonly kind: "device" | "fact"
}

const device = ({ addresses, mac, name }: Interface, more: ReadonlyArray<string> = []): Box => ({
  title: name,
  lines: [...addresses, ...more, ...(mac === "" ? [] : [mac])],
  kind: "device"
})

const fact = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<Box> =>
  lines.length === 0 ? [] : [{ title, lines, kind: "fact" }]

const heightOf = ({ lines }: Box): number => padding * 1.5 + line * (lines.length + 1)

/** The height of a place with these boxes. */
const stack = (boxes: ReadonlyArray<Box>): number =>
  boxes.reduce((sum, box) => sum + heightOf(box) + padding, line + padding)

const Boxes = ({ boxes, top }: { readonly boxes: ReadonlyArray<Box>; readonly top: number }) => {
  let y = top
  return (
    <>
      {boxes.map((box, index) => {
        const at = y
        y += heightOf(box) + padding
        const isLinked = box.kind === "device" && boxes[index - 1]?.kind === "device"
        return (
          <g key={index} class={box.kind}>
            {isLinked ? <line class="link" x1={width / 2} x2={width / 2} y1={at - padding} y2={at} /> : null}
            <title>{[box.title, ...box.lines].join("\n")}</title>
            <rect x={padding * 2} y={at} width={width - padding * 4} height={heightOf(box)} rx={4} />
            <text class="name" x={padding * 3} y={at + line}>{fitting(box.title)}</text>
            {box.lines.map((text, index) => (
              <text key={index} x={padding * 3} y={at + line * (index + 2)}>{fitting(text)}</text>
            ))}
          </g>
        )
      })}
    </>
  )
}

const Place = ({ boxes, title, top }: {
  readonly boxes: ReadonlyArray<Box>
  readonly title: string
  readonly top: number
}) => (
  <g>
    <rect class="place" x={padding / 2} y={top} width={width - padding} height={stack(boxes)} rx={6} />
    <text class="title" x={padding * 1.5} y={top + line}>{fitting(title)}</text>
    <Boxes boxes={boxes} top={top + line + padding} />
  </g>
)

export const Picture = ({ network }: { readonly network: Network }) => {
  const { bridges, gateways, inside, namespace, outside, ports, routes } = network
  // The interface comes last, so that its link goes straight down to the host.
  const above = [...fact("routes", routes), ...inside.map((it) => device(it))]
  const below = [
    ...outside.map((it) => device(it)),
    ...bridges.map((it) => device(it, gateways.map((gateway) => `gateway ${gateway}`))),
    ...(bridges.length === 0 ? fact("gateway", gateways) : []),
    ...fact("published ports", ports)
  ]
  const gap = 28
  const middle = padding / 2 + stack(above)
  const height = middle + (below.length === 0 ? 0 : gap + stack(below)) + padding / 2
  const words = [`In ${namespace}:`, ...above.map(({ lines, title }) => [title, ...lines].join(" ")), "In the host:"]
    .concat(below.map(({ lines, title }) => [title, ...lines].join(" ")))
  return (
    <figure class="picture">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words.join("; ")}>
        <Place boxes={above} title={namespace} top={padding / 2} />
        {below.length === 0 ? null : (
          <>
            <line class="link" x1={width / 2} x2={width / 2} y1={middle - padding} y2={middle + gap + line + padding} />
            <Place boxes={below} title="host" top={middle + gap} />
          </>
        )}
      </svg>
    </figure>
  )
}
