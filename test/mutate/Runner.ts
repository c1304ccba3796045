/** Runs in the sandbox: instruments the copy of the repository there, and runs one test file after another. */
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { createVitest } from "vitest/node"
import { folder, type recording } from "./Active.ts"
import { instrumented, type Numbered } from "./Instrument.ts"

/** What to put into the copy. It is the first message. */
export interface Start {
  readonly mutants: ReadonlyArray<Numbered>
  /** Whether the executables are built from the instrumented sources. */
  readonly built: boolean
}

/** A test file to be run with one mutant, or with none to see which are reached. */
export interface Request {
  readonly mutant: number | typeof recording
  readonly test: string
}

export interface Answer {
  /** What failed, if anything did. */
  readonly failure?: string
  /** The mutants that were reached, where that was recorded. */
  readonly reached: ReadonlyArray<number>
}

const silent = { onInit: () => {} }

const prepare = async ({ built, mutants }: Start) => {
  Fs.mkdirSync(folder, { recursive: true })
  for (const file of new Set(mutants.map(({ file }) => file))) {
    const own = mutants.filter((mutant) => mutant.file === file)
    Fs.writeFileSync(file, instrumented(file, Fs.readFileSync(file, "utf8"), own))
  }
  // The build says that the plugin is too large, which it is with mutants in it.
  if (built) ChildProcess.spawnSync(process.execPath, ["esbuild.config.mjs"], { stdio: "inherit" })
  const vitest = await createVitest("test", {
    config: false,
    root: process.cwd(),
    include: ["test/**/*.test.ts"],
    env: { PASSTHROUGH_FORM: "script" },
    testTimeout: 60_000,
    bail: 1,
    maxWorkers: 1,
    pool: "forks",
    watch: false,
    reporters: [silent]
  }, { cacheDir: "/tmp/vite" })
  await vitest.standalone()
  const project = vitest.getRootProject()

  return async ({ mutant, test }: Request): Promise<Answer> => {
    Fs.writeFileSync(`${folder}/active`, String(mutant))
    Fs.writeFileSync(`${folder}/reached`, "")
    // Otherwise the failures of earlier runs would be among the results of this one.
    vitest.state.filesMap.clear()
    vitest.state.idMap.clear()
    const specification = project.createSpecification(`${process.cwd()}/${test}`)
    const { testModules, unhandledErrors } = await vitest.runTestSpecifications([specification])
    const reached = [...new Set(Fs.readFileSync(`${folder}/reached`, "utf8").split("\n").filter(Boolean).map(Number))]
    const failures = testModules.flatMap((module) => [
      ...[...module.children.allTests("failed")].map((test) => test.fullName),
      ...module.errors().map(({ message }) => message)
    ])
    failures.push(...unhandledErrors.map((error) => String((error as Error).message ?? error)))
    const none = testModules.every((module) => module.children.size === 0) ? "no test was found" : undefined
    const failure = failures[0] ?? none
    return { reached, ...(failure === undefined ? {} : { failure }) }
  }
}

process.once("message", (start: Start) => {
  void prepare(start).then((run) => {
    process.on("message", (request: Request) => void run(request).then((answer) => process.send!(answer)))
    process.send!("ready")
  })
})
