/** `diff`, on logs of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import { diff } from "../../src/cli/commands/Diff.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import { wrapped } from "../operations/records.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"

/** A log of one plugin on one network. */
const logOf = (id: string, more: Partial<Parameters<typeof wrapped>[1]> = {}, network = "podman") => {
  const members = { containerId: id, network, ...more.members }
  return wrapped(`${id} ${more.start}`, { type: "bridge", start: 0, took: 30, ...more, members })
    .map((record) => `${JSON.stringify(record)}\n`).join("")
}

const good = logOf("5c01f03d8d6d")
const bad = logOf("77ab01de9f00", {
  start: 60_000,
  took: 1030,
  config: { mtu: 1450 },
  outcome: { exitCode: 1 },
  end: { event: "error", error: { code: 11, msg: "no addresses" } }
})

/** Runs `diff` on these files, whose names have a @ before them in its arguments. */
const compared = Effect.fnUntraced(function*(
  files: { readonly [name: string]: string },
  args: ReadonlyArray<string>,
  stdin = ""
) {
  using folder = temporary()
  for (const [name, content] of Object.entries(files)) Fs.writeFileSync(`${folder.path}/${name}`, content)
  const named = args.map((word) => word.replace("@", `${folder.path}/`))
  const layer = Layer.merge(Command.host, Stdio.layerTest({ stdin: Stream.make(Buffer.from(stdin)) }))
  const { status, stderr, stdout } = yield* Command.printed(diff, ...named).pipe(
    Effect.provide(layer),
    Effect.provideService(Style.CurrentScreen, {
      isTerminal: false,
      width: Number.POSITIVE_INFINITY,
      minutesEast: () => 0
    })
  )
  const short = (text: string) => text.replaceAll(`${folder.path}/`, "")
  return { status, stderr: short(stderr), stdout: short(stdout) }
})

describe("cni-passthrough diff", () => {
  it.effect("tells what is different between the newest operations of two logs, with exit status 1", () =>
    Effect.gen(function*() {
      const { status, stdout } = yield* compared({ good: logOf("older") + good, bad }, ["@good", "@bad"])
      assert.strictEqual(
        stdout,
        `- ADD eth0 of 5c01f03d8d6d on podman  2026-11-24 10:00:00.000 +00:00  good
+ ADD eth0 of 77ab01de9f00 on podman  2026-11-24 10:01:00.000 +00:00  bad
configuration
  + bridge: mtu: 1450
plugins
  ~ bridge: done → failed: code 11: no addresses
times
  ~ bridge: 30 ms → 1030 ms
`
      )
      assert.strictEqual(status, 1)
    }))

  it.effect("says that there is no difference, with exit status 0", () =>
    Effect.gen(function*() {
      const { status, stdout } = yield* compared({ good, same: logOf("77ab01de9f00") }, ["@good", "@same"])
      assert.match(stdout, /^- ADD .* good\n\+ ADD .* same\nno difference\n$/)
      assert.strictEqual(status, 0)
    }))

  it.effect("compares two containers of one log, also where # is in the name of the file", () =>
    Effect.gen(function*() {
      const { stdout } = yield* compared({ "log#5": good + bad }, ["@log#5#5c01", "@log#5#77"])
      assert.match(stdout, /^- ADD eth0 of 5c01f03d8d6d on .*\n\+ ADD eth0 of 77ab01de9f00 on .*\nconfiguration\n/)
      assert.strictEqual((yield* compared({ "log#5": good, good }, ["@log#5", "@good"])).status, 0)
    }))

  it.effect("reads one of both from stdin", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* compared({ good }, ["-", "@good"], bad)).status, 1)
      const { status, stderr } = yield* compared({}, ["-", "-"], bad)
      const twice = "- is named twice, and stdin can be read once: name a file for one of both"
      assert.deepStrictEqual([status, stderr], [2, `\nERROR\n  ${twice}\n`])
      assert.strictEqual((yield* compared({ good }, ["@good", "-"], bad)).status, 1)
    }))

  it.effect("compares each network with the one of the same name, and tells of those that one log does not have", () =>
    Effect.gen(function*() {
      const left = good + logOf("a1", {}, "multus") + logOf("a2", {}, "left")
      const right = logOf("b1") + logOf("b2", {}, "multus")
      const { status, stdout } = yield* compared({ left, right }, ["@left", "@right"])
      assert.deepStrictEqual(stdout.match(/(?<= on )\w+/g), ["podman", "podman", "multus", "multus", "left", "this"])
      assert.include(stdout, "\n\n- ADD eth0 of a2 on left  2026-11-24 10:00:00.000 +00:00  left\nthe other log has no")
      assert.strictEqual(status, 1)
      assert.strictEqual((yield* compared({ left, right }, ["@left", "@right", "--network", "multus"])).status, 0)
    }))

  it.effect("compares other verbs where that is asked for", () =>
    Effect.gen(function*() {
      const del = logOf("5c01f03d8d6d", { members: { command: "DEL" }, start: 100 })
      const { status, stdout } = yield* compared({ log: good + del }, ["@log", "@log", "--command", "DEL"])
      assert.match(stdout, /^- DEL/)
      assert.strictEqual(status, 0)
    }))

  it.effect("prints one JSON document", () =>
    Effect.gen(function*() {
      const { stdout } = yield* compared({ good, bad }, ["@good", "@bad", "--json"])
      const { comparisons: [comparison] } = JSON.parse(stdout)
      assert.deepStrictEqual([comparison.first.containerId, comparison.second.network], ["5c01f03d8d6d", "podman"])
      assert.deepStrictEqual(comparison.configuration, [{ kind: "added", what: "bridge: mtu: 1450" }])
      assert.deepStrictEqual(comparison.changes, [])
    }))

  it.effect("prints nothing that a terminal obeys", () =>
    Effect.gen(function*() {
      const hostile = logOf("77ab01de9f00", { config: { mtu: "\u001b[31m\u009b" } })
      const text = yield* compared({ good, hostile }, ["@good", "@hostile"])
      assert.include(text.stdout, "+ bridge: mtu: \"\\u001b[31m")
      const json = yield* compared({ good, hostile }, ["@good", "@hostile", "--json"])
      for (const { stdout } of [text, json]) assert.notMatch(stdout, /[\u001b\u009b]/)
    }))

  it.effect("says what is missing, with exit status 2", () =>
    Effect.gen(function*() {
      const said = (...args: ReadonlyArray<string>) =>
        Effect.map(compared({ good, text: "hello\n" }, args), ({ status, stderr }) => [status, stderr])
      const missing = (stderr: string) => [2, `\nERROR\n  ${stderr}\n`]
      assert.deepStrictEqual(
        yield* said("@good", "@nowhere"),
        missing("cannot read nowhere: there is no such file")
      )
      assert.match(String((yield* said("@good", "@text"))[1]), /text has no JSON records/)
      assert.deepStrictEqual(
        yield* said("@good", "@good#99"),
        missing("good has no ADD of 99: it has ADD eth0 of 5c01f03d8d6d on podman")
      )
    }))

  it.effect("names the newest five operations that there are where none is the one that was asked for", () =>
    Effect.gen(function*() {
      const said = Effect.fnUntraced(function*(count: number, ...args: ReadonlyArray<string>) {
        const ids = Array.from({ length: count }, (_, index) => `c${index + 1}`)
        const log = ids.map((id, index) => logOf(id, { start: index * 1000 })).join("")
        const { status, stderr } = yield* compared({ log, good }, args)
        assert.strictEqual(status, 2)
        return stderr.replace(/^\nERROR\n {2}/, "")
      })
      const names = (...ids: ReadonlyArray<number>) => ids.map((id) => `ADD eth0 of c${id} on podman`).join(", ")
      assert.strictEqual(
        yield* said(5, "@log", "@log#x", "--network", "podman"),
        `log has no ADD of x on podman: it has ${names(1, 2, 3, 4, 5)}\n`
      )
      assert.strictEqual(
        yield* said(7, "@good", "@log", "--command", "del"),
        `good has no DEL: it has ADD eth0 of 5c01f03d8d6d on podman\n`
      )
      assert.strictEqual(
        yield* said(7, "@log#x", "@good"),
        `log has no ADD of x: it has ${names(3, 4, 5, 6, 7)}, and 2 before these\n`
      )
    }))

  it.effect("says where a log has no operation at all, but that plugins were asked for their versions", () =>
    Effect.gen(function*() {
      const versions = logOf("5c01f03d8d6d", { members: { command: "VERSION", ifname: "" } })
      const { status, stderr } = yield* compared({ good, versions }, ["@good", "@versions"])
      assert.deepStrictEqual([status, stderr], [2, "\nERROR\n  versions has no ADD: it has none at all\n"])
    }))

  it.effect("takes a name that begins with # for that of a file", () =>
    Effect.gen(function*() {
      const { stderr } = yield* compared({ good }, ["#77", "@good"])
      assert.strictEqual(stderr, "\nERROR\n  cannot read #77: there is no such file\n")
    }))

  it.effect("exits with 1 where a network is in one of both logs alone, whichever that is", () =>
    Effect.gen(function*() {
      const two = good + logOf("a2", {}, "left")
      const first = yield* compared({ two, good }, ["@two", "@good"])
      const second = yield* compared({ two, good }, ["@good", "@two"])
      assert.deepStrictEqual([first.status, second.status], [1, 1])
      const head = "ADD eth0 of a2 on left  2026-11-24 10:00:00.000 +00:00  two"
      assert.match(first.stdout, new RegExp(`\\nno difference\\n\\n- ${head.replace("+", "\\+")}\\n`))
      assert.match(second.stdout, new RegExp(`\\nno difference\\n\\n\\+ ${head.replace("+", "\\+")}\\n`))
      const json = yield* compared({ two, good }, ["@two", "@good", "--json"])
      assert.strictEqual(json.status, 1)
      const sides = (text: string) =>
        JSON.parse(text).comparisons.map((one: { readonly first?: object; readonly second?: object }) =>
          [one.first ?? null, one.second ?? null].map((side) => side === null ? "-" : "x").join("")
        )
      assert.deepStrictEqual(sides(json.stdout), ["xx", "x-"])
      const turned = yield* compared({ two, good }, ["@good", "@two", "--json"])
      assert.deepStrictEqual(sides(turned.stdout), ["xx", "-x"])
      assert.strictEqual(json.stdout, `${JSON.stringify(JSON.parse(json.stdout), null, 2)}\n`)
    }))
})
