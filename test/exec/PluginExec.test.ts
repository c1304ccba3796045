/** Finding and calling plugins. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Execution from "../../src/exec/Execution.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import * as PluginExec from "../../src/exec/PluginExec.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { temporary } from "../support/plugin.ts"
import { withinLimit } from "../support/until.ts"

const host = Layer.mergeAll(NodeServices.layer, Layer.succeed(ProcessRunner, nodeProcessRunner))

const withFiles = (files: { readonly [name: string]: readonly [content: string, mode: number] }) => {
  const folder = temporary()
  for (const [name, [content, mode]] of Object.entries(files)) {
    Fs.writeFileSync(`${folder.path}/${name}`, content)
    Fs.chmodSync(`${folder.path}/${name}`, mode)
  }
  return folder
}

const call = (file: string, { stdin = "", timeout = 0 } = {}) =>
  PluginExec.call({ file, env: { PATH: "/usr/bin:/bin", CNI_COMMAND: "ADD" }, stdin, timeout })

describe("a plugin", () => {
  it.effect("is the first regular file of its name on the path, executable or not", () =>
    Effect.gen(function*() {
      using first = withFiles({})
      using second = withFiles({ bridge: ["", 0o644] })
      using third = withFiles({ bridge: ["#!/bin/sh", 0o755] })
      Fs.mkdirSync(`${first.path}/bridge`)
      const found = yield* PluginExec.find("bridge", ["/none", first.path, second.path, third.path])
      assert.strictEqual(found, `${second.path}/bridge`)
    }).pipe(Effect.provide(host)))

  it.effect("that is in no folder is told so", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(PluginExec.find("bridge", ["/none", "/nowhere"]))
      assert.strictEqual(error.message, "bridge is not in /none:/nowhere")
    }).pipe(Effect.provide(host)))

  it.live("gets stdin and environment, and gives back all that it wrote", () =>
    Effect.gen(function*() {
      using folder = withFiles({ p: ["#!/bin/sh\ncat; echo $CNI_COMMAND >&2; exit 3", 0o755] })
      const execution = yield* call(`${folder.path}/p`, { stdin: "{}" })
      assert.strictEqual(Execution.text(execution.stdout), "{}")
      assert.strictEqual(Execution.text(execution.stderr), "ADD\n")
      assert.strictEqual(execution.exitCode, 3)
    }).pipe(Effect.provide(host)))

  it.live("that is killed keeps its output, and the name of the signal", () =>
    Effect.gen(function*() {
      using folder = withFiles({ p: ["#!/bin/sh\necho so far; kill -9 $$", 0o755] })
      const execution = yield* call(`${folder.path}/p`)
      assert.strictEqual(Execution.text(execution.stdout), "so far\n")
      assert.strictEqual(execution.signal, "SIGKILL")
      assert.isNull(execution.exitCode)
    }).pipe(Effect.provide(host)))

  it.live("that runs out of time keeps its output, and took the time that it had", () =>
    Effect.gen(function*() {
      using folder = withFiles({ p: ["#!/bin/sh\necho so far; sleep 60", 0o755] })
      const { limit, result: execution } = yield* withinLimit(
        (timeout) => call(`${folder.path}/p`, { timeout }),
        ({ stdout }) => stdout.length > 0
      )
      assert.strictEqual(Execution.text(execution.stdout), "so far\n")
      assert.isTrue(execution.timedOut)
      assert.isAtLeast(execution.durationMs, limit - 5)
    }).pipe(Effect.provide(host)))

  it.live("leaves behind what it started in the background, which lives on and is not waited for", () =>
    Effect.gen(function*() {
      using folder = withFiles({ p: ["#!/bin/sh\nsleep 60 >/dev/null 2>&1 </dev/null &\necho $!", 0o755] })
      const execution = yield* call(`${folder.path}/p`)
      const pid = Number(Execution.text(execution.stdout))
      assert.isBelow(execution.durationMs, 30_000)
      assert.isTrue(process.kill(pid, 0))
      process.kill(pid)
    }).pipe(Effect.provide(host)))

  it.live("is not done before all that holds its stdout has ended, as for libcni", () =>
    Effect.gen(function*() {
      using folder = withFiles({ p: ["#!/bin/sh\n(sleep 0.3; echo late) &\necho soon", 0o755] })
      const execution = yield* call(`${folder.path}/p`)
      assert.strictEqual(Execution.text(execution.stdout), "soon\nlate\n")
    }).pipe(Effect.provide(host)))

  it.live("may write more than hooks", () =>
    Effect.gen(function*() {
      using folder = withFiles({ p: ["#!/bin/sh\nhead -c 5000000 /dev/zero", 0o755] })
      const execution = yield* call(`${folder.path}/p`)
      assert.strictEqual(execution.stdout.length, 5_000_000)
      assert.isFalse(execution.truncated)
    }).pipe(Effect.provide(host)))
})

describe("a plugin cannot be started", () => {
  const failing: ReadonlyArray<readonly [why: string, content: string, mode: number, reason: string]> = [
    ["without the execute bit", "#!/bin/sh\necho {}", 0o644, "permission denied"],
    ["as a script without its first line", "echo {}", 0o755, "exec format error"],
    ["as an empty file", "", 0o755, "exec format error"],
    ["without the execute bit, whatever is in it", "echo {}", 0o644, "permission denied"],
    ["whose interpreter is missing", "#!/no/such/sh -e\n", 0o755, "its interpreter /no/such/sh is missing"]
  ]
  for (const [why, content, mode, reason] of failing) {
    it.live(why, () =>
      Effect.gen(function*() {
        using folder = withFiles({ p: [content, mode] })
        const error = yield* Effect.flip(call(`${folder.path}/p`))
        assert.strictEqual(error.message, `${folder.path}/p cannot be started: ${reason}`)
      }).pipe(Effect.provide(host)))
  }
})
