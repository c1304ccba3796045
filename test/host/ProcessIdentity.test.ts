/** What tells a process from all others. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as ProcessIdentity from "../../src/host/ProcessIdentity.ts"
import { denied } from "../support/files.ts"

describe("a process", () => {
  it.effect("has the start time that the kernel gives it, whatever its name is", () =>
    Effect.gen(function*() {
      const others = Array.from({ length: 30 }, (_, index) => index + 4)
      const stat = (name: string) =>
        FileSystem.layerNoop({ readFileString: () => Effect.succeed(`7 (${name}) S ${others.join(" ")}\n`) })
      for (const name of ["sh", "a) b (c)", ""]) {
        assert.strictEqual(yield* Effect.provide(ProcessIdentity.startOf(7), stat(name)), "22") // field 22, see proc(5)
      }
    }))

  it.effect("has neither start time nor namespace where /proc does not show them", () =>
    Effect.gen(function*() {
      const hidden = FileSystem.layerNoop({
        readFileString: (path) => Effect.fail(denied(path)),
        readLink: (path) => Effect.fail(denied(path))
      })
      const self = yield* Effect.provide(ProcessIdentity.self, hidden)
      assert.deepStrictEqual(self, { pid: process.pid, start: undefined, namespace: "0" })
    }))
})
