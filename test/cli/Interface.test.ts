/** What scripts and people type: the subcommands with their arguments and flags, as the help lists them. */
import { assert, describe, it } from "@effect/vitest"
import type * as CliCommand from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { command } from "../../src/cli/Companion.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Command from "../support/command.ts"

const host = Layer.mergeAll(Progress.layer.pipe(Layer.provideMerge(Command.host)), Presenter.layer)

const called = (...args: ReadonlyArray<string>) => Effect.provide(Command.printed(command, ...args), host)

/** The rows of a section of the help: what is in their first columns, and their descriptions. */
const rowsOf = (help: string, section: string): ReadonlyArray<readonly [name: string, description: string]> => {
  const [, text = ""] = new RegExp(`\\n${section}\\n([^]*?)(?:\\n\\n|$)`).exec(help) ?? []
  return text.split(/\n(?= {2}\S)/).filter((row) => row !== "").map((row) => {
    const [, name = "", description = ""] = /^ {2}([^\s,]+(?:, -\S)?(?: <[^>]*>)?)\s*([^]*)$/.exec(row) ?? []
    return [name, description.replace(/\s+/g, " ").trim()]
  })
}

const chain = "--cni-path <folders> --conf-dir <folder> --timeout <duration>"
const shown = "--tap --full --json --log <file> --report <file>"
const attachment = "--netns <string> --container-id <string> --ifname <string> --args <string> " +
  "--capability-args <string> --cache-dir <folder>"
const folders = "--plugins <names> --dir <folder> --cni-path <folders> --host-root <folder>"

/** Of each subcommand that does something, all that may follow its name. */
const expected: { readonly [path: string]: string } = {
  "run add": `network ${chain} --changes <[=kinds]> ${attachment} --new-netns <string> ${shown}`,
  "run del": `network ${chain} --changes <[=kinds]> ${attachment} --new-netns <string> --keep-going ${shown}`,
  "run check": `network ${chain} --changes <[=kinds]> ${attachment} ${shown}`,
  "run gc": `network ${chain} --changes <[=kinds]> --cache-dir <folder> --dry-run ${shown}`,
  "run status": `network ${chain} ${shown}`,
  "run version": `network ${chain} --json --log <file>`,
  "doctor": "[network] --netns <string> --container-id <string> --pod <string> --ifname <string> --conf-dir <folder> " +
    "--cni-path <folders> --cache-dir <folder> --host-root <folder> --capability-args <string> --trial --log <file> " +
    "--timeout <duration> --fix --yes --cut <check> --verbose --json --report <file>",
  "trace":
    "[container] --to <address:port> --port <port> --from <host|address> --udp --size <number> --count <number> " +
    "--pod <string> --container-id <string> --netns <string> --cache-dir <folder> --log <file> --timeout <duration> " +
    "--json --report <file>",
  "leaks": "[network] --conf-dir <folder> --cache-dir <folder> --host-root <folder> --fix --every <duration> " +
    "--older <duration> --log <file> --sink <file|journald|syslog> --yes --verbose --json",
  "watch": "--network <string> --log <file> --journald --conf-dir <folder> --cache-dir <folder> --host-root <folder> " +
    "--for <duration> --full --json",
  "wrap": `[plugin...] ${folders} --log <file> --sink <file|journald|syslog> --changes <[=kinds]> --redact <key> ` +
    "--for <duration> --watch --follow, -f --network <string> --otlp <url> --prometheus <file|:port> --deadline <file> --conf-dir <folder> --all --renew --status --json",
  "unwrap": `[plugin...] ${folders} --all`,
  "show": "[log...] --journald --follow, -f --failed --leftovers --full --json --container <string> --pod <string> " +
    "--network <string> --command <operation> --label <string> --since <time> --until <time> --host-root <folder>",
  "diff": "a b --network <string> --command <operation> --json",
  "report": "[log...] --output, -o <file> --redact <path> --no-redact --host-root <folder>",
  "export": "[log...] --journald --follow, -f --otlp <url> --prometheus <file|:port> --cni-path <folders> " +
    "--conf-dir <folder> --cache-dir <folder> --host-root <folder>",
  "replay": "[log...] --plugin <type> --operation <number> --run --netns <string> --cni-path <folders>",
  "instrument": "conflist --in-place, -i --output, -o <file> --remove --sink <file|journald|syslog> " +
    "--log-dir <folder> --hook <command> --cni-path <folders> --cache-dir <folder>",
  "validate": "file... --cni-path <folders> --conf-dir <folder> --plugins --timeout <duration> --json",
  "install": "--to <folder> --hooks --uninstall --dry-run --force --conf-dir <folder> --cache-dir <folder>",
  "schema": "--list",
  "version": "",
  "send-packets": "",
  "candidates": "kind --cni-path <folders> --conf-dir <folder> --cache-dir <folder>",
  "help": "[subcommand] [operation]"
}

/** The subcommands that have none themselves, and the others. */
const pathsOf = (
  { subcommands }: CliCommand.Command.Any,
  path: string = ""
): { readonly leaves: ReadonlyArray<string>; readonly groups: ReadonlyArray<string> } => {
  const all = subcommands.flatMap(({ commands }) => commands)
  if (all.length === 0) return { leaves: [path], groups: [] }
  const below = all.map((each) => pathsOf(each, `${path} ${each.name}`.trim()))
  return { leaves: below.flatMap(({ leaves }) => leaves), groups: [path, ...below.flatMap(({ groups }) => groups)] }
}

const { groups, leaves } = pathsOf(command)

const helpOf = (path: string) => Effect.map(called(...path.split(" "), "--help"), ({ stdout }) => stdout)

describe("the subcommands", () => {
  it("are these", () => {
    assert.sameMembers([...leaves], Object.keys(expected))
  })

  for (const path of leaves) {
    it.effect(`of which ${path} takes what it always took, and says of all of it what it is`, () =>
      Effect.gen(function*() {
        const help = yield* helpOf(path)
        const rows = [...rowsOf(help, "ARGUMENTS"), ...rowsOf(help, "FLAGS")]
        assert.strictEqual(rows.map(([name]) => name).join(" "), expected[path])
        for (const [name, description] of rows) {
          assert.match(description, /^(?:[A-Z]|--no-).{3,}/, name)
        }
        assert.match(help, /^[A-Z].+/)
      }))
  }

  for (const path of groups) {
    it.effect(`are named with a line on each by ${`cni-passthrough ${path}`.trim()}`, () =>
      Effect.gen(function*() {
        const help = path === "" ? (yield* called("--help")).stdout : yield* helpOf(path)
        const rows = rowsOf(help, "SUBCOMMANDS")
        assert.isNotEmpty(rows)
        for (const [name, description] of rows) assert.match(description, /^[A-Z].+\w$/, name)
        assert.match(help, /^[A-Z].+/)
      }))
  }
})

describe("the examples", () => {
  for (const path of [...groups, ...leaves].filter((path) => !["help", "candidates", "send-packets"].includes(path))) {
    const name = `cni-passthrough ${path}`.trim()
    it.effect(`of ${name} are command lines of it, and say what they are for`, () =>
      Effect.gen(function*() {
        const { stdout } = yield* called(...path.split(" ").filter(Boolean), "--help")
        const examples = stdout.slice(stdout.indexOf("\nEXAMPLES\n")).split("\n").slice(2).filter(Boolean)
        assert.isNotEmpty(examples)
        for (const [index, line] of examples.entries()) {
          if (index % 2 === 0) {
            assert.match(line, /^ {2}# [A-Z].+/)
            continue
          }
          const [, invocation = ""] = /^ {2}(?:[^|]*\| )?(cni-passthrough [^|>]*)/.exec(line) ?? []
          const words = invocation.trim().split(/ (?=(?:[^']*'[^']*')*[^']*$)/).map((word) => word.replaceAll("'", ""))
          const { stderr } = yield* called(...words.slice(1), "--frobnicate")
          const subcommand = leaves.find((leaf) => `${invocation} `.startsWith(`cni-passthrough ${leaf} `))
          const whole = `cni-passthrough ${subcommand}`
          assert.strictEqual(stderr, `error: --frobnicate is not a flag of ${whole}: see ${whole} --help\n`)
        }
      }))
  }
})
