/**
 * Whole processes in turn, and what they cost beside their budgets. What counts are the ratios within one run; times
 * differ from machine to machine.
 *
 *   npm run bench                      all cases
 *   npm run bench -- --only start      one case; may be repeated
 *   npm run bench -- --against DIR     only this build against another one, whose `dist` is DIR: is this one slower?
 *   npm run bench -- --json            for machines
 */
import * as Os from "node:os"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import { against } from "./against.ts"
import { doctor } from "./attachments.ts"
import * as Crowds from "./crowds.ts"
import { disk } from "./disk.ts"
import * as Logs from "./logs.ts"
import { noise, type Row } from "./measure.ts"
import * as Starts from "./starts.ts"
import * as Table from "./table.ts"

const cases: { readonly [name: string]: () => ReadonlyArray<Row> } = {
  start: Starts.start,
  shim: Starts.shim,
  hook: Starts.hook,
  stdin: Starts.stdin,
  memory: Starts.memory,
  together: Crowds.together,
  crowd: Crowds.crowd,
  help: Starts.help,
  show: Logs.show,
  report: Logs.report,
  doctor,
  disk
}

const { values: options } = parseArgs({
  options: {
    against: { type: "string" },
    json: { type: "boolean" },
    only: { type: "string", multiple: true, default: Object.keys(cases) }
  }
})

const unknown = options.only.filter((name) => cases[name] === undefined)
if (unknown.length > 0) {
  throw new Error(`found the case ${unknown.join(", ")}, expected some of ${Object.keys(cases).join(", ")}`)
}

const { against: other } = options
const chosen = other === undefined
  ? options.only.map((name) => [name, cases[name] ?? (() => [])] as const)
  : [["against", () => against(Path.resolve(other))] as const]

const [load = 0] = Os.loadavg()
const found: Array<Row & { readonly case: string }> = []
for (const [name, measure] of chosen) {
  process.stderr.write(`measuring ${name} …\n`)
  found.push(...measure().map((row) => ({ case: name, ...row })))
}

const machine = { node: process.version, cores: Os.availableParallelism(), load, noise: noise() }
if (options.json) {
  const rows = found.map((row) => ({ ...row, verdict: Table.verdict(row) }))
  process.stdout.write(`${JSON.stringify({ machine, rows })}\n`)
} else {
  for (const line of Table.lines(found)) console.log(line)
  console.log(
    `\nNode.js ${machine.node}, ${machine.cores} cores, ${load.toFixed(1)} processes at work before this began`
  )
  console.log(
    `the median run took ${machine.noise.cpu.toFixed(2)} times the CPU time of the fastest, ` +
      `and ${machine.noise.clock.toFixed(2)} times its time by the clock`
  )
}
