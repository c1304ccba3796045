/** The live services, of which any may be replaced. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Live from "../../src/plugin/Live.ts"
import * as Passthrough from "../../src/plugin/Passthrough.ts"
import * as Testing from "../../src/plugin/Testing.ts"

describe("the live services with another process runner", () => {
  /** The programs that a run with this configuration starts. */
  const started = Effect.fnUntraced(function*(fields: object) {
    const invocations: Array<Invocation> = []
    const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
    const runner = Layer.succeed(
      ProcessRunner,
      ProcessRunner.of({
        run: (invocation) =>
          Effect.sync((): Execution => {
            invocations.push(invocation)
            const nothing = new Uint8Array()
            const { argv } = invocation
            const ending = { exitCode: 0, signal: null, timedOut: false, truncated: false, durationMs: 1 }
            return { argv, stdin: "", stdout: nothing, stderr: nothing, ...ending }
          })
      })
    )
    const config = { cniVersion: "1.1.0", name: "pods", type: "passthrough", ...fields }
    const request = Layer.mergeAll(
      Testing.envReader({
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: "web-1",
        CNI_NETNS: "/run/netns/web-1",
        CNI_IFNAME: "eth0",
        CNI_PATH: "/opt/cni/bin"
      }),
      Testing.stdinReader(JSON.stringify(config)),
      Testing.resultWriter(output),
      runner
    )
    yield* Effect.provide(Passthrough.main, Layer.provideMerge(request, Live.layer))
    return invocations.map(({ argv }) => argv)
  })

  it.effect("run hooks with it, and not on the host", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* started({ hookADD: ["exit 1"] }), [["/bin/sh", "-c", "exit 1"]])
    }))

  it.effect("run the programs of sinks with it", () =>
    Effect.gen(function*() {
      const programs = yield* started({ logSinks: [{ type: "syslog", address: "/run/any.sock" }] })
      assert.isNotEmpty(programs)
      for (const [program] of programs) assert.match(program, /logger$/)
    }))
})
