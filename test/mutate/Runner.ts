/** Runs in the sandbox: instruments the copy of the repository there, and runs test files with one mutant after another. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { BaseSequencer, createVitest, type TestCase, type TestModule, type TestSpecification } from "vitest/node"
import { folder, reachedNow, recording } from "./Active.ts"
import { instrumented, type Numbered } from "./Instrument.ts"

/** What to put into the copy. It is the first message. */
export interface Start {
  readonly mutants: ReadonlyArray<Numbered>
  /** Whether the executables are built from the instrumented sources. */
  readonly built: boolean
}

/** A test file to be run with one mutant, or with none to see which are reached. */
export interface Run {
  readonly test: string
  readonly mutant: number | typeof recording
  /** The cases of the file that are left out. */
  readonly without: ReadonlyArray<string>
  /** How long one case may wait, in milliseconds. */
  readonly limit: number
}

/** What one case of a test file did. */
export interface Case {
  /** Its place in the file, and its name: a mutant may change either, for some cases are made from the sources. */
  readonly id: string
  /** In milliseconds. */
  readonly duration: number
  /** The mutants that were reached, where that was recorded. */
  readonly reached: ReadonlyArray<number>
}

export interface Answer {
  /** What failed, if anything did. */
  readonly failure?: string
  /** The cases that failed. */
  readonly failed: ReadonlyArray<string>
  /** Whether all that failed is a time limit, which a busy machine reaches too. */
  readonly isLate: boolean
  readonly cases: ReadonlyArray<Case>
  /** The mutants that were reached outside the cases, which all cases may depend on. */
  readonly reached: ReadonlyArray<number>
}

/**
 * A file that runs a test file with a mutant. All of a request run in one process, which has loaded its packages once,
 * while the modules of the repository start anew. After the first failure the other cases are skipped.
 */
const wrapper = ({ limit, mutant, test, without }: Run, index: number): string => `
import * as Fs from "node:fs"
import { afterEach, beforeEach, vi } from "vitest"
const id = (task) => task.id.slice(task.id.indexOf("_")) + " " + task.name
const without = new Set(${JSON.stringify(without)})
const reached = (name) => {
  if (${mutant !== recording}) return
  Fs.renameSync("${reachedNow}", "${folder}/${index}" + name)
  Fs.mkdirSync("${reachedNow}")
  Fs.chmodSync("${reachedNow}", 0o777) // for tests that become another user
  globalThis.testOfMutants = (globalThis.testOfMutants ?? 0) + 1
}
Fs.writeFileSync("${folder}/active", "${mutant}")
vi.setConfig({ testTimeout: ${limit} })
vi.resetModules()
let failed = false
beforeEach(({ skip, task }) => {
  if (failed || without.has(id(task))) skip()
  reached("-before" + task.id.slice(task.id.indexOf("_")))
})
afterEach(({ task }) => {
  reached(task.id.slice(task.id.indexOf("_")))
  failed ||= task.result?.state === "fail"
})
await import("./${Path.basename(test)}")
`

const reachedIn = (path: string): ReadonlyArray<number> => Fs.existsSync(path) ? Fs.readdirSync(path).map(Number) : []

/** The same in each file that runs these tests. */
const placeOf = (test: { readonly id: string }): string => test.id.slice(test.id.indexOf("_"))

const prepare = async ({ built, mutants }: Start) => {
  Fs.mkdirSync(folder, { recursive: true })
  for (const file of new Set(mutants.map(({ file }) => file))) {
    const own = mutants.filter((mutant) => mutant.file === file)
    Fs.writeFileSync(file, instrumented(file, Fs.readFileSync(file, "utf8"), own))
  }
  // The build says that the plugin is too large, which it is with mutants in it.
  if (built) ChildProcess.spawnSync(process.execPath, ["esbuild.config.mjs"], { stdio: "inherit" })

  let requests = 0
  let wrappers: ReadonlyArray<string> = []
  const onTestModuleEnd = (module: TestModule): void => {
    const all = [...module.children.allTests()]
    const failed = all.filter((test) => test.result().state === "failed")
    const failures = [
      ...failed.map((test) => test.fullName),
      ...[...module.errors(), ...vitest.state.getUnhandledErrors() as Array<Error>].map(({ message }) => message),
      ...(module.children.size === 0 ? ["no test was found"] : [])
    ]
    vitest.state.clearErrors()
    const index = wrappers.indexOf(module.moduleId)
    const [failure] = failures
    const errors = failed.flatMap((test) => test.result().errors ?? [])
    const id = (test: TestCase): string => `${placeOf(test)} ${test.name}`
    const outside = Fs.readdirSync(folder).filter((name) => name.startsWith(`${index}-before`))
    const answer: Answer = {
      cases: all.map((test) => ({
        id: id(test),
        duration: test.diagnostic()?.duration ?? 0,
        reached: reachedIn(`${folder}/${index}${placeOf(test)}`)
      })),
      failed: failed.map(id),
      reached: [...new Set(outside.flatMap((name) => reachedIn(`${folder}/${name}`)))],
      isLate: errors.length > 0 && errors.every(({ message }) => / timed out in \d+ms/.test(message)),
      ...(failure === undefined ? {} : { failure })
    }
    process.send!([index, answer])
  }

  /** Test files run in the order of the request: the one without an answer is the one that hangs. */
  class Sequencer extends BaseSequencer {
    override sort(files: Array<TestSpecification>) {
      return Promise.resolve(files)
    }
  }
  const vitest = await createVitest("test", {
    config: false,
    root: process.cwd(),
    include: ["test/**/*.test.ts"],
    env: { PASSTHROUGH_FORM: "script" },
    sequence: { sequencer: Sequencer },
    isolate: false,
    maxWorkers: 1,
    pool: "forks",
    watch: false,
    reporters: [{ onTestModuleEnd, onTestModuleQueued: () => void process.send!("begin") }]
  }, { cacheDir: "/tmp/vite" })
  await vitest.standalone()
  const project = vitest.getRootProject()

  return async (runs: ReadonlyArray<Run>): Promise<void> => {
    for (const name of Fs.readdirSync(folder)) Fs.rmSync(`${folder}/${name}`, { recursive: true })
    wrappers.forEach((file) => Fs.rmSync(file))
    Fs.mkdirSync(reachedNow)
    requests += 1
    wrappers = runs.map((run, index) => {
      // Each has another name, because Vite keeps what it has read.
      const name = `${requests}-${index}-${run.mutant}-${Path.basename(run.test)}`
      const file = Path.resolve(Path.dirname(run.test), name)
      Fs.writeFileSync(file, wrapper(run, index))
      return file
    })
    await vitest.runTestSpecifications(wrappers.map((file) => project.createSpecification(file)))
    process.send!("done")
  }
}

// The tool may be killed. Exiting ends the whole sandbox, because this is the first process of its namespace.
process.once("disconnect", () => process.exit())

process.once("message", (start: Start) => {
  void prepare(start).then((run) => {
    process.on("message", (runs: ReadonlyArray<Run>) => void run(runs))
    process.send!("done")
  })
})
