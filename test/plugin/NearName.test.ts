/** Names that look like one of ours. */
import { assert, describe, it } from "@effect/vitest"
import * as NearName from "../../src/plugin/NearName.ts"
import * as Settings from "../../src/plugin/Settings.ts"

const similar = (name: string): string => NearName.similar(name, Settings.names).join()

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
})
