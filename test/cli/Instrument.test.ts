/** `instrument`, on files of this host. */
import { assert, describe, it } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { instrument } from "../../src/cli/commands/Instrument.ts"
import { cached } from "../support/cache.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import { itAsRoot } from "../support/requirements.ts"
import * as Scripts from "../support/scripts.ts"

const original = `{ "cniVersion": "1.0.0", "name": "n", "plugins": [
  { "type": "bridge" },
  { "type": "portmap" }
] }
`

/** A folder with a configuration in it. */
const setUp = (text = original) => {
  const folder = temporary()
  const file = `${folder.path}/n.conflist`
  Fs.writeFileSync(file, text)
  return {
    file,
    folder: folder.path,
    read: () => Fs.readFileSync(file, "utf8"),
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

describe("cni-passthrough instrument", () => {
  it.effect("shows the lines that would change, and writes nothing", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { status, stderr, stdout } = yield* Command.printed(instrument, host.file)
      assert.strictEqual(status, 0)
      assert.match(stdout, /^\+ \{"type":"passthrough","label":"after-bridge","logSinks"/m)
      assert.match(stdout, /^\+ \{"type":"passthrough","label":"after-portmap","logSinks"/m)
      assert.notInclude(stdout, `{ "type": "bridge" }`)
      assert.match(stderr, /nothing is written yet/)
      assert.strictEqual(host.read(), original)
      assert.deepStrictEqual(Fs.readdirSync(host.folder), ["n.conflist"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("writes another file", () =>
    Effect.gen(function*() {
      using host = setUp()
      const other = `${host.folder}/other`
      yield* Command.printed(instrument, host.file, "-o", other, "--sink", "syslog", "--hook", "id", "--hook", "ip a")
      const plugins = JSON.parse(Fs.readFileSync(other, "utf8")).plugins
      const tap = plugins.find(({ label }: { readonly label?: string }) => label === "after-bridge")
      assert.deepStrictEqual(tap, {
        type: "passthrough",
        label: "after-bridge",
        logSinks: [{ type: "syslog" }],
        onLogFailure: "ignore",
        hookADD: ["id", "ip a"],
        hookDEL: ["id", "ip a"],
        instrumentedBy: "cni-passthrough"
      })
      assert.strictEqual(host.read(), original)
    }).pipe(Effect.provide(Command.host)))

  it.effect("logs to a file for each container, in the folder that it is told", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { stdout } = yield* Command.printed(instrument, host.file, "--log-dir", "/tmp/taps")
      assert.include(stdout, `{"type":"file","path":"/tmp/taps/\${CNI_CONTAINERID}.jsonl","format":"json"}`)
    }).pipe(Effect.provide(Command.host)))

  const refused: { readonly [name: string]: readonly [text: string, args: ReadonlyArray<string>, reason: RegExp] } = {
    "the configuration of one plugin": [
      `{"name":"n","type":"bridge"}`,
      [],
      /is not a chain: it has no list of plugins/
    ],
    "taps that are there already": [
      `{"name":"n","plugins":[{"type":"passthrough","instrumentedBy":"cni-passthrough"},{"type":"a"}]}`,
      [],
      /has taps already: take them out with --remove first/
    ],
    "taps that are not there": [original, ["--remove"], /has no taps that were put in by this command/],
    "a text that is not JSON": ["{", [], /n\.conflist:1:2: the end of the file/],
    "a sink that it does not know": [original, ["--sink", "kafka"], /kafka/]
  }
  for (const [name, [text, args, reason]] of Object.entries(refused)) {
    it.effect(`refuses ${name}`, () =>
      Effect.gen(function*() {
        using host = setUp(text)
        const { status, stderr } = yield* Command.printed(instrument, host.file, "-i", ...args)
        assert.match(stderr, reason)
        assert.notStrictEqual(status, 0)
        assert.strictEqual(host.read(), text)
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("says what it cannot write", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { status, stderr } = yield* Command.printed(instrument, host.file, "-o", "/proc/none/x")
      assert.strictEqual(status, 2)
      assert.include(stderr, "cannot write /proc/none/x: there is no such file or folder")
    }).pipe(Effect.provide(Command.host)))

  it.effect("writes the file itself where the plugin answers that the runtime calls, and takes the taps out again", () =>
    Effect.gen(function*() {
      using host = setUp()
      const bin = `${host.folder}/bin`
      Fs.mkdirSync(bin)
      Scripts.plugin(`${bin}/passthrough`, ["1.0.0"])
      Fs.chmodSync(host.file, 0o640)
      const written = yield* Command.printed(instrument, "-i", host.file, "--cni-path", bin)
      assert.strictEqual(written.status, 0)
      assert.strictEqual(
        written.stdout,
        `${host.file}
+ after-bridge
+ after-portmap
the taps log to /var/log/cni/\${CNI_CONTAINERID}.jsonl, from the next container on:
  cni-passthrough show '/var/log/cni/*.jsonl' --failed
to take them out again:
  cni-passthrough instrument --in-place --remove ${host.file}
`
      )
      assert.include(host.read(), "after-bridge")
      const removed = yield* Command.printed(instrument, "-i", "--remove", host.file)
      assert.deepStrictEqual([removed.status, removed.stdout], [0, `${host.file}\n- after-bridge\n- after-portmap\n`])
      assert.strictEqual(host.read(), original)
      assert.strictEqual(Fs.statSync(host.file).mode & 0o777, 0o640)
      assert.deepStrictEqual(Fs.readdirSync(host.folder), ["bin", "n.conflist"])
    }).pipe(Effect.provide(Command.host)))

  const plugins: { readonly [name: string]: readonly [script: string | undefined, reason: RegExp] } = {
    "is missing": [undefined, /passthrough is not in \S+\/bin: with taps, no container could be attached/],
    "does not start": ["exit 127", /passthrough does not answer VERSION: exit status 127: with taps/]
  }
  for (const [name, [script, reason]] of Object.entries(plugins)) {
    it.effect(`writes nothing where the plugin ${name} that the runtime would call`, () =>
      Effect.gen(function*() {
        using host = setUp()
        const bin = `${host.folder}/bin`
        Fs.mkdirSync(bin)
        if (script !== undefined) Scripts.script(`${bin}/passthrough`, script)
        const { status, stderr } = yield* Command.printed(instrument, "-i", host.file, "--cni-path", bin)
        assert.strictEqual(status, 2)
        assert.match(stderr, reason)
        assert.strictEqual(host.read(), original)
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("says with --remove which attachments of the network still need the plugin", () =>
    Effect.gen(function*() {
      const taps = `{"name":"n","plugins":[{"type":"a"},{"type":"passthrough","instrumentedBy":"cni-passthrough"}]}`
      using host = setUp(taps)
      const cache = `${host.folder}/cache`
      cached(cache, { network: "n", containerId: "c1", types: ["a", "passthrough"] })
      cached(cache, { network: "n", containerId: "c2", types: ["a"] })
      cached(cache, { network: "m", containerId: "c3", types: ["passthrough"] })
      const removed = yield* Command.printed(instrument, "-i", "--remove", host.file, "--cache-dir", cache)
      assert.strictEqual(
        removed.stderr,
        "the plugin is still needed to detach what was attached with the taps:\n" +
          "  eth0 of c1\n"
      )
      assert.strictEqual(removed.status, 0)
    }).pipe(Effect.provide(Command.host)))

  it.effect("refuses a hook that the plugin would refuse", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { status, stderr } = yield* Command.printed(instrument, host.file, "-o", `${host.folder}/x`, "--hook", "")
      assert.strictEqual(status, 2)
      assert.include(stderr, "the taps would not work: hookADD[0]: found \"\"")
    }).pipe(Effect.provide(Command.host)))

  it.effect("refuses to take the last plugins out", () =>
    Effect.gen(function*() {
      const tap = `{ "type": "passthrough", "instrumentedBy": "cni-passthrough" }`
      const text = `{ "cniVersion": "1.0.0", "name": "n", "plugins": [\n  ${tap},\n  ${tap}\n] }\n`
      using host = setUp(text)
      const { status, stderr } = yield* Command.printed(instrument, "-i", "--remove", host.file)
      assert.strictEqual(status, 2)
      assert.include(stderr, "has no plugins but our taps")
      assert.strictEqual(host.read(), text)
    }).pipe(Effect.provide(Command.host)))

  it.effect("asks for the plugin also where -o names the file itself", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { status, stderr } = yield* Command.printed(
        instrument,
        host.file,
        "-o",
        host.file,
        "--cni-path",
        host.folder
      )
      assert.strictEqual(status, 2)
      assert.include(stderr, "passthrough is not in")
      assert.strictEqual(host.read(), original)
    }).pipe(Effect.provide(Command.host)))

  const nexts: { readonly [sink: string]: readonly [log: string, show: string] } = {
    journald: ["journald", "cni-passthrough show --journald --failed"],
    syslog: ["syslog", "cni-passthrough show FILE --failed, with the file that your syslog daemon writes"],
    file: ["/var/log/cni/${CNI_CONTAINERID}.jsonl", "cni-passthrough show '/var/log/cni/*.jsonl' --failed"]
  }
  for (const [sink, [log, show]] of Object.entries(nexts)) {
    it.effect(`says how to look at what is logged to ${sink}, and how to take the taps out again`, () =>
      Effect.gen(function*() {
        using host = setUp()
        const { stdout } = yield* Command.printed(instrument, host.file, "--sink", sink)
        assert.strictEqual(
          stdout.slice(stdout.indexOf("the taps log")),
          `the taps log to ${log}, from the next container on:
  ${show}
to take them out again:
  cni-passthrough instrument --in-place --remove ${host.file}
`
        )
      }).pipe(Effect.provide(Command.host)))
  }

  it.effect("shows with --remove what would be taken out, and writes nothing", () =>
    Effect.gen(function*() {
      const tap = `{ "type": "passthrough", "label": "x", "instrumentedBy": "cni-passthrough" }`
      const text = `{"name":"n","plugins":[{"type":"a"}, ${tap}]}`
      using host = setUp(text)
      assert.deepStrictEqual(yield* Command.printed(instrument, "--remove", host.file, "--cache-dir", host.folder), {
        status: 0,
        stdout: `${host.file}\n- ${tap}\n`,
        stderr: "nothing is written yet: --in-place writes the file itself, -o FILE another one\n"
      })
      assert.strictEqual(host.read(), text)
      const other = `${host.folder}/other`
      const written = yield* Command.printed(instrument, "--remove", host.file, "-o", other, "--cache-dir", host.folder)
      assert.deepStrictEqual(written, { status: 0, stdout: `${other}\n- x\n`, stderr: "" })
      assert.strictEqual(Fs.readFileSync(other, "utf8"), `{"name":"n","plugins":[{"type":"a"}]}`)
      assert.strictEqual(host.read(), text)
    }).pipe(Effect.provide(Command.host)))

  it.effect("refuses two places for one text, and writes neither", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { status, stderr } = yield* Command.printed(instrument, host.file, "-i", "-o", `${host.folder}/other`)
      assert.deepStrictEqual([status, stderr], [
        2,
        "\nERROR\n  --in-place writes the file itself, and -o another one: give one of them\n"
      ])
      assert.deepStrictEqual(Fs.readdirSync(host.folder), ["n.conflist"])
      assert.strictEqual(host.read(), original)
    }).pipe(Effect.provide(Command.host)))

  it.effect("says where the plugin has to be", () =>
    Effect.gen(function*() {
      using host = setUp()
      const { stderr } = yield* Command.printed(instrument, host.file, "-i", "--cni-path", host.folder)
      assert.strictEqual(
        stderr,
        `\nERROR\n  passthrough is not in ${host.folder}: with taps, no container could be attached.
Put the plugin where the runtime looks (cni-passthrough install), or give\n--cni-path\n`
      )
    }).pipe(Effect.provide(Command.host)))

  it.effect("asks for the plugin also where -o names the file by a link to it", () =>
    Effect.gen(function*() {
      using host = setUp()
      const link = `${host.folder}/link`
      Fs.symlinkSync("n.conflist", link)
      const { status, stderr } = yield* Command.printed(instrument, host.file, "-o", link, "--cni-path", host.folder)
      assert.strictEqual(status, 2)
      assert.include(stderr, "passthrough is not in")
      assert.strictEqual(host.read(), original)
    }).pipe(Effect.provide(Command.host)))

  itAsRoot("does not write over a file of another user", () =>
    Effect.runPromise(
      Effect.gen(function*() {
        using host = setUp()
        const other = `${host.folder}/other`
        Fs.writeFileSync(other, "theirs")
        Fs.chownSync(other, 65_533, 0)
        const { status, stderr } = yield* Command.printed(instrument, host.file, "-o", other)
        assert.strictEqual(status, 2)
        assert.include(stderr, `cannot write ${other}: it belongs to another user (65533)`)
        assert.strictEqual(Fs.readFileSync(other, "utf8"), "theirs")
      }).pipe(Effect.provide(Command.host))
    ))

  it.effect("shows what comes in green, and what goes in red, on a terminal with colours", () =>
    Effect.gen(function*() {
      using host = setUp()
      const other = `${host.folder}/other`
      const coloured = (...args: ReadonlyArray<string>) =>
        Effect.provideService(
          Command.printed(instrument, ...args),
          TerminalCapabilities.TerminalCapabilities,
          { canColor: true, canAnimate: false, canPrompt: false }
        )
      const { stdout } = yield* coloured(host.file, "-o", other)
      assert.include(stdout, `${other}\n\u001b[32m+ after-bridge\u001b[0m\n\u001b[32m+ after-portmap\u001b[0m\n`)
      const removed = yield* coloured(other, "--remove", "-i", "--cache-dir", host.folder)
      assert.include(removed.stdout, `${other}\n\u001b[31m- after-bridge\u001b[0m\n`)
    }).pipe(Effect.provide(Command.host)))
})
