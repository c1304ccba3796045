/** What comes on stdin, whatever that is, under both engines. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { type Engine, engines, run, spawn } from "../../support/engines.ts"
import { temporary } from "../../support/plugin.ts"

const program = "plugin/programs/stdin.ts"

interface Reading {
  readonly via?: string
  readonly input?: string
  readonly env?: { readonly [name: string]: string }
}

/** What is read where stdin is the socket that an input comes by, or what a shell command makes it. */
const reading = (engine: Engine, args: ReadonlyArray<string>, { env = {}, input = "", via }: Reading = {}): unknown => {
  const { stderr, stdout } = run({ engine, program, args, env, ...(via === undefined ? {} : { via }) }, { input })
  return stdout === "" ? stderr : JSON.parse(stdout)
}

/** What is read of a stdin that stays open once it has a text: until the reader has begun to take the rest, or ends. */
const readingOfOpen = (
  engine: Engine,
  args: ReadonlyArray<string>,
  { as, begun, more = "" }: { readonly as: "pipe" | "socket"; readonly begun: string; readonly more?: string }
) =>
  new Promise<unknown>((resolve) => {
    const via = as === "pipe" ? { via: "cat | \"$@\"" } : {}
    const child = spawn({ engine, program, args, env: { CNI_COMMAND: "VERSION" }, ...via })
    let stdout = ""
    child.stdout.on("data", (chunk) => {
      stdout += chunk
      child.stdin.end()
    })
    child.stderr.on("data", () => child.stdin.end(more))
    child.on("close", () => resolve(stdout === "" ? "nothing" : JSON.parse(stdout)))
    child.stdin.on("error", () => {})
    child.stdin.write(begun)
  })

/** What is tried under each engine: Node.js takes long to start, and differs from Bun by how it reads sockets alone. */
const tried = {
  "Node.js": { kinds: ["plugin"], opened: ["socket"] },
  Bun: { kinds: ["plugin", "shim"], opened: ["pipe", "socket"] }
} as const

for (const engine of Object.keys(engines) as ReadonlyArray<Engine>) {
  describe(`stdin under ${engine}`, () => {
    for (const kind of tried[engine].kinds) {
      it(`is read to its end for a ${kind}, from a socket, a pipe or a file`, () => {
        using folder = temporary()
        const [small, large] = [`${folder.path}/small`, `${folder.path}/large`]
        Fs.writeFileSync(small, "{\"a\":1}")
        Fs.writeFileSync(large, "x".repeat(300_000))
        assert.deepStrictEqual(reading(engine, [kind], { input: "x".repeat(300_000) }), { read: "300000 bytes" })
        const opened = { [`exec "$@" < ${large}`]: large, [`{ cat ${small}; sleep 0.1; cat ${large}; } | "$@"`]: small }
        for (const [via, file] of Object.entries(opened)) {
          const read = file === small ? "300007 bytes" : "300000 bytes"
          assert.deepStrictEqual(reading(engine, [kind], { via }), { read })
        }
      })

      it(`may be empty for a ${kind}`, () => {
        assert.deepStrictEqual(reading(engine, [kind]), { read: "" })
        assert.deepStrictEqual(reading(engine, [kind], { via: "exec \"$@\" < /dev/null" }), { read: "" })
      })
    }

    it("that is a terminal is left to a wrapped plugin", () => {
      const via = "exec script -qec \"'$1' '$2' shim >$OUT 2>&1\" /dev/null"
      using folder = temporary()
      reading(engine, ["shim"], { via, env: { OUT: `${folder.path}/out` } })
      assert.include(Fs.readFileSync(`${folder.path}/out`, "utf8"), "nothing was read")
    })

    for (const as of tried[engine].opened) {
      const open = (...args: ReadonlyArray<string>) => readingOfOpen(engine, args, { as, begun: "begun", more: "more" })

      it(`that is a ${as} and not closed within 30 s cannot be read`, async () => {
        assert.deepStrictEqual(await open("plugin", "29750"), { waits: true })
        assert.deepStrictEqual(await open("plugin", "30000"), {
          failed: "cannot read the network configuration from stdin: it was not closed within 30 s"
        })
      })

      it(`that is a ${as} and not closed within 1 s goes to a wrapped plugin in pieces, for VERSION`, async () => {
        assert.deepStrictEqual(await open("shim", "750"), { waits: true })
        assert.deepStrictEqual(await open("shim", "1000"), { read: "begun", rest: "more" })
        assert.deepStrictEqual(await readingOfOpen(engine, ["shim", "1000"], { as, begun: "begun" }), {
          read: "begun",
          rest: ""
        })
      })
    }

    it("goes to a wrapped plugin in pieces where it is larger than 64 MiB", () => {
      using folder = temporary()
      const file = `${folder.path}/file`
      Fs.writeFileSync(file, "")
      const most = 64 * 1_048_576
      Fs.truncateSync(file, most)
      const via = `exec "$@" < ${file}`
      assert.deepStrictEqual(reading(engine, ["shim"], { via }), { read: `${most} bytes` })
      Fs.truncateSync(file, most + 1000)
      assert.deepStrictEqual(reading(engine, ["shim"], { via }), { read: `${most + 1} bytes`, rest: "999 bytes" })
    })
  })
}

describe("stdin", () => {
  it("that is a folder cannot be read", () => {
    assert.match(JSON.stringify(reading("Bun", ["plugin"], { via: "exec \"$@\" < /" })), /"failed":"[^"]*EISDIR/)
  })

  it("that is larger than 256 MiB cannot be read", () => {
    using folder = temporary()
    const file = `${folder.path}/file`
    Fs.writeFileSync(file, "")
    Fs.truncateSync(file, 256 * 1_048_576 + 1)
    assert.deepStrictEqual(reading("Bun", ["plugin"], { via: `exec "$@" < ${file}` }), {
      failed: "cannot read the network configuration from stdin: it is larger than 256 MiB"
    })
  })
})
