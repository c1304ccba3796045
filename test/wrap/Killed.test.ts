/** `wrap` and `unwrap` that are killed before each change that they make to the folder. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Fs from "node:fs"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as Unwrapping from "../../src/wrap/Unwrapping.ts"
import * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"
import * as Scripts from "../support/scripts.ts"
import { hurried, make } from "../support/wrapped.ts"

/** Plugins are not started here: all answer alike. */
const runner = Layer.succeed(
  ProcessRunner,
  ProcessRunner.of({
    run: ({ argv, stdin = "" }) =>
      Effect.succeed({
        argv,
        stdin,
        stdout: new TextEncoder().encode(`{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}`),
        stderr: new Uint8Array(),
        exitCode: 0,
        signal: null,
        timedOut: false,
        truncated: false,
        durationMs: 1
      })
  })
)

const killed = PlatformError.systemError({ _tag: "Unknown", module: "FileSystem", method: "any" })

/** A host on which a process can make so many changes, and then no more: as one that is killed. */
const mortal = (changes: number) => {
  const made = { count: 0 }
  const dying = <A, R>(change: Effect.Effect<A, PlatformError.PlatformError, R>) =>
    Effect.suspend(() => {
      if (made.count >= changes) return Effect.fail(killed)
      made.count++
      return change
    })
  const layer = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) =>
      FileSystem.FileSystem.of({
        ...fs,
        chmod: (path, mode) => dying(fs.chmod(path, mode)),
        chown: (path, uid, gid) => dying(fs.chown(path, uid, gid)),
        copyFile: (from, to) => dying(fs.copyFile(from, to)),
        link: (from, to) => dying(fs.link(from, to)),
        makeDirectory: (path, options) => dying(fs.makeDirectory(path, options)),
        open: (path, options) => options?.flag === "wx" ? dying(fs.open(path, options)) : fs.open(path, options),
        remove: (path, options) => dying(fs.remove(path, options)),
        rename: (from, to) => dying(fs.rename(from, to)),
        symlink: (to, path) => dying(fs.symlink(to, path)),
        writeFileString: (path, text, options) => dying(fs.writeFileString(path, text, options))
      }))
  ).pipe(Layer.provide(Command.host))
  return { made, layer: Layer.mergeAll(Command.host, layer, runner) }
}

type Host = ReturnType<typeof make>

const wrap = ({ at, built }: Host) =>
  Effect.asVoid(hurried(Wrapping.wrap({ at, built, config: "{}", keepsConfig: false })))

const unwrap = ({ at }: Host) => Effect.asVoid(hurried(Unwrapping.unwrap(at)))

const whole = <A, E>(effect: Effect.Effect<A, E, Layer.Success<typeof Command.host>>) =>
  Effect.provide(effect, mortal(Number.POSITIVE_INFINITY).layer)

/** Kills `step` before each of its changes in turn, and looks at the folder then. Returns how many changes it makes. */
const killedAtEach = Effect.fnUntraced(function*<E, F>(
  step: (host: Host) => Effect.Effect<void, E, Layer.Success<typeof Command.host>>,
  prepare: (host: Host) => Effect.Effect<void, F, Layer.Success<typeof Command.host>>,
  look: (host: Host, changes: number) => Effect.Effect<void, E | F, Layer.Success<typeof Command.host>>
) {
  for (let changes = 0;; changes++) {
    using host = make()
    yield* whole(prepare(host))
    const { layer, made } = mortal(changes)
    const end = yield* Effect.exit(Effect.provide(step(host), layer))
    if (made.count < changes) {
      yield* end
      return made.count
    }
    bury(host)
    yield* whole(look(host, changes))
  }
})

const original = (() => {
  using host = make()
  return host.answers()
})()

/** Lets what this process left be that of a process that is no more, as process IDs end before 4194304. */
const bury = ({ folder }: Host) => {
  for (const name of Fs.readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const other = name.replace(`.${process.pid}.`, ".4194305.")
    if (name !== other) Fs.renameSync(`${folder}/${name}`, `${folder}/${other}`)
  }
}

const untouched = () => Effect.void

/** Whether all plugins answer as if nothing was ever wrapped. */
const assertAlive = (host: Host, changes: number) =>
  assert.deepStrictEqual(host.answers(), original, `killed before change ${changes + 1}`)

const steps: { readonly [name: string]: readonly [typeof wrap, typeof wrap] } = {
  "wrap": [wrap, untouched],
  "wrap of what is wrapped": [wrap, wrap],
  "unwrap": [unwrap, wrap]
}

for (const [name, [step, prepare]] of Object.entries(steps)) {
  describe(`${name} that is killed`, () => {
    it.effect("leaves plugins that run, and wrap finishes the work", () =>
      Effect.gen(function*() {
        using complete = make()
        yield* whole(wrap(complete))
        const count = yield* killedAtEach(step, prepare, (host, changes) =>
          Effect.gen(function*() {
            assertAlive(host, changes)
            yield* wrap(host)
            assertAlive(host, changes)
            assert.deepStrictEqual(host.ours(), complete.ours(), `killed before change ${changes + 1}`)
          }))
        assert.isAbove(count, 3)
      }))

    it.effect("leaves plugins that unwrap puts back as they were", () =>
      Effect.gen(function*() {
        let before: unknown
        const count = yield* killedAtEach(
          step,
          (host) =>
            Effect.suspend(() => {
              before = host.state()
              return prepare(host)
            }),
          (host, changes) =>
            Effect.gen(function*() {
              yield* unwrap(host)
              assert.deepStrictEqual(host.state(), before, `killed before change ${changes + 1}`)
            })
        )
        assert.isAbove(count, 3)
      }))
  })
}

describe("wrap of what an installer wrote over, when it is killed", () => {
  /** What the installer writes. */
  const written = (host: Host) => Scripts.script(`${host.folder}/.bridge`, "echo newer")

  it.effect("leaves the new plugin, which unwrap gives back to the inode", () =>
    Effect.gen(function*() {
      let inode = 0
      const prepare = (host: Host) =>
        Effect.andThen(
          wrap(host),
          Effect.sync(() => {
            inode = Fs.statSync(written(host)).ino
            Fs.renameSync(`${host.folder}/.bridge`, `${host.folder}/bridge`)
          })
        )
      const count = yield* killedAtEach(wrap, prepare, (host, changes) =>
        Effect.gen(function*() {
          const when = `killed before change ${changes + 1}`
          assert.strictEqual(host.answers()["bridge"]?.stdout, "newer\n", when)
          yield* unwrap(host)
          assert.strictEqual(host.answers()["bridge"]?.stdout, "newer\n", when)
          assert.strictEqual(Fs.statSync(`${host.folder}/bridge`).ino, inode, when)
          assert.deepStrictEqual(Fs.readdirSync(host.folder), ["bridge", "calico", "calico-ipam", "weave-net"], when)
        }))
      assert.isAbove(count, 3)
    }))
})
