/** What doctor prints for people. */
import * as Escape from "../../../record/Escape.ts"
import type { Style } from "../../../render/terminal/Style.ts"
import * as DoctorLines from "../../DoctorLines.ts"
import { type Examination, nameOf } from "./Examination.ts"

/** The checks by phase. */
const checkLines = ({ checks, report }: Examination, style: Style): ReadonlyArray<string> => [
  ...[...new Set(checks.map(({ phase }) => phase))].flatMap((phase) => {
    const ids = new Set(checks.filter((check) => check.phase === phase).map(({ id }) => id))
    return DoctorLines.checkLines(phase, report.checks.filter(({ check }) => ids.has(check)), report.findings, style)
  }),
  ...DoctorLines.legend(report, style)
]

/** The networks without problems, and what was looked at. */
const soundLines = ({ flows, networks }: Examination, style: Style, isVerbose: boolean): ReadonlyArray<string> =>
  networks.flatMap((facts, index) => {
    const all = [facts, ...facts.earlier].reduce((sum, { attachments }) => sum + attachments.length, 0)
    const looked = `${all} attachment${all === 1 ? "" : "s"} checked`
    return [
      style.green(Escape.inLine(`${nameOf(facts)}: no problems found, ${looked}`)),
      ...DoctorLines.walked(facts, flows[index] ?? [], style, isVerbose)
    ]
  })

/** The checks on a terminal, then the findings or that there are none, then the flows. */
export const lines = (examination: Examination, style: Style, isVerbose: boolean): ReadonlyArray<string> => {
  const { flows, report: { findings } } = examination
  const found = DoctorLines.all(findings, style, isVerbose)
  return [
    ...(style.isTerminal ? checkLines(examination, style) : []),
    ...(found.length > 0 && style.isTerminal ? ["", ...found] : found),
    ...(findings.length === 0 ? soundLines(examination, style, isVerbose) : []),
    ...DoctorLines.flowLines(flows.flat(), style, isVerbose)
  ]
}
