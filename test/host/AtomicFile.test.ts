/** Files that are replaced as a whole. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Fs from "node:fs"
import * as AtomicFile from "../../src/host/AtomicFile.ts"
import { files } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"

const noSpace = PlatformError.systemError({
  _tag: "Unknown",
  module: "FileSystem",
  method: "chmod",
  cause: new Error("ENOSPC: no space left on device, chmod '/a'")
})

const denied = PlatformError.systemError({
  _tag: "PermissionDenied",
  module: "FileSystem",
  method: "open",
  cause: new Error("EACCES: permission denied, open '/a'")
})

const onHost = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>) =>
  Effect.provide(effect, NodeServices.layer)

describe("a text that replaces another", () => {
  it.effect("keeps mode and owner of the file, and leaves nothing else behind", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/a.conflist`
      Fs.writeFileSync(file, "old")
      Fs.chmodSync(file, 0o463)
      if (process.getuid?.() === 0) Fs.chownSync(file, 1234, 4321)
      const { gid, uid } = Fs.statSync(file)
      yield* onHost(AtomicFile.replaceText(file, "new"))
      const after = Fs.statSync(file)
      assert.strictEqual(Fs.readFileSync(file, "utf8"), "new")
      assert.deepStrictEqual([after.mode & 0o7777, after.uid, after.gid], [0o463, uid, gid])
      assert.deepStrictEqual(Fs.readdirSync(folder.path), ["a.conflist"])
    }))

  it.effect("is another file: what has the old one open reads it to its end", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/a.conflist`
      Fs.writeFileSync(file, "old")
      const open = Fs.openSync(file, "r")
      yield* onHost(AtomicFile.replaceText(file, "new"))
      assert.strictEqual(Fs.readFileSync(open, "utf8"), "old")
      assert.strictEqual(Fs.readFileSync(file, "utf8"), "new")
      Fs.closeSync(open)
    }))

  it.effect("goes where a symbolic link leads, and leaves the link", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.mkdirSync(`${folder.path}/far`)
      Fs.writeFileSync(`${folder.path}/far/a`, "old")
      Fs.symlinkSync("far/a", `${folder.path}/a`)
      yield* onHost(AtomicFile.replaceText(`${folder.path}/a`, "new"))
      assert.strictEqual(Fs.readFileSync(`${folder.path}/far/a`, "utf8"), "new")
      assert.isTrue(Fs.lstatSync(`${folder.path}/a`).isSymbolicLink())
      assert.deepStrictEqual(Fs.readdirSync(`${folder.path}/far`), ["a"])
    }))

  it.effect("never goes where a symbolic link of another user leads, whatever is there", () =>
    Effect.gen(function*() {
      if (process.getuid?.() !== 0) return
      using folder = temporary()
      const [link, target] = [`${folder.path}/a`, `${folder.path}/far`]
      Fs.symlinkSync("far", link)
      Fs.lchownSync(link, 65_533, 0)
      const reason = `cannot write ${link}: it is a symbolic link of another user (65533)`
      for (const text of [undefined, "", "old"]) {
        if (text !== undefined) Fs.writeFileSync(target, text)
        assert.strictEqual((yield* Effect.flip(onHost(AtomicFile.replaceText(link, "new")))).message, reason)
        assert.strictEqual((yield* Effect.flip(onHost(AtomicFile.checkOwner(link)))).message, reason)
        assert.strictEqual(Fs.existsSync(target) ? Fs.readFileSync(target, "utf8") : undefined, text)
      }
      Fs.lchownSync(link, 0, 0)
      yield* onHost(AtomicFile.checkOwner(link))
      Fs.chownSync(target, 65_533, 0)
      const theirs = yield* Effect.flip(onHost(AtomicFile.checkOwner(link)))
      assert.strictEqual(theirs.message, `cannot write ${link}: it belongs to another user (65533)`)
    }))

  it.effect("makes a file with the mode that is asked for, whatever the umask takes away", () =>
    Effect.gen(function*() {
      using folder = temporary()
      yield* onHost(AtomicFile.replaceText(`${folder.path}/a`, "new"))
      yield* onHost(AtomicFile.replaceText(`${folder.path}/b`, "new", { mode: 0o666 }))
      assert.strictEqual(Fs.statSync(`${folder.path}/a`).mode & 0o7777, 0o644)
      assert.strictEqual(Fs.statSync(`${folder.path}/b`).mode & 0o7777, 0o666)
    }))

  it.effect("is not written where the disk is full: the old one stays, and nothing else does", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/a`
      Fs.writeFileSync(file, "old")
      const full = files(() => ({ chmod: () => Effect.fail(noSpace) }))
      const error = yield* Effect.flip(Effect.provide(AtomicFile.replaceText(file, "new"), full))
      assert.strictEqual(error.message, `cannot write ${file}: no space left on device`)
      assert.strictEqual(Fs.readFileSync(file, "utf8"), "old")
      assert.deepStrictEqual(Fs.readdirSync(folder.path), ["a"])
    }))

  for (const [who, uid, reason] of [["root", 0, ""], ["another user", 1000, ": run this as root"]] as const) {
    it.effect(`that ${who} may not write is an error${uid === 0 ? "" : ", which says who may"}`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        const getuid = vi.spyOn(process, "getuid").mockReturnValue(uid)
        const forbidden = files(() => ({ open: () => Effect.fail(denied) }))
        const error = yield* Effect.flip(Effect.provide(AtomicFile.replaceText(`${folder.path}/a`, "new"), forbidden))
        getuid.mockRestore()
        assert.strictEqual(error.message, `cannot write ${folder.path}/a: permission denied${reason}`)
      }))
  }

  it.effect("is not written where another program changed the file since it was read", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/a`
      Fs.writeFileSync(file, "of another program")
      const error = yield* Effect.flip(onHost(AtomicFile.replaceText(file, "new", { expected: "old" })))
      assert.instanceOf(error, AtomicFile.ContentChanged)
      assert.strictEqual(
        error.message,
        `${file} was changed by another program: nothing is written, try again`
      )
      assert.strictEqual(Fs.readFileSync(file, "utf8"), "of another program")
      assert.deepStrictEqual(Fs.readdirSync(folder.path), ["a"])
    }))

  it.effect("is written where the file has what it had when it was read", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/a`, "old")
      yield* onHost(AtomicFile.replaceText(`${folder.path}/a`, "new", { expected: "old" }))
      assert.strictEqual(Fs.readFileSync(`${folder.path}/a`, "utf8"), "new")
    }))

  for (const unknown of ["uid", "gid"] as const) {
    it.effect(`keeps the owner that it is made with where the ${unknown} of the old one is not known`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        const file = `${folder.path}/a`
        Fs.writeFileSync(file, "old")
        const layer = files((fs) => ({
          stat: (path) => Effect.map(fs.stat(path), (info) => ({ ...info, [unknown]: Option.none() })),
          chown: () => Effect.die("the owner is changed")
        }))
        yield* Effect.provide(AtomicFile.replaceText(file, "new"), layer)
        assert.strictEqual(Fs.readFileSync(file, "utf8"), "new")
      }))
  }

  it.effect("does not mind another process that removes the same temporary file", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const layer = files(() => ({ readDirectory: () => Effect.succeed([".a.4194305.new"]) }))
      yield* Effect.provide(AtomicFile.cleanUp(folder.path, "a"), layer)
    }))

  it.effect("removes what a process left that was killed, and nothing of one that lives", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const dead = ".a.4194305.new" // more than the largest process ID of Linux
      for (const name of ["a", dead, ".a.1.new", ".b.4194305.new", ".a.x.new", `.a.${process.pid}.new`]) {
        Fs.writeFileSync(`${folder.path}/${name}`, "old")
      }
      yield* onHost(AtomicFile.replaceText(`${folder.path}/a`, "new"))
      assert.deepStrictEqual(Fs.readdirSync(folder.path).sort(), [".a.1.new", ".a.x.new", ".b.4194305.new", "a"])
    }))
})

describe("what the operating system says", () => {
  const said = (cause: unknown) =>
    AtomicFile.reasonOf(PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "any", cause }))
  const messages: { readonly [message: string]: string } = {
    "EACCES: permission denied, open '/a, b'": "permission denied",
    "EXDEV: cross-device link not permitted, rename '/a' -> '/b'": "cross-device link not permitted",
    "EIO: i/o error, read": "i/o error",
    "ENOENT: no such file or directory, open '/a'": "there is no such file or folder",
    "EISDIR: illegal operation on a directory, read": "it is a folder",
    "it broke": "it broke",
    "it: broke": "it: broke"
  }
  for (const [message, reason] of Object.entries(messages)) {
    it(`is told without what is for programmers: ${message}`, () => {
      assert.strictEqual(said(new Error(message)), reason)
    })
  }

  it("is told as it is where there is no more to it", () => {
    assert.match(said("not an error"), /^Unknown: FileSystem\.any/)
  })

  it("comes with who could do it only where it was forbidden to us", () => {
    const getuid = vi.spyOn(process, "getuid").mockReturnValue(1000)
    const reasons = [noSpace, denied].map(AtomicFile.writingReasonOf)
    getuid.mockRestore()
    assert.deepStrictEqual(reasons, ["no space left on device", "permission denied: run this as root"])
  })
})

describe("the owner of a file", () => {
  const check = (file: string, type: FileSystem.File.Type, uid: number | undefined) =>
    Effect.gen(function*() {
      const geteuid = vi.spyOn(process, "geteuid").mockReturnValue(1000)
      const info = { type, uid: Option.fromUndefinedOr(uid) } as FileSystem.File.Info
      const layer = FileSystem.layerNoop({ lstat: () => Effect.succeed(info), stat: () => Effect.succeed(info) })
      const outcome = yield* Effect.result(Effect.provide(AtomicFile.checkOwner(file), layer))
      geteuid.mockRestore()
      return outcome._tag === "Failure" ? outcome.failure.reason : "fine"
    })
  const cases: ReadonlyArray<
    readonly [what: string, file: string, type: FileSystem.File.Type, uid: number | undefined, outcome: string]
  > = [
    ["may be root", "/a", "File", 0, "fine"],
    ["may be who we are", "/a", "File", 1000, "fine"],
    ["may be unknown", "/a", "File", undefined, "fine"],
    ["may be nobody else", "/a", "File", 1, "it belongs to another user (1)"],
    ["may be nobody else of a link", "/a", "SymbolicLink", 1, "it is a symbolic link of another user (1)"],
    ["may be root of a link", "/a", "SymbolicLink", 0, "fine"],
    ["may be anybody of a pipe of the shell", "/dev/stdout", "FIFO", 1, "fine"],
    ["may be anybody of a pipe by its descriptor", "/proc/self/fd/1", "FIFO", 1, "fine"],
    ["may be nobody else of a file by its descriptor", "/dev/stdout", "File", 1, "it belongs to another user (1)"],
    ["may be nobody else of another pipe", "/a", "FIFO", 1, "it belongs to another user (1)"],
    ["may be nobody else in shared memory", "/dev/shm/a", "FIFO", 1, "it belongs to another user (1)"]
  ]
  for (const [what, file, type, uid, outcome] of cases) {
    it.effect(what, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* check(file, type, uid), outcome)
      }))
  }

  it.effect("is not asked for where there is no file", () => onHost(AtomicFile.checkOwner("/none/a")))
})

describe("a folder", () => {
  it.effect("is made with those above it, and may be there already", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const path = `${folder.path}/a/b/c`
      yield* onHost(AtomicFile.makeFolder(path, 0o700))
      yield* onHost(AtomicFile.makeFolder(path))
      assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o700)
    }))

  it.effect("has its mode whatever the umask takes away", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const umask = process.umask(0o077)
      yield* Effect.ensuring(
        onHost(AtomicFile.makeFolder(`${folder.path}/a/b`)),
        Effect.sync(() => process.umask(umask))
      )
      const modes = ["a", "a/b"].map((path) => Fs.statSync(`${folder.path}/${path}`).mode & 0o777)
      assert.deepStrictEqual(modes, [0o755, 0o755])
    }))

  it.effect("that another process makes at the same time is there", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const path = `${folder.path}/a/b`
      const racing = files((fs) => ({
        makeDirectory: (folder, options) => Effect.andThen(fs.makeDirectory(folder), fs.makeDirectory(folder, options))
      }))
      yield* Effect.provide(AtomicFile.makeFolder(path), racing)
      assert.isTrue(Fs.existsSync(path))
    }))

  it.effect("that is impossible is an error at once", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(onHost(AtomicFile.makeFolder("/proc/none/bin")))
      assert.strictEqual(error.message, "cannot write /proc/none/bin: there is no such file or folder")
    }))
})
