/** Named network namespaces. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type { Execution } from "../../src/exec/Execution.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Netns from "../../src/runtime/Netns.ts"
import { denied } from "../support/files.ts"
import { findIp } from "../support/hostTools.ts"

findIp()

describe("the path of a namespace", () => {
  const paths: ReadonlyArray<readonly [given: string, path: string]> = [
    ["x", "/run/netns/x"],
    ["/run/netns/x", "/run/netns/x"],
    ["/run/netns/x/", "/run/netns/x"],
    ["/run//netns/./y/../x", "/run/netns/x"],
    ["./x", `${process.cwd()}/x`],
    ["x/", `${process.cwd()}/x`],
    [".", process.cwd()]
  ]
  for (const [given, path] of paths) {
    it.effect(`is absolute and clean: ${given}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* Netns.pathOf(given), path)
      }).pipe(Effect.provide(Path.layer)))
  }
})

describe("two paths of namespaces", () => {
  it("are one in /run and in /var/run, as containerd writes it", () => {
    assert.isTrue(Netns.isSamePath("/var/run/netns/x", "/run/netns/x"))
    assert.isTrue(Netns.isSamePath("/run/netns/x", "/run/netns/x"))
    assert.isFalse(Netns.isSamePath("/var/run/netns/x", "/run/netns/y"))
    assert.isFalse(Netns.isSamePath("/var/netns/x", "/run/netns/x"))
  })
})

describe("a name of a namespace", () => {
  it("is what a file can be called", () => {
    for (const name of ["x", "x".repeat(255), "a b", "..."]) assert.isTrue(Netns.isName(name), name)
    for (const name of ["", ".", "..", "a/b", "a\0", "x".repeat(256)]) assert.isFalse(Netns.isName(name), name)
  })
})

describe("a namespace that is required", () => {
  const outcome = (exists: Effect.Effect<boolean, PlatformError>) =>
    Effect.provide(Effect.result(Netns.require("/x")), FileSystem.layerNoop({ exists: () => exists }))

  it.effect("has to be there", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* outcome(Effect.succeed(true)))._tag, "Success")
      const missing = yield* Effect.flip(Effect.fromResult(yield* outcome(Effect.succeed(false))))
      assert.strictEqual(missing.message, "there is no network namespace /x")
    }))

  it.effect("is taken to be there where that cannot be looked up", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* outcome(Effect.fail(denied("/x"))))._tag, "Success")
    }))
})

describe("ip netns", () => {
  const ended = (fields: Partial<Execution>) =>
    ProcessRunner.of({
      run: ({ argv }) =>
        Effect.succeed({
          argv,
          stdin: "",
          exitCode: 0,
          signal: null,
          timedOut: false,
          truncated: false,
          durationMs: 1,
          stdout: new Uint8Array(),
          stderr: new Uint8Array(),
          ...fields
        })
    })

  /** Whether there is a namespace yet. */
  const files = (isThere: boolean) =>
    FileSystem.layerNoop({ exists: (path) => Effect.succeed(isThere && path === "/run/netns/x") })

  it.effect("does not make a namespace that is there, and it is said how to take that one", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Netns.add("x")).pipe(
        Effect.provide(files(true)),
        Effect.provideService(ProcessRunner, ended({}))
      )
      assert.strictEqual(error.message, "the network namespace x already exists: --netns x uses it as it is")
    }))

  it.effect("makes and removes a namespace of a name", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const runner = ProcessRunner.of({
        run: (invocation) => {
          asked.push(invocation.argv.slice(-3).join(" "))
          return ended({}).run(invocation)
        }
      })
      yield* Effect.andThen(Netns.add("x"), Netns.remove("x")).pipe(
        Effect.provide(files(false)),
        Effect.provideService(ProcessRunner, runner)
      )
      assert.deepStrictEqual(asked, ["netns add x", "netns del x"])
    }))

  it.effect("makes a namespace where it cannot be looked up whether it is there", () =>
    Effect.gen(function*() {
      yield* Netns.add("x").pipe(
        Effect.provide(FileSystem.layerNoop({ exists: (path) => Effect.fail(denied(path)) })),
        Effect.provideService(ProcessRunner, ended({}))
      )
    }))

  it.effect("that fails is told in its own words", () =>
    Effect.gen(function*() {
      const stderr = new TextEncoder().encode("Cannot create namespace file \"/run/netns/x\": File exists\n")
      const error = yield* Effect.flip(Netns.add("x")).pipe(
        Effect.provide(files(false)),
        Effect.provideService(ProcessRunner, ended({ exitCode: 1, stderr }))
      )
      assert.strictEqual(error.message, "ip netns add x: Cannot create namespace file \"/run/netns/x\": File exists")
    }))

  it.effect("that says nothing is told by its exit status", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Netns.remove("x")).pipe(
        Effect.provideService(ProcessRunner, ended({ exitCode: 2 }))
      )
      assert.strictEqual(error.message, "ip netns del x: exit status 2; this needs root")
    }))

  it.effect("that is not there is told so", () =>
    Effect.gen(function*() {
      const missing = ProcessRunner.of({
        run: () =>
          Effect.fail(new NotStarted({ program: "ip", reason: "no such file", code: "ENOENT", cause: undefined }))
      })
      const error = yield* Effect.flip(Netns.add("x")).pipe(
        Effect.provide(files(false)),
        Effect.provideService(ProcessRunner, missing)
      )
      assert.strictEqual(error.message, "ip netns add x: no such file")
    }))
})
