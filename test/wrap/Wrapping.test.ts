/** Plugins that are wrapped and unwrapped, in folders of this host. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Stub from "../../src/wrap/Stub.ts"
import * as Survey from "../../src/wrap/Survey.ts"
import * as Unwrapping from "../../src/wrap/Unwrapping.ts"
import * as Wrapping from "../../src/wrap/Wrapping.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"
import { around, call, hurried, make } from "../support/wrapped.ts"

const config = "{\"logFile\":\"/tmp/a\"}\n"

type Folder = Pick<ReturnType<typeof make>, "at" | "built">

const wrap = ({ at, built }: Folder, request: Partial<Wrapping.Request> = {}) =>
  hurried(Wrapping.wrap({ at, built, config, keepsConfig: false, ...request }))

const unwrap = ({ at }: Folder, names?: ReadonlyArray<string>) => hurried(Unwrapping.unwrap(at, names))

const states = ({ at }: Folder) =>
  Effect.map(Survey.make(at), ({ plugins }) => Object.fromEntries(plugins.map(({ name, state }) => [name, state])))

const test = (name: string, body: () => Effect.Effect<void, unknown, Layer.Success<typeof Command.host>>) =>
  it.effect(name, () => Effect.provide(body(), Command.host))

describe("wrapping", () => {
  test("puts a stub in the place of each plugin, and the plugin runs as before", () =>
    Effect.gen(function*() {
      using host = make()
      const before = host.answers()
      const outcome = yield* wrap(host)
      assert.deepStrictEqual(outcome, {
        wrapped: ["bridge", "calico", "calico-ipam", "weave-net"],
        already: [],
        refused: [],
        passedOver: [],
        isConfigKept: false
      })
      for (const name of outcome.wrapped) {
        assert.strictEqual(Fs.readFileSync(`${host.folder}/${name}`, "utf8"), Stub.text(host.at))
      }
      const inodes = outcome.wrapped.map((name) => Fs.lstatSync(`${host.folder}/${name}`).ino)
      assert.strictEqual(new Set(inodes).size, inodes.length)
      assert.deepStrictEqual(host.answers(), before)
      assert.strictEqual(Fs.readFileSync(host.at.config, "utf8"), config)
      assert.deepStrictEqual(host.ours(), [
        ".passthrough",
        ".passthrough/config.json",
        ".passthrough/links",
        ".passthrough/links/weave-net",
        ".passthrough/passthrough",
        ".passthrough/plugins",
        ".passthrough/plugins/bridge",
        ".passthrough/plugins/calico",
        ".passthrough/plugins/calico-ipam",
        ".passthrough/plugins/weave-net",
        ".passthrough/stubs",
        ".passthrough/stubs/bridge",
        ".passthrough/stubs/calico",
        ".passthrough/stubs/calico-ipam",
        ".passthrough/stubs/weave-net"
      ])
    }))

  test("changes nothing where all is wrapped", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      const before = [host.state(), host.ours(), Fs.statSync(host.at.executable), Fs.statSync(host.at.config)]
      const { already, isConfigKept, wrapped } = yield* wrap(host)
      assert.deepStrictEqual([wrapped, already.length, isConfigKept], [[], 4, true])
      const after = [host.state(), host.ours(), Fs.statSync(host.at.executable), Fs.statSync(host.at.config)]
      for (const state of [before[0], after[0]]) Reflect.deleteProperty(Object(state), ".passthrough")
      const withoutAccess = (value: unknown) => JSON.stringify(value).replace(/"atime(?:Ms)?":[^,]*,/g, "")
      assert.strictEqual(withoutAccess(after), withoutAccess(before))
    }))

  test("keeps the plugin's own permissions and owner, without letting others become it", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.chmodSync(`${host.folder}/bridge`, 0o4750)
      if (process.getuid?.() === 0) Fs.chownSync(`${host.folder}/calico`, 1234, 4321)
      const { gid, uid } = Fs.statSync(`${host.folder}/calico`)
      yield* wrap(host)
      assert.strictEqual(Fs.statSync(`${host.folder}/bridge`).mode & 0o7777, 0o750)
      const stub = Fs.statSync(`${host.folder}/calico`)
      assert.deepStrictEqual([stub.uid, stub.gid], [uid, gid])
    }))

  test("wraps some plugins, and leaves the others", () =>
    Effect.gen(function*() {
      using host = make()
      assert.deepStrictEqual((yield* wrap(host, { names: ["bridge"] })).wrapped, ["bridge"])
      assert.deepStrictEqual(yield* states(host), {
        bridge: "wrapped",
        calico: "not wrapped",
        "calico-ipam": "not wrapped",
        "weave-net": "not wrapped"
      })
      // The link leads to a stub now, and is wrapped as what the stub stands for.
      yield* wrap(host, { names: ["weave-net"] })
      assert.include(call(`${host.folder}/weave-net`).stdout, "\"of\":\"bridge\"")
    }))

  test("passes over what runtimes could not start, and what is not meant to be started", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.writeFileSync(`${host.folder}/README`, "read me")
      Fs.symlinkSync("none", `${host.folder}/broken`)
      Fs.mkdirSync(`${host.folder}/folder`)
      Scripts.script(`${host.folder}/.hidden`, "")
      Scripts.plugin(`${host.folder}/passthrough`, ["1.0.0"])
      const { passedOver, wrapped } = yield* wrap(host)
      assert.deepStrictEqual(passedOver, [
        { name: "README", reason: "it is not executable" },
        { name: "broken", reason: "it leads nowhere" }
      ])
      assert.deepStrictEqual(wrapped, ["bridge", "calico", "calico-ipam", "weave-net"])
    }))

  test("replaces an executable of another version by a rename: what runs goes on", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      const { ino } = Fs.statSync(host.at.executable)
      Fs.appendFileSync(host.built, "# newer\n")
      const before = host.answers()
      yield* wrap(host)
      assert.notStrictEqual(Fs.statSync(host.at.executable).ino, ino)
      assert.strictEqual(Fs.readFileSync(host.at.executable, "utf8"), Fs.readFileSync(host.built, "utf8"))
      assert.deepStrictEqual(host.answers(), before)
    }))

  test("replaces the configuration, unless it is to be kept", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host, { config: "{}\n", keepsConfig: true })
      assert.strictEqual(Fs.readFileSync(host.at.config, "utf8"), "{}\n")
      assert.isTrue((yield* wrap(host, { keepsConfig: true })).isConfigKept)
      assert.strictEqual(Fs.readFileSync(host.at.config, "utf8"), "{}\n")
      assert.isFalse((yield* wrap(host)).isConfigKept)
      assert.strictEqual(Fs.readFileSync(host.at.config, "utf8"), config)
    }))

  test("works in a folder that another name leads to", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.symlinkSync("bin", `${host.root}/other`)
      const before = call(`${host.root}/other/bridge`)
      yield* wrap(host)
      assert.deepStrictEqual(call(`${host.root}/other/bridge`), before)
    }))

  test("keeps a link whose file is on another file system", () =>
    Effect.gen(function*() {
      using host = make()
      using far = {
        path: Fs.mkdtempSync("/dev/shm/passthrough-test-"),
        [Symbol.dispose]() {
          Fs.rmSync(this.path, { recursive: true })
        }
      }
      assert.notStrictEqual(Fs.statSync(far.path).dev, Fs.statSync(host.folder).dev)
      Scripts.script(`${far.path}/far`, "echo far")
      Fs.symlinkSync(`${far.path}/far`, `${host.folder}/far`)
      const before = host.state()
      yield* wrap(host, { names: ["far"] })
      assert.strictEqual(call(`${host.folder}/far`).stdout, "far\n")
      assert.strictEqual(Fs.readlinkSync(`${host.at.plugins}/far`), `${far.path}/far`)
      yield* unwrap(host)
      assert.deepStrictEqual(host.state(), before)
    }))
})

describe("a plugin that cannot be wrapped", () => {
  it.live("stays as it was, and the others are wrapped", () =>
    Effect.gen(function*() {
      using host = make()
      const odd = {
        differs: `case $0 in */plugins/*) exit 7 ;; esac; echo '{}'`,
        hangs: "exec sleep 60",
        hangsInside: `case $0 in */plugins/*) exec sleep 60 ;; esac`
      }
      for (const [name, text] of Object.entries(odd)) Scripts.script(`${host.folder}/${name}`, text)
      const before = host.state()
      const names = ["bridge", ...Object.keys(odd)]
      const { refused, wrapped } = yield* Wrapping.wrap({ ...host, names, config, keepsConfig: false })
      assert.deepStrictEqual(wrapped, ["bridge"])
      assert.deepStrictEqual(Object.fromEntries(refused.map(({ name, reason }) => [name, reason])), {
        differs: "its stub answers VERSION otherwise: found exit status 7; expected exit status 0, {}",
        hangs: "it does not end within 10 s when it is asked for VERSION",
        hangsInside: "its stub does not end within 10 s when it is asked for VERSION"
      })
      for (const name of Object.keys(odd)) {
        assert.deepStrictEqual(host.state()[name], before[name])
        assert.isFalse(Fs.existsSync(`${host.at.plugins}/${name}`))
      }
    }).pipe(Effect.provide(Command.host)))

  test("cannot be started", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.writeFileSync(`${host.folder}/vlan`, "no program", { mode: 0o755 })
      const { refused } = yield* wrap(host)
      assert.deepStrictEqual(refused, [{ name: "vlan", reason: "it cannot be started: exec format error" }])
    }))

  test("leaves nothing of ours in the folder where there is no other", () =>
    Effect.gen(function*() {
      using host = make()
      for (const name of ["calico", "calico-ipam", "weave-net"]) Fs.rmSync(`${host.folder}/${name}`)
      Fs.writeFileSync(`${host.folder}/bridge`, "no program")
      assert.deepStrictEqual((yield* wrap(host)).wrapped, [])
      assert.deepStrictEqual(Fs.readdirSync(host.folder), ["bridge"])
    }))

  test("nor does an executable that does not answer", () =>
    Effect.gen(function*() {
      using host = make()
      Scripts.script(host.built, "echo no interpreter >&2; exit 3")
      const before = host.state()
      const error = yield* Effect.flip(wrap(host))
      assert.match(error.message, /does not answer VERSION: exit status 3: no interpreter$/)
      assert.deepStrictEqual(host.state(), before)
    }))
})

describe("a folder that has another path since it was wrapped", () => {
  test("gets stubs that name its new path", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      const elsewhere = { at: Stub.places(`${host.root}/elsewhere`), built: host.built }
      Fs.renameSync(host.folder, elsewhere.at.folder)
      assert.notStrictEqual(call(`${elsewhere.at.folder}/bridge`).status, 0)
      const { refused, wrapped } = yield* wrap(elsewhere)
      assert.deepStrictEqual([wrapped, refused], [["bridge", "calico", "calico-ipam", "weave-net"], []])
      for (const name of wrapped) {
        assert.strictEqual(Fs.readFileSync(`${elsewhere.at.folder}/${name}`, "utf8"), Stub.text(elsewhere.at))
      }
      assert.include(call(`${elsewhere.at.folder}/bridge`).stdout, "\"of\":\"bridge\"")
    }))
})

describe("an installer", () => {
  test("that writes over a wrapped plugin, in place or by a rename, wins", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      Fs.writeFileSync(`${host.folder}/bridge`, "#!/bin/sh\necho newer in place\n")
      Scripts.script(`${host.root}/new`, "echo newer by rename")
      Fs.renameSync(`${host.root}/new`, `${host.folder}/calico`)
      Fs.rmSync(`${host.folder}/weave-net`)
      assert.strictEqual(call(`${host.folder}/bridge`).stdout, "newer in place\n")
      assert.strictEqual(call(`${host.folder}/calico`).stdout, "newer by rename\n")
      assert.include(call(`${host.folder}/calico-ipam`).stdout, "\"of\":\"calico\"")
      assert.deepStrictEqual(yield* states(host), {
        bridge: "written over",
        calico: "written over",
        "calico-ipam": "wrapped",
        "weave-net": "gone"
      })
      const outcome = yield* unwrap(host)
      assert.deepStrictEqual(outcome, {
        unwrapped: ["calico-ipam"],
        writtenOver: ["bridge", "calico"],
        kept: ["weave-net"],
        refused: [],
        running: []
      })
      assert.strictEqual(call(`${host.folder}/bridge`).stdout, "newer in place\n")
      assert.deepStrictEqual(Fs.readdirSync(host.folder), [".passthrough", "bridge", "calico", "calico-ipam"])
      assert.deepStrictEqual(Fs.readdirSync(host.at.plugins), ["weave-net"])
    }))

  test("brings a plugin that is wrapped when wrap is called again", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      Fs.rmSync(`${host.folder}/weave-net`)
      Scripts.script(`${host.folder}/weave-net`, "echo newer")
      assert.deepStrictEqual((yield* wrap(host)).wrapped, ["weave-net"])
      assert.strictEqual(call(`${host.folder}/weave-net`).stdout, "newer\n")
      const { ino } = Fs.statSync(`${host.at.plugins}/weave-net`)
      yield* unwrap(host)
      assert.strictEqual(Fs.lstatSync(`${host.folder}/weave-net`).ino, ino)
      assert.strictEqual(call(`${host.folder}/weave-net`).stdout, "newer\n")
    }))

  test("that replaces a plugin while it is being wrapped wins", () =>
    Effect.gen(function*() {
      using host = make()
      // The plugin is replaced when it is asked for its versions, which is after it was kept.
      Scripts.script(`${host.root}/new`, "echo newer")
      Scripts.script(`${host.folder}/bridge`, `mv ${host.root}/new ${host.folder}/bridge 2>/dev/null; echo old`)
      const { refused } = yield* wrap(host, { names: ["bridge"] })
      assert.match(refused[0]?.reason ?? "", /another program has replaced it: wrap it again|otherwise/)
      assert.strictEqual(call(`${host.folder}/bridge`).stdout, "newer\n")
      assert.isFalse(Fs.existsSync(host.at.own))
    }))

  test("that removes what a stub stands for is told of, and nothing else is removed", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      Fs.rmSync(`${host.at.plugins}/bridge`)
      const reason = "it is a stub whose plugin was removed by another program: install the plugin again"
      const lost = [{ name: "bridge", reason }]
      assert.deepStrictEqual((yield* wrap(host)).refused, lost)
      assert.deepStrictEqual((yield* unwrap(host))?.refused, lost)
      assert.deepStrictEqual((yield* states(host))["bridge"], "lost")
      assert.isTrue(Fs.existsSync(host.at.executable))
    }))

  test("that keeps a plugin under another name, and writes a newer one, loses neither", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      Fs.renameSync(`${host.folder}/bridge`, `${host.folder}/bridge.old`)
      Scripts.script(`${host.folder}/bridge`, "echo newer")
      const { already, wrapped } = yield* wrap(host)
      assert.deepStrictEqual([already[0], wrapped], ["bridge.old", ["bridge"]])
      assert.strictEqual(call(`${host.folder}/bridge`).stdout, "newer\n")
      assert.include(call(`${host.folder}/bridge.old`).stdout, "\"of\":\"bridge\"")
      yield* unwrap(host)
      assert.include(call(`${host.folder}/bridge.old`).stdout, "\"of\":\"bridge\"")
      assert.isFalse(Fs.existsSync(host.at.own))
      assert.strictEqual(call(`${host.folder}/bridge`).stdout, "newer\n")
    }))

  test("that renames a stub does not lose its plugin", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      Fs.renameSync(`${host.folder}/bridge`, `${host.folder}/bridge.real`)
      const outcome = yield* unwrap(host)
      assert.deepStrictEqual(outcome?.unwrapped, ["bridge.real", "calico", "calico-ipam", "weave-net"])
      assert.include(call(`${host.folder}/bridge.real`).stdout, "\"of\":\"bridge\"")
      assert.isFalse(Fs.existsSync(host.at.own))
    }))
})

describe("unwrapping", () => {
  test("gives all back as it was, and leaves nothing of ours", () =>
    Effect.gen(function*() {
      using host = make()
      const [before, answers] = [host.state(), host.answers()]
      yield* wrap(host)
      assert.deepStrictEqual((yield* unwrap(host))?.unwrapped, ["bridge", "calico", "calico-ipam", "weave-net"])
      assert.deepStrictEqual(host.state(), before)
      assert.deepStrictEqual(host.answers(), answers)
    }))

  test("says that there is nothing to unwrap", () =>
    Effect.gen(function*() {
      using host = make()
      assert.isUndefined(yield* unwrap(host))
    }))

  test("gives back a stub of another folder that was wrapped itself", () =>
    Effect.gen(function*() {
      using other = make()
      using host = make()
      yield* wrap(other)
      Fs.copyFileSync(`${other.folder}/bridge`, `${host.folder}/bridge`)
      const before = host.state()
      yield* wrap(host)
      yield* unwrap(host)
      assert.deepStrictEqual(host.state(), before)
    }))

  test("takes one plugin out, and leaves the others wrapped", () =>
    Effect.gen(function*() {
      using host = make()
      const before = host.state()
      yield* wrap(host)
      yield* unwrap(host, ["bridge"])
      assert.deepStrictEqual((yield* states(host))["bridge"], "not wrapped")
      assert.deepStrictEqual((yield* states(host))["calico"], "wrapped")
      assert.deepStrictEqual(host.ours().filter((path) => path.endsWith("/bridge")), [])
      yield* unwrap(host)
      assert.deepStrictEqual(host.state(), before)
    }))

  test("gives all back also where the folder has another path by now", () =>
    Effect.gen(function*() {
      using host = make()
      const [before, answers] = [host.state(), host.answers()]
      yield* wrap(host)
      const elsewhere = { at: Stub.places(`${host.root}/elsewhere`), built: host.built }
      Fs.renameSync(host.folder, elsewhere.at.folder)
      assert.strictEqual((yield* states(elsewhere))["bridge"], "moved")
      assert.strictEqual((yield* unwrap(elsewhere))?.unwrapped.length, 4)
      Fs.renameSync(elsewhere.at.folder, host.folder)
      assert.deepStrictEqual(host.state(), before)
      assert.deepStrictEqual(host.answers(), answers)
    }))

  test("leaves the executable for a process that still runs it, and the next one removes it", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.mkdirSync(host.at.own)
      Fs.copyFileSync("/bin/cat", host.at.executable)
      // The path among the arguments of another program means nothing.
      const other = ChildProcess.spawn("/bin/sh", ["-c", "read line", host.at.executable], { stdio: "pipe" })
      const child = ChildProcess.spawn(host.at.executable, { stdio: "pipe" })
      assert.deepStrictEqual((yield* unwrap(host))?.running, [child.pid ?? 0])
      assert.isTrue(Fs.existsSync(host.at.executable))
      child.stdin.end("\n")
      yield* Effect.promise(() => new Promise((resolve) => child.on("exit", resolve)))
      assert.deepStrictEqual((yield* unwrap(host))?.running, [])
      assert.isFalse(Fs.existsSync(host.at.own))
      assert.isNull(other.exitCode)
      other.kill()
    }))
})

describe("a plugin that is a script", () => {
  test("runs also where its shell opens the stub that came into its place in between", () =>
    Effect.gen(function*() {
      using host = make()
      const before = call(`${host.folder}/bridge`)
      yield* wrap(host)
      const { stdout } = ChildProcess.spawnSync("/bin/sh", [`${host.folder}/bridge`], { encoding: "utf8" })
      assert.strictEqual(stdout, before.stdout)
    }))

  test("can be opened under its name of before as long as a process runs around it", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      const { at, folder } = host
      Fs.rmSync(at.executable)
      Fs.copyFileSync("/bin/cat", at.executable)
      const child = ChildProcess.spawn(at.executable, [`${folder}/bridge`, "-"], {
        stdio: ["pipe", "ignore", "ignore"]
      })
      const kept = `${at.plugins}/bridge`
      yield* unwrap(host, ["calico"])
      assert.isFalse(Fs.existsSync(`${at.plugins}/calico`))
      assert.deepStrictEqual((yield* unwrap(host, ["bridge"]))?.running, [child.pid ?? 0])
      assert.strictEqual(Fs.statSync(kept).ino, Fs.statSync(`${folder}/bridge`).ino)
      child.stdin.end("\n")
      yield* Effect.promise(() => new Promise((resolve) => child.on("exit", resolve)))
      yield* unwrap(host, ["bridge"])
      assert.isFalse(Fs.existsSync(kept))
    }))
})

describe("a folder that cannot be written", () => {
  test("is one clear error, and nothing changes", () =>
    Effect.gen(function*() {
      using root = temporary()
      const built = around(`${root.path}/passthrough`)
      const error = yield* Effect.flip(wrap({ at: Stub.places("/proc/self"), built }))
      assert.match(error.message, /^cannot write \/proc\/self: there is no such file or folder$/)
    }))
})

describe("the repair of an executable", () => {
  test("restores one that is missing, and leaves one that runs", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrap(host)
      assert.isFalse(yield* Wrapping.repair(host.built, host.folder))
      Fs.rmSync(host.at.executable)
      assert.isTrue(yield* Wrapping.repair(host.built, host.folder))
      assert.isFalse(yield* Wrapping.repair(host.built, host.folder))
    }))

  test("does nothing in a folder without stubs, or in none", () =>
    Effect.gen(function*() {
      using host = make()
      const before = host.state()
      assert.isFalse(yield* Wrapping.repair(host.built, host.folder))
      assert.isFalse(yield* Wrapping.repair(host.built, `${host.folder}/none`))
      assert.deepStrictEqual(host.state(), before)
    }))
})
