/** Files that are read only where that ends soon. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import * as SmallFile from "../../src/host/SmallFile.ts"
import { temporary } from "../support/plugin.ts"

const failure = (path: string, longest = 10) =>
  Effect.provide(Effect.flip(SmallFile.textOf(path, longest)), NodeServices.layer)

describe("a small file", () => {
  it.effect("is read as it is, up to the last byte that it may have", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/file`
      for (const text of ["", "0123456789", "\ufeffäöü"]) {
        Fs.writeFileSync(file, text)
        assert.strictEqual(yield* SmallFile.textOf(file, 10), text)
        assert.strictEqual(yield* SmallFile.read(file, 10), text)
      }
      const long = "x".repeat(3_000_000)
      Fs.writeFileSync(file, long)
      assert.strictEqual(yield* SmallFile.textOf(file, 3_000_000), long)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("is not one where it is longer", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/file`
      Fs.writeFileSync(file, "01234567890")
      assert.deepInclude(yield* failure(file), {
        reason: "found 11 bytes, expected at most 10",
        isMissing: false,
        isForbidden: false
      })
      assert.isUndefined(yield* Effect.provide(SmallFile.read(file, 10), NodeServices.layer))
    }))

  it.effect("is not one where it has more than it says", () =>
    Effect.gen(function*() {
      const stat = { size: 0, type: "File" }
      const fs = FileSystem.layerNoop({
        stat: () => Effect.succeed(stat as never),
        realPath: Effect.succeed,
        open: () => Effect.succeed({ readAlloc: (size: number) => Effect.succeedSome(new Uint8Array(size)) } as never)
      })
      const error = yield* Effect.provide(Effect.flip(SmallFile.textOf("/f", 10)), fs)
      assert.strictEqual(error.message, "found more than 10 bytes")
    }))

  it.effect("is read into little more memory than it needs, and in parts where it is long", () =>
    Effect.gen(function*() {
      const asked = (size: number) =>
        Effect.gen(function*() {
          const sizes: Array<number> = []
          let left = size
          const readAlloc = (most: number) => {
            sizes.push(most)
            const length = Math.min(most, left)
            left -= length
            return Effect.succeed(length === 0 ? Option.none() : Option.some(new Uint8Array(length)))
          }
          const fs = FileSystem.layerNoop({
            stat: () => Effect.succeed({ size, type: "File" } as never),
            realPath: Effect.succeed,
            open: () => Effect.succeed({ readAlloc } as never)
          })
          const text = yield* Effect.provide(SmallFile.textOf("/f", 3_000_000), fs)
          assert.lengthOf(text, size)
          return sizes
        })
      assert.deepStrictEqual(yield* asked(2000), [4096, 4096])
      assert.deepStrictEqual(yield* asked(9000), [9001, 4096])
      assert.deepStrictEqual(yield* asked(1_500_000), [1_048_576, 451_425, 4096])
    }))

  it.effect("that is not there is missing, and nothing else", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* failure("/none/file"), {
        reason: "there is no such file or folder",
        isMissing: true,
        isForbidden: false
      })
    }))

  it.effect("that may not be read is forbidden", () =>
    Effect.gen(function*() {
      const denied = PlatformError.systemError({
        _tag: "PermissionDenied",
        module: "FileSystem",
        method: "stat",
        pathOrDescriptor: "/f"
      })
      const fs = FileSystem.layerNoop({ stat: () => Effect.fail(denied) })
      const error = yield* Effect.provide(Effect.flip(SmallFile.textOf("/f", 10)), fs)
      assert.deepInclude(error, { isMissing: false, isForbidden: true })
    }))

  const others: ReadonlyArray<readonly [what: string, make: (path: string) => unknown, reason: RegExp]> = [
    ["a named pipe", (path) => ChildProcess.execFileSync("mkfifo", [path]), /^found a named pipe, expected a regular/],
    ["a link to a device", (path) => Fs.symlinkSync("/dev/zero", path), /^found a device, expected a regular file$/],
    [
      "a link to a file of the kernel",
      (path) => Fs.symlinkSync("/proc/self/mem", path),
      /^found a file of the kernel,/
    ],
    [
      "a link to a file of /sys",
      (path) => Fs.symlinkSync("/sys/kernel/uevent_seqnum", path),
      /^found a file of the ker/
    ],
    ["a folder", (path) => Fs.mkdirSync(path), /^it is a folder$/],
    ["a loop of links", (path) => Fs.symlinkSync(path, path), /too many symbolic links/]
  ]
  for (const [what, make, reason] of others) {
    it.effect(`is not one where it is ${what}`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        const path = `${folder.path}/file`
        make(path)
        const error = yield* failure(path)
        assert.match(error.message, reason)
        assert.isFalse(error.isMissing)
      }))
  }

  const kinds = [["BlockDevice", "a device"], ["Unknown", "a file of an unknown kind"]] as const
  for (const [type, kind] of kinds) {
    it.effect(`is not one where it is ${kind}: ${type}`, () =>
      Effect.gen(function*() {
        const fs = FileSystem.layerNoop({
          stat: () => Effect.succeed({ size: 0, type } as never),
          realPath: Effect.succeed
        })
        const error = yield* Effect.provide(Effect.flip(SmallFile.textOf("/f", 10)), fs)
        assert.strictEqual(error.message, `found ${kind}, expected a regular file`)
      }))
  }

  it.live("is not one where it is a socket", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const path = `${folder.path}/socket`
      const server = Net.createServer()
      yield* Effect.promise(() => new Promise<void>((resolve) => void server.listen(path, resolve)))
      const error = yield* failure(path)
      server.close()
      assert.strictEqual(error.message, "found a socket, expected a regular file")
    }))
})
