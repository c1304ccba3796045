/** How our plugin gets into the folder of plugins, and out of it. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as PluginInstallation from "../../src/wrap/PluginInstallation.ts"
import * as Command from "../support/command.ts"
import { denied, files } from "../support/files.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

/** The host, where the source is another file after each copy of it, until `changes` copies were made. */
const changing = (source: string, changes: number) => {
  let copies = 0
  return Layer.provideMerge(
    Layer.effect(
      FileSystem.FileSystem,
      Effect.map(FileSystem.FileSystem, (fs) =>
        FileSystem.FileSystem.of({
          ...fs,
          copyFile: (from, to) =>
            Effect.map(fs.copyFile(from, to), () => {
              copies++
              if (copies <= changes) Scripts.plugin(source, [`1.0.${"0".repeat(copies)}`])
            })
        }))
    ),
    Command.host
  )
}

describe("the folder of plugins", () => {
  const chosen = (...there: ReadonlyArray<string>) =>
    Effect.all([PluginInstallation.choose(), PluginInstallation.chooseInstalled()]).pipe(
      Effect.provide(files(() => ({ exists: (path) => Effect.succeed(there.includes(path)) })))
    )

  it.effect("is the first of the usual ones that is there, or else the most common one", () =>
    Effect.gen(function*() {
      const [first, second, third] = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"] as const
      assert.deepStrictEqual(yield* chosen(), [first, first])
      assert.deepStrictEqual(yield* chosen(first, second, third), [first, first])
      assert.deepStrictEqual(yield* chosen(second, third), [second, second])
      assert.deepStrictEqual(yield* chosen(third), [third, third])
    }))

  it.effect("is the one that has our plugin, where that is to be found", () =>
    Effect.gen(function*() {
      const there = ["/opt/cni/bin", "/usr/lib/cni", "/usr/lib/cni/passthrough"]
      assert.deepStrictEqual(yield* chosen(...there), ["/opt/cni/bin", "/usr/lib/cni"])
    }))
})

describe("installing the plugin", () => {
  it.effect("makes the folder, and puts an executable file there and nothing else", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.plugin(`${folder.path}/built`, ["1.0.0"])
      Fs.chmodSync(built, 0o644)
      const file = yield* PluginInstallation.install(built, `${folder.path}/a/bin`)
      assert.strictEqual(file, `${folder.path}/a/bin/passthrough`)
      assert.deepStrictEqual(Fs.readdirSync(`${folder.path}/a/bin`), ["passthrough"])
      assert.strictEqual(Fs.statSync(file).mode & 0o777, 0o755)
      assert.strictEqual(Fs.readFileSync(file, "utf8"), Fs.readFileSync(built, "utf8"))
    }).pipe(Effect.provide(Command.host)))

  /** A plugin that needs the library, as the kernel's loader finds out: its name stands in it with a zero at its end. */
  const forMusl = (file: string) => {
    Scripts.plugin(file, ["1.0.0"])
    Fs.appendFileSync(file, "exit\n.libstdc++.so\0\n")
    return file
  }

  it.effect("brings the library that lies beside the plugin for musl, and takes it away with the plugin", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = forMusl(`${folder.path}/built`)
      Fs.writeFileSync(`${folder.path}/.libstdc++.so`, "library")
      const file = yield* PluginInstallation.install(built, `${folder.path}/bin`)
      assert.deepStrictEqual(Fs.readdirSync(`${folder.path}/bin`).sort(), [".libstdc++.so", "passthrough"])
      assert.strictEqual(Fs.readFileSync(`${folder.path}/bin/.libstdc++.so`, "utf8"), "library")
      assert.strictEqual(Fs.statSync(`${folder.path}/bin/.libstdc++.so`).mode & 0o777, 0o644)
      yield* PluginInstallation.remove(file)
      assert.deepStrictEqual(Fs.readdirSync(`${folder.path}/bin`), [])
    }).pipe(Effect.provide(Command.host)))

  it.effect("leaves a library that no plugin of ours needs, when it is put there and when it is taken away", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const bin = `${folder.path}/bin`
      Fs.mkdirSync(bin)
      Fs.writeFileSync(`${bin}/.libstdc++.so`, "of another program")
      const glibc = Scripts.plugin(`${folder.path}/built`, ["1.0.0"])
      Fs.appendFileSync(glibc, `exit\n# needs no .libstdc++.so\n${"#".repeat(1_048_576)}.libstdc++.so\0`) // in its code
      yield* PluginInstallation.checkForeign(glibc, bin)
      yield* PluginInstallation.remove(yield* PluginInstallation.install(glibc, bin))
      assert.deepStrictEqual(Fs.readdirSync(bin), [".libstdc++.so"])

      Fs.mkdirSync(`${folder.path}/musl`)
      Fs.writeFileSync(`${folder.path}/musl/.libstdc++.so`, "ours")
      const musl = forMusl(`${folder.path}/musl/built`)
      const error = yield* Effect.flip(PluginInstallation.checkForeign(musl, bin))
      assert.include(error.message, `${bin}/.libstdc++.so is left alone: it is not the plugin of cni-passthrough (no`)
      Fs.copyFileSync(musl, `${bin}/passthrough`)
      yield* PluginInstallation.checkForeign(musl, bin) // one of ours, of an older version
      Fs.rmSync(`${bin}/passthrough`)
      Fs.writeFileSync(`${bin}/.libstdc++.so`, "ours")
      yield* PluginInstallation.checkForeign(musl, bin)
    }).pipe(Effect.provide(Command.host)))

  it.effect("is done in the place of our own plugin, and of a link to it, and of nothing else", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.plugin(`${folder.path}/built`, ["1.0.0", "1.1.0"])
      const place = `${folder.path}/passthrough`
      yield* PluginInstallation.checkForeign(built, folder.path)
      Fs.copyFileSync(built, place)
      yield* PluginInstallation.checkForeign(built, folder.path)
      Fs.rmSync(place)
      Scripts.plugin(`${folder.path}/older`, ["1.0.0"])
      Fs.symlinkSync("older", place)
      yield* PluginInstallation.checkForeign(built, folder.path)

      const refused = Effect.map(
        Effect.flip(PluginInstallation.checkForeign(built, folder.path)),
        ({ message }) => message
      )
      Fs.rmSync(place)
      Fs.symlinkSync("none", place)
      assert.include(
        yield* refused,
        `${place} is left alone: it is not the plugin of cni-passthrough (it is a symbolic`
      )
      Fs.rmSync(place)
      Fs.mkdirSync(place)
      assert.include(yield* refused, `${place} is left alone`)
      Fs.rmdirSync(place)
      Scripts.script(place, `touch ${folder.path}/ran; echo another >&2`)
      assert.include(yield* refused, "it says \"another\"")
      if (process.getuid?.() === 0) {
        Fs.rmSync(`${folder.path}/ran`)
        Fs.chownSync(place, 65_533, 0)
        assert.include(yield* refused, "it belongs to another user (65533)")
        assert.isFalse(Fs.existsSync(`${folder.path}/ran`))
      }
    }).pipe(Effect.provide(Command.host)))

  it.effect("never writes through a link that has the name of its temporary file", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.plugin(`${folder.path}/built`, ["1.0.0"])
      Fs.writeFileSync(`${folder.path}/precious`, "precious")
      Fs.mkdirSync(`${folder.path}/bin`)
      Fs.symlinkSync("../precious", `${folder.path}/bin/.passthrough.${process.pid}.new`)
      yield* PluginInstallation.install(built, `${folder.path}/bin`)
      assert.strictEqual(Fs.readFileSync(`${folder.path}/precious`, "utf8"), "precious")
      assert.deepStrictEqual(Fs.readdirSync(`${folder.path}/bin`), ["passthrough"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("leaves the plugin of before where the new one does not answer VERSION", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.script(`${folder.path}/built`, "echo no interpreter >&2; exit 3")
      Fs.mkdirSync(`${folder.path}/bin`)
      Fs.writeFileSync(`${folder.path}/bin/passthrough`, "old")
      const error = yield* Effect.flip(PluginInstallation.install(built, `${folder.path}/bin`))
      assert.match(error.message, /does not answer VERSION: exit status 3: no interpreter$/)
      assert.strictEqual(Fs.readFileSync(`${folder.path}/bin/passthrough`, "utf8"), "old")
      assert.deepStrictEqual(Fs.readdirSync(`${folder.path}/bin`), ["passthrough"])
    }).pipe(Effect.provide(Command.host)))

  it.live("copies a source again that is replaced meanwhile", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.plugin(`${folder.path}/built`, ["1.0.0"])
      const file = yield* Effect.provide(PluginInstallation.install(built, folder.path), changing(built, 2))
      assert.strictEqual(Fs.readFileSync(file, "utf8"), Fs.readFileSync(built, "utf8"))
      assert.include(Fs.readFileSync(file, "utf8"), "1.0.00\"")
    }))

  it.live("gives up where the source changed during each of three copies", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.plugin(`${folder.path}/built`, ["1.0.0"])
      const error = yield* Effect.flip(
        Effect.provide(PluginInstallation.install(built, folder.path), changing(built, 3))
      )
      assert.strictEqual(error.message, `${built} keeps changing while it is copied: try again when it is built`)
      assert.deepStrictEqual(Fs.readdirSync(folder.path), ["built"])
    }))

  it.effect("advises root where it may not write, but not where it may not read", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.plugin(`${folder.path}/built`, ["1.0.0"])
      using _ = vi.spyOn(process, "getuid").mockReturnValue(1000)
      const message = (method: "stat" | "copyFile") =>
        Effect.map(Effect.flip(PluginInstallation.install(built, folder.path)), (error) => error.message).pipe(
          Effect.provide(files((fs) => ({
            [method]: (path: string) => path === built ? Effect.fail(denied(path)) : fs.stat(path)
          })))
        )
      assert.match(yield* message("stat"), /^cannot read .*built(?!.*run this as root)/s)
      assert.match(yield* message("copyFile"), /^cannot copy .*: run this as root$/s)
    }).pipe(Effect.provide(Command.host)))

  it.effect("says what it cannot do, at once", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const built = Scripts.plugin(`${folder.path}/built`, ["1.0.0"])
      const impossible = yield* Effect.flip(PluginInstallation.install(built, "/proc/none/bin"))
      assert.strictEqual(impossible.message, "cannot write /proc/none/bin: there is no such file or folder")
      const missing = yield* Effect.flip(PluginInstallation.install("/none", folder.path))
      assert.strictEqual(missing.message, "cannot read /none: there is no such file or folder")
      const unwritable = yield* Effect.flip(PluginInstallation.install(built, "/proc"))
      assert.strictEqual(unwritable.message, `cannot copy ${built} to /proc: there is no such file or folder`)
    }).pipe(Effect.provide(Command.host)))
})

describe("uninstalling the plugin", () => {
  it.effect("removes a file that says that it is ours", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Scripts.plugin(`${folder.path}/passthrough`, ["1.0.0"])
      yield* PluginInstallation.remove(yield* PluginInstallation.findOurs(folder.path))
      assert.deepStrictEqual(Fs.readdirSync(folder.path), [])
    }).pipe(Effect.provide(Command.host)))

  const foreign: { readonly [name: string]: readonly [text: string, reason: RegExp] } = {
    "another plugin of that name": [
      "echo CNI plugin passthrough of another house >&2",
      /it says "CNI plugin passthrough of/
    ],
    "a program that says nothing": ["exit 1", /it does not introduce itself/],
    "a program that talks on stdout": ["echo CNI plugin passthrough v1", /it does not introduce itself/]
  }
  for (const [name, [text, reason]] of Object.entries(foreign)) {
    it.effect(`leaves ${name} alone`, () =>
      Effect.gen(function*() {
        using folder = temporary()
        Scripts.script(`${folder.path}/passthrough`, text)
        const error = yield* Effect.flip(PluginInstallation.findOurs(folder.path))
        assert.include(error.message, `${folder.path}/passthrough is left alone`)
        assert.match(error.message, reason)
        assert.deepStrictEqual(Fs.readdirSync(folder.path), ["passthrough"])
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("leaves a file alone that cannot be started", () =>
    Effect.gen(function*() {
      using folder = temporary()
      Fs.writeFileSync(`${folder.path}/passthrough`, "notes of a person")
      const error = yield* Effect.flip(PluginInstallation.findOurs(folder.path))
      assert.include(error.message, "permission denied")
      assert.deepStrictEqual(Fs.readdirSync(folder.path), ["passthrough"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("says that there is nothing to remove", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(PluginInstallation.findOurs("/proc/none"))
      assert.strictEqual(error.message, "the plugin is not in /proc/none: name its folder with --to")
    }).pipe(Effect.provide(Command.host)))
})
