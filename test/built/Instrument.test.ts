/** `instrument` on a file that others use at the same time, and killed at any moment. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { command, path, plugin, temporary } from "../support/plugin.ts"

/** Large enough that a file which is written in its place is seen half written. */
const original = `{ "cniVersion": "1.0.0", "name": "n", "plugins": [
  { "type": "bridge" },
  { "type": "portmap" }
], "padding": "${"x".repeat(1_000_000)}" }
`

/** A folder of configurations with one file, and a way to instrument it. */
const setUp = () => {
  const folder = temporary()
  const conf = Path.join(folder.path, "net.d")
  const file = Path.join(conf, "n.conflist")
  Fs.mkdirSync(conf)
  Fs.writeFileSync(file, original)
  const start = (...flags: ReadonlyArray<string>) =>
    ChildProcess.spawn(command, ["instrument", "-i", file, "--cni-path", Path.dirname(plugin), ...flags], {
      env: { PATH: path },
      stdio: "ignore"
    })
  return { conf, file, start, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

const ended = (child: ChildProcess.ChildProcess) => once(child, "exit")

/** The file as it is with taps. */
const instrumented = async (): Promise<string> => {
  using host = setUp()
  assert.deepStrictEqual(await ended(host.start()), [0, null])
  return Fs.readFileSync(host.file, "utf8")
}

describe("cni-passthrough instrument", () => {
  it("leaves one whole file or the other at every moment, with several at the same time", async () => {
    const tapped = await instrumented()
    using host = setUp()
    const over = new AbortController()
    const reader = (async () => {
      while (!over.signal.aborted) {
        const text = Fs.readFileSync(host.file, "utf8")
        assert.isTrue(text === original || text === tapped, `a file of ${text.length} characters`)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    for (let round = 0; round < 3; round++) {
      await Promise.all([host.start(), host.start(), host.start("--remove")].map(ended))
    }
    over.abort()
    await reader
    assert.deepStrictEqual(Fs.readdirSync(host.conf), ["n.conflist"])
  })

  it("leaves one whole file or the other where it is killed, and the next run cleans up", async () => {
    const tapped = await instrumented()
    using host = setUp()
    let interrupted = 0
    for (let round = 0; round < 8 || (interrupted === 0 && round < 200); round++) {
      const isTapped = Fs.readFileSync(host.file, "utf8") === tapped
      const child = host.start(...(isTapped ? ["--remove"] : []))
      // At the moment when it begins to write, or some microseconds later.
      const watcher = Fs.watch(host.conf, () => setTimeout(() => child.kill("SIGKILL"), round % 4))
      const [, signal] = await ended(child)
      watcher.close()
      if (signal === "SIGKILL") interrupted++
      const text = Fs.readFileSync(host.file, "utf8")
      assert.isTrue(text === original || text === tapped, `a file of ${text.length} characters`)
    }
    assert.isAbove(interrupted, 0)
    const isTapped = Fs.readFileSync(host.file, "utf8") === tapped
    Fs.writeFileSync(Path.join(host.conf, ".n.conflist.4194305.new"), "half a fi")
    assert.deepStrictEqual(await ended(host.start(...(isTapped ? ["--remove"] : []))), [0, null])
    assert.deepStrictEqual(Fs.readdirSync(host.conf), ["n.conflist"])
  })
})
