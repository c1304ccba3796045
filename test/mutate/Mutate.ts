/** Chooses mutants, runs the tests that may notice them, and says which were not noticed. */
import * as Fs from "node:fs"
import { recording } from "./Active.ts"
import { type Numbered } from "./Instrument.ts"
import { type Mutant, mutantsOf } from "./Mutants.ts"
import { allTests, distances } from "./NearTests.ts"
import type { Answer } from "./Runner.ts"
import { Sandbox } from "./Sandbox.ts"

export interface Options {
  /** A folder or a file. */
  readonly path: string
  readonly seed: number
  readonly number: number
  readonly list: boolean
  readonly built: boolean
  /** A test file may take ten times as long with a mutant as without, and this much longer, in milliseconds. */
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

/** The share of the mutants that tests noticed, from 0 to 1. */
export const mutate = async ({ built, list, number, path, patience, print, seed }: Options): Promise<number> => {
  const files = sources(path)
  const all = files.flatMap((file) => mutantsOf(file, Fs.readFileSync(file, "utf8")))
  const mutants: ReadonlyArray<Numbered> = chosen(all, seed, number).map((mutant, number) => ({ ...mutant, number }))
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
  const reaching = new Map(mutants.map(({ number }) => [number, [] as Array<string>]))
  const noticed = new Set<number>()
  const late: Array<string> = []

  const distance = (test: string, file: string): number => distanceOf.get(test)?.get(file) ?? Infinity

  const isNoticed = (answer: Answer | undefined): boolean => answer === undefined || answer.failure !== undefined

  /** Runs a test with each of these mutants. */
  const runTest = async (test: string, numbers: ReadonlyArray<number>, duration: number): Promise<void> => {
    const limit = patience + 10 * duration
    const runs = numbers.map((mutant) => ({ mutant, test }))
    const [last, ...answers] = (await sandbox.run([...runs, { mutant: recording, test }], limit)).toReversed()
    for (const [index, answer] of answers.toReversed().entries()) {
      const run = runs[index]!
      // Where the test fails at the end without a mutant, failures come from what an earlier one left in the process.
      const certain = isNoticed(last) && isNoticed(answer) ? (await sandbox.run([run], limit))[0] : answer
      if (isNoticed(certain)) noticed.add(run.mutant)
      if (certain === undefined || certain.isLate) late.push(`${name(mutants[run.mutant]!)}\n    ${test} took too long`)
    }
  }

  /**
   * Learns which mutants these tests reach, and runs each test with those that none has noticed before. The fast ones run
   * first, so that slow ones run only with what is left.
   */
  const runTests = async (tests: ReadonlyArray<string>): Promise<void> => {
    const recorded = await sandbox.run(tests.map((test) => ({ mutant: recording, test })), 600_000)
    const inOrder = tests
      .map((test, index) => ({ test, shared: recorded[index] }))
      .toSorted((left, right) => (left.shared?.duration ?? Infinity) - (right.shared?.duration ?? Infinity))
    for (const { shared, test } of inOrder) {
      const alone = isNoticed(shared) ? (await sandbox.run([{ mutant: recording, test }], 600_000))[0] : shared
      if (alone === undefined || alone.failure !== undefined) {
        print(`${test} is left out, because it fails here without any mutant: ${alone?.failure ?? "it took too long"}`)
        continue
      }
      for (const number of alone.reached) reaching.get(number)!.push(test)
      const open = alone.reached.filter((number) => !noticed.has(number))
      if (open.length > 0) await runTest(test, open, alone.duration)
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
    print(`    ${reaching.get(mutant.number)!.join(" ") || "no test reaches it"}`)
  }
  late.forEach(print)
  const share = mutants.length === 0 ? 1 : noticed.size / mutants.length
  const slow = late.length === 0 ? "" : `, ${late.length} of them because the tests took too long`
  print(`${path}, seed ${seed}: ${noticed.size} of ${mutants.length} noticed (${(share * 100).toFixed(0)} %)${slow}`)
  return share
}
