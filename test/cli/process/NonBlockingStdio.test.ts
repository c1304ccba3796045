/** Output to readers that are slow, gone or stalled, in a process whose stdout is a pipe. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import { path, temporary } from "../../support/plugin.ts"
import * as Sources from "../../support/sources.ts"

const home = temporary()
const program = `${home.path}/program`

/** Prints lines of 1024 bytes, or one line of so many, and ends with 10 or 11 where output is left. */
const text = `
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as NonBlockingStdio from "./src/cli/NonBlockingStdio.ts"

const [what, count] = [process.argv[2], Number(process.argv[3])]
const line = (number: number) => String(number).padStart(8, "0").padEnd(1023, ".")

const commands = {
  lines: Effect.forEach(Array.from({ length: count }, (_, index) => index), (number) => Console.log(line(number))).pipe(
    Effect.andThen(Effect.sync(() => Fs.writeFileSync("printed", "")))
  ),
  line: Console.log("x".repeat(count - 1)),
  errors: Effect.forEach(Array.from({ length: count }, (_, index) => index), (number) => Console.error("%s", number)),
  stream: Effect.flatMap(Stdio.Stdio, (stdio) =>
    Stream.run(Stream.make(line(0) + "\\n", line(1) + "\\n"), stdio.stdout({ endOnDone: false }))),
  errorStream: Effect.flatMap(Stdio.Stdio, (stdio) =>
    Stream.run(Stream.make("one\\n", "two\\n"), stdio.stderr({ endOnDone: false }))),
  failure: Effect.andThen(Console.log("x".repeat(count - 1)), Effect.fail("it failed"))
}

const main = NonBlockingStdio.provide(
  commands[what as keyof typeof commands],
  (isSuccess) => process.exit(isSuccess ? 10 : 11)
)
Effect.runPromise(Effect.provide(main, NodeServices.layer)).then(
  () => process.exitCode = 0,
  (error) => {
    process.stderr.write(String(error))
    process.exitCode = 1
  }
)
`

beforeAll(() => Sources.executable(program, { text }))
afterAll(() => home[Symbol.dispose]())

/** What a shell gets of a line in which `it` is the program. */
const shell = (line: string) => {
  const { status, stderr, stdout } = ChildProcess.spawnSync("sh", ["-c", `it() { "${program}" "$@"; }\n${line}`], {
    cwd: home.path,
    env: { PATH: path },
    encoding: "utf8",
    maxBuffer: 2 ** 26
  })
  return { status, stderr, stdout }
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
const numbersIn = (text: string) => text.split("\n").slice(0, -1).map((line) => Number(line.slice(0, 8)))

describe("output", () => {
  it("reaches a slow reader in order and as a whole", () => {
    const { stderr, stdout } = shell("{ it lines 800; echo status $? >&2; } | { sleep 1; cat; }")
    assert.strictEqual(stderr, "status 0\n")
    assert.deepStrictEqual(numbersIn(stdout), numbers(800))
    assert.strictEqual(stdout.length, 800 * 1024)
  })

  it("is dropped beyond 1 MiB, besides the 64 KiB that a pipe takes", () => {
    const later = "{ until [ -e printed ]; do sleep 0.1; done; cat; }"
    const { stderr, stdout } = shell(`rm -f printed; { it lines 2000; echo status $? >&2; } | ${later}`)
    assert.strictEqual(stderr, "status 0\n")
    assert.deepStrictEqual(numbersIn(stdout), numbers(64 + 1024))
  })

  it("may be larger than that in one piece", () => {
    const { stderr, stdout } = shell("{ it line 3000000; echo status $? >&2; } | { sleep 1; cat; }")
    assert.strictEqual(stderr, "status 0\n")
    assert.strictEqual(stdout, `${"x".repeat(2_999_999)}\n`)
  })

  it("is left behind, after a while, where the reader stalls", () => {
    const ended = (what: string) => {
      using folder = temporary()
      const line =
        `cd ${folder.path}; mkfifo pipe; sleep 60 <> pipe & it ${what} 100000 > pipe; echo status $?; kill $!`
      return shell(line)
    }
    assert.deepStrictEqual(ended("line"), { status: 0, stdout: "status 10\n", stderr: "" })
    assert.deepStrictEqual(ended("failure"), { status: 0, stdout: "status 11\n", stderr: "" })
  })

  it("goes nowhere once the reader is gone, and stops nothing", () => {
    assert.strictEqual(shell("{ sleep 0.3; it lines 800; echo status $? >&2; } | true").stderr, "status 0\n")
    const { stderr } = shell("{ sleep 0.3; it stream; echo status $? >&2; } | true")
    assert.match(stderr, /[^]status 1\n$/)
  })

  it("of streams is the same", () => {
    const { status, stdout } = shell("it stream | cat")
    assert.deepStrictEqual([status, numbersIn(stdout)], [0, [0, 1]])
    assert.strictEqual(shell("it errorStream 2>&1 >&- | cat").stdout, "one\ntwo\n")
  })

  it("of stderr is the same, formatted as by console", () => {
    assert.strictEqual(shell("it errors 3 2>&1 >&- | cat").stdout, "0\n1\n2\n")
  })

  it("goes into a file as it is", () => {
    assert.deepStrictEqual(
      numbersIn(shell(`it lines 2000 > ${home.path}/out; cat ${home.path}/out`).stdout),
      numbers(2000)
    )
    assert.strictEqual(shell(`it errors 2 2> ${home.path}/out; cat ${home.path}/out`).stdout, "0\n1\n")
  })

  it("does not hide that the command failed", () => {
    const { stderr, stdout } = shell("{ it failure 10; echo status $? >&2; } | cat")
    assert.strictEqual(stdout, "xxxxxxxxx\n")
    assert.match(stderr, /it failed[^]*status 1\n$/)
  })
})
