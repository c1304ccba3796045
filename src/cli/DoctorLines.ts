/** Findings as text for people and as JSON for scripts. */
import type { Outcome, Phase, Report } from "../doctor/Check.ts"
import type { Facts } from "../doctor/Facts.ts"
import type { Attachment } from "../doctor/facts/Attachment.ts"
import type { Finding } from "../doctor/Finding.ts"
import * as Fix from "../doctor/Fix.ts"
import type { Flow } from "../doctor/flow/Flow.ts"
import * as Unknown from "../doctor/flow/Unknown.ts"
import * as Names from "../doctor/Names.ts"
import * as Escape from "../record/Escape.ts"
import type * as Page from "../render/html/PageData.ts"
import * as LineWrap from "../render/terminal/LineWrap.ts"
import type { Style } from "../render/terminal/Style.ts"
import type { Attempt } from "./commands/doctor/Attempt.ts"

/** The most lines of evidence that a finding shows by default, and the most characters of each. */
const shown = { lines: 10, characters: 500 }

/** The most lines that all findings together show by default. */
const mostLines = 50

/** A text cut to one line, without control characters for the terminal. */
export const bounded = (text: string): string =>
  Escape.inLine(text.length > shown.characters ? `${text.slice(0, shown.characters)}…` : text)

const placeOf = ({ column, file, line }: Finding): string =>
  file === undefined ? "" : line === undefined ? file : `${file}:${line}:${column}`

const levelMarks = { error: "✗", warning: "!", note: "–" } as const

const headOf = ({ level, message }: Finding, { bold, dim, red, width, yellow }: Style): ReadonlyArray<string> => {
  const colour = level === "error" ? red : level === "warning" ? yellow : dim
  return LineWrap.lines(`${levelMarks[level]} ${bounded(message)}`, width).map((line) => bold(colour(line)))
}

/** The commands of a fix, each whole and on its own line, ready to copy, and what they cut. */
const commandLines = ({ fix }: Finding, { width, yellow }: Style): ReadonlyArray<string> => [
  ...fix.commands.map((command) => `    ${Escape.inLine(Fix.line(command))}`),
  ...(fix.cuts === undefined ? [] : LineWrap.lines(`  this cuts ${bounded(fix.cuts)}`, width).map(yellow))
]

/** The lines of a finding: the problem, the plugin to blame and the check, the evidence, the fix. */
export const lines = (finding: Finding, style: Style, isVerbose = false): ReadonlyArray<string> => {
  const { check, evidence, fix, plugin } = finding
  const { dim, width } = style
  const place = placeOf(finding)
  const shownLines = isVerbose ? evidence.length : shown.lines
  const indented = (text: string, paint: (text: string) => string = (text) => text) =>
    LineWrap.lines(`  ${text}`, width).map(paint)
  return [
    ...headOf(finding, style),
    ...indented(`${plugin === undefined ? "host" : `plugin ${bounded(plugin)}`} (check ${check})`, dim),
    ...(place === "" ? [] : indented(`at ${bounded(place)}`, dim)),
    ...evidence.slice(0, shownLines).flatMap((line) => indented(`│ ${bounded(line)}`, dim)),
    ...(evidence.length > shownLines ? indented(`│ and ${evidence.length - shownLines} lines more`, dim) : []),
    ...indented(`fix: ${bounded(fix.text)}`),
    ...commandLines(finding, style)
  ]
}

/** The lines of a fix that is about to be run: the problem, what helps and the commands. */
export const fixLines = (finding: Finding, style: Style): ReadonlyArray<string> => [
  ...headOf(finding, style),
  // It says what the commands alone leave undone, such as a setting that is lost with a reboot.
  ...LineWrap.lines(`  fix: ${bounded(finding.fix.text)}`, style.width),
  ...commandLines(finding, style)
]

/**
 * The lines of findings, separated by empty lines. If there are too many, only the most severe, and a count of the
 * rest.
 */
export const all = (findings: ReadonlyArray<Finding>, style: Style, isVerbose: boolean): ReadonlyArray<string> => {
  const texts = findings.map((finding) => lines(finding, style, isVerbose))
  const ends = texts.map((_, index) => texts.slice(0, index + 1).reduce((sum, { length }) => sum + length + 1, -1))
  const fitting = isVerbose ? texts.length : Math.max(1, ends.filter((end) => end <= mostLines).length)
  const more = texts.length - fitting
  return [
    ...texts.slice(0, fitting).flatMap((text, index) => index === 0 ? text : ["", ...text]),
    ...(more <= 0 ? [] : ["", style.dim(`and ${more} finding${more === 1 ? "" : "s"} more: --verbose prints all`)])
  ]
}

/** The most attachments to list by default with what was inspected. */
const mostWalked = 8

/** Groups flows by the attachment that promises them. */
const byAttachment = (flows: ReadonlyArray<Flow>): ReadonlyArray<readonly [Attachment, ReadonlyArray<Flow>]> => {
  const groups = new Map<Attachment, Array<Flow>>()
  for (const flow of flows) groups.set(flow.attachment, [...groups.get(flow.attachment) ?? [], flow])
  return [...groups]
}

/** What was inspected without findings, and what inspection cannot show. */
export const walked = (
  facts: Facts,
  flows: ReadonlyArray<Flow>,
  { dim, width }: Style,
  isVerbose: boolean
): ReadonlyArray<string> => {
  const all = byAttachment(flows.filter(({ kind, status }) => status !== "dropped" && kind !== "world-large"))
  const fitting = isVerbose ? [] : all.slice(0, mostWalked)
  const more = isVerbose ? 0 : all.length - fitting.length
  const wordsOf = (own: ReadonlyArray<Flow>) => own.map(({ words }) => words).join("; ")
  const texts = [
    ...fitting.flatMap(([attachment, own]) => {
      const title = Names.attachment(attachment)
      const sent = own.filter(({ kind, status, verified }) => status === "arrives" && verified && kind !== "gateway")
      const sure = own.filter((each) => each.status === "arrives" && !sent.includes(each))
      const open = own.filter(({ status }) => status === "unknown")
      return [
        ...(sent.length === 0 ? [] : [`${title}: sent packets over ${wordsOf(sent)}`]),
        ...(sure.length === 0 ? [] : [`${title}: looked at ${wordsOf(sure)}`]),
        ...[...new Set(open.map(({ reason }) => reason))].map((reason) =>
          `${title}: not known: ${wordsOf(open.filter((each) => each.reason === reason))}: ${reason}`
        )
      ]
    }),
    ...(more === 0 ? [] : [`and ${more} more: --verbose lists all`]),
    ...(all.length === 0 ? [] : [`not known without sending packets: ${Unknown.of(facts).join("; ")}`])
  ]
  return texts.flatMap((text) => LineWrap.lines(`  ${bounded(text)}`, width)).map(dim)
}

const flowMarks = { arrives: "✓", dropped: "✗", unknown: "?" } as const

/** The most attachments whose flows are listed by default, and the most flows of each. */
const mostFlows = { attachments: 2, flows: 12 }

/** The column at which the second part of a line about a flow begins. */
const flowColumn = 46

/** The fewest columns that the second part of a line gets beside the first one. */
const leastBeside = 30

/** Two parts of a line beside each other; below each other where the screen is too narrow for that. */
const columns = (left: string, right: string, width: number): ReadonlyArray<string> => {
  if (right === "") return LineWrap.lines(left, width)
  const start = `${left.padEnd(flowColumn - 2)}  `
  const room = width - flowColumn
  if (start.length > flowColumn || room < leastBeside) return LineWrap.lines(`${start}${right}`, width)
  return LineWrap.lines(right, room)
    .map((line, index) => index === 0 ? `${start}${line}` : `${"".padEnd(flowColumn)}${line.trimStart()}`)
}

/**
 * The flows of attachments, one a line. By default, those of attachments that lose some of them, with the lost ones
 * first if there are too many.
 */
export const flowLines = (
  flows: ReadonlyArray<Flow>,
  { bold, dim, green, red, width, yellow }: Style,
  isVerbose: boolean
): ReadonlyArray<string> => {
  const isLost = ({ status }: Flow) => status === "dropped"
  const isTried = (own: ReadonlyArray<Flow>) => own.some(({ kind, verified }) => verified && kind !== "gateway")
  const colours = { arrives: green, dropped: red, unknown: yellow }
  const lossy = byAttachment(flows).filter(([, own]) => isVerbose || own.some(isLost))
  // A trial was asked for, so its flows come first, however many containers lose flows too.
  const groups = [...lossy.filter(([, own]) => isTried(own)), ...lossy.filter(([, own]) => !isTried(own))]
  const fitting = isVerbose ? groups : groups.slice(0, mostFlows.attachments)
  const lines = fitting.flatMap(([attachment, own]) => {
    const isLong = !isVerbose && own.length > mostFlows.flows
    const shownFlows = isLong
      ? [...own.filter(isLost), ...own.filter((each) => !isLost(each))].slice(0, mostFlows.flows)
      : own
    const addresses = [...new Set(own.flatMap(({ from }) => /[.:]/.test(from) && from !== "127.0.0.1" ? from : []))]
    const wasSent = isTried(own)
    const title = [`${Names.attachment(attachment)} on ${attachment.network}`, ...addresses].join(", ")
    return [
      "",
      ...LineWrap.lines(bounded(title), width).map(bold),
      ...shownFlows.flatMap(({ check, reason, status, verified, words }) => {
        const why = check === undefined ? reason.replace(`${words}: `, "") : `check ${check}`
        // Where packets were sent over some flows, the others are only predicted.
        const how = wasSent ? (verified ? "sent" : "predicted") : ""
        const end = [how, why].filter((part) => part !== "").join(": ")
        return columns(`  ${flowMarks[status]} ${bounded(words)}`, bounded(end), width)
          .map((line) => line.replace(/^ {2}[✓✗?]/, (mark) => colours[status](mark)))
      }),
      ...(isLong ? [dim(`  and ${own.length - shownFlows.length} more: --verbose lists all`)] : [])
    ]
  })
  const more = groups.length - fitting.length
  return more === 0
    ? lines
    : [...lines, "", dim(`and ${more} attachment${more === 1 ? "" : "s"} more with lost flows: --verbose lists all`)]
}

const marks = { ok: "✓", failed: levelMarks.error, warning: levelMarks.warning, skipped: "–" } as const

/** The column where the checks of a phase begin. */
const column = 15

/** The meaning of each mark that is used, except the one for success. */
export const legend = ({ checks, findings }: Report, { dim, width }: Style): ReadonlyArray<string> => {
  const failed = checks.filter(({ status }) => status === "failed")
  const isError = ({ check }: Outcome) => findings.some((each) => each.check === check && each.level === "error")
  const words = [
    ...(failed.some(isError) ? [`${marks.failed} error`] : []),
    ...(failed.every(isError) ? [] : [`${marks.warning} warning or note`]),
    ...(checks.some(({ status }) => status === "skipped")
      ? [`${marks.skipped} nothing to check here, or not possible`]
      : [])
  ]
  return words.length === 0 ? [] : LineWrap.lines(`${"".padEnd(column)}${words.join("   ")}`, width).map(dim)
}

/** The checks of one phase beside its name, on several lines if they are longer than the screen. */
export const checkLines = (
  phase: Phase,
  outcomes: ReadonlyArray<Outcome>,
  findings: ReadonlyArray<Finding>,
  { dim, green, red, width, yellow }: Style
): ReadonlyArray<string> => {
  const colours = { ok: green, failed: red, warning: yellow, skipped: dim }
  const isError = (id: string) => findings.some(({ check, level }) => check === id && level === "error")
  const names = outcomes.map(({ check, status }) =>
    `${marks[status === "failed" && !isError(check) ? "warning" : status]}\u00a0${check}`
  ).join(" ")
  const coloured = (word: string): string => {
    const status = (["ok", "failed", "warning", "skipped"] as const).find((each) => word.startsWith(marks[each]))
    return (status === undefined ? word : colours[status](word)).replace("\u00a0", " ")
  }
  return LineWrap.lines(names, Math.max(10, width - column)).map((line, index) =>
    `${(index === 0 ? phase : "").padEnd(column)}${line.trim().split(" ").map(coloured).join(" ")}`
  )
}

/** A finding as a report shows it. */
export const onPage = (finding: Finding): Page.Finding => {
  const { fix, network: _network, stops: _stops, ...shared } = finding
  return { ...shared, fix: { ...fix, commands: fix.commands.map(Fix.line) } }
}

/** A fix that was to be run, for scripts. */
const fixInJson = ({ finding: { check, fix, message, network }, outcome, reason }: Attempt) => ({
  check,
  network,
  message,
  commands: fix.commands,
  outcome,
  reason
})

/**
 * A report as one JSON document, with the flows of attachments if there was a host to look at, and the fixes if they
 * were to be run.
 */
export const json = (
  { checks, findings }: Report,
  flows?: ReadonlyArray<Flow>,
  attempts?: ReadonlyArray<Attempt>
): string =>
  Escape.inJson(JSON.stringify(
    {
      findings: findings.map(({ check, column, evidence, file, fix, level, line, message, network, plugin }) => ({
        level,
        check,
        network,
        plugin,
        message,
        evidence,
        fix,
        file,
        line,
        column
      })),
      flows: flows?.map(({ attachment, family, from, path, port, protocol, reason, size, status, to, verified }) => ({
        attachment: {
          network: attachment.network,
          containerId: attachment.containerId,
          ifname: attachment.ifname
        },
        from,
        to,
        family,
        protocol,
        port: port ?? null,
        size,
        status,
        verified,
        reason,
        path
      })),
      checks: checks.map(({ check, reason, status }) => ({ check, status, reason })),
      fixes: attempts?.map(fixInJson)
    },
    undefined,
    2
  ))

/** Whether a report has a finding of this level. */
export const has = ({ findings }: Report, level: Finding["level"]): boolean =>
  findings.some((finding) => finding.level === level)
