/** `wrap` that stays in the foreground, as a process: what ends it, and what it says and does until then. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { temporary } from "../../support/plugin.ts"
import * as Scripts from "../../support/scripts.ts"
import * as Sources from "../../support/sources.ts"
import { until } from "../../support/until.ts"
import * as Wrapped from "../../support/wrapped.ts"

const home = temporary()
const command = `${home.path}/cni-passthrough`

beforeAll(async () => {
  await Sources.executable(command, { path: "src/cli/main.ts" })
  Wrapped.around(`${home.path}/passthrough`) // the plugin that came with it
})
afterAll(() => home[Symbol.dispose]())

describe("cni-passthrough wrap that stays", () => {
  /** A folder with two plugins, and the command with a plugin that runs around them. */
  const setUp = () => {
    const root = temporary()
    const folder = `${Fs.realpathSync(root.path)}/bin`
    Fs.mkdirSync(folder)
    const answer = `echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'`
    for (const name of ["bridge", "vlan"]) Scripts.script(`${folder}/${name}`, answer)
    const log = `${root.path}/log.jsonl`
    const state = () =>
      Object.fromEntries(Fs.readdirSync(folder).sort().map((name) => [name, Fs.statSync(`${folder}/${name}`).ino]))
    return {
      root: root.path,
      folder,
      log,
      state,
      isWrapped: (name: string) => Fs.existsSync(`${folder}/.passthrough/plugins/${name}`),
      wrap: (...flags: ReadonlyArray<string>) =>
        Sources.start(root.path, command, ["wrap", "--dir", folder, "--log", log, ...flags]),
      /** What it prints once the plugins are wrapped. */
      wrapped: `${folder}
  wrapped  bridge, vlan
has ${folder}/.passthrough/config.json
  {
    "logFile": "${log}",
    "logFormat": "json",
    "onLogFailure": "ignore"
  }
`,
      unwrapped: `${folder}\n  unwrapped  bridge, vlan\n`,
      [Symbol.dispose]: () => root[Symbol.dispose]()
    }
  }

  /** The text, with a moment in place of the one until which it stays. */
  const timeless = (text: string) => text.replace(/^until \d{4}-\d\d-\d\d [\d:.]+ [+-]\d\d:\d\d/m, "until then")

  it("unwraps when its time is over", async () => {
    using host = setUp()
    const before = host.state()
    using running = host.wrap("--for", "400ms")
    const { status, stderr, stdout } = await running.ended()
    assert.deepStrictEqual([status, stderr], [0, ""])
    assert.match(timeless(stdout), /^until then; then all is unwrapped$/m)
    assert.match(stdout, /^the time is over$/m)
    assert.deepStrictEqual(host.state(), before)
  })

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    it(`wraps what is written into its folders with --watch, until ${signal}`, async () => {
      using host = setUp()
      using running = host.wrap("--watch")
      await until("all are wrapped", () => running.stdout().endsWith(host.wrapped))
      Scripts.script(`${host.folder}/.new`, `echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'`)
      Fs.renameSync(`${host.folder}/.new`, `${host.folder}/macvlan`)
      const said = `wrapped what was written into ${host.folder}: macvlan\n`
      await until("the new one is wrapped", () => running.stdout().endsWith(said))
      assert.isTrue(host.isWrapped("macvlan"))
      running.kill(signal)
      const { status, stderr, stdout } = await running.ended()
      assert.deepStrictEqual([status, stderr], [0, ""])
      assert.strictEqual(
        stdout,
        `${host.wrapped}${said}stopped by ${signal}\n${host.folder}\n  unwrapped  bridge, macvlan, vlan\n`
      )
      assert.sameMembers(Object.keys(host.state()), ["bridge", "macvlan", "vlan"])
    })
  }

  it("waits once its time is over where it keeps a deadline, and does not begin anew", async () => {
    using host = setUp()
    const file = `${host.root}/deadline`
    Fs.writeFileSync(file, "2026-01-02T03:04:05.000Z\n")
    using running = host.wrap("--for", "1h", "--deadline", file)
    const waits = "nothing is wrapped any more: this waits until it is stopped\n"
    await until("it waits", () => running.stdout().endsWith(waits))
    assert.isFalse(host.isWrapped("bridge"))
    running.kill("SIGTERM")
    const { status, stderr, stdout } = await running.ended()
    assert.deepStrictEqual([status, stderr], [0, ""])
    assert.strictEqual(
      timeless(stdout),
      `until then, as a run before this one began; then all is unwrapped\nthe time is over\n${waits}`
    )
    assert.strictEqual(Fs.readFileSync(file, "utf8"), "2026-01-02T03:04:05.000Z\n")
  })

  /** A plugin that no kernel can start. */
  const broken = (file: string) => Fs.writeFileSync(file, "\x7fELF", { mode: 0o755 })

  it("exits with 1 where a plugin could not be wrapped, also one that was written meanwhile", async () => {
    using host = setUp()
    broken(`${host.folder}/bridge`)
    using running = host.wrap("--watch")
    await until("the first one is refused", () => running.stderr().includes(`not wrapped: ${host.folder}/bridge: `))
    await until("the other one is wrapped", () => host.isWrapped("vlan"))
    running.kill("SIGTERM")
    assert.strictEqual((await running.ended()).status, 1)

    Scripts.script(`${host.folder}/bridge`, `echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'`)
    using again = host.wrap("--watch")
    await until("all are wrapped", () => again.stdout().endsWith("}\n"))
    broken(`${host.folder}/.new`)
    Fs.renameSync(`${host.folder}/.new`, `${host.folder}/macvlan`)
    await until("the new one is refused", () => again.stderr().includes(`not wrapped: ${host.folder}/macvlan: `))
    again.kill("SIGTERM")
    assert.strictEqual((await again.ended()).status, 1)
  })

  it("exits with 0 where a plugin that could not be wrapped was written anew, and then was", async () => {
    using host = setUp()
    broken(`${host.folder}/bridge`)
    using running = host.wrap("--watch")
    await until("it is refused", () => running.stderr().includes(`not wrapped: ${host.folder}/bridge: `))
    await until("all is said", () => running.stdout().endsWith("}\n"))
    Scripts.script(`${host.folder}/.new`, `echo '{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}'`)
    Fs.renameSync(`${host.folder}/.new`, `${host.folder}/bridge`)
    await until("it is wrapped", () => running.stdout().endsWith(`written into ${host.folder}: bridge\n`))
    running.kill("SIGTERM")
    assert.strictEqual((await running.ended()).status, 0)
  })

  it("exits with 1 where a plugin stays wrapped", async () => {
    using host = setUp()
    using running = host.wrap("--watch")
    await until("all are wrapped", () => running.stdout().endsWith(host.wrapped))
    Fs.rmSync(`${host.folder}/.passthrough/plugins/vlan`)
    running.kill("SIGTERM")
    const { status, stderr } = await running.ended()
    assert.strictEqual(status, 1)
    assert.include(stderr, `not unwrapped: ${host.folder}/vlan: it is a stub whose plugin was removed`)
    assert.isFalse(host.isWrapped("bridge"))
  })
})
