/** What README and docs/ say about the command is what its help says. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { command } from "../../src/cli/Companion.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Command from "../support/command.ts"
import { items, lines, pages, section } from "./markdown.ts"

const host = Layer.mergeAll(Progress.layer.pipe(Layer.provideMerge(Command.host)), Presenter.layer)

const helpOf = async (...path: ReadonlyArray<string>): Promise<string> =>
  (await Effect.runPromise(Effect.provide(Command.printed(command, ...path, "--help"), host))).stdout

const subcommandsIn = (help: string): ReadonlyArray<string> =>
  [...(/^SUBCOMMANDS\n((?: {2}.*\n)*)/m.exec(help)?.[1] ?? "").matchAll(/^ {2}(\S+)/gm)].map(([, name = ""]) => name)

/** The flags that a help lists. */
const flagsIn = (help: string): ReadonlyArray<string> =>
  [...help.matchAll(/^ {2}(--?[\w-]+)(?:, (--?[\w-]+))?/gm)].flatMap(([, ...flags]) =>
    flags.filter((flag) => flag !== undefined)
  )

/** The commands of `cni-passthrough` in the shell blocks of a page. */
const invocations = (page: string): ReadonlyArray<string> =>
  lines(page).filter(({ block }) => block === "sh" || block === "").flatMap(({ text }) =>
    [
      ...text.replace(/ +#.*$/, "").replaceAll(/'[^']*'/g, "''").matchAll(
        /(?:^(?:# |ssh \S+ )?|\| )cni-passthrough (.*?)(?= \||$)/g
      )
    ]
      .map(([, words = ""]) => words)
  )

let help: string
const helps = new Map<string, string>()

beforeAll(async () => {
  help = await helpOf()
  for (const name of subcommandsIn(help).filter((name) => name !== "help")) {
    helps.set(name, await helpOf(name))
    for (const operation of subcommandsIn(helps.get(name) ?? "")) {
      helps.set(`${name} ${operation}`, await helpOf(name, operation))
    }
  }
})

describe("the commands at a glance in README", () => {
  const listed = items(section("README.md", "## Commands at a glance"))
  const item = (name: string) => listed.find(({ names: [first = ""] }) => first.split(" ")[0] === name)

  it("are all commands of the help", () => {
    assert.sameMembers(listed.map(({ names: [first = ""] }) => first.split(" ")[0] ?? ""), [...subcommandsIn(help)])
  })

  it("have all operations of run", () => {
    assert.sameMembers(item("run")?.names[0]?.slice("run ".length).split("|") ?? [], [
      ...subcommandsIn(helps.get("run") ?? "")
    ])
  })

  it("say when the exit status is 1, as the help does", () => {
    for (const { names: [first = ""], text } of listed) {
      assert.match(text, / 1: [^.]+\.$/, first)
      const said = (helps.get(first) ?? "").replaceAll(/\s+/g, " ")
      if (/Exit status/.test(said)) assert.notMatch(text, / 1: never/, first)
    }
  })
})

describe("a command in", () => {
  it.each(pages)("%s has flags that its help has", (page) => {
    for (const words of invocations(page)) {
      const [name = "", operation = ""] = words.split(" ")
      const own = helps.get(`${name} ${operation}`) ?? helps.get(name) ?? help
      assert.isTrue(helps.has(name) || name.startsWith("--"), `${page}: cni-passthrough ${words}`)
      const flags = words.match(/(?<= |^)--?[a-zA-Z][\w-]*/g) ?? []
      for (const flag of flags.map((flag) => flag.replace("--no-", "--"))) {
        const isKnown = flagsIn(own).includes(flag) || flagsIn(help).includes(flag) ||
          flagsIn(own).includes(flag.replace("--", "--no-"))
        assert.isTrue(isKnown, `${page}: ${flag} in cni-passthrough ${words}`)
      }
    }
  })
})
