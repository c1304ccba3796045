/** `replay`, on logs and plugins of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { replay } from "../../src/cli/commands/Replay.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import { common, wrapped } from "../operations/records.ts"
import * as Command from "../support/command.ts"
import { path, temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

const lines = (records: ReadonlyArray<object>) => records.map((record) => `${JSON.stringify(record)}\n`).join("")

const failed = { event: "error", error: { code: 11, msg: "no addresses", details: "all are taken" } }
const answer = `{"cniVersion":"1.0.0","code":11,"msg":"no addresses","details":"all are taken"}`

/** Says what it got, and then what it is told to. */
const plugin = (says: string, status = 0) =>
  `{ env | grep ^CNI_ | sort; printf 'stdin='; cat; } > "$(dirname "$0")/got"
printf '%s' '${says}'
exit ${status}`

/** A folder with a plugin `mine`, and a log of its calls. */
const host = (records: (folder: string) => ReadonlyArray<object | string>, script = plugin(answer, 1)) => {
  const folder = temporary()
  Scripts.script(`${folder.path}/mine`, script)
  const log = `${folder.path}/log.jsonl`
  Fs.writeFileSync(log, records(folder.path).map((it) => typeof it === "string" ? it : lines([it])).join(""))
  return {
    path: folder.path,
    log,
    got: () => Fs.readFileSync(`${folder.path}/got`, "utf8"),
    replay: (...args: ReadonlyArray<string>) => Command.printed(replay, log, "--plugin", "mine", ...args),
    [Symbol.dispose]: folder[Symbol.dispose]
  }
}

/** A call of `mine` in this folder. */
const call = (folder: string, end: object = failed, more: object = {}, start = 0, invocation = "1") =>
  wrapped(invocation, {
    type: "mine",
    start,
    took: 5,
    members: { path: folder, args: "A='it''s';B=$(id)" },
    config: { type: "mine" },
    outcome: { file: `${folder}/.passthrough/plugins/mine`, exitCode: end === failed ? 1 : 0 },
    end,
    ...more
  })

const test = (name: string, body: () => Effect.Effect<void, unknown, Layer.Success<typeof Command.host>>) =>
  it.effect(name, () => Effect.provide(body(), Command.host))

/** Runs a script in a shell whose own variables must not reach the plugin. */
const shell = (script: string) =>
  ChildProcess.spawnSync("/bin/sh", [], {
    input: script,
    env: { PATH: path, CNI_NETNS_OVERRIDE: "1", CNI_ARGS: "of the shell" },
    encoding: "utf8"
  })

describe("cni-passthrough replay", () => {
  test("prints a script that gives the plugin the variables and the stdin of its record, to the byte", () =>
    Effect.gen(function*() {
      const config = `{"cniVersion":"1.0.0","type":"mine","big":12345678901234567890,"f":1.0,"q":"it's %s \\\\ $(id)"}`
      using it = host((folder) => {
        const [request = {}, ...rest] = call(folder)
        return [lines([request]).replace(/"config":.*\}\n/, () => `"config":${config}}\n`), ...rest]
      })
      const { status, stderr, stdout } = yield* it.replay()
      assert.deepStrictEqual([status, stderr], [0, ""])
      const ran = shell(stdout)
      assert.deepStrictEqual([ran.status, ran.stdout, ran.stderr], [1, answer, ""])
      assert.strictEqual(
        it.got(),
        `CNI_ARGS=A='it''s';B=$(id)
CNI_COMMAND=ADD
CNI_CONTAINERID=5c01f03d8d6d
CNI_IFNAME=eth0
CNI_NETNS=/run/netns/demo
CNI_PATH=${it.path}
stdin=${config}`
      )
    }))

  test("prints of an ADD a script that takes DEL for what it has made", () =>
    Effect.gen(function*() {
      using it = host((folder) => call(folder))
      Fs.writeFileSync(`${it.path}/call.sh`, (yield* it.replay()).stdout)
      ChildProcess.spawnSync("/bin/sh", [`${it.path}/call.sh`, "DEL"])
      assert.include(it.got(), "CNI_COMMAND=DEL\n")
    }))

  test("says in the script whom the call was about and how it ended", () =>
    Effect.gen(function*() {
      using it = host((folder) => call(folder))
      const { stdout } = yield* it.replay()
      assert.include(stdout, "# mine as it was called: ADD eth0 of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z\n")
      assert.include(stdout, "# It ended so: exit status 1, code 11: no addresses\n")
    }))

  test("takes stdin that is not text from its record", () =>
    Effect.gen(function*() {
      using it = host((folder) => {
        const [request, ...rest] = call(folder)
        return [
          {
            ...request,
            config: undefined,
            label: "mine",
            stdinBase64: Buffer.from("\0\u00ff", "latin1").toString("base64")
          },
          ...rest
        ]
      })
      shell((yield* it.replay()).stdout)
      assert.isTrue(Fs.readFileSync(`${it.path}/got`).subarray(-2).equals(Buffer.from([0, 0xff])))
    }))

  test("looks for a plugin on the CNI path where its record does not have its file", () =>
    Effect.gen(function*() {
      using it = host((folder) => [call(folder)[0] ?? {}])
      assert.strictEqual(shell((yield* it.replay()).stdout).stdout, answer)
    }))

  test("starts no other program than the plugin, whatever its record says", () =>
    Effect.gen(function*() {
      using it = host((folder) =>
        call(folder, failed, { outcome: { file: "/bin/sh", exitCode: 1 }, config: { type: "mine" } })
      )
      assert.notInclude((yield* it.replay()).stdout, "plugin='/bin/sh'")
      assert.match((yield* it.replay("--run")).stdout, /the same again/)
    }))

  test("says which places of the configuration the log does not show", () =>
    Effect.gen(function*() {
      using it = host((folder) => call(folder, failed, { config: { type: "mine", a: { token: "[redacted]" } } }))
      assert.match((yield* it.replay()).stdout, /^# NOT AS IT WAS: the log has "\[redacted\]" as a\.token$/m)
      assert.strictEqual((yield* it.replay("--run")).stderr, `not as it was: the log has "[redacted]" as a.token\n`)
    }))

  describe("chooses", () => {
    const several = (folder: string) => [
      ...call(folder, { event: "result" }, {}, 0, "1"),
      ...call(folder, failed, {}, 100, "2"),
      ...call(folder, { event: "result" }, {}, 200, "3"),
      ...call(folder, { event: "result" }, { members: { command: "VERSION" } }, 300, "4")
    ]
    const timeOf = (script: string) => /on podman, (\S+)/.exec(script)?.[1]

    test("the newest call that failed, where it is not told which", () =>
      Effect.gen(function*() {
        using it = host(several)
        assert.strictEqual(timeOf((yield* it.replay()).stdout), "2026-11-24T10:00:00.100Z")
      }))

    test("by the number of a call from the newest, without those for versions", () =>
      Effect.gen(function*() {
        using it = host(several)
        assert.strictEqual(timeOf((yield* it.replay("--operation", "1")).stdout), "2026-11-24T10:00:00.200Z")
        assert.strictEqual(timeOf((yield* it.replay("--operation", "3")).stdout), "2026-11-24T10:00:00.000Z")
      }))

    test("nothing where there is no such call, and lists those that there are", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder))
        const { status, stderr } = yield* it.replay("--operation", "2")
        assert.strictEqual(status, 2)
        assert.include(
          stderr,
          `the log has no call 2 of mine, but these:
  1  ADD eth0 of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z: exit status 1, code 11: no addresses`
        )
      }))

    test("nothing where the plugin was not called, and names those that were", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder))
        const { status, stderr } = yield* Command.printed(replay, it.log, "--plugin", "yours")
        assert.strictEqual(status, 2)
        assert.include(stderr, "the log has no call of yours: it has mine")
      }))
  })

  test("lists the newest twenty calls, and how many there are besides", () =>
    Effect.gen(function*() {
      const listOf = Effect.fnUntraced(function*(count: number) {
        using it = host((folder) =>
          Array.from({ length: count }, (_, index) => call(folder, failed, {}, index * 10, `${index}`)).flat()
        )
        return (yield* it.replay("--operation", "99")).stderr.split("\n").slice(2, -1)
      })
      const twenty = yield* listOf(20)
      assert.match(twenty[0] ?? "", /^ {2}the log has no call 99 of mine, but these:$/)
      assert.deepStrictEqual(
        twenty.slice(1).map((line) => /^ +(\d+) {2}ADD eth0 of /.exec(line)?.[1]),
        Array.from({ length: 20 }, (_, index) => `${index + 1}`)
      )
      const more = yield* listOf(22)
      assert.lengthOf(more, 22)
      assert.match(more[1] ?? "", /^ +1 {2}ADD .*10:00:00\.210Z: exit status 1, code 11: no addresses$/)
      assert.match(more[21] ?? "", /^ +and 2 older ones$/)
    }))

  test("says that a log has no call at all", () =>
    Effect.gen(function*() {
      using it = host(() => [])
      const { status, stderr } = yield* it.replay()
      assert.deepStrictEqual([status, stderr], [2, "\nERROR\n  the log has no call of mine: it has none at all\n"])
    }))

  test("counts calls from 1", () =>
    Effect.gen(function*() {
      using it = host((folder) => call(folder))
      const { status, stderr } = yield* it.replay("--operation", "0")
      assert.notStrictEqual(status, 0)
      assert.include(stderr, "found 0, expected 1 for the newest call, 2 for the one before\n")
      assert.strictEqual((yield* it.replay("--operation", "1")).status, 0)
    }))

  test("takes the newest call where none has failed, also where it has no end", () =>
    Effect.gen(function*() {
      using it = host((folder) => [
        ...call(folder, { event: "result" }, {}, 0, "1"),
        ...call(folder, { event: "result" }, {}, 100, "2").slice(0, 1)
      ])
      assert.include((yield* it.replay()).stdout, "2026-11-24T10:00:00.100Z")
    }))

  test("refuses a call whose stdin is not in the log", () =>
    Effect.gen(function*() {
      using it = host(() => [{ ...common("1", 0, "mine"), event: "request" }])
      const { status, stderr } = yield* it.replay()
      assert.strictEqual(status, 2)
      assert.include(stderr, "the record of ADD eth0 of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z does not have")
    }))

  describe("--run", () => {
    test("says that the answer is the same, code for code", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder))
        const { status, stderr, stdout } = yield* it.replay("--run")
        assert.deepStrictEqual([status, stderr], [0, ""])
        assert.match(stdout, /^mine, ADD .*: the same again: exit status 1, code 11: no addresses\n$/)
      }))

    test("gives the plugin the variables of its record, and of CNI no others of this process", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder, failed, { members: { path: folder } }))
        const { HOME } = process.env
        Object.assign(process.env, { CNI_ARGS: "of this process", HOME: "/home" })
        yield* it.replay("--run").pipe(
          Effect.ensuring(Effect.sync(() => {
            delete process.env["CNI_ARGS"]
            process.env["HOME"] = HOME
          }))
        )
        assert.notInclude(it.got(), "CNI_ARGS")
        assert.include(it.got(), `CNI_PATH=${it.path}\n`)
      }))

    test("says in what the answer differs", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder), plugin(`{"cniVersion":"1.0.0"}`))
        const { status, stdout } = yield* it.replay("--run")
        assert.strictEqual(status, 1)
        const [head, ...changes] = stdout.split("\n").slice(0, -1)
        assert.strictEqual(
          head,
          "mine, ADD eth0 of 5c01f03d8d6d on podman, 2026-11-24T10:00:00.000Z: another answer than then"
        )
        assert.deepStrictEqual(changes, [
          "  ~ ended: exit status 1 → exit status 0",
          "  ~ code: 11 → none",
          "  ~ msg: no addresses → none",
          "  ~ details: all are taken → none"
        ])
      }))

    test("breaks lines between words on a terminal", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder))
        const screen = { isTerminal: true, width: 40, minutesEast: () => 0 }
        const { stdout } = yield* Effect.provideService(it.replay("--run"), Style.CurrentScreen, screen)
        assert.strictEqual(
          stdout,
          `mine, ADD eth0 of 5c01f03d8d6d on
  podman, 2026-11-24T10:00:00.000Z: the
  same again: exit status 1, code 11: no
  addresses
`
        )
      }))

    test("says in what a result differs", () =>
      Effect.gen(function*() {
        const result = (address: string) => ({ cniVersion: "1.0.0", ips: [{ address }] })
        using it = host(
          (folder) => call(folder, { event: "result", result: result("10.0.0.1/24") }),
          plugin(JSON.stringify(result("10.0.0.2/24")))
        )
        assert.deepStrictEqual((yield* it.replay("--run")).stdout.split("\n").slice(1, -1), [
          "  - address 10.0.0.1/24",
          "  + address 10.0.0.2/24"
        ])
      }))

    test("calls it in another namespace, out of other folders", () =>
      Effect.gen(function*() {
        using it = host(() => call("/nowhere"))
        const { status } = yield* it.replay("--run", "--netns", "/proc/self/ns/net", "--cni-path", it.path)
        assert.strictEqual(status, 0)
        assert.include(it.got(), `CNI_NETNS=/proc/self/ns/net\nCNI_PATH=${it.path}\n`)
      }))

    test("calls nothing in a namespace that is not there", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder))
        const { status, stderr } = yield* it.replay("--run", "--netns", "no-such")
        assert.strictEqual(status, 2)
        assert.include(stderr, "there is no network namespace /run/netns/no-such")
        assert.throws(it.got)
      }))

    test("says what is left of an ADD that went well", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder), plugin(`{"cniVersion":"1.0.0"}`))
        assert.strictEqual(
          (yield* it.replay("--run")).stderr,
          "what this ADD has made stays until a DEL: without --run there is a script that takes DEL for it\n"
        )
      }))

    test("says nothing of that kind of a DEL", () =>
      Effect.gen(function*() {
        using it = host(
          (folder) => call(folder, { event: "result" }, { members: { path: folder, command: "DEL" } }),
          plugin("")
        )
        assert.strictEqual((yield* it.replay("--run")).stderr, "")
      }))

    test("prints nothing that a terminal obeys", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder), plugin(`{"cniVersion":"1.0.0","code":7,"msg":"a\\u001b[2J"}`, 1))
        const { stdout } = yield* it.replay("--run")
        assert.include(stdout, "\n  ~ msg: no addresses → a\\u001b[2J\n")
      }))

    test("cannot begin where the plugin is not there", () =>
      Effect.gen(function*() {
        using it = host((folder) => call(folder))
        const { status, stderr } = yield* it.replay("--run", "--cni-path", "/nowhere")
        assert.strictEqual(status, 2)
        assert.include(stderr, "mine is not in /nowhere")
      }))
  })
})
