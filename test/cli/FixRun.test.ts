/** `doctor --fix`: which fixes are run, in which order, and when it stops. Commands are recorded here, and not run. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Attempt } from "../../src/cli/commands/doctor/Attempt.ts"
import * as FixRun from "../../src/cli/commands/doctor/FixRun.ts"
import * as DoctorLines from "../../src/cli/DoctorLines.ts"
import type { Report } from "../../src/doctor/Check.ts"
import type { Finding } from "../../src/doctor/Finding.ts"
import * as Fix from "../../src/doctor/Fix.ts"
import { HostTools } from "../../src/exec/HostTools.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"

/** A finding of a check whose fix is the command `mend CHECK`. */
const finding = (check: string, fields: Partial<Finding> = {}): Finding => ({
  level: "error",
  check,
  message: `${check} is wrong`,
  evidence: [],
  fix: Fix.run(`mend ${check}`, ["mend", check]),
  ...fields
})

const cutting = (check: string): Finding =>
  finding(check, { fix: { ...Fix.run("attach it anew", ["mend", check]), cuts: "connections of web" } })

const reportOf = (findings: ReadonlyArray<Finding>, checks: Report["checks"] = []) => ({ report: { findings, checks } })

interface Given {
  /** The findings at each look. */
  readonly looks: ReadonlyArray<ReadonlyArray<Finding>>
  /** How the checks end after the first look. */
  readonly checksAfter?: Report["checks"]
  readonly cuts?: ReadonlyArray<string>
  readonly isGranted?: boolean
  /** The exit status of all commands. */
  readonly exitCode?: number
}

/** What is run, how it ends, and what is printed. */
const outcomeOf = Effect.fnUntraced(function*(
  { checksAfter, cuts = [], exitCode = 0, isGranted = true, looks }: Given
) {
  const commands: Array<string> = []
  const lines: Array<string> = []
  const left = looks.slice(1)
  const [first = []] = looks
  const runner = ProcessRunner.of({
    run: ({ argv }) =>
      Effect.sync(() => {
        commands.push(argv.join(" "))
        return {
          argv,
          stdin: "",
          stdout: Buffer.alloc(0),
          stderr: Buffer.from("it is\nbusy\n"),
          truncated: false,
          exitCode,
          signal: null,
          timedOut: false,
          durationMs: 1
        }
      })
  })
  const { attempts, examined } = yield* FixRun.all(
    reportOf(first),
    Effect.sync(() => reportOf(left.shift() ?? [], checksAfter)),
    { isGranted, cuts },
    (line) => Effect.sync(() => void lines.push(line))
  ).pipe(
    Effect.provideService(ProcessRunner, runner),
    Effect.provideService(HostTools, { find: (name) => `/sbin/${name}`, env: {} }),
    Effect.provide(NodeServices.layer)
  )
  return {
    commands,
    outcomes: attempts.map(({ finding, outcome }: Attempt) => `${finding.check} ${outcome}`),
    reasons: attempts.map(({ reason }) => reason),
    left: examined.report.findings.map(({ check }) => check),
    text: lines.join("\n")
  }
})

describe("the fixes of doctor", () => {
  it.effect("are run one after another, with a look after each, until nothing is left", () =>
    Effect.gen(function*() {
      const [a, b] = [finding("a"), finding("b", { level: "warning" })]
      const { commands, left, outcomes } = yield* outcomeOf({ looks: [[a, b], [b], []] })
      assert.deepStrictEqual(commands, ["/sbin/mend a", "/sbin/mend b"])
      assert.deepStrictEqual([outcomes, left], [["a fixed", "b fixed"], []])
    }))

  it.effect("are not run for a finding that another fix has taken away", () =>
    Effect.gen(function*() {
      const { commands } = yield* outcomeOf({ looks: [[finding("a"), finding("b")], []] })
      assert.deepStrictEqual(commands, ["/sbin/mend a"])
    }))

  it.effect("run all of their commands in order", () =>
    Effect.gen(function*() {
      const both = finding("a", { fix: Fix.run("mend it", ["mend", "1"], ["mend", "2"]) })
      const { commands } = yield* outcomeOf({ looks: [[both], []] })
      assert.deepStrictEqual(commands, ["/sbin/mend 1", "/sbin/mend 2"])
    }))

  it.effect("start this executable where they name it, and not another one on PATH", () =>
    Effect.gen(function*() {
      const own = finding("a", { fix: Fix.run("remove it", ["cni-passthrough", "leaks", "--fix"]) })
      const { commands } = yield* outcomeOf({ looks: [[own], []] })
      assert.deepStrictEqual(commands, [`${process.execPath} ${process.argv[1]} leaks --fix`])
    }))

  it.effect("pass over notes, and what a person has to edit", () =>
    Effect.gen(function*() {
      const edit = finding("edit", { fix: Fix.byHand("edit the file") })
      const note = finding("note", { level: "note" })
      const { commands, outcomes } = yield* outcomeOf({ looks: [[edit, finding("a"), note], [edit, note]] })
      assert.deepStrictEqual([commands, outcomes], [["/sbin/mend a"], ["a fixed"]])
    }))

  it.effect("stop where the finding is still there, even if it says something else", () =>
    Effect.gen(function*() {
      const still = finding("a", { message: "a is wrong still" })
      const { commands, outcomes, reasons } = yield* outcomeOf({ looks: [[finding("a"), finding("b")], [still]] })
      assert.deepStrictEqual([commands, outcomes], [["/sbin/mend a"], ["a no-help"]])
      assert.deepStrictEqual(reasons, ["the commands ran, and the finding is still there"])
    }))

  it.effect("stop where there are more errors than before", () =>
    Effect.gen(function*() {
      const after = [finding("b"), finding("c")]
      const { commands, outcomes, reasons } = yield* outcomeOf({ looks: [[finding("a")], after] })
      assert.deepStrictEqual([commands, outcomes], [["/sbin/mend a"], ["a no-help"]])
      assert.deepStrictEqual(reasons, ["there is 1 more error than before"])
    }))

  it.effect("stop where a finding is back, because fixes undo each other", () =>
    Effect.gen(function*() {
      const [a, b] = [finding("a"), finding("b")]
      const { commands, outcomes, reasons } = yield* outcomeOf({ looks: [[a], [b], [a], [b], []] })
      assert.deepStrictEqual(commands, ["/sbin/mend a", "/sbin/mend b"])
      assert.deepStrictEqual(outcomes, ["a fixed", "b fixed", "a no-help"])
      assert.strictEqual(reasons.at(-1), "a is back after its fix")
    }))

  it.effect("stop where the same commands are the fix for another network", () =>
    Effect.gen(function*() {
      const [shared, one] = [finding("a"), finding("a", { network: "pods" })]
      const { outcomes } = yield* outcomeOf({ looks: [[shared], [one]] })
      assert.deepStrictEqual(outcomes, ["a no-help"])
    }))

  it.effect("are not called fixed where the check could not look again", () =>
    Effect.gen(function*() {
      const blind = { check: "a", status: "skipped", reason: "no rules can be read", leavesOpen: [] } as const
      const { outcomes, reasons } = yield* outcomeOf({ looks: [[finding("a")], []], checksAfter: [blind] })
      assert.deepStrictEqual(outcomes, ["a no-help"])
      assert.deepStrictEqual(reasons, [
        "the commands ran, but it is not known whether they helped: no rules can be read"
      ])
    }))

  it.effect("go on where an error has become a warning", () =>
    Effect.gen(function*() {
      const { outcomes } = yield* outcomeOf({ looks: [[finding("a")], [finding("b", { level: "warning" })], []] })
      assert.deepStrictEqual(outcomes, ["a fixed", "b fixed"])
    }))

  it.effect("stop at the first command that fails, with its last words", () =>
    Effect.gen(function*() {
      const both = finding("a", { fix: Fix.run("mend it", ["mend", "1"], ["mend", "2"]) })
      const { commands, left, outcomes, reasons } = yield* outcomeOf({ looks: [[both], [both]], exitCode: 2 })
      assert.deepStrictEqual([commands, outcomes, left], [["/sbin/mend 1"], ["a failed"], ["a"]])
      assert.deepStrictEqual(reasons, ["mend 1: busy"])
    }))

  it.effect("are not run where they cut traffic that nobody allowed to be cut", () =>
    Effect.gen(function*() {
      const { commands, outcomes, reasons } = yield* outcomeOf({ looks: [[cutting("a")]], cuts: ["b"] })
      assert.deepStrictEqual([commands, outcomes], [[], ["a not-run"]])
      assert.deepStrictEqual(reasons, ["it cuts connections of web: --yes --cut a allows it"])
    }))

  it.effect("are run where they cut traffic that was allowed to be cut", () =>
    Effect.gen(function*() {
      const { outcomes } = yield* outcomeOf({ looks: [[cutting("a")], []], cuts: ["a"] })
      assert.deepStrictEqual(outcomes, ["a fixed"])
    }))

  it.effect("are not run without a terminal to ask on", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(outcomeOf({ looks: [[finding("a")]], isGranted: false }))
      assert.match(error.message, /cannot ask for confirmation, .*: give --yes/)
    }))

  it.effect("are shown with the commands and with what they cut, and then how they ended", () =>
    Effect.gen(function*() {
      const { text } = yield* outcomeOf({ looks: [[cutting("a")], []], cuts: ["a"] })
      assert.strictEqual(
        text,
        "\n✗ a is wrong\n  fix: attach it anew\n    mend a\n  this cuts connections of web\n  ✓ fixed"
      )
    }))

  it("are told to scripts", () => {
    const attempts = [{ finding: finding("a"), outcome: "failed", reason: "busy" }] as const
    assert.deepStrictEqual(JSON.parse(DoctorLines.json({ findings: [], checks: [] }, [], attempts)).fixes, [
      { check: "a", message: "a is wrong", commands: [["mend", "a"]], outcome: "failed", reason: "busy" }
    ])
  })
})
