/**
 * An operation on a terminal: what each plugin of the chain did, and how long it took. Values are escaped, so that
 * nothing in a log can move the cursor, and bounded, so that nothing in a log can hide the rest.
 */
import * as JsonText from "../../json/JsonText.ts"
import * as Excerpt from "../../operations/Excerpt.ts"
import type { Line } from "../../operations/OutputDiff.ts"
import * as Repetition from "../../operations/Repetition.ts"
import type { Change } from "../../operations/ResultDiff.ts"
import * as RootCause from "../../operations/RootCause.ts"
import type { View } from "../../operations/View.ts"
import type { Hook, Plugin, Step } from "../../operations/ViewStep.ts"
import * as Escape from "../../record/Escape.ts"
import * as Summary from "../../record/Summary.ts"
import * as LineWrap from "./LineWrap.ts"
import * as LocalTime from "./LocalTime.ts"
import * as ShortIds from "./ShortIds.ts"
import type { Style } from "./Style.ts"

/** What to draw. */
export interface Options {
  /** Whether to draw all input and output of each plugin too. */
  readonly full?: boolean
}

/**
 * Limits on what is drawn of one step: changes of the result and of the state, hooks, lines of difference, inner runs,
 * and characters of one value.
 */
const few = { changes: 20, state: 40, hooks: 50, lines: 24, nested: 20, characters: 1000 }
const many = { changes: 1000, state: 1000, hooks: 1000, lines: 2000, nested: 1000, characters: 65_536 }

/** The column at which times end. */
const timeColumn = 72

/** How much of a document is drawn. */
const documentLimit = { lines: 2000, characters: 65_536 }

/** Above this size, in characters, a document is not broken into lines. */
const largestReadable = 1_048_576

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
  const marks = { ...signs, same: { sign: " ", colour: dim } }
  const plain = (text: string) => text
  const shown = (text: string) => full ? text : ShortIds.of(text)

  const bounded = (text: string): string =>
    text.length <= limit.characters ? text : `${text.slice(0, limit.characters)}…`
  const wrapped = (text: string, width: number): ReadonlyArray<string> =>
    LineWrap.lines(Escape.inLine(bounded(text).replaceAll("\t", "    ")), Math.max(1, width))

  /** Draws what stands under a step, to the right of this gutter. */
  const makeUnder = (gutter: string) => {
    const line = (text: string, colour = plain): ReadonlyArray<string> =>
      wrapped(text, style.width - gutter.length).map((part) => `${dim(gutter)}${colour(part)}`)
    const more = (list: ReadonlyArray<unknown>, most: number, word: string): ReadonlyArray<string> =>
      list.length > most ? line(`… ${plural(list.length - most, word)} more`, dim) : []

    const output = ({ charactersAfter, lines, linesBefore }: Excerpt.Excerpt): ReadonlyArray<string> => [
      ...(linesBefore > 0 ? line(`  … ${plural(linesBefore, "line")} more`, dim) : []),
      ...lines.flatMap((text) => line(`  ${text}`, dim)),
      ...(charactersAfter > 0 ? line(`  … ${plural(charactersAfter, "character")} more`, dim) : [])
    ]
    const titled = (title: string, excerpt: Excerpt.Excerpt): ReadonlyArray<string> =>
      excerpt.lines.length === 0 ? [] : [...line(title, dim), ...output(excerpt)]

    const document = (title: string, json: string | undefined): ReadonlyArray<string> => {
      if (json === undefined) return []
      const readable = json.length > largestReadable ? JsonText.onOneLine(json) : JsonText.indented(json)
      return titled(title, Excerpt.first(readable, documentLimit))
    }
    const variable = (name: string, value: string | undefined): ReadonlyArray<string> =>
      value === undefined ? [] : line(`${name}=${value}`, dim)
    const request = ({ args, config, path }: Step): ReadonlyArray<string> =>
      full ? [...variable("CNI_ARGS", args), ...variable("CNI_PATH", path), ...document("stdin", config)] : []

    const changes = (list: ReadonlyArray<Change>, most = limit.changes): ReadonlyArray<string> => [
      ...list.slice(0, most).flatMap(({ kind, what }) =>
        line(`${signs[kind].sign} ${shown(what)}`, signs[kind].colour)
      ),
      ...more(list, most, "change")
    ]
    const state = ({ nested, notes, stateChanges }: Step): ReadonlyArray<string> => {
      if (stateChanges === undefined) return []
      const others = stateChanges.filter(({ whose }) => whose === "others")
      const own = stateChanges.filter(({ whose }) => whose !== "others")
      const none = nested.some(({ stateChanges = [] }) => stateChanges.length > 0)
        ? "changed nothing itself"
        : "changed nothing"
      return [
        ...(own.length === 0 ? line(none, dim) : changes(own, limit.state)),
        ...(others.length === 0
          ? []
          : line(`+ ${plural(others.length, "change")} that others made at the same time${full ? ":" : ""}`, dim)),
        ...(full ? changes(others, limit.state) : []),
        ...notes.slice(0, limit.changes).flatMap((note) => line(note, dim))
      ]
    }

    const difference = (lines: ReadonlyArray<Line>): ReadonlyArray<string> => [
      ...(lines.length === 0 ? line("  as before", dim) : []),
      ...lines.slice(0, limit.lines).flatMap(({ kind, what }) =>
        kind === "leftOut" ? line(`  … ${what}`, dim) : line(`  ${marks[kind].sign} ${what}`, marks[kind].colour)
      ),
      ...more(lines, limit.lines, "line")
    ]
    const hook = ({ command, durationMs, failure, stderr, stdout, ...rest }: Hook): ReadonlyArray<string> => [
      ...line(
        `$ ${command}${failure === undefined ? "" : `  (${failure})`}  ${milliseconds(durationMs)}`,
        failure === undefined ? dim : red
      ),
      ...(full || rest.difference === undefined || stdout.lines.length === 0
        ? output(stdout)
        : difference(rest.difference)),
      ...output(stderr)
    ]
    const hooks = (list: ReadonlyArray<Hook>): ReadonlyArray<string> => [
      ...list.slice(0, limit.hooks).flatMap(hook),
      ...more(list, limit.hooks, "hook")
    ]

    const folded = ({ lines, linesBefore }: Excerpt.Excerpt): ReadonlyArray<string> =>
      line(`stderr: ${plural(linesBefore + lines.length, "line")}, --full shows them`, dim)
    const plugin = ({ stderr, stdout, truncated }: Plugin, isCalm = false): ReadonlyArray<string> => [
      ...(isCalm && !full && stderr.lines.length > 1 ? folded(stderr) : titled("stderr:", stderr)),
      ...titled("stdout:", stdout),
      ...(truncated ? line("more output was not logged", dim) : [])
    ]

    /** Why a step failed, without the words that already stand at the runs inside it. */
    const failure = (step: Step): ReadonlyArray<string> => {
      if (step.state === "unfinished") return line("no result was logged: it was killed, or is still running", red)
      if (step.state !== "failed") return []
      const words = Repetition.removed(step)
      const paragraphs = words.failure.flatMap((text) => text.trimEnd().split("\n"))
      const ending = words.plugin?.ending
      const isTold = ending === undefined ||
        (!full &&
          step.failure.some((text) =>
            text.includes(ending) || text.includes(ending.replace("exit status", "exited with status"))
          ))
      return [
        ...paragraphs.flatMap((text) => line(shown(text), red)),
        ...(isTold || (!full && words.failure.length === 0) ? [] : line(ending, red)),
        ...(words.plugin === undefined ? [] : plugin(words.plugin))
      ]
    }
    /** The output of a plugin that did not fail. */
    const remarks = (step: Step): ReadonlyArray<string> =>
      step.state === "failed" || step.plugin === undefined
        ? []
        : [...(full ? line(step.plugin.ending, dim) : []), ...plugin(step.plugin, RootCause.way([step]).length === 0)]

    return { line, more, changes, document, failure, hooks, remarks, request, state }
  }
  // Nearly all steps share a few gutters, so drawers are reused.
  const drawers = new Map<string, ReturnType<typeof makeUnder>>()
  const under = (gutter: string) => {
    const known = drawers.get(gutter) ?? makeUnder(gutter)
    drawers.set(gutter, known)
    return known
  }

  const signOf = ({ kind, state }: Step): string => {
    if (state === "unseen") return dim("·")
    if (state !== "done") return red("✗")
    return kind === "tap" ? dim("·") : green("✓")
  }

  /** The line of a step: its sign, its name and its time, with `├─` or `└─` before it. */
  const title = (step: Step, outer: string, gutter: string, branch: string): ReadonlyArray<string> => {
    const isCalm = step.state === "unseen" || (step.kind === "tap" && step.state === "done")
    const colour = isCalm ? dim : bold
    const text = step.state === "stopped"
      ? `${step.title} ${RootCause.stopped(step)}`
      : step.state === "unseen"
      ? `${step.title}  no tap after it`
      : RootCause.nameOf(step)
    const start = gutter.length + 1
    const [name = "", ...rest] = wrapped(text, style.width - start)
    const duration = step.durationMs === undefined ? "" : milliseconds(step.durationMs)
    const gap = Math.max(2, Math.min(style.width, timeColumn) - start - LineWrap.columns(name) - duration.length)
    const isBeside = rest.length === 0 && start + LineWrap.columns(name) + gap + duration.length <= style.width
    return [
      `${dim(`${outer}${branch}`)} ${signOf(step)} ${colour(name)}${
        isBeside && duration !== "" ? `${" ".repeat(gap)}${dim(duration)}` : ""
      }`,
      ...rest.map((line) => `${dim(gutter)} ${colour(line)}`),
      ...(isBeside || duration === "" ? [] : under(gutter).line(duration, dim))
    ]
  }

  /** A step and the runs inside it, to the right of the outer gutter. */
  const tree = (step: Step, outer: string, isLast: boolean): ReadonlyArray<string> => {
    if (step.isQuiet && !full) return []
    const gutter = `${outer}${isLast ? "    " : "│   "}`
    const { changes, document, failure, hooks, line, more, remarks, request, state } = under(gutter)
    const inner = step.nested.slice(0, limit.nested)
    const isCut = inner.length < step.nested.length
    return [
      ...under(`${outer}│   `).changes(step.changesBefore),
      ...title(step, outer, gutter, isLast ? "└─" : "├─"),
      ...(step.parent === undefined ? [] : line("started by a run that is not in the log", dim)),
      ...(step.state === "stopped" && step.command === "ADD"
        ? line("no tap saw an ADD, and this DEL came without the result of one", dim)
        : []),
      ...failure(step),
      ...request(step),
      ...inner.flatMap((one, index) => tree(one, gutter, !isCut && index === inner.length - 1)),
      ...more(step.nested, limit.nested, "run"),
      ...changes(step.changes),
      ...state(step),
      ...hooks(step.hooks),
      ...(full ? document("stdout", step.result) : []),
      ...remarks(step)
    ]
  }

  /** `ADD eth0 of shop/web (5c01f03d8d6d) on pods` */
  const whoOf = ({ command, containerId, ifname, network, pod }: View): string => {
    const container = containerId && shown(containerId)
    const owner = pod === undefined ? container : `${pod}${container ? ` (${container})` : ""}`
    return Summary.operation({ command, ifname, containerId: owner, network })
  }

  /** An operation without anything to report, on one line. */
  const folded = (view: View): ReadonlyArray<string> => {
    const total = view.durationMs === undefined ? "" : `  ${view.durationMs} ms`
    return wrapped(`✓ ${whoOf(view)}${total}`, style.width).map(dim)
  }

  /** Operations that were repeated and went well, on one line. */
  const poll = (first: View, how: string): ReadonlyArray<string> =>
    wrapped(`${whoOf(first)} ✓ ${how}`, style.width).map(dim)

  /** The first lines of an operation: who, what failed, when and where. */
  const head = (view: View): ReadonlyArray<string> => {
    const { failure, netns, time } = view
    const when = `${LocalTime.ofRecord(time, style.minutesEast)}  ${shown(netns ?? "")}`.trimEnd()
    return [
      ...wrapped(whoOf(view), style.width).map(bold),
      ...(failure === undefined ? [] : wrapped(`✗ ${shown(failure)}`, style.width).map(red)),
      ...wrapped(when, style.width).map(dim),
      dim("│")
    ]
  }

  /** A step of the chain, with what changed before it. */
  const step = (shown: Step): ReadonlyArray<string> => tree(shown, "", false)

  /** The end of an operation. */
  const foot = ({ durationMs, leftovers, lookingMs }: View): ReadonlyArray<string> => {
    const ours = lookingMs === undefined ? "" : `; our looks at what changed took ${milliseconds(lookingMs)}`
    const total = durationMs === undefined ? "" : `${durationMs} ms in total${ours}`
    const { line, more } = under("│ ")
    return [
      ...leftovers.slice(0, limit.changes).flatMap((what) => line(`leftover: ${shown(what)}`, red)),
      ...more(leftovers, limit.changes, "leftover"),
      ...wrapped(total, style.width - 3).map((line, index) =>
        `${index === 0 ? dim("└─") : "  "} ${dim(line)}`.trimEnd()
      )
    ]
  }

  return {
    folded,
    poll,
    head,
    step,
    foot,
    all: (view: View) => [...head(view), ...view.steps.flatMap(step), ...foot(view)]
  }
}

/** Renders an operation as lines. */
export const render = (view: View, style: Style, options?: Options): ReadonlyArray<string> =>
  make(style, options).all(view)
