/** An operation as a timeline: what each plugin of the chain did, and how long it took. */
import * as escape from "../record/escape.ts"
import * as Summary from "../record/Summary.ts"
import type { Operation, Step } from "./Attachment.ts"
import * as Changes from "./Changes.ts"
import type { Style } from "./Style.ts"

/** Cuts a line for a narrow terminal. */
const fit = (text: string, width: number): string =>
  text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`

/** Lines of a program's output, without empty ones at the end; of many, the last ones. */
const lastLines = (text: string, limit: number): ReadonlyArray<string> => {
  const lines = escape.inLines(text).replaceAll("\t", "    ").trimEnd().split("\n")
  return lines.length <= limit ? lines : [`… ${lines.length - limit} lines more`, ...lines.slice(-limit)]
}

const milliseconds = (value: number | undefined): string =>
  value === undefined ? "" : `${Math.round(value * 10) / 10} ms`

/**
 * Renders an operation. With `isFull`, also all that went into and came out of each plugin. Values are escaped, so that
 * nothing in a log can move the cursor.
 */
export const render = (operation: Operation, style: Style, isFull = false): ReadonlyArray<string> => {
  const { bold, dim, green, red, yellow } = style
  const signs = {
    added: { sign: "+", colour: green },
    removed: { sign: "-", colour: red },
    changed: { sign: "~", colour: yellow }
  }
  const gutter = dim("│")
  const line = (mark: string, text: string, colour = (it: string) => it) =>
    `${mark}   ${colour(fit(escape.inLine(text), style.width - 4))}`

  const changeLines = (before: unknown, after: unknown): ReadonlyArray<string> =>
    Changes.between(before, after).map(({ kind, what }) =>
      line(gutter, `${signs[kind].sign} ${what}`, signs[kind].colour)
    )

  const stepLines = ({ after, before, end, hooks, request, title }: Step): ReadonlyArray<string> => {
    const failed = end?.event !== "result"
    const mark = failed ? red("✗") : green("✓")
    const duration = milliseconds(end?.durationMs)
    const name = escape.inLine(title)
    const gap = Math.max(2, Math.min(style.width, 72) - 5 - name.length - duration.length)
    const output = (text: string) =>
      text.trim() === "" ? [] : lastLines(text, 12).map((it) => line(gutter, `  ${it}`, dim))
    const everything = (name: string, value: unknown): ReadonlyArray<string> =>
      value === undefined
        ? []
        : [name, ...JSON.stringify(value, null, 2).split("\n").map((it) => `  ${it}`)].map((it) =>
          line(gutter, it, dim)
        )
    const wentIn = [
      ...Object.entries({ CNI_ARGS: request.args, CNI_PATH: request.path })
        .flatMap(([key, value]) => value === undefined ? [] : [line(gutter, `${key}=${value}`, dim)]),
      ...everything("stdin", request.config)
    ]
    const exit = end?.exitCode === undefined ? [] : [line(gutter, `exit status ${end.exitCode}`, dim)]
    return [
      `${dim("├─")} ${mark} ${bold(name)}${" ".repeat(gap)}${dim(duration)}`,
      ...(isFull ? wentIn : []),
      ...changeLines(before, after),
      ...hooks.flatMap((hook) => {
        const command = typeof hook.command === "string" ? hook.command : hook.command.join(" ")
        const isFine = hook.exitCode === 0
        return [
          line(
            gutter,
            `$ ${command}${isFine ? "" : `  (${Summary.ending(hook)})`}  ${milliseconds(hook.durationMs)}`,
            isFine ? dim : red
          ),
          ...output(hook.stdout),
          ...output(hook.stderr)
        ]
      }),
      ...(end?.error === undefined ? [] : [
        line(gutter, `code ${end.error.code}: ${end.error.msg}`, red),
        ...(end.error.details === undefined ? [] : [line(gutter, end.error.details, red)])
      ]),
      ...(end === undefined ? [line(gutter, "no result was logged: it was killed, or is still running", red)] : []),
      ...(isFull ? [...everything("stdout", end?.result), ...exit] : []),
      ...output(end?.stderr ?? "")
    ]
  }

  const { command, containerId, ifname, netns, network, time } = operation.request
  const who = [command, ifname, containerId && `of ${containerId}`, network && `on ${network}`].filter(Boolean).join(
    " "
  )
  const lines = [
    bold(fit(escape.inLine(who), style.width)),
    dim(fit(escape.inLine(`${time}  ${netns ?? ""}`.trimEnd()), style.width)),
    gutter
  ]
  let previous: Step | undefined
  for (const step of operation.steps) {
    // What the plugins between two taps did, which themselves left no records.
    if (previous !== undefined) lines.push(...changeLines(previous.after, step.before ?? previous.after))
    lines.push(...stepLines(step))
    previous = step
  }
  const start = Date.parse(time)
  const last = operation.steps.at(-1)
  const total = last?.end === undefined ? undefined : Date.parse(last.end.time) - start
  lines.push(
    `${dim("└─")} ${dim(total === undefined || Number.isNaN(total) ? "" : `${total} ms altogether`)}`.trimEnd()
  )
  return lines
}
