/**
 * Many attachments at once on the same two logs, which are rotated meanwhile. PASSTHROUGH_LOAD says how many; the
 * default is what fits into every run of the tests.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { call, temporary } from "../support/plugin.ts"

const attachments = Number(process.env["PASSTHROUGH_LOAD"] ?? 100)
const workers = 50
const verbs = ["ADD", "CHECK", "DEL"] as const

/** Renames files and makes new ones, as logrotate does with `create`, until it is stopped. */
const rotate = (files: ReadonlyArray<string>) => {
  let generation = 0
  const timer = setInterval(() => {
    generation++
    for (const file of files) {
      if (!Fs.existsSync(file)) continue
      Fs.renameSync(file, `${file}.${generation}`)
      Fs.closeSync(Fs.openSync(file, "a", 0o600))
    }
  }, 100)
  return { stop: () => clearInterval(timer) }
}

describe(`${attachments} attachments by ${workers} workers, with logs rotated every 100 ms`, () => {
  it("leave every record exactly once and whole", async () => {
    using folder = temporary()
    const text = Path.join(folder.path, "text")
    const json = Path.join(folder.path, "json")
    const hook = ["echo hook of $CNI_CONTAINERID"]
    const config = {
      logFile: text,
      logSinks: [{ type: "file", path: json, format: "json" }],
      hookADD: hook,
      hookCHECK: hook,
      hookDEL: hook,
      prevResult: { cniVersion: "1.1.0", pad: "x".repeat(5000) }
    }
    const ids = Array.from({ length: attachments }, (_, index) => `container-${index}`)
    const rotation = rotate([text, json])
    const left = [...ids]
    const failures: Array<unknown> = []
    await Promise.all(Array.from({ length: workers }, async () => {
      for (let id = left.pop(); id !== undefined; id = left.pop()) {
        for (const verb of verbs) {
          const { code, stderr, stdout } = await call(verb, config, { CNI_CONTAINERID: id })
          if (code !== 0 || stderr !== "") failures.push({ id, verb, code, stdout, stderr })
        }
      }
    }))
    rotation.stop()
    assert.deepStrictEqual(failures, [])

    const read = (name: string) =>
      Fs.readdirSync(folder.path).filter((file) => file.split(".")[0] === name)
        .map((file) => Fs.readFileSync(Path.join(folder.path, file), "utf8")).join("")
    const records = read("json").trimEnd().split("\n").map((line) => JSON.parse(line))
    const expected = ids.flatMap((id) =>
      verbs.flatMap((verb) => ["request", "hook", "result"].map((event) => `${id} ${verb} ${event}`))
    )
    assert.deepStrictEqual(
      records.map(({ command, containerId, event }) => `${containerId} ${command} ${event}`).sort(),
      expected.sort()
    )

    const lines = read("text").split("\n")
    const headers = lines.flatMap((line, index) =>
      line.startsWith("CNI_COMMAND: ") ? [`${lines[index + 1]?.slice(17)} ${line.slice(13)}`] : []
    )
    assert.deepStrictEqual(headers.sort(), ids.flatMap((id) => verbs.map((verb) => `${id} ${verb}`)).sort())
    const whole =
      /^(?:|[A-Z][a-z]{2}, .*|CNI_[A-Z]+: .*|[{}]| {2}.*|Executing hook [A-Z]+ commands:|COMMAND: echo hook of \$CNI_CONTAINERID|EXIT STATUS: 0|RESULT: (?:\{.*\}|nothing, as it should be))$/
    assert.deepStrictEqual(lines.filter((line) => !whole.test(line)), [])
    const count = (prefix: string) => lines.filter((line) => line.startsWith(prefix)).length
    assert.deepStrictEqual(
      [count("COMMAND: "), count("EXIT STATUS: 0"), count("RESULT: ")],
      [attachments * 3, attachments * 3, attachments * 3]
    )
  }, 3_600_000)
})
