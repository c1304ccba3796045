/** Where stubs can stand. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Stub from "../../src/wrap/Stub.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const check = (folder: string) => Stub.checkFolder(Stub.places(folder))

describe("a file", () => {
  const text = Stub.text(Stub.places("/opt/cni/bin"))
  const files: { readonly [name: string]: readonly [text: string, folder: string | undefined] } = {
    "with both lines of a stub is a stub of the folder that they name": [text, "/opt/cni/bin"],
    "with only the first line is none": [text.slice(0, text.indexOf("\n") + 1), undefined],
    "whose second line does something else is none": [text.replace("exec", "echo"), undefined],
    "with a line more is none": [`${text}echo more\n`, undefined],
    "of a folder that is only called like ours is none": [text.replaceAll(".passthrough", "xpassthrough"), undefined],
    "of another interpreter is none": ["#!/bin/sh\nexec '/bin/sh' \"$0\" \"$@\"\n", undefined]
  }
  for (const [name, [text, folder]] of Object.entries(files)) {
    it.effect(name, () =>
      Effect.gen(function*() {
        using root = temporary()
        Fs.writeFileSync(`${root.path}/file`, text)
        assert.strictEqual(yield* Stub.homeOf(`${root.path}/file`), folder)
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("is a stub of one folder, and not of another", () =>
    Effect.gen(function*() {
      using root = temporary()
      const [ours, theirs] = [Stub.places("/opt/cni/bin"), Stub.places("/opt/cni/bin2")]
      const file = `${root.path}/file`
      for (const content of [text, text.replace("exec", "echo"), `${text}\n`, Stub.text(theirs)]) {
        Fs.writeFileSync(file, content)
        const found = [yield* Stub.isStub(ours, file), yield* Stub.isStub(theirs, file)]
        assert.deepStrictEqual(found, [content === text, content === Stub.text(theirs)], content)
      }
      Fs.writeFileSync(file, text)
      Fs.symlinkSync("file", `${root.path}/link`)
      assert.isFalse(yield* Stub.isStub(ours, `${root.path}/link`))
    }).pipe(Effect.provide(Command.host)))

  it.effect("that is a link to a stub is none", () =>
    Effect.gen(function*() {
      using root = temporary()
      Fs.writeFileSync(`${root.path}/file`, text)
      Fs.symlinkSync("file", `${root.path}/link`)
      assert.deepStrictEqual(
        [yield* Stub.isAnyStub(`${root.path}/file`), yield* Stub.isAnyStub(`${root.path}/link`)],
        [true, false]
      )
    }).pipe(Effect.provide(Command.host)))
})

describe("a folder of stubs", () => {
  it("has all that is ours in one folder below it", () => {
    assert.deepStrictEqual(Stub.places("/opt/cni/bin"), {
      folder: "/opt/cni/bin",
      own: "/opt/cni/bin/.passthrough",
      executable: "/opt/cni/bin/.passthrough/passthrough",
      config: "/opt/cni/bin/.passthrough/config.json",
      plugins: "/opt/cni/bin/.passthrough/plugins",
      links: "/opt/cni/bin/.passthrough/links",
      stubs: "/opt/cni/bin/.passthrough/stubs",
      staged: "/opt/cni/bin/.passthrough/staged"
    })
  })

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
