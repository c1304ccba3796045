/** Which processes still need our files in a folder of plugins. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as RunningShims from "../../src/wrap/RunningShims.ts"
import * as Stub from "../../src/wrap/Stub.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

const at = Stub.places("/opt/cni/bin")
const { executable } = at
const bridge = `${at.folder}/bridge`

/** What /proc shows of a process. */
interface Process {
  /** The file that runs; none where /proc hides it. */
  readonly exe?: string
  readonly line?: ReadonlyArray<string>
}

const missing = PlatformError.systemError({ _tag: "NotFound", module: "FileSystem", method: "any" })

/** A host with these processes, by their IDs. */
const running = (processes: () => { readonly [pid: string]: Process }) => {
  const processOf = (path: string): Process | undefined => {
    const [, , pid = ""] = path.split("/")
    return pid === "self" || pid === "1st" ? Object.values(processes())[0] : processes()[pid]
  }
  return FileSystem.layerNoop({
    readDirectory: (path) =>
      path === "/proc" ? Effect.succeed(["cpuinfo", "self", "1st", ...Object.keys(processes())]) : Effect.fail(missing),
    readLink: (path) =>
      Effect.fromNullishOr(path.endsWith("/exe") ? processOf(path)?.exe : null).pipe(Effect.mapError(() => missing)),
    readFileString: (path) =>
      Effect.fromNullishOr(
        path.endsWith("/cmdline") ? processOf(path)?.line?.map((word) => `${word}\0`).join("") : null
      )
        .pipe(Effect.mapError(() => missing))
  })
}

/** Waits while the processes are those of the moment, and says how long, in milliseconds. */
const settled = Effect.fnUntraced(function*(
  processes: (now: number) => { readonly [pid: string]: Process },
  names?: ReadonlyArray<string>
) {
  const start = yield* Clock.currentTimeMillis
  const clock = yield* Clock.Clock
  const fiber = yield* RunningShims.settle(at, names).pipe(
    Effect.bindTo("running"),
    Effect.bind("end", () => Clock.currentTimeMillis),
    Effect.provide(running(() => processes(clock.currentTimeMillisUnsafe() - start))),
    Effect.forkChild
  )
  yield* TestClock.adjust(60_000)
  const { end, running: found } = yield* Fiber.join(fiber)
  return { running: found, waited: end - start }
})

const settle = (process: Process, names?: ReadonlyArray<string>) =>
  Effect.map(settled(() => ({ 17: process }), names), ({ running }) => running)

describe("a process runs around a plugin", () => {
  const cases: { readonly [name: string]: Process } = {
    "where it runs our executable": { exe: executable, line: [executable, bridge] },
    "also where the executable was removed since": { exe: `${executable} (deleted)`, line: ["any", bridge] },
    "also where /proc hides what it runs": { line: [executable, bridge] },
    "as Node.js, for which a script starts it": { exe: "/usr/bin/node", line: ["node", executable, bridge] },
    "as Node.js under another name": { exe: "/usr/bin/node", line: ["runner", executable, bridge] },
    "as Node.js that /proc hides": { line: ["/usr/bin/nodejs", executable, bridge] },
    "as the env in the first line of that script": {
      exe: "/usr/bin/env",
      line: ["/usr/bin/env", "node", executable, bridge]
    },
    "as an env that starts it at once": { exe: "/usr/bin/env", line: ["env", executable, bridge] },
    "as the env of busybox": { exe: "/bin/busybox", line: ["env", executable, bridge] },
    "as the env of coreutils": { exe: "/usr/bin/coreutils", line: ["env", executable, bridge] }
  }
  for (const [name, process] of Object.entries(cases)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* settle(process), [17])
        assert.deepStrictEqual(yield* settle(process, ["ptp", "bridge"]), [17])
        assert.deepStrictEqual(yield* settle(process, ["ptp"]), [])
        assert.deepStrictEqual(yield* settle(process, ["ridge"]), [])
        assert.deepStrictEqual(yield* settle(process, []), [])
      }))
  }

  it.effect("of any name where its command line names none", () =>
    Effect.gen(function*() {
      const process = { exe: executable, line: [executable] }
      assert.deepStrictEqual(yield* settle(process), [17])
      assert.deepStrictEqual(yield* settle(process, ["bridge"]), [])
    }))
})

describe("a process does not run around a plugin", () => {
  const cases: { readonly [name: string]: Process } = {
    "where another program has the path among its arguments": { exe: "/bin/cat", line: ["cat", executable, bridge] },
    "where another program calls itself as ours": { exe: "/bin/cat", line: [executable, bridge] },
    "where Node.js has the path as a later argument": { exe: "/usr/bin/node", line: ["node", "x.js", executable] },
    "where env has the path as a later argument": { exe: "/usr/bin/env", line: ["env", "a", "b", executable] },
    "where its name only begins as that of Node.js": { exe: "/usr/bin/nodemon", line: ["nodemon", executable] },
    "where it is of another folder": { exe: "/usr/lib/cni/.passthrough/passthrough", line: ["x", bridge] },
    "where it ended, so that nothing is seen of it": {}
  }
  for (const [name, process] of Object.entries(cases)) {
    it.effect(name, () => Effect.map(settle(process), (found) => assert.deepStrictEqual(found, [])))
  }
})

describe("our files in a folder", () => {
  const shim = { exe: executable, line: [executable, bridge] }

  it.effect("wait for the kernel, which may be on its way from a stub to the executable", () =>
    Effect.gen(function*() {
      const { running, waited } = yield* settled(() => ({}))
      assert.deepStrictEqual(running, [])
      assert.strictEqual(waited, 200)
    }))

  it.effect("wait until the last process around a plugin has ended", () =>
    Effect.gen(function*() {
      const { running, waited } = yield* settled((now) => now < 3000 ? { 17: shim } : {})
      assert.deepStrictEqual(running, [])
      assert.strictEqual(waited, 3000)
    }))

  it.effect("wait ten seconds at most", () =>
    Effect.gen(function*() {
      const { running, waited } = yield* settled(() => ({ 17: shim, 23: shim }))
      assert.deepStrictEqual(running, [17, 23])
      assert.strictEqual(waited, 10_200)
    }))
})

describe("a folder of plugins", () => {
  const places = (root: string) => {
    const at = Stub.places(Fs.realpathSync(root))
    Fs.mkdirSync(at.plugins, { recursive: true })
    return at
  }

  it.effect("needs our files while runtimes find a stub, or while a plugin is kept that is the only copy", () =>
    Effect.gen(function*() {
      using root = temporary()
      const at = places(root.path)
      Scripts.script(`${at.folder}/a`, "exit 0")
      assert.isTrue(yield* RunningShims.isUnused(at))
      Fs.writeFileSync(`${at.folder}/b`, Stub.text(at), { mode: 0o755 })
      assert.isFalse(yield* RunningShims.isUnused(at))
      Fs.renameSync(`${at.folder}/b`, `${at.plugins}/b`)
      assert.isFalse(yield* RunningShims.isUnused(at))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("loses a file, or a folder with all that is in it, where it is there", () =>
    Effect.gen(function*() {
      using root = temporary()
      const at = places(root.path)
      yield* RunningShims.removeAll(at.own)
      yield* RunningShims.removeAll(at.own)
      assert.deepStrictEqual(Fs.readdirSync(at.folder), [])
    }).pipe(Effect.provide(NodeServices.layer)))
})
