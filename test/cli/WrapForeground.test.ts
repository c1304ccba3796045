/** The flags with which `wrap` stays in the foreground, or goes to the root of a host: what they refuse. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as BuiltPlugin from "../../src/cli/BuiltPlugin.ts"
import { wrap } from "../../src/cli/commands/Wrap.ts"
import * as Deadline from "../../src/cli/commands/wrap/Deadline.ts"
import * as HostRoot from "../../src/host/HostRoot.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"
import { hurried, make } from "../support/wrapped.ts"

const wrapped = (host: ReturnType<typeof make>, ...args: ReadonlyArray<string>) =>
  hurried(Effect.provideService(
    Command.printed(wrap, ...args, "--dir", host.folder),
    BuiltPlugin.CommandFile,
    Scripts.script(`${host.root}/cni-passthrough`, "")
  ))

const test = (name: string, body: () => Effect.Effect<void, unknown, Layer.Success<typeof Command.host>>) =>
  it.effect(name, () => Effect.provide(body(), Command.host))

describe("cni-passthrough wrap", () => {
  const refusals: ReadonlyArray<readonly [args: ReadonlyArray<string>, words: string]> = [
    [["--network", "pods"], "--network needs --follow: give both"],
    [["--deadline", "/tmp/deadline"], "--deadline needs --for: give both"],
    [["--for", "1h", "--network", "pods"], "--network needs --follow: give both\n"],
    [["--watch", "--deadline", "/tmp/deadline"], "--deadline needs --for: give both\n"],
    [["--for", "0s"], "found no time at all, expected a duration such as 30m or 1h"],
    [["--for", "an hour"], "found \"an hour\", expected a duration such as 30s, 500ms or 1m30s"],
    [["--plugins", "bridge,a/b"], "found \"bridge,a/b\", expected the name of a plugin other than passthrough"],
    [["--host-root", "/host"], "cannot go to the root of the host in /host: only the standalone form"]
  ]
  for (const [args, words] of refusals) {
    test(`refuses ${args.join(" ")}, and changes nothing`, () =>
      Effect.gen(function*() {
        using host = make()
        const before = host.state()
        const { status, stderr, stdout } = yield* wrapped(host, ...args)
        assert.include(`${stdout}${stderr}`, words)
        assert.strictEqual(status === 0, false)
        assert.deepStrictEqual(host.state(), before)
      }))
  }

  test("takes names of plugins as a list, too", () =>
    Effect.gen(function*() {
      using host = make()
      const { stdout } = yield* wrapped(host, "--plugins", "bridge,calico")
      assert.include(stdout, "\n  wrapped  bridge, calico\n")
    }))

  test("fails with --follow where nothing can be read again, and changes nothing", () =>
    Effect.gen(function*() {
      using host = make()
      const before = host.state()
      const { status, stderr, stdout } = yield* wrapped(host, "--follow", "--sink", "syslog")
      assert.strictEqual(status, 2)
      assert.include(`${stdout}${stderr}`, "--follow reads a log that is a file, or the journal: found syslog")
      assert.deepStrictEqual(host.state(), before)
    }))
})

describe("the time of wrap --for", () => {
  test("is kept in a file, and goes on where it is started again", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = Option.some(`${folder.path}/deadline`)
      const first = yield* Deadline.begin(60_000, file)
      assert.strictEqual(Fs.readFileSync(`${folder.path}/deadline`, "utf8"), `${new Date(first.time).toISOString()}\n`)
      yield* TestClock.adjust(20_000)
      assert.deepStrictEqual(yield* Deadline.begin(60_000, file), { time: first.time, isOlder: true })
      assert.deepStrictEqual(yield* Deadline.begin(60_000, Option.none()), {
        time: first.time + 20_000,
        isOlder: false
      })
    }))

  test("fails where the file has something else in it", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/deadline`, "soon\n")
      const error = yield* Effect.flip(Deadline.begin(60_000, Option.some(`${folder.path}/deadline`)))
      assert.strictEqual(
        error.message,
        `${folder.path}/deadline: found "soon", expected a time such as 2026-01-31T12:00:00.000Z`
      )
    }))

  test("may be longer than the timers of Node.js", () =>
    Effect.gen(function*() {
      let isOver = false
      const days = 40 * 86_400_000
      yield* Effect.forkScoped(Effect.andThen(Deadline.wait(days), Effect.sync(() => isOver = true)))
      yield* TestClock.adjust(days - 1)
      assert.isFalse(isOver)
      yield* TestClock.adjust(1)
      assert.isTrue(isOver)
    }).pipe(Effect.scoped))
})

describe("a path of a host that is mounted below a folder", () => {
  it("is the same with and without that folder before it", () => {
    assert.strictEqual(HostRoot.pathOn("/host", "/host/opt/cni/bin"), "/opt/cni/bin")
    assert.strictEqual(HostRoot.pathOn("/host", "/opt/cni/bin"), "/opt/cni/bin")
    assert.strictEqual(HostRoot.pathOn("/host", "/hostile/bin"), "/hostile/bin")
    assert.strictEqual(HostRoot.pathOn("/host", "/host"), "/")
  })
})
