/** `report`, and reports of other commands, read back and looked at as text. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { replay } from "../../src/cli/commands/Replay.ts"
import { report } from "../../src/cli/commands/Report.ts"
import { run } from "../../src/cli/commands/Run.ts"
import { show } from "../../src/cli/commands/Show.ts"
import * as EmbeddedRecords from "../../src/log/EmbeddedRecords.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import { wrapped } from "../operations/records.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

const failed = { event: "error", error: { code: 11, msg: "no addresses" } }

const calls = (config: object = {}) => [
  ...wrapped("1", { type: "bridge", start: 0, took: 5, config }),
  ...wrapped("2", { type: "tuning", start: 10, took: 5, outcome: { exitCode: 1 }, end: failed })
]

/** A folder with a log, and what is made there. */
const host = (records: ReadonlyArray<object> = calls()) => {
  const folder = temporary()
  const log = `${folder.path}/log.jsonl`
  const html = `${folder.path}/report.html`
  Fs.writeFileSync(log, records.map((record) => `${JSON.stringify(record)}\n`).join(""))
  return {
    path: folder.path,
    log,
    html,
    report: (...flags: ReadonlyArray<string>) => Command.printed(report, log, "-o", html, ...flags),
    /** The records of the report, as one text. */
    records: () => EmbeddedRecords.recordsOf(Fs.readFileSync(html, "utf8"))?.map((text) => `${text}\n`).join(""),
    [Symbol.dispose]: folder[Symbol.dispose]
  }
}

/** What a command writes to a stdout of its own. */
const stdoutOf = <E, R>(effect: Effect.Effect<unknown, E, R>) => {
  let stdout = ""
  const stdio = Stdio.layerTest({
    stdout: () => Sink.forEach((text: string | Uint8Array) => Effect.sync(() => void (stdout += text)))
  })
  return effect.pipe(
    Effect.provide(Layer.merge(Command.host, stdio)),
    Effect.provideService(Style.CurrentScreen, { isTerminal: false, width: 80, minutesEast: () => 0 }),
    Effect.map(() => stdout)
  )
}

const test = (name: string, body: () => Effect.Effect<void, unknown, Layer.Success<typeof Command.host>>) =>
  it.effect(name, () => Effect.provide(body(), Command.host))

describe("cni-passthrough report", () => {
  test("writes one file, which its owner alone can read, and says what is in it", () =>
    Effect.gen(function*() {
      using it = host()
      const { status, stderr, stdout } = yield* it.report()
      assert.deepStrictEqual([status, stderr, stdout], [0, "", `wrote ${it.html}: 1 operation, 1 failed\n`])
      assert.strictEqual(Fs.statSync(it.html).mode & 0o777, 0o600)
      assert.include(Fs.readFileSync(it.html, "utf8"), "<script>// the script</script>")
    }))

  test("has the records in it, to the byte", () =>
    Effect.gen(function*() {
      using it = host(calls({ text: "</script>\u2028", big: 1e300 }))
      yield* it.report()
      assert.strictEqual(it.records(), Fs.readFileSync(it.log, "utf8"))
    }))

  test("counts operations, and calls for versions only where they failed", () =>
    Effect.gen(function*() {
      const version = (invocation: string, end: object) =>
        wrapped(invocation, {
          type: "bridge",
          start: 1e6,
          took: 5,
          members: { command: "VERSION", containerId: "" },
          end
        })
      const counted = Effect.fnUntraced(function*(records: ReadonlyArray<object>) {
        using it = host(records)
        return (yield* it.report()).stdout.replace(/.*: /, "")
      })
      const result = { event: "result" }
      const other = wrapped("3", { type: "bridge", start: 1e7, took: 5, members: { containerId: "77ab01de9f00" } })
      assert.strictEqual(yield* counted([...calls(), ...version("8", result)]), "1 operation, 1 failed\n")
      assert.strictEqual(yield* counted([...calls(), ...version("8", failed)]), "2 operations, 2 failed\n")
      assert.strictEqual(yield* counted([...calls(), ...other]), "2 operations, 1 failed\n")
      assert.strictEqual(yield* counted(version("8", result)), "0 operations, 0 failed\n")
    }))

  test("prints the page where it is asked to", () =>
    Effect.gen(function*() {
      using it = host()
      assert.match(yield* stdoutOf(Command.printed(report, it.log, "-o", "-")), /^<!doctype html>[^]*<\/html>\n$/)
    }))

  test("passes over what is not a record, and says so", () =>
    Effect.gen(function*() {
      using it = host()
      Fs.appendFileSync(it.log, "not a record\n")
      const { stderr } = yield* it.report()
      assert.strictEqual(stderr, `${it.log}:7: not a record, passed over\n`)
      assert.notInclude(it.records() ?? "", "not a record")
    }))

  test("cannot begin where a log cannot be read, or the report not be written", () =>
    Effect.gen(function*() {
      using it = host()
      const missing = yield* Command.printed(report, "/no/such.jsonl", "-o", it.html)
      assert.strictEqual(missing.status, 2)
      assert.include(missing.stderr, "cannot read /no/such.jsonl: there is no such file")
      const unwritable = yield* Command.printed(report, it.log, "-o", "/no/such/folder/report.html")
      assert.strictEqual(unwritable.status, 2)
      assert.match(unwritable.stderr, /cannot write \/no\/such\/folder\/report\.html: there is no such file or folder/)
    }))

  test("writes into a pipe that is there, and not into its place", () =>
    Effect.gen(function*() {
      using it = host()
      const pipe = `${it.path}/pipe`
      ChildProcess.execFileSync("mkfifo", [pipe])
      const reader = ChildProcess.spawn("cat", [pipe])
      let read = ""
      reader.stdout.on("data", (chunk) => (read += chunk))
      const closed = new Promise((resolve) => reader.on("close", resolve))
      const { status } = yield* Command.printed(report, it.log, "-o", pipe)
      yield* Effect.promise(() => closed)
      assert.deepStrictEqual([status, read.slice(0, 15)], [0, "<!doctype html>"])
      assert.isTrue(Fs.statSync(pipe).isFIFO())
    }))

  test("takes the place of another report, but not of a log whose name slipped behind -o", () =>
    Effect.gen(function*() {
      using it = host()
      yield* it.report()
      assert.strictEqual((yield* it.report()).status, 0)
      const other = `${it.path}/other.jsonl`
      Fs.copyFileSync(it.log, other)
      const { status, stderr } = yield* Command.printed(report, "-o", other, it.log)
      assert.strictEqual(status, 2)
      assert.include(stderr, `${other} is there and is not a report: it is left as it is`)
      assert.strictEqual(Fs.readFileSync(other, "utf8"), Fs.readFileSync(it.log, "utf8"))
    }))

  const foreign: { readonly [name: string]: (path: string) => string } = {
    "a symbolic link": (path) => {
      Fs.writeFileSync(`${path}.far`, "")
      Fs.symlinkSync(`${path}.far`, path)
      return "it is a symbolic link of another user (65533)"
    },
    "a symbolic link to nothing": (path) => {
      Fs.symlinkSync(`${path}.none`, path)
      return "it is a symbolic link of another user (65533)"
    },
    "an empty file": (path) => {
      Fs.writeFileSync(path, "")
      return "it belongs to another user (65533)"
    },
    "a report": (path) => {
      Fs.copyFileSync(`${Path.dirname(path)}/own.html`, path)
      return "it belongs to another user (65533)"
    },
    "a FIFO": (path) => {
      ChildProcess.execFileSync("mkfifo", [path])
      return "it belongs to another user (65533)"
    }
  }
  for (const [name, make] of Object.entries(foreign)) {
    test(`is not written through or over ${name} of another user`, () =>
      Effect.gen(function*() {
        if (process.getuid?.() !== 0) return
        using it = host()
        yield* Command.printed(report, it.log, "-o", `${it.path}/own.html`)
        const file = `${it.path}/theirs`
        const reason = make(file)
        Fs.lchownSync(file, 65_533, 0)
        const before = Fs.readdirSync(it.path)
        const { status, stderr } = yield* Command.printed(report, it.log, "-o", file)
        assert.strictEqual(status, 2)
        assert.include(stderr, `cannot write ${file}: ${reason}`)
        assert.deepStrictEqual(Fs.readdirSync(it.path), before)
        assert.strictEqual(Fs.lstatSync(file).uid, 65_533)
        assert.isFalse(Fs.existsSync(`${file}.far`) && Fs.statSync(`${file}.far`).size > 0)
        Fs.lchownSync(file, 0, 0)
        if (name !== "a FIFO") assert.strictEqual((yield* Command.printed(report, it.log, "-o", file)).status, 0)
      }))
  }

  describe("masks", () => {
    const config = { password: "hunter2", bridge: "cni0", ipam: { subnet: "10.1.0.0/16" } }

    test("what looks like a secret", () =>
      Effect.gen(function*() {
        using it = host(calls(config))
        yield* it.report()
        assert.notInclude(Fs.readFileSync(it.html, "utf8"), "hunter2")
      }))

    test("nothing with --no-redact", () =>
      Effect.gen(function*() {
        using it = host(calls(config))
        yield* it.report("--no-redact")
        assert.strictEqual(it.records(), Fs.readFileSync(it.log, "utf8"))
      }))

    test("what --redact names too, by key and by JSON Pointer, as taps do", () =>
      Effect.gen(function*() {
        using it = host(calls(config))
        yield* it.report("--redact", "bridge", "--redact", "/ipam/subnet")
        const [request = ""] = it.records()?.split("\n") ?? []
        assert.deepStrictEqual(JSON.parse(request).config, {
          cniVersion: "1.0.0",
          name: "podman",
          type: "bridge",
          password: "[redacted]",
          bridge: "[redacted]",
          ipam: { subnet: "[redacted]" }
        })
      }))

    test("what looks like a secret in texts of plugins and in arguments", () =>
      Effect.gen(function*() {
        const [first = {}, ...others] = calls(config)
        using it = host([{ ...first, args: "TOKEN=hunter3;A=b", config: { url: "https://u:hunter4@h/" } }, ...others])
        yield* it.report()
        const html = Fs.readFileSync(it.html, "utf8")
        assert.notMatch(html, /hunter[34]/)
        assert.include(html, "TOKEN=[redacted];A=b")
      }))

    test("what looks like a secret where --redact names secrets, with --no-redact too", () =>
      Effect.gen(function*() {
        using it = host(calls(config))
        yield* it.report("--no-redact", "--redact", "secrets")
        assert.notInclude(it.records() ?? "", "hunter2")
      }))

    test("only what --redact names with --no-redact", () =>
      Effect.gen(function*() {
        using it = host(calls(config))
        yield* it.report("--no-redact", "--redact", "bridge")
        assert.include(it.records() ?? "", "hunter2")
        assert.notInclude(it.records() ?? "", "cni0")
      }))
  })

  describe("is read like a log", () => {
    test("by show", () =>
      Effect.gen(function*() {
        using it = host()
        yield* it.report()
        const shown = (file: string) => stdoutOf(Command.printed(show, file, "--full"))
        assert.strictEqual(yield* shown(it.html), yield* shown(it.log))
      }))

    test("by replay", () =>
      Effect.gen(function*() {
        using it = host()
        yield* it.report()
        const called = (file: string) => Command.printed(replay, file, "--plugin", "tuning")
        assert.deepStrictEqual(yield* called(it.html), yield* called(it.log))
      }))

    test("but not where it is damaged", () =>
      Effect.gen(function*() {
        using it = host()
        yield* it.report()
        Fs.truncateSync(it.html, Fs.readFileSync(it.html, "utf8").indexOf("id=\"records\""))
        const { status, stderr } = yield* Command.printed(show, it.html)
        assert.strictEqual(status, 2)
        assert.include(stderr, `${it.html} has no JSON records`)
      }))
  })
})

describe("run --report", () => {
  test("writes a report of what it did, also where that failed", () =>
    Effect.gen(function*() {
      using it = host()
      Scripts.script(`${it.path}/mine`, `echo '{"cniVersion":"1.0.0","code":11,"msg":"no addresses"}'; exit 1`)
      Fs.writeFileSync(
        `${it.path}/net.conflist`,
        JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins: [{ type: "mine", token: "hunter2" }] })
      )
      const { status, stderr } = yield* Command.printed(
        run,
        "add",
        `${it.path}/net.conflist`,
        "--netns",
        "/run/netns/none",
        "--cni-path",
        it.path,
        "--cache-dir",
        `${it.path}/cache`,
        "--report",
        it.html
      )
      assert.strictEqual(status, 1)
      assert.include(stderr, `wrote ${it.html}\n`)
      assert.include(Fs.readFileSync(it.html, "utf8"), "mine: code 11: no addresses")
      assert.notInclude(Fs.readFileSync(it.html, "utf8"), "hunter2")
    }))
})
