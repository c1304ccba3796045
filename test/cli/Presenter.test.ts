/** Help and errors, as a newcomer meets them. */
import { assert, describe, it } from "@effect/vitest"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import type * as CliCommand from "effect/cli/Command"
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import { command } from "../../src/cli/Companion.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

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
        /\n {2}run .*\n {2}doctor .*\n {2}trace .*\n {2}leaks .*\n {2}watch .*\n {2}wrap .*\n {2}unwrap .*\n {2}show .*\n {2}diff .*\n {2}report .*\n {2}export .*\n {2}replay .*\n {2}instrument .*\n {2}validate .*\n {2}install .*\n {2}schema .*\n {2}version .*\n {2}help .*\n\n/
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
      assert.include(text, "(default: CNI_PATH, or those of the runtimes of this host, or /opt/cni/bin:/usr/lib/cni)")
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

const flag = (name: string, type: string, description?: string, aliases: ReadonlyArray<string> = []) => ({
  name,
  type,
  aliases,
  description: Option.fromUndefinedOr(description),
  required: false
})

const argument = (name: string, description: string, { required = true, variadic = false } = {}) => ({
  name,
  type: "string",
  description: Option.some(description),
  required,
  variadic
})

const words = "It is what it is, and all that can be said of it is said here, in more words than one line has"

const doc: HelpDoc.HelpDoc = {
  description: words,
  usage: "cni-passthrough it [flags] <file>",
  annotations: Context.empty(),
  commandPath: ["cni-passthrough", "it"],
  args: [
    argument("file", "A file"),
    argument("more", "Others (choices: a, b)", { required: false, variadic: true })
  ],
  flags: [
    flag("all", "boolean", "All of them", ["-a"]),
    flag("kind", "choice", "Of this kind (choices: one, two, three)"), // no wider may a first column be
    flag("long", "string", words),
    flag("sixteen-letters", "one", words)
  ],
  globalFlags: [flag("help", "boolean", "This help")],
  subcommands: [
    {
      group: undefined,
      commands: [{ name: "do", alias: undefined, shortDescription: "Do it", description: words }]
    },
    {
      group: "others",
      commands: [{ name: "undo", alias: undefined, shortDescription: undefined, description: "Undo it" }]
    }
  ],
  examples: [{ command: "cni-passthrough it file", description: "One file" }, { command: "cni-passthrough it -a file" }]
}

describe("the help of a command", () => {
  it("has all of it in two columns, and no line that is wider than 80", () => {
    assert.strictEqual(
      Presenter.render(doc),
      `It is what it is, and all that can be said of it is said here, in more words
than one line has

USAGE
  cni-passthrough it [flags] <file>

ARGUMENTS
  file                    A file
  [more...]               Others

SUBCOMMANDS
  do                      Do it
  undo                    Undo it

FLAGS
  --all, -a               All of them
  --kind <one|two|three>  Of this kind
  --long <string>         It is what it is, and all that can be said of it is
                          said here, in more words than one line has
  --sixteen-letters <one>
                          It is what it is, and all that can be said of it is
                          said here, in more words than one line has

EXAMPLES
  # One file
  cni-passthrough it file
  cni-passthrough it -a file`
    )
  })

  it("has the flags that all commands have where it is that of the first one", () => {
    const help = (path?: ReadonlyArray<string>) =>
      Presenter.render({
        description: "It",
        usage: "it",
        annotations: Context.empty(),
        flags: [],
        globalFlags: doc.globalFlags ?? [],
        ...(path === undefined ? {} : { commandPath: path })
      })
    const flags = "\n\nFLAGS\n  --help                  This help"
    assert.strictEqual(help(["cni-passthrough"]), `It\n\nUSAGE\n  it${flags}`)
    assert.strictEqual(help(), `It\n\nUSAGE\n  it${flags}`)
    assert.strictEqual(help(["cni-passthrough", "it"]), "It\n\nUSAGE\n  it")
  })

  it("has bold titles where the terminal has colours, and none elsewhere", () => {
    const titles = (canColor: boolean) =>
      Effect.map(
        Effect.provideService(called("schema", "--help"), TerminalCapabilities.TerminalCapabilities, {
          canColor,
          canAnimate: false,
          canPrompt: false
        }),
        ({ stdout }) => stdout.match(/^.*(?:USAGE|FLAGS|EXAMPLES).*$/gm)
      )
    return Effect.runPromise(Effect.gen(function*() {
      const bold = ["USAGE", "FLAGS", "EXAMPLES"].map((title) => `\u001b[1m${title}\u001b[0m`)
      assert.deepStrictEqual(yield* titles(true), bold)
      assert.deepStrictEqual(yield* titles(false), ["USAGE", "FLAGS", "EXAMPLES"])
    }))
  })
})

describe("what is wrong with a command line", () => {
  const invalid = (fields: Partial<ConstructorParameters<typeof CliError.InvalidValue>[0]>) =>
    new CliError.InvalidValue({ option: "to", value: "x", expected: "a folder", kind: "flag", ...fields })
  const cases: ReadonlyArray<readonly [error: CliError.CliError, message: string]> = [
    [new CliError.UnrecognizedOption({ option: "--x", suggestions: [] }), "--x is not a flag of it: see it --help"],
    [
      new CliError.UnrecognizedOption({ option: "--x", suggestions: ["--y", "--z"] }),
      "--x is not a flag of it: did you mean --y or --z?"
    ],
    [
      new CliError.UnknownSubcommand({ subcommand: "x", suggestions: ["y"] }),
      `"x" is not a subcommand of it: did you mean y?`
    ],
    [new CliError.MissingArgument({ argument: "file" }), "<file> is missing: see it --help"],
    [new CliError.MissingOption({ option: "plugin" }), "--plugin is missing: see it --help"],
    [new CliError.UnexpectedArgument({ arguments: ["a", "b"] }), `unexpected "a", "b": see it --help`],
    [invalid({}), `--to: found "x", expected a folder`],
    [invalid({ value: "" }), "--to has no value: see it --help"],
    [invalid({ kind: "argument" }), `<to>: found "x", expected a folder`],
    [invalid({ kind: "argument", value: "" }), `<to>: found "", expected a folder`],
    [invalid({ expected: "Expected: a folder" }), `--to: found "x", expected a folder`],
    [invalid({ expected: "Expected a folder" }), `--to: found "x", expected a folder`],
    [invalid({ expected: "found x, expected a folder" }), "--to: found x, expected a folder"],
    [invalid({ expected: "found nothing, expected a folder", value: "" }), "--to: found nothing, expected a folder"],
    [new CliError.UserError({ cause: new Error("no") }), "no"]
  ]
  for (const [error, message] of cases) {
    it(`is told as ${message}`, () => {
      assert.strictEqual(Presenter.explain(error, "it"), message)
    })
  }
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
  it.effect("may have several lines, of which no terminal obeys any", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const bin = `${folder.path}/\u001b[31m`
      Fs.mkdirSync(bin)
      Scripts.plugin(`${bin}/passthrough`, ["1.0.0"])
      Fs.writeFileSync(`${bin}/n.conflist`, `{"name":"n","plugins":[{"type":"passthrough"}]}`)
      const { status, stderr } = yield* called("install", "--uninstall", "--to", bin, "--conf-dir", bin)
      const shown = `${folder.path}/\\u001b[31m`
      assert.strictEqual(status, 2)
      assert.strictEqual(
        stderr,
        `error: ${shown}/passthrough stays, because it is still needed:
  the network in ${shown}/n.conflist calls it
Take the taps out and end these containers first, or give --force
`
      )
    }))

  const cases: { readonly [line: string]: string } = {
    "validate /none": "cannot read /none: there is no such file or folder",
    "validate /proc/self/mem": "cannot read /proc/self/mem: found a file of the kernel, expected a regular file",
    "validate /etc": "/etc is a folder: name its files, such as '/etc/*.conflist'",
    "validate /": "/ is a folder: name its files, such as '/*.conflist'",
    "validate /none/*.conflist": "no file matches /none/*.conflist",
    "run add ./none.conflist --netns x": "cannot read ./none.conflist: there is no such file or folder",
    "instrument /etc": "cannot read /etc: it is a folder",
    "validate /etc/passwd/x": "cannot read /etc/passwd/x: not a directory",
    "install --to /etc/passwd/x --uninstall": "the plugin is not in /etc/passwd/x: name its folder with --to",
    "instrument /none/x.conflist": "cannot read /none/x.conflist: there is no such file or folder",
    "install --to /none --uninstall": "the plugin is not in /none: name its folder with --to",
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
