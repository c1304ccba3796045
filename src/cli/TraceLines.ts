/** The path of a packet as lines of text, as one JSON document, and for the page of a report. */
import * as Cidr from "../network/Cidr.ts"
import * as Escape from "../record/Escape.ts"
import type * as Page from "../render/html/PageData.ts"
import * as LineWrap from "../render/terminal/LineWrap.ts"
import * as LocalTime from "../render/terminal/LocalTime.ts"
import * as Style from "../render/terminal/Style.ts"
import * as HopWords from "../trace/HopWords.ts"
import type * as Journey from "../trace/Journey.ts"
import type * as Outcome from "../trace/Outcome.ts"
import type { Step, Target } from "../trace/Request.ts"
import type { Author } from "../trace/RuleAuthors.ts"

const endOf = (address: string, port: number | undefined): string =>
  address === ""
    ? `port ${port}`
    : port === undefined || port === 0
    ? address
    : Cidr.endpoint(address, port)

const linksOf = ({ inLink, outLink }: Journey.Hop["packet"]): string =>
  [inLink, outLink].filter((link) => link !== undefined).join(" → ")

/** The rule without its comment, which says nothing about the packet. */
const shortText = (hop: Journey.Hop): string =>
  HopWords.rule(hop).replace(/ ?-m comment --comment (?:"(?:\\.|[^"\\])*"|\S+)/, "").replace(/ comment "[^"]*"/, "")
    .trim()

/** How nat changed a packet since the hop before. */
const rewritten = (before: Journey.Hop | undefined, { direction, packet }: Journey.Hop): ReadonlyArray<string> => {
  if (before === undefined || before.direction !== direction || packet.protocol !== before.packet.protocol) return []
  const ends = ({ destination, destinationPort, source, sourcePort }: Journey.Hop["packet"]) => ({
    source: endOf(source, sourcePort),
    destination: endOf(destination, destinationPort)
  })
  const [old, now] = [ends(before.packet), ends(packet)]
  return (["source", "destination"] as const).flatMap((name) =>
    old[name] === now[name] ? [] : [`${name} is now ${now[name]}`]
  )
}

/** Whether two hops share a namespace, a hook and links, which are then shown once. */
const isSameStage = (left: Journey.Hop | undefined, right: Journey.Hop | undefined): boolean =>
  left !== undefined && right !== undefined && left.place === right.place && left.direction === right.direction &&
  left.hook === right.hook && linksOf(left.packet) === linksOf(right.packet)

/** The columns of hooks and verdicts, and the indent of what happens at a hook. */
const widths = { hook: 11, verdict: 8, indent: 6 } as const

const pad = (cell: string, columns: number): string =>
  `${cell}${" ".repeat(Math.max(0, columns - LineWrap.columns(cell)))}`

/** The summary of a packet, shown where its direction begins. */
const packetText = ({ direction, packet: { kind, length, protocol, source, sourcePort } }: Journey.Hop): string =>
  [
    direction === "there" ? "→ packet" : "← answer",
    ` from ${endOf(source, sourcePort)}: ${protocol}${kind === "" ? "" : ` ${kind}`}`,
    length === undefined ? "" : `, ${length} bytes`
  ].join("")

/** Draws hops as they come. */
export class Drawing {
  private readonly style: Style.Style
  private readonly placeWidth: number
  /** The last hop, and the last one whose namespace, hook and links were drawn. */
  private last: Journey.Hop | undefined
  private drawn: Journey.Hop | undefined

  constructor(style: Style.Style, places: ReadonlyArray<string>) {
    this.style = style
    this.placeWidth = Math.max(...places.map(LineWrap.columns))
  }

  /** Something that happens at a hook. */
  private detail(word: string, text: string, paint: (text: string) => string): ReadonlyArray<string> {
    const indent = widths.indent + widths.verdict + 2
    const [first = "", ...more] = LineWrap.lines(Escape.inLine(text), Math.max(20, this.style.width - indent))
    return [
      `${" ".repeat(widths.indent)}${paint(pad(word, widths.verdict))}  ${first}`,
      ...more.map((line) => `${" ".repeat(indent + 2)}${line.trimStart()}`)
    ]
  }

  private stage(hop: Journey.Hop): ReadonlyArray<string> {
    if (isSameStage(this.drawn, hop)) return []
    this.drawn = hop
    const { hook, packet, place } = hop
    const cells = [pad(Escape.inLine(place), this.placeWidth), pad(hook, widths.hook), Escape.inLine(linksOf(packet))]
    return [`  ${cells.join("  ")}`.trimEnd()]
  }

  private hop(hop: Journey.Hop): ReadonlyArray<string> {
    const { dim, green, red, yellow } = this.style
    const before = this.last
    this.last = hop
    const isFirst = before?.direction !== hop.direction
    if (isFirst) this.drawn = undefined
    const [verdict = ""] = hop.verdict.split(" ")
    const paint = verdict === "drop" ? red : verdict === "accept" ? green : dim
    return [
      ...(isFirst ? [dim(Escape.inLine(packetText(hop)))] : []),
      ...rewritten(before, hop).flatMap((change) => this.detail("nat", change, yellow)),
      ...this.stage(hop),
      // Our own chains only show the packet.
      ...(hop.isOwn ? [] : this.detail(verdict, `${HopWords.chain(hop)}: ${shortText(hop)}`, paint))
    ]
  }

  /** The lines of these hops. */
  lines(hops: ReadonlyArray<Journey.Hop>): ReadonlyArray<string> {
    return hops.flatMap((hop) => this.hop(hop))
  }

  /** Begins another packet. */
  reset(): void {
    this.last = undefined
    this.drawn = undefined
  }
}

const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`

/** Who wrote a rule. */
const authorText = (
  { command, containerId, network, plugin, pod, time }: Author,
  { minutesEast }: Style.Style
): string => {
  const whose = [pod, containerId === "" ? undefined : `container ${containerId.slice(0, 12)}`]
    .filter((each) => each !== undefined).join(", ")
  return `written by the plugin ${plugin} in ${command} of ${network}${whose === "" ? "" : ` (${whose})`}, ${
    LocalTime.ofRecord(time, minutesEast)
  }`
}

/** The lines about the outcome. */
export const end = (outcome: Outcome.Outcome, style: Style.Style): ReadonlyArray<string> => {
  const { bold, dim, green, red, width, yellow } = style
  const line = (paint: (text: string) => string, text: string) => LineWrap.lines(Escape.inLine(text), width).map(paint)
  const well = (text: string) => line((each) => bold(green(each)), `✓ ${text}`)
  const badly = (text: string) => line((each) => bold(red(each)), `✗ ${text}`)
  const more = (text: string) => line(dim, `  ${text}`)
  switch (outcome._tag) {
    case "Arrived": {
      const where = outcome.place === undefined ? "" : ` in ${outcome.place}`
      switch (outcome.proof) {
        case "answered":
          return [
            ...well(`arrived${where}, and was answered`),
            ...(outcome.droppedLater === undefined
              ? []
              : more(`note: ${HopWords.drop(outcome.droppedLater)} dropped another packet of this flow`))
          ]
        case "refused":
          return well(`arrived${where}, and was refused there: nothing listens on this port, or a program rejects it`)
        case "delivered":
          return well(`arrived${where}: it passed input there; no answer was seen`)
      }
      return []
    }
    case "Left":
      return [
        ...well(`left ${outcome.place} by ${outcome.link}`),
        ...more("no answer was seen; what happened to it beyond this host is not known")
      ]
    case "Dropped": {
      const { hop } = outcome
      const what = hop.direction === "there" ? "dropped by" : "the answer was dropped by"
      return [
        ...badly(`${what} ${HopWords.chain(hop)}: ${HopWords.rule(hop)}`),
        ...more(`in ${hop.place}, hook ${hop.hook}`),
        ...more(
          outcome.author === undefined
            ? "no log names who wrote it; cni-passthrough watch names who changes rules from now on"
            : authorText(outcome.author, style)
        )
      ]
    }
    case "Lost": {
      const where = outcome.hook === ""
        ? `did not leave ${outcome.place}`
        : `${outcome.isAnswer ? "arrived, but its answer " : ""}ended in ${outcome.place} after ${outcome.hook}`
      return [
        ...badly(`${where}, and no traced rule dropped it`),
        ...(outcome.cause === undefined
          ? more("the reason is unknown: cni-passthrough doctor looks at the whole network")
          : [
            ...line(yellow, `  predicted: ${outcome.cause.text}`),
            ...outcome.cause.evidence.flatMap((text) => more(`│ ${text}`))
          ])
      ]
    }
    case "Nothing":
      return line(yellow, `? no packet came within ${seconds(outcome.waited)}`)
    case "Unknown":
      return line(yellow, `? the outcome is unknown: ${outcome.reason}`)
  }
}

/** What to do about packets that do not arrive. */
export const next = (containerId: string | undefined, { width }: Style.Style): ReadonlyArray<string> => {
  const command = ["cni-passthrough", "doctor", ...(containerId === undefined ? [] : ["--container-id", containerId])]
  return ["", ...LineWrap.lines(Escape.inLine(`next: ${command.join(" ")}, which may know a fix`), width)]
}

/** The lines that announce a step. */
export const head = (step: Step, protocol: string, { dim }: Style.Style): ReadonlyArray<string> => {
  switch (step._tag) {
    case "Tables":
      return [dim(Escape.inLine(
        `adds the table inet ${step.table} to ${step.places.join(", ")}; it is removed when this command ends`
      ))]
    case "Note":
      return [Escape.inLine(`note: ${step.text}`)]
    case "Sending":
      return [
        "",
        Escape.inLine(
          `${step.place} sends ${protocol} from ${endOf(step.from.address, step.from.port)} to ${
            endOf(step.to.address, step.to.port)
          }`
        )
      ]
    case "Waiting":
      return [
        "",
        Escape.inLine(
          `waits up to ${seconds(step.timeout)} for ${protocol} to port ${step.port} of ${step.place}${
            step.published === undefined ? "" : `, or to port ${step.published} of the host`
          }`
        )
      ]
    default:
      return []
  }
}

/** A style for text that wraps by itself, and whose colours come from elsewhere. */
const plain = ({ minutesEast }: Style.Style): Style.Style =>
  Style.make({ isTerminal: false, width: Number.POSITIVE_INFINITY, minutesEast }, false)

const states = {
  Arrived: "good",
  Left: "good",
  Dropped: "bad",
  Lost: "bad",
  Nothing: "unknown",
  Unknown: "unknown"
} as const

/** Each packet as a report shows it. */
export const onPage = (steps: ReadonlyArray<Step>, protocol: string, shown: Style.Style): ReadonlyArray<Page.Trace> => {
  const style = plain(shown)
  const places = steps.flatMap((step) => step._tag === "Tables" ? step.places : [])
  const drawing = new Drawing(style, places)
  const traces: Array<Page.Trace> = []
  let [title, path]: [string, ReadonlyArray<string>] = ["", []]
  for (const step of steps) {
    if (step._tag === "Sending" || step._tag === "Waiting") {
      drawing.reset()
      title = head(step, protocol, style).join("")
      path = []
    } else if (step._tag === "Hops") path = [...path, ...drawing.lines(step.hops)]
    else if (step._tag === "End") {
      const lines = end(step.outcome, style).map((line) => line.trim())
      traces.push({ title, path, end: lines, state: states[step.outcome._tag] })
    }
  }
  return traces
}

/** The hops without those of our own chains at a stage, or of a packet, that the hop before shows already. */
const withoutRepeats = (hops: ReadonlyArray<Journey.Hop>): ReadonlyArray<Journey.Hop> =>
  hops.filter((hop, index) => {
    const before = hops[index - 1]
    return !hop.isOwn || !isSameStage(before, hop) || rewritten(before, hop).length > 0
  })

/** A hop. Our own chains only show the packet, and are not named. */
const hopJson = ({ chain, direction, hook, isOwn, packet, place, rule, verdict }: Journey.Hop) => ({
  direction,
  place,
  hook,
  inLink: packet.inLink,
  outLink: packet.outLink,
  ...(isOwn ? {} : {
    family: chain.family,
    table: chain.table,
    chain: chain.name,
    rule: rule === undefined ? undefined : rule.iptables ?? rule.text,
    handle: rule?.handle,
    verdict
  }),
  protocol: packet.protocol,
  kind: packet.kind === "" ? undefined : packet.kind,
  source: packet.source,
  sourcePort: packet.sourcePort,
  destination: packet.destination,
  destinationPort: packet.destinationPort
})

const outcomeJson = (outcome: Outcome.Outcome) => {
  const { _tag, ...rest } = outcome
  return {
    end: _tag.toLowerCase(),
    ...(outcome._tag === "Dropped" ? { hop: hopJson(outcome.hop), author: outcome.author } : rest),
    ...(outcome._tag === "Arrived" && outcome.droppedLater !== undefined
      ? { droppedLater: hopJson(outcome.droppedLater) }
      : {})
  }
}

/** All steps as one JSON document. */
export const json = (steps: ReadonlyArray<Step>): string => {
  const tables = steps.find(({ _tag }) => _tag === "Tables")
  const attempts: Array<{ from?: Target; to?: Target; hops: Array<Journey.Hop>; end?: object }> = []
  for (const step of steps) {
    if (step._tag === "Sending") attempts.push({ from: step.from, to: step.to, hops: [] })
    else if (step._tag === "Waiting") attempts.push({ hops: [] })
    else if (step._tag === "Hops") attempts.at(-1)?.hops.push(...step.hops)
    else if (step._tag === "End") Object.assign(attempts.at(-1) ?? {}, { outcome: outcomeJson(step.outcome) })
  }
  return Escape.inJson(JSON.stringify(
    {
      table: tables?._tag === "Tables" ? tables.table : undefined,
      places: tables?._tag === "Tables" ? tables.places : [],
      notes: steps.flatMap((step) => step._tag === "Note" ? [step.text] : []),
      traces: attempts.map(({ hops, ...rest }) => ({ ...rest, hops: withoutRepeats(hops).map(hopJson) }))
    },
    undefined,
    2
  ))
}
