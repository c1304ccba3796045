/** Many plugins at once. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Executables from "./executables.ts"
import { inTurn, isMissing, ratio, type Result, type Row, type Start } from "./measure.ts"
import * as Requests from "./requests.ts"

const all = 200

/** The environment of a start as assignments of a shell. */
const assignments = ({ env }: Start): string =>
  Object.entries(env).map(([name, value]) => `${name}='${value}'`).join(" ")

/** Starts this many at once, in a shell that waits for all of them. */
const atOnce = (start: Result<Start>, count: number): Result<Start> =>
  isMissing(start) ? start : Requests.shell(
    `i=0; while [ $i -lt ${count} ]; do
       ${assignments(start)} ${start.argv.join(" ")} <${start.stdin} >/dev/null & i=$((i+1))
     done; wait`
  )

/** 200 processes at once, which log to one file. */
export const together = (): ReadonlyArray<Row> => {
  const rows: Array<Row> = []
  const rounds = 3
  for (const [form, plugin] of Object.entries(Executables.plugins())) {
    const one = Requests.call(plugin, Requests.json())
    Fs.rmSync(Requests.log, { force: true })
    const crowd = inTurn(rounds, { crowd: atOnce(one, all) }, 0)["crowd"]
    const lines = Fs.readFileSync(Requests.log, "utf8").trimEnd().split("\n")
    const whole = lines.filter((line) => {
      try {
        return JSON.parse(line).invocation !== undefined
      } catch {
        return false
      }
    }).length
    const single = inTurn(20, { one })["one"]
    const lost = { what: `${form}, records of ${all} at once that are lost or mixed`, budget: 0 } as const
    rows.push({ ...lost, unit: "records", value: rounds * all * 2 - whole })
    if (crowd === undefined || single === undefined || isMissing(crowd) || isMissing(single)) continue
    const [clock, cpu] = [crowd.clock / (all * single.clock / Os.availableParallelism()), crowd.cpu / all / single.cpu]
    // Beside other work only the second one says something about us.
    rows.push(
      { what: `${form}, ${all} at once / ${all} single runs on all cores`, unit: "×", value: clock, budget: 1.1 },
      { what: `${form}, the same by CPU time`, unit: "×", value: cpu }
    )
  }
  return rows
}

/** The calls of 100 pods at once, each of which calls the plugin six times. */
const pods = (start: Result<Start>): Result<Start> =>
  isMissing(start) ? start : Requests.shell(
    `i=0; while [ $i -lt 100 ]; do
       (for verb in ADD ADD ADD DEL DEL DEL; do
         ${assignments(start)} CNI_CONTAINERID=pod-$i CNI_COMMAND=$verb ${
      start.argv.join(" ")
    } <${start.stdin} >/dev/null
       done) & i=$((i+1))
     done; wait`
  )

/** A node where 100 pods start and end. */
export const crowd = (): ReadonlyArray<Row> => {
  const call = (plugin: Result<Executables.Executable>) => pods(Requests.call(plugin, Requests.text()))
  const results = inTurn(2, {
    bare: call(Executables.goPlugin()),
    standalone: call(Executables.wrapped().standalone),
    script: call(Executables.wrapped().script),
    tee: call(Executables.teed())
  }, 0)
  return [
    ratio(results, "100 pods × 6 calls, wrapped by the standalone / bare", ["standalone", "bare"]),
    ratio(results, "100 pods × 6 calls, wrapped by the script / bare", ["script", "bare"]),
    ratio(results, "100 pods × 6 calls, tee in sh around it / bare", ["tee", "bare"])
  ]
}
