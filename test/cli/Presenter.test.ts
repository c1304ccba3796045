/** Help and errors, as a newcomer meets them. */
import { assert, describe, it } from "@effect/vitest"
import * as CliOutput from "effect/cli/CliOutput"
import type * as CliCommand from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import { command } from "../../src/cli/Companion.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

const host = Layer.mergeAll(Progress.layer.pipe(Layer.provideMerge(Command.host)), Presenter.layer)

const called = (...args: ReadonlyArray<string>) => Effect.provide(Command.printed(command, ...args), host)

/** The names of all subcommands, and of theirs. */
const pathsOf = (command: CliCommand.Command.Any): ReadonlyArray<ReadonlyArray<string>> =>
  command.subcommands.flatMap(({ commands }) => commands).flatMap((subcommand) => [
    [subcommand.name],
    ...pathsOf(subcommand).map((path) => [subcommand.name, ...path])
  ])

const paths: ReadonlyArray<ReadonlyArray<string>> = [[], ...pathsOf(command)]

describe("the help", () => {
  for (const path of paths) {
    const name = ["cni-passthrough", ...path].join(" ")

    it.effect(`of ${name} fits 80 columns, and says what each flag is`, () =>
      Effect.gen(function*() {
        const { status, stderr, stdout } = yield* called(...path, "--help")
        assert.deepStrictEqual([status, stderr], [0, ""])
        for (const line of stdout.split("\n")) assert.isAtMost(CliOutput.displayWidth(line), 80, line)
        assert.include(stdout, `USAGE\n  ${name}`)
        assert.notMatch(stdout, /--wizard|--log-level/)
        for (const [, row = ""] of stdout.matchAll(/^ {2}(--[^\n]*(?:\n {10,}[^\n]*)*)/gm)) {
          assert.match(row, /^--\S+.*\s{2,}\S/s, `${row} has no description`)
        }
      }))
  }

  it.effect("begins with the subcommands, a line each, and ends with examples", () =>
    Effect.gen(function*() {
      const { stdout } = yield* called("--help")
      assert.match(
        stdout,
        /\n {2}run .*\n {2}doctor .*\n {2}leaks .*\n {2}wrap .*\n {2}unwrap .*\n {2}show .*\n {2}diff .*\n {2}report .*\n {2}replay .*\n {2}instrument .*\n {2}validate .*\n {2}install .*\n {2}schema .*\n {2}version .*\n {2}help .*\n\n/
      )
      const examples = stdout.slice(stdout.indexOf("EXAMPLES"))
      for (const subcommand of ["run add", "doctor", "wrap", "show"]) {
        assert.include(examples, `\n  cni-passthrough ${subcommand} `)
      }
      assert.include(stdout, "--completions <bash|zsh|fish|powershell|sh|pwsh>")
    }))

  it.effect("of subcommands shows defaults, and not the flags that all have", () =>
    Effect.gen(function*() {
      const { stdout } = yield* called("instrument", "--help")
      const text = stdout.replace(/\s+/g, " ")
      assert.include(text, "--sink <file|journald|syslog> Where the taps log to (default: file)")
      assert.include(text, "(default: /var/log/cni)")
      assert.include(text, "(default: CNI_PATH, or /opt/cni/bin:/usr/lib/cni)")
      assert.include(text, "(default: /var/lib/cni)")
      assert.notInclude(stdout, "--completions")
    }))

  it.effect("is where people look for it", () =>
    Effect.gen(function*() {
      const { stdout: root } = yield* called("--help")
      const { stdout: add } = yield* called("run", "add", "--help")
      assert.deepStrictEqual(yield* called("help"), { status: 0, stdout: root, stderr: "" })
      assert.deepStrictEqual(yield* called(), { status: 0, stdout: root, stderr: "" })
      assert.deepStrictEqual(yield* called("help", "run", "add"), { status: 0, stdout: add, stderr: "" })
    }))
})

describe("the version", () => {
  for (const line of ["--version", "-V", "version"]) {
    it.effect(`is what ${line} prints`, () =>
      Effect.gen(function*() {
        const { status, stdout } = yield* called(line)
        assert.strictEqual(status, 0)
        assert.match(stdout, /^cni-passthrough \d+(\.\d+)*\n$/)
      }))
  }
})

describe("--color", () => {
  it.effect("is a flag of all commands", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const file = `${folder.path}/n.conflist`
      Fs.writeFileSync(file, "{}")
      const isColoured = (colour: string) =>
        Effect.map(called("validate", file, "--color", colour), ({ stdout }) => stdout.includes("\u001b["))
      assert.deepStrictEqual([yield* isColoured("always"), yield* isColoured("never")], [true, false])
    }))
})

describe("a command line that is wrong", () => {
  const cases: { readonly [line: string]: string } = {
    "frobnicate": `"frobnicate" is not a subcommand of cni-passthrough: see cni-passthrough --help`,
    "instrumnt x": `"instrumnt" is not a subcommand of cni-passthrough: did you mean instrument?`,
    "run ad x": `"ad" is not a subcommand of cni-passthrough run: did you mean add?`,
    "run ad x --new-netns q": `"ad" is not a subcommand of cni-passthrough run: did you mean add?`,
    "validate --cni-pth x y": "--cni-pth is not a flag of cni-passthrough validate: did you mean --cni-path?",
    "validate --frobnicate y":
      "--frobnicate is not a flag of cni-passthrough validate: see cni-passthrough validate --help",
    "validate": "<file> is missing: see cni-passthrough validate --help",
    "install --to": "--to has no value: see cni-passthrough install --help",
    "instrument /etc/passwd extra": `unexpected "extra": see cni-passthrough instrument --help`,
    "instrument x --sink kafka": `--sink: found "kafka", expected "file" | "journald" | "syslog"`,
    "run add x --timeout 3": `--timeout: found "3", expected a duration such as 30s, 500ms or 1m30s`,
    "run add x --wizard": "--wizard is not a flag of cni-passthrough run add: see cni-passthrough run add --help"
  }
  for (const [line, message] of Object.entries(cases)) {
    it.effect(`is told on one line: ${line}`, () =>
      Effect.gen(function*() {
        const { status, stderr, stdout } = yield* called(...line.split(" "))
        assert.deepStrictEqual([status, stdout, stderr], [1, "", `error: ${message}\n`])
      }))
  }

  it.effect("cannot send control characters to the terminal", () =>
    Effect.gen(function*() {
      const { stderr } = yield* called("a\u001b[2J\u009b")
      assert.notMatch(stderr, /[\u001b\u009b]/)
    }))
})

describe("an error of a command", () => {
  const cases: { readonly [line: string]: string } = {
    "validate /none": "cannot read /none: there is no such file or folder",
    "validate /proc/self/mem": "cannot read /proc/self/mem: found a file of the kernel, expected a regular file",
    "validate /etc": "/etc is a folder: name its files, such as '/etc/*.conflist'",
    "validate /none/*.conflist": "no file matches /none/*.conflist",
    "run add ./none.conflist --netns x": "cannot read ./none.conflist: there is no such file or folder",
    "instrument /etc": "cannot read /etc: it is a folder",
    "validate /etc/passwd/x": "cannot read /etc/passwd/x: not a directory",
    "install --to /etc/passwd/x --uninstall": "the plugin is not in /etc/passwd/x: --to names another folder",
    "instrument /none/x.conflist": "cannot read /none/x.conflist: there is no such file or folder",
    "install --to /none --uninstall": "the plugin is not in /none: --to names another folder",
    "run add none --netns x --conf-dir /none": `no network "none" in /none: it has no networks`
  }
  for (const [line, message] of Object.entries(cases)) {
    it.effect(`is told without the names of what it called: ${line}`, () =>
      Effect.gen(function*() {
        const { status, stderr } = yield* called(...line.split(" "))
        assert.deepStrictEqual([status, stderr], [2, `error: ${message}\n`])
      }))
  }
})

describe("the completions", () => {
  it.effect("offer files and folders where they are wanted", () =>
    Effect.gen(function*() {
      const { stdout } = yield* called("--completions", "zsh")
      for (const [flag, kind] of [["--output", "_files"], ["--to", "_directories"], ["--conf-dir", "_directories"]]) {
        assert.match(stdout, new RegExp(`${flag}\\b.*${kind}`))
      }
      assert.include(stdout, ":Network configurations to look at:_files")
      assert.match(
        stdout,
        /:A network configuration file, or the name of a network in --conf-dir:\{.*_files \|\| compadd -- /
      )
      const bash = (yield* called("--completions", "bash")).stdout
      assert.include(bash, "instrument")
      const fish = (yield* called("--completions", "fish")).stdout
      assert.include(fish, "instrument")
    }))
})
