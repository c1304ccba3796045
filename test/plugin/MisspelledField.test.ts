/** Names that look like one of ours. */
import { assert, describe, it } from "@effect/vitest"
import * as MisspelledField from "../../src/plugin/MisspelledField.ts"
import * as Settings from "../../src/plugin/Settings.ts"

const similar = (name: string): string => MisspelledField.similar(name, Settings.names).join()

describe("a name that looks like one of ours", () => {
  const cases: { readonly [name: string]: string } = {
    logfile: "logFile",
    log_file: "logFile",
    "Hook-ADD": "hookADD",
    onLogFailur: "onLogFailure",
    lgoFile: "logFile",
    labels: "label",
    redcat: "redact"
  }
  for (const [name, ours] of Object.entries(cases)) {
    it(`is told which one it is like: ${name}`, () => {
      assert.strictEqual(similar(name), ours)
    })
  }

  it("may look like several", () => {
    assert.strictEqual(similar("onHookFinish"), "onHookFailure")
    assert.strictEqual(similar("logPath"), "logFile,logFormat,logSinks,logTimeout")
  })

  it("may look like several of a family, however its words are apart", () => {
    assert.strictEqual(similar("on_hook-finish"), "onHookFailure")
    assert.strictEqual(similar("Log Path"), "logFile,logFormat,logSinks,logTimeout")
  })

  it("is compared to letters, not to patterns", () => {
    assert.deepStrictEqual(MisspelledField.similar("log_(a", ["log(a"]), ["log(a"])
    assert.isTrue(new RegExp(MisspelledField.pattern(["log(a"]), "u").test("lgo(a"))
  })
})

describe("a name", () => {
  it("of ours is none that only looks like one", () => {
    for (const name of Settings.names) assert.strictEqual(similar(name), "", name)
  })

  it("of others is none", () => {
    const others = ["type", "name", "cniVersion", "prevResult", "runtimeConfig", "capabilities", "args", "ipam", "dns"]
    for (const name of [...others, "local", "on", "blog", "catalog", "lab", "rehook", "instrumentedBy", ""]) {
      assert.strictEqual(similar(name), "", name)
    }
  })

  it("with all its letters apart is none", () => {
    assert.strictEqual(similar("l-o-g-file"), "")
  })
})
