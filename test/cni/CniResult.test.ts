import { assert, describe, it } from "@effect/vitest"
import * as CniResult from "../../src/cni/CniResult.ts"
import * as Verb from "../../src/cni/Verb.ts"

describe("an answer", () => {
  it("to an ADD without a result before it has the version alone", () => {
    assert.strictEqual(CniResult.empty("0.4.0"), `{"cniVersion":"0.4.0"}`)
  })

  it("to VERSION has the version of the request where it is one of ours, and else the newest", () => {
    const supportedVersions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]
    for (const [asked, cniVersion] of [["0.3.0", "0.3.0"], ["9.0.0", "1.1.0"], ["", "1.1.0"]] as const) {
      assert.deepStrictEqual(JSON.parse(CniResult.versions(asked)), { cniVersion, supportedVersions })
    }
  })
})

describe("an operation", () => {
  it("has the version that it came with", () => {
    assert.deepStrictEqual(Object.entries(Verb.verbs).map(([verb, { since }]) => `${verb} ${since}`), [
      "ADD 0.1.0",
      "DEL 0.1.0",
      "CHECK 0.4.0",
      "GC 1.1.0",
      "STATUS 1.1.0",
      "VERSION 0.1.0"
    ])
  })

  it("that cleans up goes on whatever happens to the log", () => {
    const verbs = Object.entries(Verb.verbs).filter(([, { bestEffort }]) => bestEffort)
    assert.deepStrictEqual(verbs.map(([verb]) => verb), ["DEL", "GC"])
  })
})
