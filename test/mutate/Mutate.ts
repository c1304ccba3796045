/** Chooses mutants, runs the tests that may notice them, and says which were not noticed. */
import * as Fs from "node:fs"
import { recording } from "./Active.ts"
import { type Numbered } from "./Instrument.ts"
import { type Mutant, mutantsOf } from "./Mutants.ts"
import { allTests, distances } from "./NearTests.ts"
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
  const durations = new Map<string, number>()
  const noticed = new Set<number>()
  let timeouts = 0

  /** Learns which mutants these tests reach. */
  const explore = async (tests: ReadonlyArray<string>): Promise<void> => {
    for (const test of tests) {
      const start = performance.now()
      const answer = await sandbox.run({ mutant: recording, test }, 600_000)
      durations.set(test, performance.now() - start)
      if (answer?.failure !== undefined || answer === undefined) {
        print(`${test} is left out, because it fails here without any mutant: ${answer?.failure ?? "it took too long"}`)
      } else for (const number of answer.reached) reaching.get(number)!.push(test)
    }
  }

  const distance = (test: string, file: string): number => distanceOf.get(test)?.get(file) ?? Infinity

  /** Runs the tests that reach each mutant that none has noticed yet. */
  const tryAll = async (tests: ReadonlyArray<string>): Promise<void> => {
    for (const mutant of mutants.filter(({ number }) => !noticed.has(number))) {
      const near = reaching.get(mutant.number)!.filter((test) => tests.includes(test)).sort((left, right) =>
        distance(left, mutant.file) - distance(right, mutant.file) || durations.get(left)! - durations.get(right)!
      )
      for (const test of near) {
        const answer = await sandbox.run({ mutant: mutant.number, test }, patience + 10 * durations.get(test)!)
        if (answer !== undefined && answer.failure === undefined) continue
        noticed.add(mutant.number)
        if (answer === undefined) timeouts++
        break
      }
    }
  }

  try {
    const own = tests.filter(isOwn)
    await explore(own)
    await tryAll(own)
    const left = mutants.filter(({ number }) => !noticed.has(number))
    const others = tests.filter((test) =>
      !isOwn(test) && (test.startsWith("test/built/") || left.some(({ file }) => distance(test, file) === 1))
    )
    await explore(others)
    await tryAll(others)
  } finally {
    await sandbox.end()
  }

  for (const mutant of mutants.filter(({ number }) => !noticed.has(number))) {
    print(name(mutant))
    print(`    ${reaching.get(mutant.number)!.join(" ") || "no test reaches it"}`)
  }
  const share = mutants.length === 0 ? 1 : noticed.size / mutants.length
  const slow = timeouts === 0 ? "" : `, ${timeouts} of them because the tests took too long`
  print(`${path}, seed ${seed}: ${noticed.size} of ${mutants.length} noticed (${(share * 100).toFixed(0)} %)${slow}`)
  return share
}
