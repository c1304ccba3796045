/** `install`, into folders of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as BuiltPlugin from "../../src/cli/BuiltPlugin.ts"
import { install } from "../../src/cli/commands/Install.ts"
import { unwrap } from "../../src/cli/commands/Unwrap.ts"
import { wrap } from "../../src/cli/commands/Wrap.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"
import { call, hurried, make } from "../support/wrapped.ts"

/** A host with a plugin in its folder of plugins, and no network yet. */
const setUp = () => {
  const folder = temporary()
  for (const name of ["bin", "net.d", "cache"]) Fs.mkdirSync(`${folder.path}/${name}`)
  const [bin, conf, cache] = [`${folder.path}/bin`, `${folder.path}/net.d`, `${folder.path}/cache`]
  Scripts.plugin(`${bin}/passthrough`, ["1.0.0"])
  return {
    bin,
    conf,
    cache,
    uninstall: (...args: ReadonlyArray<string>) =>
      Command.printed(install, "--uninstall", "--to", bin, "--conf-dir", conf, "--cache-dir", cache, ...args),
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

/** A host with a command, the plugin that came with it, and a folder of plugins that is empty. */
const setUpEmpty = () => {
  const folder = temporary()
  const path = Fs.realpathSync(folder.path)
  const [home, bin] = [`${path}/home`, `${path}/bin`]
  for (const each of [home, bin]) Fs.mkdirSync(each)
  Scripts.script(`${home}/cni-passthrough`, "")
  Scripts.plugin(`${home}/passthrough`, ["1.0.0"])
  const policy = `${bin}/passthrough.policy.json`
  return {
    path,
    home,
    bin,
    policy,
    policyText: () => Fs.readFileSync(policy, "utf8"),
    install: (...args: ReadonlyArray<string>) =>
      Command.printed(install, "--to", bin, ...args).pipe(
        Effect.provideService(BuiltPlugin.CommandFile, `${home}/cni-passthrough`),
        Effect.provide(Presenter.layer)
      ),
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

describe("cni-passthrough install", () => {
  it.effect("puts the plugin that came with it into the folder, and says so", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      assert.deepStrictEqual(yield* host.install(), {
        status: 0,
        stdout: `installed ${host.home}/passthrough as ${host.bin}/passthrough\n`,
        stderr: ""
      })
      assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough"])
      assert.strictEqual(call(`${host.bin}/passthrough`).status, 0)
    }).pipe(Effect.provide(Command.host)))

  const policies: { readonly [what: string]: readonly [before: string | undefined, after: string, also: boolean] } = {
    "a policy that forbids hooks": [undefined, `{ "hooks": false }\n`, false],
    "the policy that is there, where it forbids hooks already": [`{"hooks":false}`, `{"hooks":false}`, false],
    "what the policy that is there forbids besides": [
      `{ "logFolders": ["/var/log/cni"] }\n`,
      `{"hooks":false, "logFolders": ["/var/log/cni"] }\n`,
      true
    ]
  }
  for (const [what, [before, after, isLimited]] of Object.entries(policies)) {
    it.effect(`puts with --no-hooks ${what} beside the plugin, and later installs keep that`, () =>
      Effect.gen(function*() {
        using host = setUpEmpty()
        if (before !== undefined) Fs.writeFileSync(host.policy, before)
        for (const args of [["--no-hooks"], []]) {
          const { status, stderr, stdout } = yield* host.install(...args)
          assert.deepStrictEqual([status, stderr], [0, ""])
          assert.deepStrictEqual(stdout.split("\n").slice(1, -1), [
            `hooks are forbidden by ${host.policy}`,
            ...(isLimited ? [`log files are limited to folders by ${host.policy}`] : [])
          ])
          assert.deepStrictEqual(JSON.parse(host.policyText()), JSON.parse(after))
          assert.match(host.policyText(), before === after ? /\}$/ : /\}\n$/)
        }
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("says nothing of a policy that allows all", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      Fs.writeFileSync(host.policy, "{}")
      assert.strictEqual((yield* host.install()).stdout.split("\n").length, 2)
      assert.strictEqual(host.policyText(), "{}")
    }).pipe(Effect.provide(Command.host)))

  it.effect("adds nothing to a policy that cannot be used, and installs nothing", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      const refused = Effect.fnUntraced(function*(problem: string) {
        assert.deepStrictEqual(yield* host.install("--no-hooks"), {
          status: 2,
          stdout: "",
          stderr: `error: ${host.policy} cannot be used: ${problem}.\nFix or remove it, and install again\n`
        })
        assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough.policy.json"])
      })
      Fs.writeFileSync(host.policy, `{ "hook": false }`)
      yield* refused(`"hook": no such field, expected "hooks" or "logFolders"`)
      assert.strictEqual(host.policyText(), `{ "hook": false }`)
      Fs.rmSync(host.policy)
      Fs.symlinkSync("nowhere", host.policy)
      yield* refused("it cannot be read")
    }).pipe(Effect.provide(Command.host)))

  it.effect("warns that the plugin refuses all it is asked for beside a policy that cannot be used", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      Fs.writeFileSync(host.policy, "[]")
      const { status, stderr } = yield* host.install()
      assert.deepStrictEqual([status, stderr], [
        0,
        `every ADD fails until ${host.policy} is fixed: it is not a JSON object\n`
      ])
      assert.isTrue(Fs.existsSync(`${host.bin}/passthrough`))
    }).pipe(Effect.provide(Command.host)))

  it.effect("refuses a folder that is not there, and does not make it", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      Fs.rmdirSync(host.bin)
      assert.deepStrictEqual(yield* host.install(), {
        status: 2,
        stdout: "",
        stderr: `error: there is no folder ${host.bin}: make it first (mkdir -p), if it is the one that your runtime ` +
          "looks into\n"
      })
      assert.isFalse(Fs.existsSync(host.bin))
    }).pipe(Effect.provide(Command.host)))

  it.effect("looks for a folder where runtimes do, where none is named, and says that there is none", () =>
    Effect.gen(function*() {
      const nothing = FileSystem.layerNoop({ exists: () => Effect.succeed(false) })
      const folder = (...args: ReadonlyArray<string>) =>
        Effect.map(
          Command.printed(install, ...args).pipe(
            Effect.provide(Layer.mergeAll(Command.host, Presenter.layer, nothing))
          ),
          ({ status, stderr }) => [status, stderr.split("\n")[0]]
        )
      assert.deepStrictEqual(yield* folder("--uninstall"), [
        2,
        "error: the plugin is not in /opt/cni/bin: name its folder with --to"
      ])
      assert.deepStrictEqual(yield* folder(), [
        2,
        "there is no folder /opt/cni/bin yet: is it the one that your runtime looks into?"
      ])
    }))

  it.effect("has nothing to install where it lies alone", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      Fs.rmSync(`${host.home}/passthrough`)
      assert.deepStrictEqual(yield* host.install("--no-hooks"), {
        status: 2,
        stdout: "",
        stderr: `error: there is no passthrough in ${host.home}: copy it beside this command, from the folder where ` +
          "npm run build put both\n"
      })
      assert.deepStrictEqual(Fs.readdirSync(host.bin), [])
    }).pipe(Effect.provide(Command.host)))

  it.effect("does not take the place of another program, and writes no policy for it", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      Scripts.script(`${host.bin}/passthrough`, "echo another passthrough >&2")
      const { status, stderr } = yield* host.install("--no-hooks")
      assert.strictEqual(status, 2)
      assert.include(stderr, `error: ${host.bin}/passthrough is left alone: it is not the plugin of cni-passthrough`)
      assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("repairs what runs around wrapped plugins where it does not run any more, and says so", () =>
    Effect.gen(function*() {
      using host = make()
      const asHost = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        hurried(Effect.provideService(
          effect,
          BuiltPlugin.CommandFile,
          Scripts.script(`${host.root}/cni-passthrough`, "")
        ))
      yield* asHost(Command.printed(wrap, "--dir", host.folder))
      const installed = `installed ${host.built} as ${host.folder}/passthrough\n`
      assert.strictEqual((yield* asHost(Command.printed(install, "--to", host.folder))).stdout, installed)
      Scripts.script(`${host.at.own}/passthrough`, "exit 127")
      assert.strictEqual(
        (yield* asHost(Command.printed(install, "--to", host.folder))).stdout,
        `${installed}repaired the wrapped plugins of ${host.folder}, whose executable did not run\n`
      )
      assert.include(call(`${host.folder}/bridge`).stdout, `"of":"bridge"`)
      yield* asHost(Command.printed(unwrap, "--dir", host.folder))
    }).pipe(Effect.provide(Command.host)))
})

const network = (type: string) => JSON.stringify({ name: "n", plugins: [{ type: "bridge" }, { type }] })

describe("cni-passthrough install --uninstall", () => {
  it.effect("takes the plugin away that nothing needs", () =>
    Effect.gen(function*() {
      using host = setUp()
      Fs.writeFileSync(`${host.conf}/n.conflist`, network("portmap"))
      cached(host.cache, { network: "n", containerId: "c1", types: ["bridge"] })
      const { status, stdout } = yield* host.uninstall()
      assert.deepStrictEqual([status, stdout], [0, `removed ${host.bin}/passthrough\n`])
      assert.deepStrictEqual(Fs.readdirSync(host.bin), [])
    }).pipe(Effect.provide(Command.host)))

  it.effect("leaves the file there that is this command too, unless it is forced to", () =>
    Effect.gen(function*() {
      using host = setUp()
      Fs.symlinkSync("bin/passthrough", `${host.bin}/../cni-passthrough`)
      const asCommand = Effect.provideService(BuiltPlugin.CommandFile, `${host.bin}/../cni-passthrough`)
      const refused = yield* asCommand(host.uninstall())
      assert.strictEqual(refused.status, 2)
      assert.include(
        refused.stderr,
        `${host.bin}/passthrough stays, because it is this command too: remove the package`
      )
      assert.strictEqual((yield* asCommand(host.uninstall("--dry-run"))).status, 0)
      assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough"])
      assert.strictEqual((yield* asCommand(host.uninstall("--force"))).status, 0)
      assert.deepStrictEqual(Fs.readdirSync(host.bin), [])
    }).pipe(Effect.provide(Command.host)))

  it.effect("names the networks and attachments that still need it, and leaves it there", () =>
    Effect.gen(function*() {
      using host = setUp()
      Fs.writeFileSync(`${host.conf}/n.conflist`, network("passthrough"))
      cached(host.cache, { network: "m", containerId: "c1", types: ["bridge", "passthrough"] })
      const { status, stderr } = yield* host.uninstall()
      assert.strictEqual(status, 2)
      assert.include(stderr, `${host.bin}/passthrough stays, because it is still needed:`)
      assert.include(stderr, `\n  the network in ${host.conf}/n.conflist calls it\n`)
      assert.include(stderr, "\n  eth0 of c1 on m cannot be detached without it\n")
      assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("takes the policy away that it wrote, but none that a person has edited", () =>
    Effect.gen(function*() {
      using host = setUpEmpty()
      yield* host.install("--no-hooks")
      const uninstall = host.install("--uninstall", "--conf-dir", host.path, "--cache-dir", host.path)
      assert.deepStrictEqual(yield* uninstall, {
        status: 0,
        stdout: `removed ${host.bin}/passthrough\nremoved ${host.policy}\n`,
        stderr: ""
      })
      assert.deepStrictEqual(Fs.readdirSync(host.bin), [])
      yield* host.install("--no-hooks")
      Fs.appendFileSync(host.policy, "\n")
      assert.deepStrictEqual(yield* uninstall, {
        status: 0,
        stdout: `removed ${host.bin}/passthrough\n`,
        stderr: `kept ${host.policy}: it was edited since install wrote it\n`
      })
      assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough.policy.json"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("changes nothing with --dry-run, and says as much as without", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { status, stdout } = yield* host.uninstall("--dry-run")
      assert.deepStrictEqual([status, stdout], [0, `${host.bin}/passthrough can be removed\n`])
      Fs.writeFileSync(`${host.conf}/n.conflist`, network("passthrough"))
      const refused = yield* host.uninstall("--dry-run")
      assert.deepStrictEqual([refused.status, refused.stdout], [2, ""])
      assert.include(refused.stderr, "the network in")
      assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("takes it away even so where it is told to", () =>
    Effect.gen(function*() {
      using host = setUp()
      Fs.writeFileSync(`${host.conf}/n.conflist`, network("passthrough"))
      cached(host.cache, { network: "n", containerId: "c1", types: ["passthrough"] })
      assert.strictEqual((yield* host.uninstall("--force")).status, 0)
      assert.deepStrictEqual(Fs.readdirSync(host.bin), [])
    }).pipe(Effect.provide(Command.host)))

  it.effect("never takes a program away that is not ours", () =>
    Effect.gen(function*() {
      using host = setUp()
      Scripts.script(`${host.bin}/passthrough`, "echo another passthrough >&2")
      const { status, stderr } = yield* host.uninstall("--force")
      assert.strictEqual(status, 2)
      assert.include(stderr, `${host.bin}/passthrough is left alone: it is not the plugin of cni-passthrough`)
      assert.deepStrictEqual(Fs.readdirSync(host.bin), ["passthrough"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("says what it cannot take away", () =>
    Effect.gen(function*() {
      const { status, stderr } = yield* Command.printed(install, "--to", "/proc/none", "--uninstall")
      assert.strictEqual(status, 2)
      assert.include(stderr, "the plugin is not in /proc/none: name its folder with --to")
    }).pipe(Effect.provide(Command.host)))
})
