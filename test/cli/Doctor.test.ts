/** `doctor` as a command: its exit status, and the report that it writes. The tools of the host are scripts here. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { doctor } from "../../src/cli/commands/Doctor.ts"
import * as Command from "../support/command.ts"
import { temporary } from "../support/plugin.ts"
import * as Scripts from "../support/scripts.ts"

interface Given {
  /** The plugin that the network names; `mine` is there. */
  readonly type?: string
  /** What `ip` does. */
  readonly ip?: string
}

/** How doctor ends on a host of two tools and one plugin, and the finding that it tells first. */
const outcomeOf = Effect.fnUntraced(function*({ ip = "printf '[]\\n[]\\n[]\\n'", type = "mine" }: Given) {
  using folder = temporary()
  const [tools, bin, conf, report] = ["tools", "bin", "net.d", "report.html"].map((name) => `${folder.path}/${name}`)
  for (const each of [tools, bin, conf]) Fs.mkdirSync(each ?? "")
  Scripts.script(`${tools}/ip`, ip)
  Scripts.script(`${tools}/iptables-save`, "exit 0")
  Fs.symlinkSync("/usr/bin/mkfifo", `${tools}/mkfifo`) // makes the pipes of each plugin
  Scripts.plugin(`${bin}/mine`, ["1.0.0"])
  Fs.writeFileSync(`${conf}/10-n.conflist`, JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins: [{ type }] }))
  const { PATH } = process.env
  process.env["PATH"] = tools
  const printed = yield* Command.printed(
    doctor,
    `--conf-dir=${conf}`,
    `--cni-path=${bin}`,
    `--cache-dir=${folder.path}/cache`,
    `--report=${report}`,
    "--json"
  ).pipe(Effect.ensuring(Effect.sync(() => process.env["PATH"] = PATH)))
  const [first] = JSON.parse(printed.stdout).findings
  return {
    status: printed.status,
    first: first === undefined ? "nothing" : `${first.level} ${first.check}`,
    isInReport: Fs.readFileSync(`${report}`, "utf8").includes(first === undefined ? "10-n" : first.message)
  }
})

describe("cni-passthrough doctor", () => {
  it.effect("exits with 0 where it finds no error", () =>
    Effect.gen(function*() {
      const { first, status } = yield* outcomeOf({})
      assert.deepStrictEqual([status, first], [0, "nothing"])
    }).pipe(Effect.provide(Command.host)))

  it.effect("exits with 1 where it finds an error, which is in its report", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcomeOf({ type: "other" }), {
        status: 1,
        first: "error plugin-file",
        isInReport: true
      })
    }).pipe(Effect.provide(Command.host)))

  it.effect("exits with 2 where it could not look at all, and found no error", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* outcomeOf({ ip: "exit 1" }), {
        status: 2,
        first: "note everything-seen",
        isInReport: true
      })
    }).pipe(Effect.provide(Command.host)))

  it.effect("exits with 1 where it could not look at all, and found an error", () =>
    Effect.gen(function*() {
      const { first, status } = yield* outcomeOf({ ip: "exit 1", type: "other" })
      assert.deepStrictEqual([status, first], [1, "error plugin-file"])
    }).pipe(Effect.provide(Command.host)))
})
