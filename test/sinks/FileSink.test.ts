import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Invocation } from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as CombinedSink from "../../src/sinks/CombinedSink.ts"
import * as FileSink from "../../src/sinks/FileSink.ts"
import { LogSink } from "../../src/sinks/LogSink.ts"
import { replaced, unopenable } from "../support/builtins.ts"
import { named } from "../support/hostTools.ts"
import { mountDead, silent } from "../support/mounts.ts"
import { temporary } from "../support/plugin.ts"
import { make, record } from "../support/request.ts"
import { itAsRoot, itWithMounts } from "../support/requirements.ts"

type Target = Parameters<typeof FileSink.kind.open>[0]

const target = (path: string, options: Partial<Target> = {}): Target => ({
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

  const modes = { "0600": 0o700, "0640": 0o750, "644": 0o755, "0604": 0o705, "0622": 0o700, "0711": 0o700 }
  for (const [mode, folderMode] of Object.entries(modes)) {
    it.effect(
      `of the mode ${mode} is for those users whatever the umask, and so are folders that are made for it`,
      inFolder((folder) =>
        Effect.gen(function*() {
          const umask = process.umask(0o077)
          yield* write(target(`${folder}/a/log`, { mode })).pipe(
            Effect.ensuring(Effect.sync(() => process.umask(umask)))
          )
          assert.deepStrictEqual(
            [permissions(`${folder}/a/log`), permissions(`${folder}/a`)],
            [Number.parseInt(mode, 8), folderMode]
          )
        })
      )
    )
  }

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

  for (const before of ["{", "{}\n{", "\n{\"a\":"]) {
    it.effect(
      `that ends within a record (${JSON.stringify(before)}) gets a line end before the next one, and keeps its mode`,
      inFolder((folder) =>
        Effect.gen(function*() {
          Fs.writeFileSync(`${folder}/log`, before)
          Fs.chmodSync(`${folder}/log`, 0o755)
          yield* write(target(`${folder}/log`))
          const text = Fs.readFileSync(`${folder}/log`, "utf8")
          assert.strictEqual(text.slice(0, before.length + 10), `${before}\n{"time":"`)
          assert.strictEqual(permissions(`${folder}/log`), 0o755)
        })
      )
    )
  }

  for (const before of ["", "\n", "{}\n"]) {
    it.effect(
      `that ends with a whole record (${JSON.stringify(before)}) gets none`,
      inFolder((folder) =>
        Effect.gen(function*() {
          Fs.writeFileSync(`${folder}/log`, before)
          yield* write(target(`${folder}/log`))
          assert.isTrue(Fs.readFileSync(`${folder}/log`, "utf8").startsWith(`${before}{"time":"`))
        })
      )
    )
  }

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
      return /is a FIFO without a reader/
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

  it.effect(
    "that cannot be made is refused, however many of its folders are missing",
    () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(write(target("/proc/no-such-folder/a/log")))
        assert.match(error.message, /^file "\/proc\/no-such-folder\/a\/log": ENOENT: .* '\/proc\/no-such-folder'$/)
      })
  )

  /** A FIFO with a reader. */
  const fifo = (path: string) => {
    ChildProcess.execFileSync("mkfifo", [path])
    const reader = Fs.openSync(path, Fs.constants.O_RDONLY | Fs.constants.O_NONBLOCK)
    return { reader, [Symbol.dispose]: () => Fs.closeSync(reader) }
  }

  it.effect(
    "may be a FIFO with a reader, by any of its names",
    inFolder((folder) =>
      Effect.gen(function*() {
        using pipe = fifo(`${folder}/log`)
        Fs.linkSync(`${folder}/log`, `${folder}/link`)
        yield* write(target(`${folder}/link`))
        const bytes = Buffer.alloc(65_536)
        const text = bytes.toString("utf8", 0, Fs.readSync(pipe.reader, bytes))
        assert.strictEqual(JSON.parse(text).event, "request")
      })
    )
  )

  it.effect(
    "that is a FIFO fails where its reader does not keep up",
    inFolder((folder) =>
      Effect.gen(function*() {
        using _ = fifo(`${folder}/log`)
        const path = JSON.stringify(`${folder}/log`)
        const most = yield* Effect.flip(write(target(`${folder}/log`), { x: "x".repeat(100_000) }))
        assert.match(
          most.message,
          /^file ".*": no space for the record: 65536 of 1\d{5} bytes could be written$/
        )
        const none = yield* Effect.flip(write(target(`${folder}/log`)))
        assert.strictEqual(none.message, `file ${path}: is a FIFO whose reader does not keep up`)
      })
    )
  )

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

  describe("where the plugin runs as another user", () => {
    /** What comes of a record for a file with this owner, mode and text. */
    const written = (owner: number, mode = 0o666, text = "") => {
      using folder = temporary()
      const path = `${folder.path}/log`
      Fs.chmodSync(folder.path, 0o755)
      Fs.writeFileSync(path, text)
      Fs.chmodSync(path, mode)
      Fs.chownSync(path, owner, 0)
      // The file was made just now, which shows that its file system responds, however long this test waits for its turn.
      using _ = vi.spyOn(Date, "now").mockReturnValue(Fs.statSync(path).atimeMs)
      process.seteuid?.(foreign)
      try {
        Effect.runSync(write(target(path)))
      } catch (error) {
        return (error as Error).message.replaceAll(folder.path, "")
      } finally {
        process.seteuid?.(0)
      }
      return Fs.readFileSync(path, "utf8").slice(0, text.length + 9)
    }

    itAsRoot("may be root's, or that user's own", () => {
      assert.strictEqual(written(0), "{\"time\":\"")
      assert.strictEqual(written(foreign), "{\"time\":\"")
    })

    itAsRoot("is refused where it is a third user's", () => {
      assert.strictEqual(
        written(foreign - 1),
        "file \"/log\": \"/log\" belongs to the user 65532, expected root or the user of the plugin (65533): " +
          "its owner could change the log, or redirect it"
      )
    })

    itAsRoot("counts as one that is being written where it ends within a record and its mode cannot be changed", () => {
      assert.strictEqual(written(0, 0o666, "{"), "{{\"time\":\"")
      assert.strictEqual(written(foreign, 0o666, "{"), "{\n{\"time\":")
    })

    itAsRoot("need not be one that it can read", () => {
      assert.strictEqual(written(foreign, 0o222, "{"), "{{\"time\":\"")
    })
  })

  it.effect(
    "that another run makes meanwhile has the records of both",
    inFolder((folder) =>
      Effect.gen(function*() {
        const path = `${folder}/new/log`
        using _ = replaced("mkdirSync", (original) => (...args) => {
          Reflect.apply(original, Fs, args)
          Fs.writeFileSync(path, "theirs\n")
        })
        yield* write(target(path))
        assert.match(Fs.readFileSync(path, "utf8"), /^theirs\n\{.*\}\n$/)
      })
    )
  )

  it.effect(
    "that cannot be opened once more is appended to, whatever its last line is",
    inFolder((folder) =>
      Effect.gen(function*() {
        const path = `${folder}/log`
        Fs.writeFileSync(path, "{")
        using _ = unopenable(/^\/proc\/self\/fd\//, "EMFILE")
        yield* write(target(path))
        assert.match(Fs.readFileSync(path, "utf8"), /^\{\{.*\}\n$/)
      })
    )
  )

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
      const messages: Array<string> = []
      const writes = (config: object) =>
        Effect.runSync(Effect.match(write(target(log), config), {
          onSuccess: () => "Success",
          onFailure: ({ message }) => (messages.push(message), "Failure")
        }))
      Fs.writeFileSync(ballast, Buffer.alloc(40_960))

      const outcomes = [
        writes({ first: "x".repeat(6000) }),
        writes({ second: "x".repeat(30_000) }), // fits in part
        writes({ third: "x".repeat(30_000) })
      ]
      assert.match(Fs.readFileSync(log, "utf8"), /^\{.*\}\n +\n$/)
      assert.match(messages[0] ?? "", /^file ".*": no space for the record: \d+ of 3\d{4} bytes could be written$/)
      assert.match(messages[1] ?? "", /^file ".*": ENOSPC/)
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

describe("a log on a file system that may hang", () => {
  /** A writer for a path, and what it starts; `probe` is what comes of that. */
  const probed = (path: string, probe: Effect.Effect<never, NotStarted>, logTimeout = 300) => {
    const calls: Array<Invocation["argv"]> = []
    const runner = ProcessRunner.of({ run: ({ argv }) => Effect.suspend(() => (calls.push(argv), probe)) })
    const writer = Effect.runSync(
      FileSink.kind.open(target(path), make("ADD", {}).environment, logTimeout).pipe(
        Effect.provideService(ProcessRunner, runner)
      )
    )
    const message = Effect.suspend(() => writer.write(record("ADD", {}))).pipe(
      Effect.provideService(HostTools.HostTools, named),
      Effect.match({ onSuccess: () => "", onFailure: (error) => error.message })
    )
    return { calls, writer, message }
  }
  const answered = Effect.fail(new NotStarted({ program: "touch", reason: "why", code: "EAGAIN", cause: undefined }))
  const late = "no answer in time: the records of a run may wait for 300ms in total (\"logTimeout\")"

  /** What a record comes to after so many milliseconds; undefined where it still waits. */
  const after = (milliseconds: number, message: Effect.Effect<string>) =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(message)
      yield* TestClock.adjust(milliseconds)
      const exit = fiber.pollUnsafe()
      yield* Fiber.interrupt(fiber)
      return exit?._tag === "Success" ? exit.value : undefined
    })

  const run = (test: Effect.Effect<void>) => Effect.runPromise(Effect.provide(test, TestClock.layer()))

  const records = (path: string) => Fs.readFileSync(path, "utf8").trimEnd().split("\n").length

  /** Waits until a file or folder was not read or made just now, which would show that its file system responds. */
  const aged = Effect.fnUntraced(function*(path: string) {
    const { atimeMs } = Fs.statSync(path)
    while (Date.now() - atimeMs < 50) yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 10)))
  })

  it("limits its wait by itself", () => assert.isTrue(probed("/x", answered).writer.neverWaits))

  itWithMounts("gets no record before another process could change its folder", () =>
    run(Effect.gen(function*() {
      using disk = silent()
      Fs.mkdirSync(`${disk.path}/logs`)
      const places = {
        "new/deep/log": disk.path, // whose folders are to be made
        "logs/log": `${disk.path}/logs`
      }
      for (const [name, folder] of Object.entries(places)) {
        const path = `${disk.path}/${name}`
        yield* aged(folder)
        const hanging = probed(path, Effect.never)
        assert.isUndefined(yield* after(299, hanging.message))
        assert.deepStrictEqual(hanging.calls, [["touch", "-c", folder]])
        assert.isFalse(Fs.existsSync(path))

        const responding = probed(path, answered)
        assert.strictEqual(yield* responding.message, "")
        assert.deepStrictEqual(responding.calls, [["touch", "-c", folder]])
        assert.strictEqual(records(path), 1)
        yield* aged(path)

        const again = probed(path, Effect.never)
        assert.isUndefined(yield* after(299, again.message))
        assert.deepStrictEqual(again.calls, [["touch", "-c", Path.dirname(path)]])
        assert.strictEqual(records(path), 1)
        assert.strictEqual(yield* probed(path, answered).message, "")
        assert.strictEqual(records(path), 2)
      }
    })))

  itWithMounts("needs no such process where it is in memory", () =>
    run(Effect.gen(function*() {
      using disk = silent()
      const path = `${Path.dirname(disk.path)}/new/log`
      const { calls, message } = probed(path, answered)
      assert.deepStrictEqual([yield* message, yield* message], ["", ""])
      assert.deepStrictEqual(calls, [])
      assert.strictEqual(records(path), 2)
    })))

  itWithMounts(
    "is not touched by this process before that, where another process answers for it",
    () =>
      run(Effect.gen(function*() {
        using folder = temporary()
        using _ = mountDead(folder.path)
        for (const name of ["log", "new/log"]) {
          const path = `${folder.path}/${name}`
          const hanging = probed(path, Effect.never)
          assert.isUndefined(yield* after(299, hanging.message))
          assert.deepStrictEqual(hanging.calls, [["touch", "-c", Path.dirname(path)]])
          const responding = probed(path, answered)
          assert.match(yield* responding.message, /^file ".*": ENOTCONN/)
          assert.lengthOf(responding.calls, 1)
        }
      }))
  )

  itWithMounts(
    "fails once the time is up, and at once for all later records of the run",
    () =>
      run(Effect.gen(function*() {
        using folder = temporary()
        using _ = mountDead(folder.path)
        const path = `${folder.path}/log`
        const { calls, message } = probed(path, Effect.never)
        assert.strictEqual(yield* after(300, message), `file "${path}": ${late}`)
        assert.strictEqual(yield* message, `file "${path}": its file system does not respond`)
        assert.lengthOf(calls, 1)
        assert.isUndefined(yield* after(1_000_000, probed(path, Effect.never, 0).message))
      }))
  )
})
