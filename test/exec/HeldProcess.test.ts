/** Tools that run as long as a scope. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as HeldProcess from "../../src/exec/HeldProcess.ts"

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const shell = (script: string) => HeldProcess.start({ argv: ["/bin/sh", "-c", script] })

describe("a held process", () => {
  it.live("reads and writes line by line", () =>
    Effect.gen(function*() {
      const { output, write } = yield* shell("while read -r line; do echo \"got $line\"; echo no >&2; done; echo end")
      yield* write("one\n")
      const both = [yield* Queue.take(output), yield* Queue.take(output)]
      assert.sameDeepMembers(both, [{ _tag: "Line", line: "got one" }, { _tag: "Complaint", line: "no" }])
    }).pipe(Effect.scoped))

  it.live("ends with the scope, and all that it started", () =>
    Effect.gen(function*() {
      const pids = yield* Effect.gen(function*() {
        const { output } = yield* shell("sleep 600 & echo $!; echo $$; wait")
        const lines = [yield* Queue.take(output), yield* Queue.take(output)]
        return lines.map((each) => each._tag === "Line" ? Number(each.line) : 0)
      }).pipe(Effect.scoped)
      for (const pid of pids) assert.isAbove(pid, 0)
      // Its parent is gone, and the system may take a moment to collect it.
      yield* Effect.repeat(Effect.sleep(20), { until: () => !pids.some(isAlive), times: 500 })
      assert.deepStrictEqual(pids.filter(isAlive), [])
    }))

  it.live("that ignores the request to end is killed", () =>
    Effect.gen(function*() {
      const pid = yield* Effect.gen(function*() {
        const { output } = yield* shell("trap '' TERM; echo $$; while true; do sleep 600; done")
        const first = yield* Queue.take(output)
        return first._tag === "Line" ? Number(first.line) : 0
      }).pipe(Effect.scoped)
      assert.isFalse(isAlive(pid))
    }))

  it.live("reports its end", () =>
    Effect.gen(function*() {
      const { output } = yield* shell("exit 3")
      assert.deepStrictEqual(yield* Queue.take(output), { _tag: "Exit", exitCode: 3 })
    }).pipe(Effect.scoped))

  it.effect("that is not there fails", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.scoped(HeldProcess.start({ argv: ["/nowhere"] })))
      assert.strictEqual(error.code, "ENOENT")
    }))
})
