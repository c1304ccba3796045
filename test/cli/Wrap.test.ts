/** `wrap`, `wrap --status` and `unwrap`, in folders of this host. */
import { assert, describe, it } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as BuiltPlugin from "../../src/cli/BuiltPlugin.ts"
import { unwrap } from "../../src/cli/commands/Unwrap.ts"
import { wrap } from "../../src/cli/commands/Wrap.ts"
import * as Settings from "../../src/plugin/Settings.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import * as Discovery from "../../src/runtime/Discovery.ts"
import * as Command from "../support/command.ts"
import * as Scripts from "../support/scripts.ts"
import { call, hurried, make } from "../support/wrapped.ts"

type Host = ReturnType<typeof make>

const asHost = <A, E, R>(
  { root }: Host,
  effect: Effect.Effect<A, E, R>,
  runtimes: ReadonlyArray<Discovery.Runtime> = []
) =>
  hurried(Effect.provideService(effect, BuiltPlugin.CommandFile, Scripts.script(`${root}/cni-passthrough`, ""))).pipe(
    Effect.provideService(Discovery.Runtimes, Effect.succeed(runtimes))
  )

const wrapped = (host: Host, ...args: ReadonlyArray<string>) =>
  asHost(host, Command.printed(wrap, ...args, "--dir", host.folder))

const unwrapped = (host: Host, ...args: ReadonlyArray<string>) =>
  asHost(host, Command.printed(unwrap, ...args, "--dir", host.folder))

const configOf = ({ at }: Host) => JSON.parse(Fs.readFileSync(at.config, "utf8"))

const test = (name: string, body: () => Effect.Effect<void, unknown, Layer.Success<typeof Command.host>>) =>
  it.effect(name, () => Effect.provide(body(), Command.host))

describe("cni-passthrough wrap", () => {
  test("wraps all plugins of a folder, and says what was done, where it logs, and what to do next", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.writeFileSync(`${host.folder}/README`, "")
      const { status, stderr, stdout } = yield* wrapped(host)
      assert.deepStrictEqual([status, stderr], [0, ""])
      const next = stdout.indexOf("next\n")
      assert.strictEqual(
        stdout.slice(0, next),
        `${host.folder}
  wrapped      bridge, calico, calico-ipam, weave-net
  passed over  README (it is not executable)
has ${host.at.config}
  {
    "logFile": "/var/log/cni/passthrough.jsonl",
    "logFormat": "json",
    "onLogFailure": "ignore"
  }
`
      )
      assert.deepStrictEqual(stdout.slice(next).split("\n"), [
        "next",
        "  # what failed, once a container was started",
        "  cni-passthrough show --failed /var/log/cni/passthrough.jsonl",
        "  # takes it all out again",
        `  cni-passthrough unwrap --dir ${host.folder}`,
        ""
      ])
    }))

  test("says what is wrapped already, and keeps the configuration of before where no flag asks for another", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host, "--sink", "journald")
      const { status, stdout } = yield* wrapped(host)
      assert.strictEqual(status, 0)
      assert.include(stdout, "\n  already wrapped  bridge, calico, calico-ipam, weave-net\n")
      assert.include(stdout, `\nkeeps ${host.at.config}\n`)
      assert.deepStrictEqual(configOf(host), { logSinks: [{ type: "journald" }], onLogFailure: "ignore" })
      assert.include((yield* wrapped(host, "--sink", "syslog")).stdout, `\nhas ${host.at.config}\n`)
      assert.deepStrictEqual(configOf(host).logSinks, [{ type: "syslog" }])
    }))

  const configurations: {
    readonly [name: string]: readonly [args: string, fields: object, next: RegExp]
  } = {
    "a file": ["--log /tmp/a.jsonl", {
      logFile: "/tmp/a.jsonl",
      logFormat: "json",
      onLogFailure: "ignore"
    }, /^ {2}cni-passthrough show --failed \/tmp\/a\.jsonl$/m],
    "a file for each container": ["--log /tmp/${CNI_CONTAINERID}.jsonl", {
      logFile: "/tmp/${CNI_CONTAINERID}.jsonl",
      logFormat: "json",
      onLogFailure: "ignore"
    }, /^ {2}cni-passthrough show --failed '\/tmp\/\*\.jsonl'$/m],
    "the journal, without secrets": ["--sink journald --redact password --redact /auth/key", {
      logSinks: [{ type: "journald" }],
      onLogFailure: "ignore",
      redact: ["password", "/auth/key"]
    }, /^ {2}cni-passthrough show --failed --journald$/m],
    "syslog": ["--sink syslog", {
      logSinks: [{ type: "syslog" }],
      onLogFailure: "ignore"
    }, /^next\n {2}# takes it all out again\n {2}cni-passthrough unwrap/m],
    "all changes": ["--sink syslog --changes", {
      logSinks: [{ type: "syslog" }],
      onLogFailure: "ignore",
      changes: true
    }, /^next\n {2}# takes it all out again\n {2}cni-passthrough unwrap/m],
    "some changes": ["--sink syslog --changes=iptables,links", {
      logSinks: [{ type: "syslog" }],
      onLogFailure: "ignore",
      changes: ["links", "iptables"]
    }, /^next\n {2}# takes it all out again\n {2}cni-passthrough unwrap/m]
  }
  for (const [name, [args, fields, next]] of Object.entries(configurations)) {
    test(`logs to ${name}`, () =>
      Effect.gen(function*() {
        using host = make()
        const { status, stdout } = yield* wrapped(host, "bridge", ...args.split(" "))
        assert.strictEqual(status, 0)
        assert.deepStrictEqual(configOf(host), fields)
        assert.deepStrictEqual(Settings.read(configOf(host)).problems, [])
        assert.match(stdout, next)
      }))
  }

  const selection = Effect.fnUntraced(function*(host: Host, ...args: ReadonlyArray<string>) {
    const started = `${host.root}/started`
    for (const name of ["uninstall.sh", "own", "asked"]) {
      Scripts.script(`${host.folder}/${name}`, `echo ${name} >> ${started}`)
    }
    Fs.copyFileSync("/bin/true", `${host.folder}/program`)
    Fs.mkdirSync(`${host.root}/conf`)
    const { stdout } = yield* wrapped(host, "--conf-dir", `${host.root}/conf`, ...args)
    const names = Fs.existsSync(started)
      ? Fs.readFileSync(started, "utf8").split("\n").filter((name) => name !== "")
      : []
    return { stdout, started: [...new Set(names)].sort() }
  })

  test("passes over what has no known name and what no configuration names, does not start it, and says so", () =>
    Effect.gen(function*() {
      using host = make()
      const { started, stdout } = yield* selection(host)
      assert.include(
        stdout,
        `  wrapped      bridge, calico, calico-ipam, weave-net
  passed over  asked, own, program, uninstall.sh (not a known plugin, and not in a network configuration: give its name, or --all)
`
      )
      assert.deepStrictEqual(started, [])
    }))

  test("starts and wraps what it was asked for by name", () =>
    Effect.gen(function*() {
      using host = make()
      const { started, stdout } = yield* selection(host, "asked")
      assert.include(stdout, "\n  wrapped  asked\n")
      assert.deepStrictEqual(started, ["asked"])
    }))

  test("wraps all with --all, and starts no script that has no known name", () =>
    Effect.gen(function*() {
      using host = make()
      const { started, stdout } = yield* selection(host, "--all")
      assert.include(stdout, "\n  wrapped  asked, bridge, calico, calico-ipam, own, program, uninstall.sh, weave-net\n")
      assert.deepStrictEqual(started, [])
    }))

  const naming: { readonly [name: string]: string } = {
    "a list": `{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"own"}]}`,
    "a plugin that hands work to it": `{"plugins":[{"type":"bridge","ipam":{"type" : "own"}}]}`,
    "a delegate inside of a string": `{"type":"multus","delegates":["{\\"type\\":\\"own\\"}"]}`,
    "a list with a mistake": `{"plugins":[{"type":"own"},]`
  }
  for (const [what, text] of Object.entries(naming)) {
    test(`wraps what is named by ${what}`, () =>
      Effect.gen(function*() {
        using host = make()
        Fs.mkdirSync(`${host.root}/conf/deep`, { recursive: true })
        Fs.writeFileSync(`${host.root}/conf/deep/10-n.conflist`, text)
        Scripts.script(`${host.folder}/own`, "echo '{}'")
        Scripts.script(`${host.folder}/other`, "echo '{}'")
        const { stdout } = yield* wrapped(host, "--conf-dir", `${host.root}/conf`)
        assert.include(stdout, "\n  wrapped      bridge, calico, calico-ipam, own, weave-net\n")
        assert.include(stdout, "\n  passed over  other (not a known plugin")
      }))
  }

  const temporary = ["bridge.dpkg-new", "bridge.dpkg-tmp", "bridge.dpkg-old", "bridge.rpmnew", "bridge.rpmsave"]
  const others = ["bridge;5f3a9c21", "bridge~", "_bridge", "bridge.tmp"]
  test("never wraps what package managers and installers are about to rename, also by name and with --all", () =>
    Effect.gen(function*() {
      using host = make()
      for (const name of [...temporary, ...others, ".bridge"]) Scripts.script(`${host.folder}/${name}`, "echo '{}'")
      const { status, stdout } = yield* wrapped(host, "--all")
      assert.strictEqual(status, 0)
      assert.include(stdout, "\n  wrapped      bridge, calico, calico-ipam, weave-net\n")
      for (const name of [...temporary, ...others]) {
        const asked = yield* wrapped(host, name)
        assert.strictEqual(asked.status, 1, name)
        assert.include(
          asked.stdout,
          `  passed over  ${name} (installers use such names for temporary files)`
        )
      }
    }))

  test("never wraps our own executable, under whatever name", () =>
    Effect.gen(function*() {
      using host = make()
      for (const name of ["passthrough.dpkg-new", "cni-passthrough", "renamed"]) {
        Fs.copyFileSync(host.built, `${host.folder}/${name}`)
      }
      Fs.symlinkSync("renamed", `${host.folder}/vlan`)
      const { status, stdout } = yield* wrapped(host, "--all")
      assert.strictEqual(status, 0)
      assert.include(
        stdout,
        `  wrapped      bridge, calico, calico-ipam, weave-net
  passed over  cni-passthrough, passthrough.dpkg-new, renamed, vlan (it is our own executable)
`
      )
    }))

  const unreachable: { readonly [log: string]: RegExp } = {
    "/proc/none/x.jsonl": /^nothing is logged to \/proc\/none\/x\.jsonl: nothing can be made in \/proc: .+\n$/,
    "/proc/none/$CNI_IFNAME.jsonl": /: nothing can be made in \/proc: .+\n$/,
    ".": /^nothing is logged to \/.+: it is a folder\n$/,
    "/dev/fd/0": /: it is a symbolic link, which is not followed\n$/
  }
  for (const [log, expected] of Object.entries(unreachable)) {
    test(`says at once that nothing can be logged to ${log}`, () =>
      Effect.gen(function*() {
        using host = make()
        const { status, stderr } = yield* wrapped(host, "--log", log)
        assert.strictEqual(status, 0)
        assert.match(stderr, expected)
      }))
  }

  test("says at once that nobody listens where it logs to", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host)
      Fs.writeFileSync(host.at.config, JSON.stringify({ logSinks: [{ type: "syslog", address: "/none" }] }))
      const { stderr } = yield* wrapped(host)
      assert.strictEqual(stderr, "nothing is logged to syslog: nothing listens, as there is no /none\n")
    }))

  test("leaves nothing where it tried whether it can log", () =>
    Effect.gen(function*() {
      using host = make()
      const before = Fs.readdirSync(host.root)
      const { stderr } = yield* wrapped(host, "--log", `${host.root}/log/x.jsonl`)
      assert.strictEqual(stderr, "")
      assert.deepStrictEqual(Fs.readdirSync(host.root).filter((name) => name !== "cni-passthrough"), before)
    }))

  test("keeps of a configuration what no flag names", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host, "--log", "/tmp/a.jsonl", "--redact", "password")
      yield* wrapped(host, "--sink", "file")
      const file = { logFile: "/tmp/a.jsonl", logFormat: "json", onLogFailure: "ignore", redact: ["password"] }
      assert.deepStrictEqual(configOf(host), file)
      yield* wrapped(host, "--changes=links")
      assert.deepStrictEqual(configOf(host), { ...file, changes: ["links"] })
      Fs.writeFileSync(host.at.config, JSON.stringify({ ...configOf(host), label: "a" }))
      yield* wrapped(host, "--sink", "journald", "--redact", "token")
      assert.deepStrictEqual(configOf(host), {
        logSinks: [{ type: "journald" }],
        onLogFailure: "ignore",
        redact: ["token"],
        changes: ["links"],
        label: "a"
      })
      yield* unwrapped(host)
      yield* wrapped(host, "--sink", "journald")
      assert.deepStrictEqual(configOf(host), { logSinks: [{ type: "journald" }], onLogFailure: "ignore" })
    }))

  test("tells what is wrong with a configuration that it keeps", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host)
      Fs.writeFileSync(host.at.config, `{"logSinks":1}`)
      assert.strictEqual(
        (yield* wrapped(host)).stderr,
        `${host.at.config}: logSinks: found 1, expected a list of sinks\n`
      )
      Fs.writeFileSync(host.at.config, "no JSON")
      assert.strictEqual(
        (yield* wrapped(host)).stderr,
        `${host.at.config}: found no JSON object, expected one\n`
      )
    }))

  test("wraps the others where a plugin cannot be wrapped, and its exit status is 1", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.writeFileSync(`${host.folder}/vlan`, "no program", { mode: 0o755 })
      const { status, stderr, stdout } = yield* wrapped(host)
      assert.strictEqual(status, 1)
      assert.strictEqual(stderr, `not wrapped: ${host.folder}/vlan: it cannot be started: exec format error\n`)
      assert.include(stdout, "\n  wrapped  bridge, calico, calico-ipam, weave-net\n")
    }))

  test("goes through several folders, each once, and wraps a plugin wherever it is", () =>
    Effect.gen(function*() {
      using host = make()
      const other = `${host.root}/other`
      Fs.mkdirSync(other)
      Scripts.script(`${other}/bridge`, "echo other")
      Fs.symlinkSync("other", `${host.root}/link`)
      const { status, stdout } = yield* wrapped(host, "bridge", "calico", "--dir", other, "--dir", `${host.root}/link`)
      assert.strictEqual(status, 0)
      assert.deepStrictEqual(
        stdout.match(/^\/.*\n {2}wrapped .*$/gm),
        [`${other}\n  wrapped  bridge`, `${host.folder}\n  wrapped  bridge, calico`]
      )
      assert.strictEqual(call(`${other}/bridge`).stdout, "other\n")
      const gone = yield* unwrapped(host, "--dir", other)
      assert.deepStrictEqual(gone.stdout.match(/^ {2}unwrapped .*$/gm)?.length, 2)
    }))

  const refused: { readonly [name: string]: readonly [args: string, reason: RegExp] } = {
    "a plugin that is in no folder": ["bridge none", /none is not in \/.*\/bin$/],
    "a plugin whose name is mistyped": ["brigde", /brigde is not in \/.*\/bin: did you mean bridge\?$/],
    "our own plugin": ["passthrough", /found "passthrough", expected the name of a plugin other than passthrough/],
    "a path": ["/opt/cni/bin/bridge", /expected the name of a plugin/],
    "a kind of changes that there is not": [
      "--changes=links,colours",
      /--changes.*found "colours", expected some of links, addresses, routes, .*, ipam, with commas/
    ],
    "a file for a log that is none": [
      "--sink journald --log /tmp/a",
      /--log names a file, and --sink journald has none/
    ],
    "--json alone": ["--json", /--json needs --status or --follow: give one of them$/],
    "a folder that is not there": ["--dir /none", /cannot read \/none: there is no such file or folder$/],
    "a name that is hidden": [
      "--plugins .bridge",
      /found "\.bridge", expected the name of a plugin other than passthrough$/
    ],
    "a list with a name that is none": ["--plugins bridge,a/b", /found "bridge,a\/b", expected the name of a plugin/],
    "a list without names": ["--plugins ,", /found "", expected the name of a plugin other than passthrough$/]
  }
  for (const [name, [args, reason]] of Object.entries(refused)) {
    test(`refuses ${name}, and changes nothing`, () =>
      Effect.gen(function*() {
        using host = make()
        const before = host.state()
        const { status, stderr } = yield* wrapped(host, ...args.split(" "))
        assert.notStrictEqual(status, 0)
        assert.match(stderr.trim(), reason)
        assert.deepStrictEqual(host.state(), before)
      }))
  }

  test("refuses a file that was asked for and that runtimes could not start", () =>
    Effect.gen(function*() {
      using host = make()
      Fs.writeFileSync(`${host.folder}/README`, "")
      const { status, stdout } = yield* wrapped(host, "README")
      assert.strictEqual(status, 1)
      assert.include(stdout, "\n  passed over  README (it is not executable)\n")
      assert.isFalse(Fs.existsSync(host.at.own))
    }))

  test("takes names one by one and as a list, and does not mind commas that are too many", () =>
    Effect.gen(function*() {
      using host = make()
      const { stdout } = yield* wrapped(host, "weave-net", "--plugins", ",bridge,,calico,")
      assert.include(stdout, "\n  wrapped  bridge, calico, weave-net\n")
    }))

  test("names each log once that its folders have, and those of files that a shell would take apart in quotes", () =>
    Effect.gen(function*() {
      using host = make()
      const other = `${host.root}/other`
      Fs.mkdirSync(other)
      Scripts.script(`${other}/bridge`, "echo other")
      const { stdout } = yield* wrapped(host, "bridge", "--dir", other, "--log", "/tmp/a b.jsonl")
      assert.strictEqual(
        stdout.slice(stdout.indexOf("next\n")),
        `next
  # what failed, once a container was started
  cni-passthrough show --failed '/tmp/a b.jsonl'
  # takes it all out again
  cni-passthrough unwrap --dir ${other} --dir ${host.folder}
`
      )
    }))

  test("needs a folder, and plugins in it", () =>
    Effect.gen(function*() {
      using host = make()
      const empty = `${host.root}/empty`
      Fs.mkdirSync(empty)
      const nothing = yield* asHost(host, Command.printed(wrap, "--dir", empty))
      assert.deepStrictEqual([nothing.status, Fs.readdirSync(empty)], [2, []])
      assert.include(nothing.stderr, `found no plugins in ${empty}: choose another folder with --dir`)
      Scripts.script(`${empty}/uninstall.sh`, `echo > ${host.root}/started`)
      const unknown = yield* asHost(host, Command.printed(wrap, "--dir", empty))
      assert.match(unknown.stderr, /with --dir\npassed over: uninstall\.sh \(not a known plugin, .*\)\n$/)
      assert.isFalse(Fs.existsSync(`${host.root}/started`))
      const none = yield* asHost(host, Command.printed(wrap, "--cni-path", "/none/a:/none/b"))
      assert.strictEqual(none.status, 2)
      assert.include(none.stderr, "there is no folder /none/a, and no /none/b: --dir names another one")
      const some = yield* asHost(host, Command.printed(wrap, "--cni-path", `/none/a:${host.folder}`))
      assert.strictEqual(some.status, 0)
    }))
})

describe("cni-passthrough wrap --status", () => {
  const mixed = Effect.fnUntraced(function*(host: Host) {
    yield* wrapped(host, "bridge", "calico", "weave-net")
    Fs.writeFileSync(`${host.folder}/calico`, "newer")
    Fs.rmSync(`${host.folder}/weave-net`)
  })

  test("lists each plugin with its state", () =>
    Effect.gen(function*() {
      using host = make()
      yield* mixed(host)
      const { status, stdout } = yield* wrapped(host, "--status")
      assert.strictEqual(status, 0)
      const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [+-]\d\d:\d\d`
      const row = (text: string) => new RegExp(`^${text}$`, "m")
      assert.include(stdout, `${host.folder}\n  by passthrough 1\n  logs to /var/log/cni/passthrough.jsonl\n`)
      assert.match(stdout, row(`  bridge       wrapped       ${time}`))
      assert.match(stdout, row(`  calico       written over  ${time}  5 bytes`))
      assert.match(stdout, row("  calico-ipam  not wrapped"))
      assert.match(stdout, row("  weave-net    gone"))
    }))

  /** What --status prints, with a moment in place of each. */
  const status = (host: Host, ...args: ReadonlyArray<string>) =>
    Effect.map(
      wrapped(host, "--status", ...args),
      ({ stdout }) => stdout.replace(/\d{4}-\d\d-\d\d [\d:.]+ [+-]\d\d:\d\d/g, "TIME")
    )

  const overwritten = "A plugin that was written over runs as it is: wrap it again, or unwrap it\n"
  const moved = "A stub that was moved names another folder, or this one by another path: unwrap it here\n"

  test("says what to do about a plugin that was written over", () =>
    Effect.gen(function*() {
      using host = make()
      yield* mixed(host)
      assert.strictEqual(
        yield* status(host),
        `${host.folder}
  by passthrough 1
  logs to /var/log/cni/passthrough.jsonl
  bridge       wrapped       TIME
  calico       written over  TIME  5 bytes
  calico-ipam  not wrapped
  weave-net    gone
${overwritten}`
      )
      assert.strictEqual(
        yield* status(host, "bridge"),
        `${host.folder}\n  by passthrough 1\n  logs to /var/log/cni/passthrough.jsonl\n  bridge  wrapped  TIME\n`
      )
      assert.strictEqual(yield* status(host, "calico-ipam"), `${host.folder}\n  calico-ipam  not wrapped\n`)
    }))

  test("says what to do about stubs that were moved", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host, "bridge")
      const other = `${host.root}/other`
      Fs.renameSync(host.folder, other)
      Fs.mkdirSync(host.folder)
      const { stdout } = yield* asHost(host, Command.printed(wrap, "--status", "bridge", "--dir", other))
      assert.isTrue(stdout.endsWith(moved), stdout)
      assert.match(stdout, /\n {2}bridge {2}moved {2}/)
      assert.notInclude(stdout, overwritten)
      Fs.rmdirSync(host.folder)
      Fs.renameSync(other, host.folder)
    }))

  test("has a colour for each state on a terminal that has colours", () =>
    Effect.gen(function*() {
      using host = make()
      yield* mixed(host)
      const { stdout } = yield* Effect.provideService(
        wrapped(host, "--status"),
        TerminalCapabilities.TerminalCapabilities,
        { canColor: true, canAnimate: false, canPrompt: false }
      )
      const colours = [...stdout.matchAll(/^(?:\u001b\[(\d+)m)? {2}(\S+) +(wrapped|written over|not wrapped|gone)/gm)]
      assert.deepStrictEqual(colours.map(([, colour, name]) => [name, colour]), [
        ["bridge", "32"],
        ["calico", "33"],
        ["calico-ipam", undefined],
        ["weave-net", "33"]
      ])
      assert.isTrue(stdout.startsWith(`\u001b[1m${host.folder}\u001b[0m\n`))
    }))

  test("lists plugins that are not wrapped for scripts too", () =>
    Effect.gen(function*() {
      using host = make()
      const { stdout } = yield* wrapped(host, "--status", "--json")
      const { size } = Fs.statSync(`${host.folder}/bridge`)
      const [bridge, ...others] = JSON.parse(stdout)
      assert.deepStrictEqual(bridge, {
        folder: host.folder,
        plugin: "bridge",
        state: "not wrapped",
        since: null,
        size,
        version: null,
        logs: []
      })
      assert.lengthOf(others, 3)
    }))

  test("fits 80 columns, one line for each plugin", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host)
      Fs.writeFileSync(`${host.folder}/bridge`, "x".repeat(10_000_000))
      const screen = { isTerminal: true, width: 80, minutesEast: () => 0 }
      const { stdout } = yield* Effect.provideService(wrapped(host, "--status"), Style.CurrentScreen, screen)
      for (const line of stdout.split("\n").slice(1)) assert.isAtMost(line.length, 80, line)
      assert.strictEqual(stdout.match(/^ {2}\S+ +(?:wrapped|written over) /gm)?.length, 4)
    }))

  test("says that nothing is logged, and why", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host, "--log", "/proc/none/x.jsonl")
      const unwritable = yield* wrapped(host, "--status")
      assert.match(unwritable.stderr, /^nothing is logged to \/proc\/none\/x\.jsonl: nothing can be made in \/proc: /)
      Fs.writeFileSync(host.at.config, "no JSON")
      const broken = yield* wrapped(host, "--status")
      assert.include(broken.stdout, `${host.folder}\n  by passthrough 1\n  logs to nothing\n`)
      assert.strictEqual(broken.stderr, `${host.at.config}: found no JSON object, expected one\n`)
    }))

  test("prints a list for scripts", () =>
    Effect.gen(function*() {
      using host = make()
      yield* mixed(host)
      const { folder } = host
      const since = "2026-01-02T03:04:05.000Z"
      for (const name of ["bridge", "calico"]) Fs.utimesSync(`${folder}/${name}`, new Date(since), new Date(since))
      const { stdout } = yield* wrapped(host, "--status", "--json", "bridge", "calico")
      assert.deepStrictEqual(JSON.parse(stdout), [
        {
          folder,
          plugin: "bridge",
          state: "wrapped",
          since,
          size: null,
          version: "1",
          logs: ["/var/log/cni/passthrough.jsonl"]
        },
        { folder, plugin: "calico", state: "written over", since, size: 5, version: null, logs: [] }
      ])
    }))
})

describe("cni-passthrough unwrap", () => {
  test("puts all plugins back, and says so", () =>
    Effect.gen(function*() {
      using host = make()
      const before = host.state()
      yield* wrapped(host)
      const { status, stderr, stdout } = yield* unwrapped(host)
      assert.deepStrictEqual([status, stderr], [0, ""])
      assert.strictEqual(stdout, `${host.folder}\n  unwrapped  bridge, calico, calico-ipam, weave-net\n`)
      assert.deepStrictEqual(host.state(), before)
    }))

  test("names what it leaves alone", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host)
      Fs.writeFileSync(`${host.folder}/bridge`, "#!/bin/sh\n")
      Fs.rmSync(`${host.folder}/calico`)
      const { status, stdout } = yield* unwrapped(host)
      assert.strictEqual(status, 0)
      assert.strictEqual(
        stdout,
        `${host.folder}
  unwrapped   calico-ipam, weave-net
  left alone  bridge (written over since it was wrapped)
  kept        calico in ${host.at.plugins} (unwrap NAME restores a plugin whose stub is gone)
`
      )
      assert.match((yield* unwrapped(host, "calico")).stdout, /\n {2}unwrapped {2}calico\n$/)
      assert.include(call(`${host.folder}/calico`).stdout, "\"of\":\"calico\"")
      assert.isFalse(Fs.existsSync(host.at.own))
    }))

  test("says that nothing is wrapped, and that this is fine", () =>
    Effect.gen(function*() {
      using host = make()
      const { status, stdout } = yield* unwrapped(host)
      assert.deepStrictEqual([status, stdout], [0, `nothing is wrapped in ${host.folder}\n`])
      const one = yield* unwrapped(host, "bridge")
      assert.deepStrictEqual([one.status, one.stdout], [0, `not wrapped in ${host.folder}: bridge\n`])
    }))

  test("puts the others back where a plugin is in no folder, says which was meant, and its exit status is 1", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host)
      const { status, stderr, stdout } = yield* unwrapped(host, "brigde", "calico")
      assert.deepStrictEqual(
        [status, stdout, stderr],
        [1, `${host.folder}\n  unwrapped  calico\n`, `brigde is not in ${host.folder}: did you mean bridge?\n`]
      )
    }))

  test("ends with exit status 1 where a stub stays", () =>
    Effect.gen(function*() {
      using host = make()
      yield* wrapped(host)
      Fs.rmSync(`${host.at.plugins}/bridge`)
      const { status, stderr } = yield* unwrapped(host)
      assert.strictEqual(status, 1)
      assert.strictEqual(
        stderr,
        `not unwrapped: ${host.folder}/bridge: it is a stub whose plugin was removed by another program: ` +
          "install the plugin again\n"
      )
    }))
})

describe("the folders of runtimes", () => {
  const runtime = (name: string, folder: string): Discovery.Runtime => ({
    name,
    version: "2.3.4",
    pluginFolders: [folder],
    confDir: "/etc/cni/net.d",
    source: "crictl info",
    endpoint: undefined,
    programFolder: undefined,
    configFile: undefined,
    loaded: undefined
  })
  const words = (folder: string) => `containerd 2.3.4, conf /etc/cni/net.d, plugins ${folder} (crictl info)`

  test("are wrapped where no flag names one, and wrap says which runtime uses them", () =>
    Effect.gen(function*() {
      using host = make()
      const { status, stderr } = yield* asHost(host, Command.printed(wrap), [runtime("containerd", host.folder)])
      assert.deepStrictEqual([status, stderr], [0, `${host.folder} is used by ${words(host.folder)}\n`])
      assert.include(yield* Effect.map(unwrapped(host), ({ stdout }) => stdout), "unwrapped  bridge")
    }))

  test("are named where wrap is told to wrap another one", () =>
    Effect.gen(function*() {
      using host = make()
      const wrapping = Command.printed(wrap, "--dir", host.folder)
      const { stderr } = yield* asHost(host, wrapping, [runtime("containerd", "/opt/cni/bin")])
      assert.strictEqual(
        stderr,
        `no runtime that was found on this host uses ${host.folder}:\n  ${words("/opt/cni/bin")}\n`
      )
      assert.strictEqual((yield* asHost(host, wrapping, [runtime("podman", "/opt/cni/bin")])).stderr, "")
      const netavark = { ...runtime("podman", ""), pluginFolders: undefined }
      assert.match(
        (yield* asHost(host, wrapping, [netavark])).stderr,
        /^no runtime .* uses .*:\n {2}podman 2\.3\.4 makes networks with netavark, which calls no plugins, so there is nothing/
      )
    }))
})
