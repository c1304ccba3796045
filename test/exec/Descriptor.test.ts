/** Texts that are written to a descriptor whose reader may be slow. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Descriptor from "../../src/exec/Descriptor.ts"
import { temporary } from "../support/plugin.ts"

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

/** Both ends of a pipe, neither of which waits. */
const pipe = () => {
  using folder = temporary()
  const path = `${folder.path}/pipe`
  ChildProcess.execFileSync("mkfifo", [path])
  return { reader: Fs.openSync(path, O_RDONLY | O_NONBLOCK), writer: Fs.openSync(path, O_WRONLY | O_NONBLOCK) }
}

const read = (fd: number): Buffer => {
  const bytes = Buffer.alloc(200_000)
  return bytes.subarray(0, Fs.readSync(fd, bytes))
}

describe("a text for a descriptor", () => {
  it.effect("is written at once where there is room, an empty one too", () =>
    Effect.gen(function*() {
      const { reader, writer } = pipe()
      yield* Descriptor.write(writer, "né")
      yield* Descriptor.write(writer, "")
      assert.strictEqual(String(read(reader)), "né")
      for (const fd of [reader, writer]) Fs.closeSync(fd)
    }))

  it.effect("is written as its reader takes it, wherever that cuts it", () =>
    Effect.gen(function*() {
      const { reader, writer } = pipe()
      const text = `x${"é".repeat(100_000)}`
      const fiber = yield* Effect.forkChild(Descriptor.write(writer, text))
      yield* TestClock.adjust(0)
      const parts = [read(reader)]
      while (fiber.pollUnsafe() === undefined) {
        yield* TestClock.adjust(1)
        parts.push(read(reader))
      }
      assert.strictEqual(String(Buffer.concat(parts)), text)
      assert.isAbove(parts.length, 2)
      for (const fd of [reader, writer]) Fs.closeSync(fd)
    }))

  it.effect("fails where nobody reads it", () =>
    Effect.gen(function*() {
      const { reader, writer } = pipe()
      Fs.closeSync(reader)
      assert.match((yield* Effect.flip(Descriptor.write(writer, "x"))).message, /^EPIPE/)
      Fs.closeSync(writer)
    }))
})
