/** What this process was started with. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { envReaderLive } from "../../../src/plugin/live/EnvReaderLive.ts"

describe("this process", () => {
  it("has the variables and arguments that it was started with", () => {
    const before = process.argv
    process.env["CNI_COMMAND"] = "CHECK"
    process.argv = ["node", "passthrough", "--help"]
    try {
      assert.strictEqual(Effect.runSync(envReaderLive.read).command, "CHECK")
      assert.deepStrictEqual(Effect.runSync(envReaderLive.arguments), ["--help"])
    } finally {
      process.argv = before
      delete process.env["CNI_COMMAND"]
    }
  })

  it("is in one network namespace", () => {
    const isOwn = (path: string) => Effect.runSync(envReaderLive.isOwnNamespace(path))
    assert.deepStrictEqual(
      ["/proc/self/ns/net", `/proc/${process.pid}/ns/net`, "/proc/self/ns/mnt", "/no/such/namespace", ""].map(isOwn),
      [true, true, false, false, false]
    )
  })
})
