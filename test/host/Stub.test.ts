/** Where stubs can stand. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stub from "../../src/host/Stub.ts"

const check = (folder: string) => Stub.checkFolder(Stub.places(folder))

describe("a folder of stubs", () => {
  it("has the executable named in each of them, for the kernel and for a shell that opens it late", () => {
    assert.strictEqual(
      Stub.text(Stub.places("/opt/o'cni/bin")),
      `#!/opt/o'cni/bin/.passthrough/passthrough\nexec '/opt/o'\\''cni/bin/.passthrough/passthrough' "$0" "$@"\n`
    )
  })

  it.effect("has no white space in its path, at which the kernel would end the name of the executable", () =>
    Effect.gen(function*() {
      const { message } = yield* Effect.flip(check("/opt/my plugins"))
      assert.match(message, /^plugins of "\/opt\/my plugins" cannot be wrapped: found white space in its path/)
    }))

  it.effect("has a path that the kernel reads to its end, in bytes", () =>
    Effect.gen(function*() {
      const long = (bytes: number) => `/${"ä".repeat(50)}${"a".repeat(bytes - 101)}`
      const rest = Buffer.byteLength("#!/.passthrough/passthrough")
      yield* check(long(255 - rest))
      const { message } = yield* Effect.flip(check(long(256 - rest)))
      assert.match(message, /found a first line of 256 bytes for scripts there, expected at most 255$/)
    }))
})
