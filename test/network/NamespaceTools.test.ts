/** How tools are asked: the scripts of shells, their time and their output, and what is made of how they end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as NamespaceTools from "../../src/network/NamespaceTools.ts"
import { named } from "../support/hostTools.ts"

/** How a shell ends: what it printed, as the tools in it did. */
type Ending = Partial<Omit<Execution, "stdout" | "stderr">> & { readonly stdout?: string; readonly stderr?: string }

/** What tools print that are all well. */
const printed = (...outputs: ReadonlyArray<string>): Ending => ({
  stdout: outputs.map((output) => `${output}\0${0}\0`).join(""),
  stderr: "\0".repeat(outputs.length)
})

const ended = (argv: ReadonlyArray<string>, { stderr = "", stdout = "", ...more }: Ending): Execution => ({
  argv,
  stdin: "",
  stdout: Buffer.from(stdout),
  stderr: Buffer.from(stderr),
  truncated: false,
  exitCode: 0,
  signal: null,
  timedOut: false,
  durationMs: 1,
  ...more
})

const now = 1000

/** Stops the clock. */
const stopped = () => {
  const { now: own } = performance
  performance.now = () => now
  return { [Symbol.dispose]: () => void (performance.now = own) }
}

/** The questions to tools of these names. */
const questions = (...tools: ReadonlyArray<string>): ReadonlyArray<NamespaceTools.Question> =>
  tools.map((tool) => ({ argv: [tool] }))

interface Asked {
  readonly netns?: string
  /** How much time there is. */
  readonly left?: number
  readonly tools?: HostTools.Tools
}

/** What is answered where the shells end so, one after the other, and how they were called. */
const ask = Effect.fnUntraced(function*(
  asked: ReadonlyArray<NamespaceTools.Question>,
  endings: ReadonlyArray<Ending | NotStarted>,
  { left = 3000, netns, tools = named }: Asked = {}
) {
  using _ = stopped()
  const calls: Array<Invocation> = []
  const run = (invocation: Invocation) =>
    Effect.suspend(() => {
      const ending = endings[calls.push(invocation) - 1] ?? {}
      return ending instanceof NotStarted ? Effect.fail(ending) : Effect.succeed(ended(invocation.argv, ending))
    })
  const answers = yield* NamespaceTools.inNamespace(netns, now + left)(asked).pipe(
    Effect.provideService(ProcessRunner, ProcessRunner.of({ run })),
    Effect.provideService(HostTools.HostTools, tools)
  )
  return { answers, calls, scripts: calls.map(({ argv }) => argv.at(-1) ?? "") }
})

const end = `\nprintf '\\0%d\\0' $?\nprintf '\\0' >&2\n`

describe("a shell", () => {
  it.effect("runs tools one after the other, each with its arguments, its stdin and where it has anything to tell", () =>
    Effect.gen(function*() {
      const tools: HostTools.Tools = { ...named, find: (name) => name === "gone" ? undefined : `/sbin/${name}` }
      const asked: ReadonlyArray<NamespaceTools.Question> = [
        { argv: ["ip", "-j", "it's"] },
        { argv: ["batch"], stdin: "show\n" },
        { argv: ["save"], where: "/proc/tables" },
        { argv: ["gone", "x"] }
      ]
      const { answers, calls, scripts } = yield* ask(asked, [printed("a", "b", "c", "d")], { tools })
      assert.deepStrictEqual(answers, ["a", "b", "c", "d"])
      assert.deepStrictEqual(scripts, [
        `'/sbin/ip' '-j' 'it'\\''s'${end}` +
        `'/sbin/batch' <<'END'\nshow\nEND${end}` +
        `! 2>/dev/null read -r _ </proc/tables || '/sbin/save'${end}` +
        `(exit 127)${end}`
      ])
      assert.deepStrictEqual(calls[0]?.argv.slice(0, 2), ["/bin/sh", "-c"])
    }))

  it.effect("runs in the namespace of the container where that is asked for", () =>
    Effect.gen(function*() {
      const { calls } = yield* ask(questions("ip"), [printed("")], { netns: "/run/netns/c" })
      assert.deepStrictEqual(calls[0]?.argv.slice(0, 5), ["nsenter", "--net=/run/netns/c", "--", "/bin/sh", "-c"])
    }))

  it.effect("gets a script of 100,000 characters at most, and another one the rest", () =>
    Effect.gen(function*() {
      const sized = (length: number): NamespaceTools.Question => {
        const around = `'tool' ''${end}`.length
        return { argv: ["tool", "x".repeat(length - around)] }
      }
      const lengths = (...asked: ReadonlyArray<NamespaceTools.Question>) =>
        Effect.map(ask(asked, asked.map(() => printed("a"))), ({ answers, scripts }) => {
          assert.deepStrictEqual(answers, asked.map(() => "a"))
          return scripts.map((script) => script.length)
        })
      // The first shell answers one question, however many it got: the second one gets the rest.
      assert.deepStrictEqual(yield* lengths(sized(50_000), sized(50_000)), [100_000, 50_000])
      assert.deepStrictEqual(yield* lengths(sized(50_000), sized(50_001)), [50_000, 50_001])
      assert.deepStrictEqual(yield* lengths(sized(100_001), sized(60)), [100_001, 60])
      assert.deepStrictEqual(yield* lengths(sized(60_000), sized(60_000), sized(60)), [60_000, 60_060, 60])
    }))

  it.effect("has two thirds of the time that is left, and is not started for less than 20 ms", () =>
    Effect.gen(function*() {
      const timeouts = (left: number) =>
        Effect.map(ask(questions("ip", "nft"), [printed("a", "b")], { left }), ({ answers, calls }) => {
          if (calls.length === 0) {
            const noTime = { problem: "no time was left: a snapshot may take 3 s in total" }
            assert.deepStrictEqual(answers, [noTime, noTime])
          }
          return calls.map(({ timeout }) => timeout)
        })
      assert.deepStrictEqual(yield* timeouts(3000), [2000])
      assert.deepStrictEqual(yield* timeouts(30), [20])
      assert.deepStrictEqual(yield* timeouts(29), [])
      assert.deepStrictEqual(yield* timeouts(-1), [])
    }))

  it("has to end within three seconds, together with all others", () => {
    using _ = stopped()
    assert.strictEqual(NamespaceTools.deadline(), now + 3000)
  })

  it.effect("may print 12 MiB about the host and 4 MiB about a container, without what others printed before", () =>
    Effect.gen(function*() {
      const limits = (asked: Asked) =>
        Effect.map(
          ask(questions("ip", "nft", "ipset"), [printed("12345"), {
            ...printed("678"),
            stderr: "\0"
          }, printed("")], asked),
          ({ calls }) => calls.map(({ limit }) => limit)
        )
      assert.deepStrictEqual(yield* limits({}), [12_582_912, 12_582_907, 12_582_904])
      assert.deepStrictEqual(yield* limits({ netns: "/run/netns/c" }), [4_194_304, 4_194_299, 4_194_296])
    }))
})

describe("the answer of a tool", () => {
  const answer = (question: NamespaceTools.Question, output: string, status: number, complaint: string) =>
    Effect.map(
      ask([question], [{ stdout: `${output}\0${status}\0`, stderr: `${complaint}\0` }]),
      ({ answers: [first] }) => first
    )
  const [strict, lenient]: [NamespaceTools.Question, NamespaceTools.Question] = [{ argv: ["nft"] }, {
    argv: ["grep"],
    isLenient: true
  }]

  it.effect("is what it printed where it succeeded, whatever it complains of", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* answer(strict, "out", 0, "warning: old\n"), "out")
    }))

  it.effect("is what it printed where there is none of what it was asked for", () =>
    Effect.gen(function*() {
      for (const complaint of ["nft: Operation not supported", "x: No such file or directory\n"]) {
        assert.strictEqual(yield* answer(strict, "out", 1, complaint), "out")
      }
    }))

  it.effect("is what it printed where its status says nothing", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* answer(lenient, "out", 2, "grep: /proc/x: denied\n"), "out")
      assert.strictEqual(yield* answer(lenient, "", 1, ""), "")
      assert.deepStrictEqual(yield* answer(lenient, "", 1, "grep: /proc/x: denied\n"), {
        problem: "grep: /proc/x: denied"
      })
    }))

  it.effect("is the problem in its first line that is no comment, without its own name", () =>
    Effect.gen(function*() {
      const problems = [
        ["# a warning\n\n  nft: \n", "nft: nft:"],
        ["# a warning\n/usr/sbin/nft: Error: denied \nmore\n", "nft: Error: denied"],
        ["netlink: Error: denied", "nft: Error: denied"],
        ["not-a-name: denied", "nft: not-a-name: denied"],
        ["# only: a comment\n", "nft: exit status 3"],
        ["", "nft: exit status 3"]
      ] as const
      for (const [complaint, problem] of problems) {
        assert.deepStrictEqual(yield* answer(strict, "out", 3, complaint), { problem })
      }
    }))

  it.effect("is that it is missing where the shell does not find it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* answer(lenient, "out", 127, ""), {
        problem: "grep is not on PATH",
        isMissing: true
      })
    }))

  it.effect("is of its own complaint, and not of that of another", () =>
    Effect.gen(function*() {
      const { answers } = yield* ask(questions("ip", "nft", "ipset"), [{
        stdout: ["a", 1, "b", 0, "c", 2, ""].join("\0"),
        stderr: ["ip: one", "two", "three", ""].join("\0")
      }])
      assert.deepStrictEqual(answers, [{ problem: "ip: one" }, "b", { problem: "ipset: three" }])
    }))
})

describe("a shell that comes to no end", () => {
  const first = { stdout: ["a", 0, "half"].join("\0"), stderr: "\0" }

  it.effect("in its first tool is told of that one, and another goes on with the others", () =>
    Effect.gen(function*() {
      const { answers, scripts } = yield* ask(questions("ip", "nft"), [
        { timedOut: true, exitCode: null },
        printed("b")
      ])
      assert.deepStrictEqual(answers, [{ problem: "ip timed out: a snapshot may take 3 s in total" }, "b"])
      assert.deepStrictEqual(scripts, [`'ip'${end}'nft'${end}`, `'nft'${end}`])
    }))

  it.effect("in a later one asks that once more, with all of its time", () =>
    Effect.gen(function*() {
      const { answers, scripts } = yield* ask(questions("ip", "nft"), [{ ...first, timedOut: true }, printed("b")])
      assert.deepStrictEqual(answers, ["a", "b"])
      assert.deepStrictEqual(scripts[1], `'nft'${end}`)
    }))

  it.effect("as a tool prints too much is told of that one, whichever it is, and another goes on", () =>
    Effect.gen(function*() {
      const problem = (place: string) => ({
        problem: `nft printed too much: a snapshot may read ${place} in total`
      })
      const endings = [{ ...first, truncated: true }, printed("c")]
      const asked = questions("ip", "nft", "ipset")
      assert.deepStrictEqual((yield* ask(asked, endings)).answers, ["a", problem("12 MiB about the host"), "c"])
      assert.deepStrictEqual((yield* ask(asked, endings, { netns: "/run/netns/c" })).answers, [
        "a",
        problem("4 MiB about a container"),
        "c"
      ])
    }))
})

describe("a shell that does not come to its tools", () => {
  const problem = (problem: string) => [{ problem }, { problem }]

  it.effect("cannot enter the namespace of the container, and says why", () =>
    Effect.gen(function*() {
      const stderr = "nsenter: cannot open /run/netns/c: Permission denied\n"
      const { answers, calls } = yield* ask(questions("ip", "nft"), [{ exitCode: 1, stderr }])
      assert.deepStrictEqual(
        answers,
        problem("cannot enter the network namespace of the container: cannot open /run/netns/c: Permission denied")
      )
      assert.lengthOf(calls, 1)
    }))

  it.effect("as it cannot be started is told with the reason", () =>
    Effect.gen(function*() {
      const failed = (
        code: string
      ) => [new NotStarted({ program: "nsenter", code, reason: "denied", cause: undefined })]
      const answers = (code: string) => Effect.map(ask(questions("ip", "nft"), failed(code)), ({ answers }) => answers)
      assert.deepStrictEqual(yield* answers("EACCES"), problem("nsenter: denied"))
      assert.deepStrictEqual(yield* answers("ENOENT"), problem("nsenter is not on PATH"))
    }))
})
