/** `doctor` as a command: its exit status, and the report that it writes. The tools of the host are scripts here. */
import { assert, describe, it, vi } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { doctor } from "../../src/cli/commands/Doctor.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import { wrapped } from "../operations/records.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

/** A host with a plugin `mine`, two tools, and networks of plugins of these types, with commas. */
const hostOf = (types: { readonly [network: string]: string }, ip = "printf '[]\\n[]\\n[]\\n'") => {
  const folder = temporary()
  const { path } = folder
  const [tools, bin, conf, cache] = [`${path}/tools`, `${path}/bin`, `${path}/net.d`, `${path}/cache`]
  for (const each of [tools, bin, conf]) Fs.mkdirSync(each)
  Scripts.script(`${tools}/ip`, ip)
  Scripts.script(`${tools}/iptables-save`, "exit 0")
  Fs.symlinkSync("/usr/bin/mkfifo", `${tools}/mkfifo`) // makes the pipes of each plugin
  Scripts.plugin(`${bin}/mine`, ["1.0.0"])
  for (const [name, type] of Object.entries(types)) {
    Fs.writeFileSync(
      `${conf}/10-${name}.conflist`,
      JSON.stringify({ cniVersion: "1.0.0", name, plugins: type.split(",").map((each) => ({ type: each })) })
    )
  }
  return {
    path,
    conf,
    cache,
    report: `${path}/report.html`,
    /** Runs doctor where no other tool is on the PATH. */
    doctor: (...args: ReadonlyArray<string>) =>
      Effect.suspend(() => {
        const { PATH } = process.env
        process.env["PATH"] = tools
        const getuid = vi.spyOn(process, "getuid").mockReturnValue(0) // others have the sbin folders besides
        return Command.printed(doctor, "--conf-dir", conf, "--cni-path", bin, "--cache-dir", cache, ...args).pipe(
          Effect.ensuring(Effect.sync(() => {
            process.env["PATH"] = PATH
            getuid.mockRestore()
          }))
        )
      }),
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

interface Given {
  /** The plugin that the network names; `mine` is there. */
  readonly type?: string
  /** What `ip` does. */
  readonly ip?: string
}

/** How doctor ends on a host of one network, and the finding that it tells first. */
const outcomeOf = Effect.fnUntraced(function*({ ip, type = "mine" }: Given) {
  using host = hostOf({ n: type }, ip)
  const { status, stdout } = yield* host.doctor("--report", host.report, "--json")
  const [first] = JSON.parse(stdout).findings
  return {
    status,
    first: first === undefined ? "nothing" : `${first.level} ${first.check}`,
    isInReport: Fs.readFileSync(host.report, "utf8").includes(first === undefined ? "10-n" : first.message)
  }
})

describe("cni-passthrough doctor", () => {
  it.effect("exits with 0 where it finds no error", () =>
    Effect.gen(function*() {
      const { first, status } = yield* outcomeOf({})
      assert.deepStrictEqual([status, first], [0, "nothing"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("exits with 1 where it finds an error, which is in its report", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcomeOf({ type: "other" }), {
        status: 1,
        first: "error plugin-file",
        isInReport: true
      })
    }).pipe(Effect.provide(Command.host)))

  it.effect("exits with 2 where it could not look at all, and found no error", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcomeOf({ ip: "exit 1" }), {
        status: 2,
        first: "note everything-seen",
        isInReport: true
      })
    }).pipe(Effect.provide(Command.host)))

  it.effect("exits with 1 where it could not look at all, and found an error", () =>
    Effect.gen(function*() {
      const { first, status } = yield* outcomeOf({ ip: "exit 1", type: "other" })
      assert.deepStrictEqual([status, first], [1, "error plugin-file"])
    }).pipe(Effect.provide(Command.host)))

  const screen = { isTerminal: true, width: 80, minutesEast: () => 0 }
  const colours = { canColor: true, canAnimate: false, canPrompt: false }

  it.effect("says of each network that it found nothing, and how many attachments it looked at", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "mine", other: "mine" })
      const none = "no problems found, 0 attachments checked"
      assert.deepStrictEqual(yield* host.doctor(), { status: 0, stdout: `n: ${none}\nother: ${none}\n`, stderr: "" })
      assert.deepStrictEqual(yield* host.doctor("other"), { status: 0, stdout: `other: ${none}\n`, stderr: "" })
      const coloured = yield* Effect.provideService(
        host.doctor("n"),
        TerminalCapabilities.TerminalCapabilities,
        colours
      )
      assert.strictEqual(coloured.stdout, `\u001b[32mn: ${none}\u001b[0m\n`)
    }).pipe(Effect.provide(Command.host)))

  it.effect("prints its findings alone in a pipe", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "other" })
      const { status, stdout } = yield* host.doctor()
      assert.strictEqual(status, 1)
      assert.match(stdout, /^✗ .*other.*\n {2}plugin other \(check plugin-file\)\n/)
      assert.match(stdout, /\n {2}fix: .+\n/)
      assert.notInclude(stdout, "no problems")
    }).pipe(Effect.provide(Command.host)))

  it.effect("prints on a terminal each phase with its checks, and then its findings", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "other" })
      const shown = Effect.provideService(host.doctor(), Style.CurrentScreen, screen)
      const { stdout } = yield* shown
      const phases = stdout.slice(0, stdout.indexOf("\n\n")).split("\n")
      assert.deepStrictEqual(phases.flatMap((line) => /^[a-z]+/.exec(line) ?? []), [
        "configuration",
        "plugins",
        "addresses",
        "attachment",
        "host"
      ])
      assert.match(phases[0] ?? "", /^configuration {2}.*✓ json /)
      const plugins = phases.filter((line, index) => index > 0 && /^plugins|✗ plugin-file/.test(line)).join("\n")
      assert.match(plugins, /^plugins {8}.*✗ plugin-file/s)
      assert.lengthOf(phases.join(" ").match(/✗ plugin-file(?![\w-])/g) ?? [], 1)
      assert.match(stdout, /[^\n]\n\n✗ /)
    }).pipe(Effect.provide(Command.host)))

  it.effect("has no empty line on a terminal where it found nothing", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "mine" })
      const { stdout } = yield* Effect.provideService(host.doctor(), Style.CurrentScreen, screen)
      assert.notInclude(stdout, "\n\n")
      assert.match(stdout, /\nn: no problems found, 0 attachments checked\n$/)
    }).pipe(Effect.provide(Command.host)))

  it.effect("prints all findings with --verbose", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: Array.from({ length: 20 }, (_, index) => `other${index}`).join() })
      const some = yield* host.doctor()
      assert.match(some.stdout, /\nand \d+ findings more: --verbose prints all\n$/)
      const all = yield* host.doctor("--verbose")
      assert.notInclude(all.stdout, "--verbose")
      assert.isAtLeast(all.stdout.match(/check plugin-file/g)?.length ?? 0, 20)
    }).pipe(Effect.provide(Command.host)))

  it.effect("looks at the attachments that are asked for", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "mine" })
      for (const containerId of ["first-container", "second-container"]) {
        cached(host.cache, { network: "n", containerId, types: ["mine"] })
      }
      const about = (...args: ReadonlyArray<string>) =>
        Effect.map(host.doctor("--json", ...args), ({ stdout }) => {
          const text = JSON.stringify(JSON.parse(stdout).findings)
          return ["first-container", "second-container"].filter((id) => text.includes(id))
        })
      assert.deepStrictEqual(yield* about(), ["first-container", "second-container"])
      assert.deepStrictEqual(yield* about("--container-id", "first-container"), ["first-container"])
      assert.deepStrictEqual(yield* about("--netns", "second-container"), ["second-container"])
    }).pipe(Effect.provide(Command.host)))

  const failed = (network: string) =>
    wrapped(network, {
      type: "mine",
      start: 0,
      took: 5,
      members: { network, containerId: "c1" },
      outcome: { exitCode: 1 },
      end: { event: "error", error: { code: 11, msg: `no addresses of ${network}` } }
    }).map((record) => `${JSON.stringify(record)}\n`).join("")

  it.effect("looks at logs that are named, and puts the records of its networks into its report", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "mine" })
      const log = `${host.path}/log.jsonl`
      Fs.writeFileSync(log, failed("n") + failed("foreign"))
      const without = yield* host.doctor("n", "--json")
      const { stderr, stdout } = yield* host.doctor("n", "--json", "--log", log, "--report", host.report)
      const checks = (text: string) => JSON.parse(text).checks.map(({ check }: { readonly check: string }) => check)
      assert.isAbove(checks(stdout).length, checks(without.stdout).length)
      assert.include(JSON.stringify(JSON.parse(stdout).findings), "no addresses of n")
      assert.strictEqual(stderr, `wrote ${host.report}\n`)
      const html = Fs.readFileSync(host.report, "utf8")
      assert.include(html, "no addresses of n")
      assert.notInclude(html, "no addresses of foreign")
    }).pipe(Effect.provide(Command.host)))

  it.effect("cannot begin where a log cannot be read", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "mine" })
      const { status, stderr } = yield* host.doctor("--log", "/none/log.jsonl")
      assert.strictEqual(status, 2)
      assert.include(stderr, "cannot read /none/log.jsonl: there is no such file")
    }).pipe(Effect.provide(Command.host)))

  it.effect("says what is wrong with arguments of capabilities", () =>
    Effect.gen(function*() {
      using host = hostOf({ n: "mine" })
      const { status, stderr } = yield* host.doctor("--capability-args", "[]")
      assert.notStrictEqual(status, 0)
      assert.include(stderr, "found an empty list, expected an object")
    }).pipe(Effect.provide(Command.host)))
})
