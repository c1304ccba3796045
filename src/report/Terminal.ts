/**
 * An operation on a terminal: what each plugin of the chain did, and how long it took. Values are escaped, so that
 * nothing in a log can move the cursor, and bounded, so that nothing in a log can hide the rest.
 */
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "../record/Escape.ts"
import * as Excerpt from "./Excerpt.ts"
import * as LocalTime from "./LocalTime.ts"
import type { Change } from "./ResultDiff.ts"
import type { Style } from "./Style.ts"
import type { Hook, Plugin, Step, View } from "./View.ts"
import * as Wrap from "./Wrap.ts"

/** What to draw. */
export interface Options {
  /** Whether to draw all that went into and came out of each plugin, too. */
  readonly full?: boolean
}

/** How many changes and hooks of one step, and how many characters of one value, are drawn. */
const few = { changes: 20, hooks: 50, characters: 1000 }
const many = { changes: 1000, hooks: 1000, characters: 65_536 }

/** How much of a document is drawn. */
const documentLimit = { lines: 2000, characters: 65_536 }

/** Above this size, in characters, a document is not broken into lines. */
const largestReadable = 1_048_576

/** IDs of containers are known by their first 12 characters. */
const shortIds = (text: string): string => text.replace(/(?<![0-9a-f])([0-9a-f]{12})[0-9a-f]{52}(?![0-9a-f])/g, "$1")

const milliseconds = (value: number): string => `${Math.round(value * 10) / 10} ms`

const plural = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`

/** Draws the parts of operations in one style. */
export const make = (style: Style, { full = false }: Options = {}) => {
  const { bold, dim, green, red, yellow } = style
  const limit = full ? many : few
  const signs = {
    added: { sign: "+", colour: green },
    removed: { sign: "-", colour: red },
    changed: { sign: "~", colour: yellow }
  }
  const gutter = dim("│")
  const plain = (text: string) => text

  const bounded = (text: string): string =>
    text.length <= limit.characters ? text : `${text.slice(0, limit.characters)}…`
  const wrapped = (text: string, width: number): ReadonlyArray<string> =>
    Wrap.lines(Escape.inLine(bounded(text).replaceAll("\t", "    ")), Math.max(1, width))

  /** The lines of a text under a step. */
  const under = (text: string, colour = plain): ReadonlyArray<string> =>
    wrapped(text, style.width - 4).map((line) => `${gutter}   ${colour(line)}`)
  const paragraphs = (text: string, colour = plain): ReadonlyArray<string> =>
    text.trimEnd().split("\n").flatMap((line) => under(line, colour))

  const output = ({ charactersAfter, lines, linesBefore }: Excerpt.Excerpt): ReadonlyArray<string> => [
    ...(linesBefore > 0 ? under(`  … ${plural(linesBefore, "line")} more`, dim) : []),
    ...lines.flatMap((line) => under(`  ${line}`, dim)),
    ...(charactersAfter > 0 ? under(`  … ${plural(charactersAfter, "character")} more`, dim) : [])
  ]
  const titled = (title: string, excerpt: Excerpt.Excerpt): ReadonlyArray<string> =>
    excerpt.lines.length === 0 ? [] : [...under(title, dim), ...output(excerpt)]

  const document = (title: string, json: string | undefined): ReadonlyArray<string> => {
    if (json === undefined) return []
    const readable = json.length > largestReadable ? JsonText.onOneLine(json) : JsonText.indented(json)
    return titled(title, Excerpt.first(readable, documentLimit))
  }
  const variable = (name: string, value: string | undefined): ReadonlyArray<string> =>
    value === undefined ? [] : under(`${name}=${value}`, dim)

  const changes = (list: ReadonlyArray<Change>): ReadonlyArray<string> => [
    ...list.slice(0, limit.changes).flatMap(({ kind, what }) =>
      under(`${signs[kind].sign} ${full ? what : shortIds(what)}`, signs[kind].colour)
    ),
    ...(list.length > limit.changes ? under(`… ${plural(list.length - limit.changes, "change")} more`, dim) : [])
  ]

  const hook = ({ command, durationMs, failure, stderr, stdout }: Hook): ReadonlyArray<string> => [
    ...under(
      `$ ${command}${failure === undefined ? "" : `  (${failure})`}  ${milliseconds(durationMs)}`,
      failure === undefined ? dim : red
    ),
    ...output(stdout),
    ...output(stderr)
  ]
  const hooks = (list: ReadonlyArray<Hook>): ReadonlyArray<string> => [
    ...list.slice(0, limit.hooks).flatMap(hook),
    ...(list.length > limit.hooks ? under(`… ${plural(list.length - limit.hooks, "hook")} more`, dim) : [])
  ]

  const plugin = ({ ending, stderr, stdout, truncated }: Plugin, { failure, state }: Step): ReadonlyArray<string> => {
    const isTold = failure.some((text) => text.includes(ending))
    return [
      ...(full || (state === "failed" && !isTold) ? under(ending, state === "failed" ? red : dim) : []),
      ...titled("stderr:", stderr),
      ...titled("stdout:", stdout),
      ...(truncated ? under("more output was not logged", dim) : [])
    ]
  }

  /** The first lines of an operation: who, when and where. */
  const head = ({ command, containerId, ifname, netns, network, time }: View): ReadonlyArray<string> => {
    const id = (text: string) => full ? text : shortIds(text)
    const who = [command, ifname, containerId && `of ${id(containerId)}`, network && `on ${network}`]
    const when = `${LocalTime.ofRecord(time, style.minutesEast)}  ${id(netns ?? "")}`.trimEnd()
    return [
      ...wrapped(who.filter(Boolean).join(" "), style.width).map(bold),
      ...wrapped(when, style.width).map(dim),
      gutter
    ]
  }

  /** A step, with what changed before it. */
  const step = (shown: Step): ReadonlyArray<string> => {
    const mark = shown.state === "done" ? green("✓") : red("✗")
    const [name = "", ...more] = wrapped(shown.title, style.width - 5)
    const duration = shown.durationMs === undefined ? "" : milliseconds(shown.durationMs)
    const gap = Math.max(2, Math.min(style.width, 72) - 5 - Wrap.columns(name) - duration.length)
    const isBeside = more.length === 0 && 5 + Wrap.columns(name) + gap + duration.length <= style.width
    return [
      ...changes(shown.changesBefore),
      `${dim("├─")} ${mark} ${bold(name)}${isBeside && duration !== "" ? `${" ".repeat(gap)}${dim(duration)}` : ""}`,
      ...more.map((line) => `${gutter}    ${bold(line)}`),
      ...(isBeside || duration === "" ? [] : under(duration, dim)),
      ...(full
        ? [
          ...variable("CNI_ARGS", shown.args),
          ...variable("CNI_PATH", shown.path),
          ...document("stdin", shown.config)
        ]
        : []),
      ...changes(shown.changes),
      ...hooks(shown.hooks),
      ...shown.failure.flatMap((text) => paragraphs(full ? text : shortIds(text), red)),
      ...(shown.state === "unfinished" ? under("no result was logged: it was killed, or is still running", red) : []),
      ...(full ? document("stdout", shown.result) : []),
      ...(shown.plugin === undefined ? [] : plugin(shown.plugin, shown))
    ]
  }

  /** The end of an operation. */
  const foot = ({ durationMs }: View): ReadonlyArray<string> => {
    const total = durationMs === undefined ? "" : `${durationMs} ms in total`
    return wrapped(total, style.width - 3).map((line, index) =>
      `${index === 0 ? dim("└─") : "  "} ${dim(line)}`.trimEnd()
    )
  }

  return { head, step, foot, all: (view: View) => [...head(view), ...view.steps.flatMap(step), ...foot(view)] }
}

/** Renders an operation as lines. */
export const render = (view: View, style: Style, options?: Options): ReadonlyArray<string> =>
  make(style, options).all(view)
