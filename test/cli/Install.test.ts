/** `install`, into folders of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { install } from "../../src/cli/commands/Install.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

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
      assert.include(stderr, "the plugin is not in /proc/none: --to names another folder")
    }).pipe(Effect.provide(Command.host)))
})
