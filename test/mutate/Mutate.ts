/** Chooses mutants, runs the tests that may notice them, and says which were not noticed. */
import * as Fs from "node:fs"
import { recording } from "./Active.ts"
import { type Numbered } from "./Instrument.ts"
import { type Mutant, mutantsOf } from "./Mutants.ts"
import { allTests, distances } from "./NearTests.ts"
import type { Answer, Case, Run } from "./Runner.ts"
import { Sandbox } from "./Sandbox.ts"

export interface Options {
  /** A folder or a file. */
  readonly path: string
  /** Each chooses mutants of its own. */
  readonly seeds: ReadonlyArray<number>
  /** The number of mutants for each seed. */
  readonly number: number
  readonly list: boolean
  readonly built: boolean
  /** Tests may take ten times as long with a mutant as without, and this much longer, in milliseconds. */
  readonly patience: number
  readonly print: (line: string) => void
}

/** Numbers from 0 to 1 that look random, the same ones for the same seed (mulberry32). */
const randomBy = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
}

/** This many mutants: one a line, of lines chosen at random, and a second one a line only if there are too few lines. */
const chosen = (mutants: ReadonlyArray<Mutant>, seed: number, number: number): ReadonlyArray<Mutant> => {
  const random = randomBy(seed)
  const shuffled = <Value>(values: ReadonlyArray<Value>): ReadonlyArray<Value> =>
    values.map((value) => ({ value, key: random() })).sort((left, right) => left.key - right.key)
      .map(({ value }) => value)
  const byLine = new Map<string, ReadonlyArray<Mutant>>()
  for (const mutant of mutants) {
    const line = `${mutant.file}:${mutant.line}`
    byLine.set(line, [...(byLine.get(line) ?? []), mutant])
  }
  const lines = [...byLine.values()].map(shuffled)
  const rounds = Math.max(...lines.map((line) => line.length), 0)
  const order = Array.from({ length: rounds }, (_, round) => shuffled(lines).flatMap((line) => line[round] ?? []))
  return order.flat().slice(0, number)
}

const sources = (path: string): ReadonlyArray<string> => {
  if (Fs.statSync(path).isFile()) return [path]
  return Fs.readdirSync(path, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .map((file) => `${path}/${file}`)
    .sort()
}

/** Cases that take longer than this run only with the mutants that no faster one notices, in milliseconds. */
const slow = 300

/** Cases of a test file, and the mutants that each of them reaches. */
interface Part {
  readonly test: string
  readonly cases: ReadonlyArray<Case>
  /** Cases of the file that are not in this part. */
  readonly others: ReadonlyArray<Case>
}

const sum = (cases: ReadonlyArray<Case>): number => cases.reduce((all, { duration }) => all + duration, 0)

/** The cases of a file, the fast ones apart from the slow ones. */
const partsOf = (test: string, { cases, reached }: Answer): ReadonlyArray<Part> => {
  const all = cases.map((each) => ({ ...each, reached: [...each.reached, ...reached] }))
  return [true, false].map((fast) => {
    const isIn = ({ duration }: Case): boolean => duration <= slow === fast
    return { test, cases: all.filter(isIn), others: all.filter((each) => !isIn(each)) }
  }).filter((part) => part.cases.length > 0)
}

/** The share of the mutants that tests noticed, from 0 to 1: the smallest of all seeds. */
export const mutate = async ({ built, list, number, path, patience, print, seeds }: Options): Promise<number> => {
  const files = sources(path)
  const all = files.flatMap((file) => mutantsOf(file, Fs.readFileSync(file, "utf8")))
  const choices = seeds.map((seed) => ({ seed, chosen: new Set(chosen(all, seed, number)) }))
  const mutants: ReadonlyArray<Numbered> = all
    .filter((mutant) => choices.some(({ chosen }) => chosen.has(mutant)))
    .map((mutant, number) => Object.assign(mutant, { number }))
  const name = ({ change, column, file, line }: Mutant): string => `${file}:${line}:${column}  ${change}`
  if (list) {
    for (const mutant of mutants) print(name(mutant))
    return 1
  }

  const room = path.replace(/^src\//, "").split("/")[0]!
  const tests = allTests(built ? ["test/built"] : path.startsWith("test/") ? [path] : [])
  const distanceOf = distances(tests)
  /** Whether a test is one of the room's: they are the first to run, and most often all that it takes. */
  const isOwn = (test: string): boolean => test.startsWith(`test/${room}/`) || test.startsWith(path)
  const sandbox = new Sandbox({ mutants, built })
  const reaching = new Map(mutants.map(({ number }) => [number, new Set<string>()]))
  const noticed = new Set<number>()
  const late: Array<string> = []

  const distance = (test: string, file: string): number => distanceOf.get(test)?.get(file) ?? Infinity

  const isNoticed = (answer: Answer | undefined): boolean => answer === undefined || answer.failure !== undefined

  /** Runs those cases of a file that reach these mutants. */
  const runPart = async ({ cases, others, test }: Part, numbers: ReadonlyArray<number>): Promise<void> => {
    const limit = patience + 10 * sum(cases)
    const ids = (left: ReadonlyArray<Case>): ReadonlyArray<string> => left.map(({ id }) => id)
    const slowest = Math.max(...cases.map(({ duration }) => duration))
    const run = (mutant: Run["mutant"], isLeftOut: (one: Case) => boolean): Run => ({
      mutant,
      test,
      limit: patience / 2 + 10 * slowest,
      without: ids([...others, ...cases.filter(isLeftOut)])
    })
    const runs = numbers.map((mutant) => run(mutant, ({ reached }) => !reached.includes(mutant)))
    const answers = await sandbox.run(runs, limit)
    // Where a case fails at the end without a mutant, its failures come from what an earlier one left in the process.
    const failed = new Set(answers.flatMap((answer) => answer?.failed ?? []))
    const [last] = failed.size === 0 ? [] : await sandbox.run([run(-1, ({ id }) => !failed.has(id))], limit)
    for (const [index, mutant] of numbers.entries()) {
      const answer = answers[index]
      const certain = isNoticed(answer) && last?.failure !== undefined
        ? (await sandbox.run([runs[index]!], limit))[0]
        : answer
      if (isNoticed(certain)) noticed.add(mutant)
      if (certain === undefined || certain.isLate) late.push(`${name(mutants[mutant]!)}\n    ${test} took too long`)
    }
  }

  /** Learns which mutants the cases of these tests reach, and runs them, the fast ones first. */
  const runTests = async (tests: ReadonlyArray<string>): Promise<void> => {
    const record = (test: string): Run => ({ mutant: recording, test, limit: 600_000, without: [] })
    const recorded = await sandbox.run(tests.map(record), 600_000)
    const parts: Array<Part> = []
    for (const [index, test] of tests.entries()) {
      const first = recorded[index]
      const alone = isNoticed(first) ? (await sandbox.run([record(test)], 600_000))[0] : first
      if (alone === undefined || alone.failure !== undefined) {
        print(`${test} is left out, because it fails here without any mutant: ${alone?.failure ?? "it took too long"}`)
      } else parts.push(...partsOf(test, alone))
    }
    for (const part of parts.toSorted((left, right) => sum(left.cases) - sum(right.cases))) {
      const reached = new Set(part.cases.flatMap(({ reached }) => reached))
      for (const number of reached) reaching.get(number)!.add(part.test)
      const open = [...reached].filter((number) => !noticed.has(number))
      if (open.length > 0) await runPart(part, open)
    }
  }

  try {
    await runTests(tests.filter(isOwn))
    const left = mutants.filter(({ number }) => !noticed.has(number))
    const isNear = (test: string): boolean =>
      test.startsWith("test/built/") || left.some(({ file }) => distance(test, file) === 1)
    if (left.length > 0) await runTests(tests.filter((test) => !isOwn(test) && isNear(test)))
  } finally {
    await sandbox.end()
  }

  for (const mutant of mutants.filter(({ number }) => !noticed.has(number))) {
    print(name(mutant))
    print(`    ${[...reaching.get(mutant.number)!].join(" ") || "no test reaches it"}`)
  }
  late.forEach(print)
  const shares = choices.map(({ chosen, seed }) => {
    const numbers = mutants.filter((mutant) => chosen.has(mutant)).map(({ number }) => number)
    const count = numbers.filter((number) => noticed.has(number)).length
    const share = numbers.length === 0 ? 1 : count / numbers.length
    print(`${path}, seed ${seed}: ${count} of ${numbers.length} noticed (${(share * 100).toFixed(0)} %)`)
    return share
  })
  if (late.length > 0) print(`${late.length} of them because the tests took too long`)
  return Math.min(...shares)
}
