/** Findings as people see them. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Errors from "../../src/cli/Errors.ts"
import * as Findings from "../../src/cli/Findings.ts"
import type { Finding, Level } from "../../src/doctor/Finding.ts"
import * as Style from "../../src/report/Style.ts"

const style = Style.make({ isTerminal: true, width: 80, minutesEast: () => 0 }, false)

const finding = (level: Level, check = "mtu"): Finding => ({ level, check, message: "it is", evidence: [], fix: "do" })

describe("a finding", () => {
  it("begins with a mark of its level", () => {
    const heads = (["error", "warning", "note"] as const).map((level) => Findings.lines(finding(level), style)[0])
    assert.deepStrictEqual(heads, ["✗ it is", "! it is", "– it is"])
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
