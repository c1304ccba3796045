/** What README and docs/ say about the command is what its help says. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { command } from "../../src/cli/Companion.ts"
import * as Presenter from "../../src/cli/Presenter.ts"
import * as Progress from "../../src/cli/Progress.ts"
import * as Command from "../support/command.ts"
import { items, lines, pages, read, section } from "./markdown.ts"

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

/** Whether a flag is one of these, or turns one of them off. */
const isAmong = (flags: ReadonlyArray<string>, flag: string): boolean =>
  [flag, flag.replace("--no-", "--"), flag.replace("--", "--no-")].some((each) => flags.includes(each))

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

/** The code in the text of a page. */
const spans = (page: string): ReadonlyArray<string> =>
  [...read(page).replaceAll(/^```[^]*?^```$/gm, "").matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code)

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

  it("say when the exit status is 1 for all whose help says so, and for run", () => {
    const withOne = listed.filter(({ text }) => / 1: [^.]+\.$/.test(text)).map(({ names: [first] }) => first)
    const saying = [...helps].filter(([, text]) => /Exit status.*\b1\b/.test(text.replaceAll(/\s+/g, " ")))
    assert.sameMembers(withOne.map((name) => name?.split(" ")[0]), [
      ...new Set(["run", ...saying.map(([name]) => name.split(" ")[0])])
    ])
  })
})

describe.each(pages)("%s", (page) => {
  /** The flags of a command line that the help of its command does not list. */
  const unknown = (words: string): ReadonlyArray<string> => {
    const [name = "", operation = ""] = words.split(" ")
    const own = [help, helps.get(`${name} ${operation}`) ?? helps.get(name) ?? ""].flatMap(flagsIn)
    return words.match(/(?<= |^)--?[a-zA-Z][\w-]*/g)?.filter((flag) => !isAmong(own, flag)) ?? []
  }

  it("has commands and flags in its shell blocks that the help has", () => {
    for (const words of invocations(page)) {
      const [name = ""] = words.split(" ")
      assert.isTrue(helps.has(name) || name.startsWith("--"), `cni-passthrough ${words}`)
      assert.deepStrictEqual(unknown(words), [], `cni-passthrough ${words}`)
    }
  })

  it("names commands and flags in its text that the help has", () => {
    const all = [help, ...helps.values()].flatMap(flagsIn)
    for (const code of spans(page)) {
      const words = code.replace(/^cni-passthrough /, "")
      const [name = ""] = words.split(" ")
      if (code.startsWith("cni-passthrough ")) assert.isTrue(helps.has(name) || name.startsWith("--"), code)
      if (/^--\w/.test(words)) assert.isTrue(isAmong(all, name.replace(/=.*/, "")), code)
      else if (helps.has(name)) assert.deepStrictEqual(unknown(words), [], code)
    }
  })
})
