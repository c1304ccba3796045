/** Runs whole processes in turn, and tells how long they took and what they needed. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { engines } from "../support/engines.ts"
import { folder } from "./folder.ts"
import type { Samples, Spec, Start } from "./starts.bun.ts"

export type { Start } from "./starts.bun.ts"

/** The fastest of several runs, in milliseconds. Other work on the machine only ever makes a run slower. */
export interface Fastest {
  readonly cpu: number
  readonly clock: number
}

/** What is measured, or why it cannot be. */
export type Result<A> = A | { readonly reason: string }

export const isMissing = <A extends object>(result: Result<A>): result is { readonly reason: string } =>
  "reason" in result

/** One line of the table. */
export interface Row {
  readonly what: string
  readonly unit: "×" | "ms" | "s" | "MiB" | "MB" | "processes" | "records"
  /** By the time of processors where it is about time. */
  readonly value?: number
  /** The same by the clock. */
  readonly clock?: number
  readonly budget?: number | undefined
  /** Why there is no value. */
  readonly reason?: string
}

const program = Path.join(import.meta.dirname, "starts.bun.ts")

/** The command that measures what a file says, and prints the samples. */
export const command = (file: string): readonly [string, ...ReadonlyArray<string>] => [engines.Bun, program, file]

const quantile = (values: ReadonlyArray<number>, q: number): number =>
  values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) * q)] ?? Number.NaN

/** How much longer than the fastest run the median run took, of everything so far: by CPU time and by the clock. */
const slowness = { cpu: [] as Array<number>, clock: [] as Array<number> }

export const noise = () => ({ cpu: quantile(slowness.cpu, 0.5), clock: quantile(slowness.clock, 0.5) })

/** The fastest runs in the samples that {@link command} printed. */
export const fastestIn = (printed: string): { readonly [name: string]: Fastest } =>
  Object.fromEntries(
    Object.entries(JSON.parse(printed) as { readonly [name: string]: Samples }).map(([name, { clock, cpu }]) => {
      const fastest = { cpu: Math.min(...cpu), clock: Math.min(...clock) }
      slowness.cpu.push(quantile(cpu, 0.5) / fastest.cpu)
      slowness.clock.push(quantile(clock, 0.5) / fastest.clock)
      return [name, fastest]
    })
  )

/** The runs of a case by name. */
export interface Starts {
  readonly [name: string]: Result<Start>
}

export interface Results {
  readonly [name: string]: Result<Fastest>
}

/** Runs all in turn, `rounds` times after as many that warm up, so that other work slows all of them alike. */
export const inTurn = (rounds: number, starts: Starts, warmups = 2): Results => {
  const file = Path.join(folder, "spec.json")
  const there = Object.entries(starts).filter((entry): entry is [string, Start] => !isMissing(entry[1]))
  Fs.writeFileSync(file, JSON.stringify({ rounds, warmups, starts: Object.fromEntries(there) } satisfies Spec))
  const [bun, ...args] = command(file)
  const printed = ChildProcess.execFileSync(bun, args, { encoding: "utf8", maxBuffer: 2 ** 26 })
  return { ...starts as { readonly [name: string]: { readonly reason: string } }, ...fastestIn(printed) }
}

/** A line of the table about what `of` makes of the times of these runs. */
export const row = (
  results: Results,
  { budget, of, runs, unit, what }: Pick<Row, "what" | "unit" | "budget"> & {
    readonly runs: ReadonlyArray<string>
    readonly of: (...times: ReadonlyArray<number>) => number
  }
): Row => {
  const times: Array<Fastest> = []
  for (const name of runs) {
    const result = results[name] ?? { reason: `there is no run ${name}` }
    if (isMissing(result)) return { what, unit, budget, reason: result.reason }
    times.push(result)
  }
  return {
    what,
    unit,
    budget,
    value: of(...times.map(({ cpu }) => cpu)),
    clock: of(...times.map(({ clock }) => clock))
  }
}

/** One run as a multiple of another one. */
export const ratio = (results: Results, what: string, [top, bottom]: readonly [string, string], budget?: number): Row =>
  row(results, { what, unit: "×", budget, runs: [top, bottom], of: (top = 0, bottom = 0) => top / bottom })

/** The most memory that a run has at a time, in MiB. */
export const peak = (start: Result<Start>): Result<{ readonly mib: number }> => {
  if (isMissing(start)) return start
  const stdin = Fs.openSync(start.stdin ?? "/dev/null", "r")
  const { error, stderr } = ChildProcess.spawnSync("/usr/bin/time", ["-f", "%M", ...start.argv], {
    env: start.env,
    stdio: [stdin, "ignore", "pipe"],
    encoding: "utf8"
  })
  Fs.closeSync(stdin)
  if (error !== undefined) return { reason: "needs GNU time (package time)" }
  return { mib: Number(stderr.trim().split("\n").at(-1)) / 1024 }
}
