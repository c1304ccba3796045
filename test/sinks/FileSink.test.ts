import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as CombinedSink from "../../src/sinks/CombinedSink.ts"
import * as FileSink from "../../src/sinks/FileSink.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { temporary } from "../support/plugin.ts"
import { make, record } from "../support/request.ts"
import { itAsRoot, itWithMounts } from "../support/requirements.ts"

type Target = Parameters<typeof FileSink.kind.open>[0]

const target = (path: string, options: Partial<Target> = {}): Target => ({
  type: "file",
  path,
  format: "json",
  mode: "0600",
  ...options
})

/** The writer of a file for the run of a request. */
const open = (file: Target) =>
  Effect.provideService(FileSink.kind.open(file, make("ADD", {}).environment, 2000), ProcessRunner, nodeProcessRunner)

const write = (file: Target, config: object = {}) =>
  Effect.flatMap(open(file), (writer) => writer.write(record("ADD", config)))

const permissions = (path: string) => Fs.statSync(path).mode & 0o777

/** Runs a test in a folder of its own. */
const inFolder = (test: (folder: string) => Effect.Effect<unknown, unknown>) => () =>
  Effect.acquireUseRelease(
    Effect.sync(temporary),
    ({ path }) => test(path),
    (folder) => Effect.sync(() => folder[Symbol.dispose]())
  )

describe("a file", () => {
  it.effect(
    "gets its path from the request",
    inFolder((folder) =>
      Effect.gen(function*() {
        yield* write(target(`${folder}/\${CNI_IFNAME}/$CNI_COMMAND.log`))
        assert.strictEqual(JSON.parse(Fs.readFileSync(`${folder}/eth0/ADD.log`, "utf8")).event, "request")
      })
    )
  )

  it.effect(
    "is for its owner alone, and so are the folders that had to be made",
    inFolder((folder) =>
      Effect.gen(function*() {
        yield* write(target(`${folder}/a/b/log`))
        assert.deepStrictEqual([permissions(`${folder}/a`), permissions(`${folder}/a/b/log`)], [0o700, 0o600])
      })
    )
  )

  it.effect(
    "is for whom the configuration says, whatever the umask",
    inFolder((folder) =>
      Effect.gen(function*() {
        const umask = process.umask(0o077)
        yield* write(target(`${folder}/log`, { mode: "0640" })).pipe(
          Effect.ensuring(Effect.sync(() => process.umask(umask)))
        )
        assert.strictEqual(permissions(`${folder}/log`), 0o640)
      })
    )
  )

  it.effect(
    "that is there keeps its permissions and what is in it",
    inFolder((folder) =>
      Effect.gen(function*() {
        Fs.writeFileSync(`${folder}/log`, "before\n", { mode: 0o644 })
        yield* write(target(`${folder}/log`))
        assert.strictEqual(permissions(`${folder}/log`), 0o644)
        assert.match(Fs.readFileSync(`${folder}/log`, "utf8"), /^before\n\{/)
      })
    )
  )

  it.effect(
    "that was rotated away between two records is made anew",
    inFolder((folder) =>
      Effect.gen(function*() {
        const sink = yield* open(target(`${folder}/log`))
        yield* sink.write(record("ADD", {}))
        Fs.renameSync(`${folder}/log`, `${folder}/log.1`)
        yield* sink.write(record("ADD", {}))
        assert.strictEqual(Fs.statSync(`${folder}/log`).size, Fs.statSync(`${folder}/log.1`).size)
      })
    )
  )

  const refused: { readonly [name: string]: (path: string) => RegExp } = {
    "a symbolic link": (path) => {
      Fs.symlinkSync(`${path}.elsewhere`, path)
      return /is a symbolic link/
    },
    "a hard link": (path) => {
      Fs.writeFileSync(`${path}.elsewhere`, "")
      Fs.linkSync(`${path}.elsewhere`, path)
      return /hard link/
    },
    "a folder": (path) => {
      Fs.mkdirSync(path)
      return /is a folder/
    },
    "a FIFO without a reader": (path) => {
      ChildProcess.execFileSync("mkfifo", [path])
      return /is a FIFO that nobody reads/
    }
  }
  for (const [name, prepare] of Object.entries(refused)) {
    it.effect(
      `that is ${name} is refused, by name`,
      inFolder((folder) =>
        Effect.gen(function*() {
          const path = Path.join(folder, "log")
          const reason = prepare(path)
          const error = yield* Effect.flip(write(target(path)))
          assert.match(error.message, reason)
          assert.include(error.message, path)
        })
      )
    )
  }

  const foreign = 65_533 // no user of this host
  const owned: { readonly [name: string]: (folder: string) => string } = {
    "a file": (folder) => {
      Fs.writeFileSync(`${folder}/log`, "", { mode: 0o666 })
      Fs.chownSync(`${folder}/log`, foreign, 0)
      return "log"
    },
    "a FIFO with a reader": (folder) => {
      ChildProcess.execFileSync("mkfifo", [`${folder}/log`])
      Fs.chownSync(`${folder}/log`, foreign, 0)
      Fs.openSync(`${folder}/log`, Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
      return "log"
    },
    "the folder of a log": (folder) => {
      Fs.mkdirSync(`${folder}/theirs`)
      Fs.chownSync(`${folder}/theirs`, foreign, 0)
      return "theirs/log"
    },
    "a folder that the log's folder is to be made in": (folder) => {
      Fs.mkdirSync(`${folder}/theirs`)
      Fs.chownSync(`${folder}/theirs`, foreign, 0)
      return "theirs/ours/log"
    },
    "a folder above that of a log which is there": (folder) => {
      Fs.mkdirSync(`${folder}/theirs/ours`, { recursive: true })
      Fs.writeFileSync(`${folder}/theirs/ours/log`, "")
      Fs.chownSync(`${folder}/theirs`, foreign, 0)
      return "theirs/ours/log"
    },
    "a symbolic link on the way": (folder) => {
      Fs.mkdirSync(`${folder}/ours`)
      Fs.symlinkSync("ours", `${folder}/theirs`)
      Fs.lchownSync(`${folder}/theirs`, foreign, 0)
      return "theirs/log"
    },
    "a folder that a symbolic link leads to": (folder) => {
      Fs.mkdirSync(`${folder}/theirs/deep`, { recursive: true })
      Fs.chownSync(`${folder}/theirs`, foreign, 0)
      Fs.symlinkSync("../theirs/deep", `${folder}/link`)
      Fs.mkdirSync(`${folder}/x`)
      Fs.renameSync(`${folder}/link`, `${folder}/x/link`)
      return "x/link/log"
    }
  }
  for (const [name, prepare] of Object.entries(owned)) {
    itAsRoot(`of which another user owns ${name} is refused before anything is made or written`, () => {
      using folder = temporary()
      const path = Path.join(folder.path, prepare(folder.path))
      const before = Fs.existsSync(path)
      const error = Effect.runSync(Effect.flip(write(target(path))))
      assert.match(
        error.message,
        /: ".*\/(?:log|theirs)" belongs to the user 65533, expected root or the user of the plugin \(0\): its owner could/
      )
      assert.strictEqual(Fs.existsSync(path), before)
      assert.isFalse(Fs.existsSync(`${folder.path}/theirs/ours`) && !before)
      if (before) assert.strictEqual(Fs.statSync(path).size, 0)
    })
  }

  itAsRoot("that another user owns is refused by a path that goes above the root folder too", () => {
    using folder = temporary()
    Fs.mkdirSync(`${folder.path}/theirs`)
    Fs.chownSync(`${folder.path}/theirs`, foreign, 0)
    const error = Effect.runSync(Effect.flip(write(target(`/..${folder.path}/theirs/log`))))
    assert.match(error.message, /theirs" belongs to the user 65533/)
    assert.isFalse(Fs.existsSync(`${folder.path}/theirs/log`))
  })

  itAsRoot("is used through symbolic links of root, wherever they lead", () => {
    using folder = temporary()
    Fs.mkdirSync(`${folder.path}/real/deep`, { recursive: true })
    Fs.symlinkSync(`${folder.path}/real`, `${folder.path}/one`)
    Fs.symlinkSync("one/../real/./deep", `${folder.path}/two`)
    Effect.runSync(write(target(`${folder.path}/two/log`)))
    assert.isAbove(Fs.statSync(`${folder.path}/real/deep/log`).size, 0)
  })

  itAsRoot("may be root's, where the plugin runs as another user", () => {
    using folder = temporary()
    Fs.chmodSync(folder.path, 0o755)
    Fs.writeFileSync(`${folder.path}/log`, "")
    Fs.chmodSync(`${folder.path}/log`, 0o666)
    process.seteuid?.(foreign)
    const exit = Effect.runSyncExit(write(target(`${folder.path}/log`)))
    process.seteuid?.(0)
    assert.strictEqual(exit._tag, "Success")
  })

  it.effect("without a name, once its variables are filled in, is refused", () =>
    Effect.gen(function*() {
      assert.match((yield* Effect.flip(write(target("$UNKNOWN")))).message, /the path is empty/)
    }))

  it.effect("on a full device is refused", () =>
    Effect.gen(function*() {
      assert.match((yield* Effect.flip(write(target("/dev/full")))).message, /ENOSPC/)
    }))
})

describe("a full disk", () => {
  itWithMounts("never leaves half a record before the next whole one", () => {
    using folder = temporary()
    ChildProcess.execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder.path])
    try {
      const log = Path.join(folder.path, "log")
      const ballast = Path.join(folder.path, "ballast")
      const writes = (config: object) => Effect.runSyncExit(write(target(log), config))._tag
      Fs.writeFileSync(ballast, Buffer.alloc(40_960))

      const outcomes = [
        writes({ first: "x".repeat(6000) }),
        writes({ second: "x".repeat(30_000) }), // fits in part
        writes({ third: "x".repeat(30_000) })
      ]
      Fs.rmSync(ballast)
      outcomes.push(writes({ fourth: "x".repeat(6000) }))

      assert.deepStrictEqual(outcomes, ["Success", "Failure", "Failure", "Success"])
      const lines = Fs.readFileSync(log, "utf8").split("\n")
      assert.isTrue(lines.some((line) => /^ +$/.test(line)), "a part of the second record was written")
      const configs = lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line).config)
      assert.deepStrictEqual(configs.map((config) => Object.keys(config).at(-1)), ["first", "fourth"])
    } finally {
      ChildProcess.execFileSync("umount", [folder.path])
    }
  })
})

describe("several sinks", () => {
  it.effect(
    "all get the record, whichever fails, and the error names all that did",
    inFolder((folder) =>
      Effect.gen(function*() {
        const sink = CombinedSink.layer(
          FileSink.layer({ path: "/dev/full" }),
          FileSink.layer({ path: `${folder}/log` }),
          FileSink.layer({ path: folder })
        ).pipe(Layer.provide(Layer.succeed(ProcessRunner, nodeProcessRunner)))
        const error = yield* Effect.gen(function*() {
          const run = { environment: make("ADD", {}).environment, sinks: [], logTimeout: 0 }
          return yield* Effect.flip((yield* CombinedSink.open([yield* LogSink], run)).write(record("ADD", {})))
        }).pipe(Effect.scoped, Effect.provide(sink))
        assert.match((error as Error).message, /^file "\/dev\/full": .*ENOSPC.*; file ".*": is a folder/)
        assert.match(Fs.readFileSync(`${folder}/log`, "utf8"), /^CNI_COMMAND: ADD$/m)
      })
    )
  )

  it.effect(
    "may be made by layers that need and fail with something of their own",
    inFolder((folder) =>
      Effect.gen(function*() {
        class NoBroker extends Error {}
        const Broker: Layer.Layer<LogSink, NoBroker> = Layer.effect(LogSink, Effect.fail(new NoBroker("no broker")))
        const error = yield* Effect.flip(Effect.scoped(Layer.build(
          CombinedSink.layer(FileSink.layer({ path: `${folder}/log` }), Broker).pipe(
            Layer.provide(Layer.succeed(ProcessRunner, nodeProcessRunner))
          )
        )))
        assert.instanceOf(error, NoBroker)
      })
    )
  )
})
