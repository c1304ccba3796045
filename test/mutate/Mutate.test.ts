import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { once } from "node:events"
import * as Fs from "node:fs"
import { text } from "node:stream/consumers"
import { setTimeout } from "node:timers/promises"
import { itWithMounts } from "../support/requirements.ts"
import { instrumented } from "./Instrument.ts"
import { mutantsOf } from "./Mutants.ts"
import { mutate } from "./Mutate.ts"

const changes = (code: string): ReadonlyArray<string> => mutantsOf("src/a.ts", code).map(({ change }) => change)

describe("the mutants of", () => {
  const cases: ReadonlyArray<readonly [code: string, changes: ReadonlyArray<string>]> = [
    ["a && b", ["a && b → a || b", "a && b → a", "a && b → b"]],
    ["a < b", ["a < b → a <= b"]],
    ["!a", ["!a → a"]],
    ["a ? b : c", ["a ? b : c → b", "a ? b : c → c"]],
    ["if (a) b()", ["if (a) … dropped"]],
    ["a = 5", ["5 → 6", "5 → 4"]],
    ["a = 15_000", ["15_000 → 30000", "15_000 → 7500"]],
    ["a = 64 * 1024", ["64 * 1024 → 131072", "64 * 1024 → 32768"]],
    ["a = true", ["true → false"]],
    ["a = \"text\"", ["\"text\" → \"\""]],
    ["a = `x${b}y`", ["`x${b}y` → `${b}y`", "`x${b}y` → `x${b}`"]],
    ["a.sort()", ["a.sort() → a"]],
    ["a.pipe(b, c)", ["b dropped from pipe", "c dropped from pipe"]],
    ["[a]", ["[a] → []"]],
    ["a?.b?.[c]", ["a?.b?.[c] → a?.b[c]", "a?.b?.[c] → a.b?.[c]"]],
    ["a?.trim().length", ["a?.trim().length → a.trim().length"]]
  ]
  for (const [code, expected] of cases) it(code, () => assert.deepStrictEqual(changes(code), expected))

  it("what no result depends on are none", () => {
    assert.deepStrictEqual(changes("Effect.all(a, { concurrency: 8 })"), [])
    assert.deepStrictEqual(changes("a = process.getuid?.()"), [])
    assert.notInclude(changes("a = left < right ? -1 : 1").join(), "<=")
  })

  it("types, imports, keys, tags and help texts are none", () => {
    const code = `
      import { a } from "./a.ts"
      export * from "./b.ts"
      type Kind = "x" | 5
      let kind: Kind
      const object = { "key": a, description: "what it is" }
      class Failure extends Data.TaggedError("Failure")<{ readonly code: 5 }> {}
      command.withDescription("does a thing")
      command.withDescription("does " + \`one of \${count} \` + "things")`
    assert.deepStrictEqual(changes(code), [])
    assert.deepStrictEqual(changes(code.replace("what it is\"", "\", text: \"what it is\"")), ["\"what it is\" → \"\""])
  })
})

describe("a file with mutants in it", () => {
  /** What the file does while one of its mutants is active. */
  const results = (code: string): ReadonlyArray<unknown> => {
    const whole = `function run() {\n${code}\n}`
    const mutants = mutantsOf("src/a.ts", whole).map((mutant, number) => ({ ...mutant, number }))
    const [, text = ""] = /^import .*?; (.*)$/s.exec(instrumented("src/a.ts", whole, mutants)) ?? []
    return [-1, ...mutants.keys()].map((active) => {
      // oxlint-disable-next-line no-implied-eval -- the text is made of the cases below
      const run = new Function("isActiveMutant", `${text}\nreturn run()`)
      return run((number: number) => number === active)
    })
  }

  it("does as the original, or as one of them", () => {
    assert.deepStrictEqual(results("return 1 < 2 && 3 < 3"), [
      false,
      true, // ||
      true, // the left side
      false, // the right side
      false, // 1 <= 2
      false, // 2 < 2
      false, // 0 < 2
      false, // 1 < 3
      false, // 1 < 1
      true, // 3 <= 3
      false, // 4 < 3
      true, // 2 < 3
      true, // 3 < 4
      false // 3 < 2
    ])
  })

  it("has statements where it had some, without semicolons too", () => {
    const [original] = results(
      "const found = []\nlet last = found\nlast.slice().length < 1 && found.push(1)\nreturn found"
    )
    assert.deepStrictEqual(original, [1])
  })
})

describe("a run", () => {
  itWithMounts("names what a weak test lets through, and where", async () => {
    const lines: Array<string> = []
    const print = (line: string) => void lines.push(line)
    const options = {
      path: "test/mutate/fixture",
      seeds: [1],
      number: 100,
      list: false,
      built: false,
      patience: 12_000, // far more than a mutant takes that ends, even on a busy machine
      print
    }
    const share = await mutate(options)
    const survivors = lines.filter((line) => line.startsWith("test/mutate/fixture/Range.ts"))
    assert.include(survivors, "test/mutate/fixture/Range.ts:4:22  port < 65536 → port <= 65536")
    assert.include(survivors, "test/mutate/fixture/Range.ts:7:82  ports.toSorted() → ports")
    assert.notInclude(survivors.join("\n"), "port > 0 →")
    assert.notInclude(survivors.join("\n"), "done = true")
    assert.notInclude(survivors, "test/mutate/fixture/Range.ts:24:18  false → true")
    assert.include(survivors, "test/mutate/fixture/Range.ts:25:7  if (isOver) … dropped")
    assert.match(lines.at(-2)!, /^test\/mutate\/fixture, seed 1: \d+ of \d+ noticed \(\d+ %\)$/)
    assert.strictEqual(lines.at(-1), "3 of them because the tests took too long")
    const late = lines.flatMap((line) => /^(.*)\n.*took too long$/.exec(line)?.[1] ?? [])
    assert.sameMembers(late, [
      "test/mutate/fixture/Range.ts:12:24  true → false",
      "test/mutate/fixture/Range.ts:19:9  if (isPort(\"80\")) … dropped",
      "test/mutate/fixture/Range.ts:19:16  \"80\" → \"\""
    ])
    assert.isBelow(share, 0.9)
    assert.isAbove(share, 0.4)
  })
  itWithMounts("that is killed leaves nothing running, and says nothing", async () => {
    const tool = ChildProcess.spawn(process.execPath, ["test/mutate/main.ts", "test/mutate/fixture"], {
      stdio: ["ignore", "ignore", "pipe"]
    })
    const stderr = text(tool.stderr) // it ends with the last process that has it: those of the sandbox have it too
    const hasSandbox = () => Fs.readFileSync(`/proc/${tool.pid}/task/${tool.pid}/children`, "utf8") !== ""
    while (!hasSandbox()) await setTimeout(50)
    const ended = once(tool, "exit")
    tool.kill("SIGKILL")
    await ended
    assert.strictEqual(await stderr, "")
  })
})
