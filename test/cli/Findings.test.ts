/** Findings as people see them. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Errors from "../../src/cli/Errors.ts"
import * as Findings from "../../src/cli/Findings.ts"
import type { Finding, Level } from "../../src/doctor/Finding.ts"
import * as Style from "../../src/report/Style.ts"

const style = Style.make({ isTerminal: true, width: 80, minutesEast: () => 0 }, false)

const fix = { text: "do", commands: [] }
const finding = (level: Level, check = "mtu"): Finding => ({ level, check, message: "it is", evidence: [], fix })

describe("a finding", () => {
  it("begins with a mark of its level", () => {
    const heads = (["error", "warning", "note"] as const).map((level) => Findings.lines(finding(level), style)[0])
    assert.deepStrictEqual(heads, ["✗ it is", "! it is", "– it is"])
  })
})

describe("the fix of a finding", () => {
  const commands = [["ip", "link", "set", "it's", "up"], ["sysctl", "-w", `a=${"x".repeat(100)}`]]
  const linesOf = (fix: Finding["fix"]) => Findings.lines({ ...finding("error"), fix }, style).slice(2)

  it("is a sentence, and commands that stand whole on lines of their own", () => {
    assert.deepStrictEqual(linesOf({ text: "set it up", commands }), [
      "  fix: set it up",
      "    ip link set 'it'\\''s' up",
      `    sysctl -w a=${"x".repeat(100)}`
    ])
  })

  it("says what it cuts", () => {
    const cuts = "open connections of eth0 of web"
    assert.strictEqual(linesOf({ text: "attach it anew", commands, cuts }).at(-1), `  this cuts ${cuts}`)
  })

  it("is the same in JSON, as lists of words", () => {
    const { findings } = JSON.parse(
      Findings.json({ findings: [{ ...finding("note"), fix: { text: "x", commands } }], checks: [] })
    )
    assert.deepStrictEqual(findings[0].fix, { text: "x", commands })
  })

  it("has its commands as lines on the page of a report", () => {
    const { fix } = Findings.onPage({ ...finding("note"), fix: { text: "x", commands, cuts: "y" } })
    assert.deepStrictEqual(fix, {
      text: "x",
      commands: ["ip link set 'it'\\''s' up", `sysctl -w a=${"x".repeat(100)}`],
      cuts: "y"
    })
  })
})

describe("all findings", () => {
  const many = Array.from({ length: 40 }, (_, index) => finding("error", `c${index}`))
  const checksIn = (lines: ReadonlyArray<string>) => lines.flatMap((line) => /found by (c\d+)/.exec(line)?.[1] ?? [])

  it("have an empty line between them", () => {
    const lines = Findings.all(many.slice(0, 2), style, false)
    assert.strictEqual(lines.map((line) => line === "" ? "-" : "x").join(""), "xxx-xxx")
    assert.deepStrictEqual(Findings.all([], style, false), [])
  })

  it("are the first ones on a screen, and how many there are besides", () => {
    const lines = Findings.all(many, style, false)
    assert.isAtMost(lines.length, 60)
    const shown = checksIn(lines)
    assert.deepStrictEqual(shown, many.slice(0, shown.length).map(({ check }) => check))
    assert.strictEqual(lines.at(-1), `and ${40 - shown.length} findings more: --verbose prints all`)
    assert.strictEqual(
      Findings.all(many.slice(0, shown.length + 1), style, false).at(-1),
      "and 1 finding more: --verbose prints all"
    )
  })

  it("are all of them where that is asked for, with all that proves them", () => {
    assert.lengthOf(checksIn(Findings.all(many, style, true)), 40)
    const proved = { ...finding("error"), evidence: Array.from({ length: 30 }, (_, index) => `line ${index}`) }
    const proofs = (isVerbose: boolean) => Findings.all([proved], style, isVerbose).filter((line) => line.includes("│"))
    assert.lengthOf(proofs(true), 30)
    assert.deepStrictEqual(proofs(false).slice(-2), ["  │ line 9", "  │ and 20 lines more"])
  })

  it("are never none, however long the first one is", () => {
    const long = { ...finding("error"), message: "word ".repeat(2000) }
    assert.include(Findings.all([long, finding("note")], style, false).join("\n"), "found by mtu")
  })
})

describe("the checks of a phase", () => {
  it("have a mark each: of what was found the gravest", () => {
    const outcomes = (["ok", "failed", "failed", "skipped"] as const).map((status, index) => ({
      check: `c${index}`,
      status,
      reason: ""
    }))
    const findings = [finding("warning", "c1"), finding("warning", "c2"), finding("error", "c2")]
    assert.deepStrictEqual(Findings.checkLines("host", outcomes, findings, style), [
      "host           ✓ c0 ! c1 ✗ c2 – c3"
    ])
    assert.deepStrictEqual(Findings.checkLines("host", outcomes, findings, { ...style, width: 30 }), [
      "host           ✓ c0 ! c1 ✗ c2",
      "               – c3"
    ])
  })
})

describe("the legend of checks", () => {
  const outcome = (check: string, status: "ok" | "failed" | "skipped") => ({ check, status, reason: "" })
  const legend = (checks: ReadonlyArray<ReturnType<typeof outcome>>, ...findings: ReadonlyArray<Finding>) =>
    Findings.legend({ checks, findings }, style).map((line) => line.trim())

  it("has the marks that are there, but for the one that all is well", () => {
    assert.deepStrictEqual(legend([outcome("a", "ok")]), [])
    assert.deepStrictEqual(legend([outcome("a", "ok"), outcome("b", "skipped")]), [
      "– nothing to check here, or not possible"
    ])
    assert.deepStrictEqual(legend([outcome("a", "failed"), outcome("b", "failed")], finding("error", "a")), [
      "✗ error   ! warning or note"
    ])
    assert.deepStrictEqual(legend([outcome("a", "failed")], finding("error", "a")), ["✗ error"])
  })
})

describe("a defect of ours", () => {
  it.live("is told on stderr, as scripts read stdout", () =>
    Effect.gen(function*() {
      using stdout = vi.spyOn(console, "log").mockImplementation(() => {})
      using stderr = vi.spyOn(console, "error").mockImplementation(() => {})
      yield* Effect.die(new Error("a defect")).pipe(
        Errors.reported,
        Effect.provideService(References.LogToStderr, true),
        Effect.exit
      )
      assert.deepStrictEqual(stdout.mock.calls, [])
      assert.include(stderr.mock.calls.flat().join(" "), "a defect")
    }))
})
