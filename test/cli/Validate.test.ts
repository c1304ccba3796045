/** `validate`, on files and plugins of this host. */
import { assert, describe, it } from "@effect/vitest"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { validate } from "../../src/cli/commands/Validate.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

const chain = (cniVersion: string) =>
  `{\n"cniVersion": "${cniVersion}", "name": "n",\n"plugins": [{ "type": "passthrough" }, { "type": "bridge" }]\n}`

/** A folder of two plugins, and a file with this text. */
const setUp = (text: string) => {
  const folder = temporary()
  const bin = `${folder.path}/bin`
  const file = `${folder.path}/x.conflist`
  Fs.mkdirSync(bin)
  Scripts.plugin(`${bin}/passthrough`, ["0.4.0", "1.0.0", "1.1.0"])
  Scripts.plugin(`${bin}/bridge`, ["0.4.0", "1.0.0"])
  Fs.writeFileSync(file, text)
  return { bin, file, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

describe("cni-passthrough validate", () => {
  it.effect("finds nothing wrong with what is right", () =>
    Effect.gen(function*() {
      using host = setUp(chain("1.0.0"))
      assert.deepStrictEqual(yield* Command.printed(validate, "--cni-path", host.bin, host.file), {
        status: 0,
        stdout: `${host.file}: fine\n`,
        stderr: ""
      })
    }).pipe(Effect.provide(Command.host)))

  it.effect("names every problem with its place, with exit status 1", () =>
    Effect.gen(function*() {
      using host = setUp(`{
  "cniVersion": "1.0.0",
  "name": "-n",
  "plugins": [
    { "type": "passthrough", "hookADD": 3, "logSinks": [{ "type": "kafka" }] },
    { "type": "no-such-plugin" },
    {}
  ]
}`)
      const { file } = host
      assert.deepStrictEqual(yield* Command.printed(validate, "--cni-path", host.bin, file), {
        status: 1,
        stdout: `${file}:3:11: name: found "-n", expected a letter or digit, then letters, digits, '_', '.' or '-'
${file}:5:41: plugins[0].hookADD: found 3, expected a list of commands
${file}:5:67: plugins[0].logSinks[0].type: found "kafka", expected "file" or "syslog" or "journald" or "stderr"
${file}:6:15: plugins[1].type: the plugin no-such-plugin is not in ${host.bin}
${file}:7:5: plugins[2].type: found nothing, expected the name of a plugin, which is a file on the CNI path
`,
        stderr: ""
      })
    }).pipe(Effect.provide(Command.host)))

  it.effect("names a trailing comma as such", () =>
    Effect.gen(function*() {
      using host = setUp(`{"cniVersion": "1.0.0", "name": "n",\n"plugins": [{"type": "bridge"},]}`)
      const { status, stdout } = yield* Command.printed(validate, "--no-plugins", host.file)
      assert.deepStrictEqual([status, stdout], [1, `${host.file}:2:31: a trailing comma before "]"\n`])
    }).pipe(Effect.provide(Command.host)))

  it.effect("goes on behind comments and trailing commas", () =>
    Effect.gen(function*() {
      using host = setUp(`{ // mine
  "cniVersion": "1.0.0", /* two
  lines */ "name": "-n",
  "plugins": [
    { "type": "passthrough", "logFormat": "yaml", "hookADD": "ls", },
  ] nonsense
}`)
      const { status, stdout } = yield* Command.printed(validate, "--no-plugins", host.file)
      assert.deepStrictEqual([status, ...stdout.trim().split("\n").map((line) => line.replace(`${host.file}:`, ""))], [
        1,
        "1:3: a comment, which JSON does not have",
        "2:26: a comment, which JSON does not have",
        "5:66: a trailing comma before \"}\"",
        "5:69: a trailing comma before \"]\"",
        "6:5: nonsense is not a JSON value"
      ])
      Fs.writeFileSync(host.file, Fs.readFileSync(host.file, "utf8").replace("nonsense", ""))
      const { stdout: rest } = yield* Command.printed(validate, "--no-plugins", host.file)
      assert.deepStrictEqual(rest.trim().split("\n").slice(2).map((line) => line.replace(/^.*?:|, expected.*/g, "")), [
        "3:20: name: found \"-n\"",
        "5:43: plugins[0].logFormat: found \"yaml\"",
        "5:62: plugins[0].hookADD: found \"ls\"",
        "5:66: a trailing comma before \"}\"",
        "5:69: a trailing comma before \"]\""
      ])
    }).pipe(Effect.provide(Command.host)))

  it.effect("asks plugins whether they speak the version, unless it is told not to", () =>
    Effect.gen(function*() {
      using host = setUp(chain("1.1.0"))
      const { status, stdout } = yield* Command.printed(validate, "--cni-path", host.bin, host.file)
      assert.deepStrictEqual([status, stdout], [
        1,
        `${host.file}:3:50: plugins[1].type: ${host.bin}/bridge speaks 0.4.0, 1.0.0, and not 1.1.0\n`
      ])
      assert.strictEqual((yield* Command.printed(validate, "--no-plugins", host.file)).status, 0)
    }).pipe(Effect.provide(Command.host)))

  it.effect("looks at all files that it is given", () =>
    Effect.gen(function*() {
      using right = setUp(chain("1.0.0"))
      using wrong = setUp("{")
      const { status, stdout } = yield* Command.printed(validate, "--no-plugins", wrong.file, right.file)
      assert.strictEqual(status, 1)
      assert.include(stdout, `${wrong.file}:1:2: the end of the file`)
      assert.include(stdout, `${right.file}: fine`)
    }).pipe(Effect.provide(Command.host)))

  it.effect("has a status of its own for a file that cannot be read", () =>
    Effect.gen(function*() {
      const { status, stderr } = yield* Command.printed(validate, "/none")
      assert.strictEqual(status, 2)
      assert.include(stderr, "cannot read /none: there is no such file or folder")
    }).pipe(Effect.provide(Command.host)))

  it.effect("takes a pattern in quotes for the files that it stands for", () =>
    Effect.gen(function*() {
      using host = setUp(chain("1.0.0"))
      const pattern = host.file.replace("x.conflist", "*.conflist")
      const { stdout } = yield* Command.printed(validate, "--no-plugins", pattern)
      assert.strictEqual(stdout, `${host.file}: fine\n`)
    }).pipe(Effect.provide(Command.host)))

  it.effect("finds one name in two files of a folder", () =>
    Effect.gen(function*() {
      using host = setUp(chain("1.0.0"))
      const second = host.file.replace("x.conflist", "y.conflist")
      Fs.writeFileSync(second, chain("1.0.0"))
      const { status, stdout } = yield* Command.printed(validate, "--no-plugins", host.file, second)
      assert.strictEqual(status, 1)
      assert.include(stdout, `${host.file}: fine`)
      assert.include(
        stdout,
        `${second}:2:32: the network "n" is in two files: x.conflist is used, and y.conflist is shadowed`
      )
    }).pipe(Effect.provide(Command.host)))

  it.effect("prints findings and checks as one document", () =>
    Effect.gen(function*() {
      using host = setUp(chain("1.1.0"))
      const { status, stdout } = yield* Command.printed(validate, "--json", "--cni-path", host.bin, host.file)
      const { checks, findings } = JSON.parse(stdout)
      assert.strictEqual(status, 1)
      assert.deepStrictEqual(findings, [{
        level: "error",
        check: "plugin-version",
        network: "n",
        plugin: "bridge",
        message: `plugins[1].type: ${host.bin}/bridge speaks 0.4.0, 1.0.0, and not 1.1.0`,
        evidence: [],
        fix: { text: `set "cniVersion" to "1.0.0", which all plugins of the chain speak`, commands: [] },
        file: host.file,
        line: 3,
        column: 50
      }])
      assert.deepInclude(checks, { check: "json", status: "ok", reason: "" })
      assert.deepInclude(checks, { check: "plugin-version", status: "failed", reason: findings[0].message })
    }).pipe(Effect.provide(Command.host)))

  it.effect("prints the problems of a file from its start to its end, however grave they are", () =>
    Effect.gen(function*() {
      using host = setUp(`{ "cniVersion": "1.0.0", "name": "-n", "plugin": [],
"plugins": [{ "type": "a/b" }, { "type": "passthrough", "logFormat": "yaml", "hookADD": "ls" }] }`)
      const { stdout } = yield* Command.printed(validate, "--no-plugins", host.file)
      const places = [...stdout.matchAll(/conflist:(\d+):(\d+): /g)].map((
        [, line, column]
      ) => [Number(line), Number(column)])
      assert.isAtLeast(places.length, 4)
      assert.deepStrictEqual(
        places,
        places.toSorted(([line = 0, column = 0], [other = 0, others = 0]) => line - other || column - others)
      )
    }).pipe(Effect.provide(Command.host)))

  it.effect("prints what is wrong in files that a list takes its plugins from, with their places", () =>
    Effect.gen(function*() {
      using host = setUp(`{ "cniVersion": "1.1.0", "name": "n", "plugins": [{ "type": "a" }] }`)
      const folder = host.file.replace("x.conflist", "n")
      Fs.mkdirSync(folder)
      Fs.writeFileSync(`${folder}/10-a.conf`, `{\n"type": "passthrough", "logFormat": "yaml" }`)
      const { status, stdout } = yield* Command.printed(validate, "--no-plugins", host.file)
      assert.deepStrictEqual([status, stdout], [
        1,
        `${host.file}: fine\n${folder}/10-a.conf:2:37: logFormat: found "yaml", expected "text" or "json"\n`
      ])
    }).pipe(Effect.provide(Command.host)))

  it.effect("looks in the folder of runtimes at the files that are beside too, and elsewhere at those that it is given", () =>
    Effect.gen(function*() {
      using host = setUp(chain("1.0.0"))
      const second = host.file.replace("x.conflist", "y.conflist")
      Fs.writeFileSync(second, chain("1.0.0"))
      const folder = Path.dirname(host.file)
      const alone = yield* Command.printed(validate, "--no-plugins", second)
      assert.deepStrictEqual([alone.status, alone.stdout], [0, `${second}: fine\n`])
      const beside = yield* Command.printed(validate, "--no-plugins", second, "--conf-dir", folder)
      assert.deepStrictEqual([beside.status, beside.stdout], [
        1,
        `${second}:2:32: the network "n" is in two files: x.conflist is used, and y.conflist is shadowed by it\n`
      ])
    }).pipe(Effect.provide(Command.host)))

  it.effect("takes a file for itself whose name looks like a pattern, and sorts those of a pattern", () =>
    Effect.gen(function*() {
      using host = setUp("{}")
      const folder = Path.dirname(host.file)
      Fs.rmSync(host.file)
      const files = ["c", "a", "[x]", "b"].map((name) => `${folder}/${name}.conflist`)
      for (const [index, file] of files.entries()) Fs.writeFileSync(file, chain("1.0.0").replace(`"n"`, `"n${index}"`))
      const fine = (...names: ReadonlyArray<string>) =>
        names.map((name) => `${folder}/${name}.conflist: fine\n`).join("")
      const itself = yield* Command.printed(validate, "--no-plugins", `${folder}/[x].conflist`)
      assert.strictEqual(itself.stdout, fine("[x]"))
      const some = yield* Command.printed(validate, "--no-plugins", `${folder}/[abc].conflist`)
      assert.strictEqual(some.stdout, fine("a", "b", "c"))
      const none = yield* Command.printed(validate, `${folder}/?.json`)
      assert.strictEqual(none.status, 2)
      assert.include(none.stderr, `no file matches ${folder}/?.json\n`)
    }).pipe(Effect.provide(Command.host)))

  it.effect("tells one problem of a file that is named twice once", () =>
    Effect.gen(function*() {
      using host = setUp("{")
      const { stdout } = yield* Command.printed(validate, "--no-plugins", host.file, `${Path.dirname(host.file)}/x.*`)
      assert.strictEqual(
        JSON.stringify(stdout.match(/the end of the file/g)),
        `["the end of the file","the end of the file"]`
      )
      const json = yield* Command.printed(validate, "--no-plugins", "--json", host.file, host.file)
      assert.lengthOf(JSON.parse(json.stdout).findings, 1)
    }).pipe(Effect.provide(Command.host)))

  it.effect("says of each check how it went in the worst of the files, whichever that is", () =>
    Effect.gen(function*() {
      using right = setUp(chain("1.0.0"))
      using wrong = setUp("{")
      for (const files of [[right.file, wrong.file], [wrong.file, right.file]]) {
        const { stdout } = yield* Command.printed(validate, "--no-plugins", "--json", ...files)
        const { checks, findings } = JSON.parse(stdout)
        assert.deepInclude(checks, { check: "json", status: "failed", reason: findings[0].message })
      }
      const { stdout } = yield* Command.printed(validate, "--no-plugins", "--json", right.file)
      const { checks } = JSON.parse(stdout)
      assert.isNotEmpty(checks)
      assert.notInclude(stdout, "failed")
      assert.notInclude(checks.map(({ check }: { readonly check: string }) => check), "plugin-version")
    }).pipe(Effect.provide(Command.host)))

  it.effect("has green files and red problems on a terminal with colours", () =>
    Effect.gen(function*() {
      using right = setUp(chain("1.0.0"))
      using wrong = setUp("{")
      const { stdout } = yield* Effect.provideService(
        Command.printed(validate, "--no-plugins", right.file, wrong.file),
        TerminalCapabilities.TerminalCapabilities,
        { canColor: true, canAnimate: false, canPrompt: false }
      )
      const [first = "", second = ""] = stdout.split("\n")
      assert.strictEqual(first, `\u001b[32m${right.file}: fine\u001b[0m`)
      assert.isTrue(second.startsWith(`\u001b[31m${wrong.file}:1:2: the end of the file`))
    }).pipe(Effect.provide(Command.host)))
})
