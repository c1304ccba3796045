/** What this process was started with. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { envReaderLive } from "../../../src/plugin/live/EnvReaderLive.ts"
import { replaced } from "../../support/builtins.ts"

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

  it("is in no namespace that is told by another device or another file, nor in one that cannot be looked at", () => {
    const places: { readonly [path: string]: object } = {
      "/proc/self/ns/net": { dev: 1, ino: 23 },
      "/same": { dev: 1, ino: 23 },
      "/other": { dev: 12, ino: 3 }
    }
    const isOwn = (path: string) => Effect.runSync(envReaderLive.isOwnNamespace(path))
    const stat = (known: typeof places) =>
      replaced("statSync", () => (path: string) => {
        if (known[path] === undefined) throw new Error("it cannot be looked at")
        return known[path]
      })
    {
      using _ = stat(places)
      assert.deepStrictEqual(["/same", "/other", "/none"].map(isOwn), [true, false, false])
    }
    using _none = stat({})
    assert.isFalse(isOwn("/none"))
  })
})
