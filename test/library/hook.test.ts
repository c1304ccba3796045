import { assert, it } from "@effect/vitest"
import { Passthrough, type Record, Testing } from "cni-passthrough"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"

it.effect("an ADD fails with its hook, and the log has what the hook wrote", () =>
  Effect.gen(function*() {
    const records: Array<Record.Record> = []
    const output = { stdout: [] as Array<string>, stderr: [] as Array<string> }
    const services = Layer.mergeAll(
      Testing.envReader({
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: "web",
        CNI_NETNS: "/run/netns/web",
        CNI_IFNAME: "eth0",
        CNI_PATH: "/opt/cni/bin"
      }),
      Testing.stdinReader(JSON.stringify({
        cniVersion: "1.1.0",
        name: "pods",
        type: "passthrough",
        hookADD: ["nft list table nat"],
        onHookFailure: "fail"
      })),
      Testing.logSink(records),
      Testing.hookRunner(() => ({ exitCode: 1, stderr: "no such table\n" })),
      Testing.resultWriter(output)
    )

    const exit = yield* Effect.exit(Effect.provide(Passthrough.main, services))

    assert.isTrue(Exit.isFailure(exit))
    assert.strictEqual(JSON.parse(output.stdout.join("")).code, 100)
    assert.deepStrictEqual(records.map(({ event }) => event), ["request", "hook", "error"])
    const hooks = records.flatMap((record) => record.event === "hook" ? [record.hook.stderr] : [])
    assert.deepStrictEqual(hooks, ["no such table\n"])
  }))
