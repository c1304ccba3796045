/** The README and the pages of docs/, as text and as parts. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { repository } from "../support/plugin.ts"

/** The pages, by their path from the repository's root. */
export const pages: ReadonlyArray<string> = [
  "README.md",
  ...Fs.readdirSync(Path.join(repository, "docs")).sort().map((name) => `docs/${name}`)
]

/** The text of a page. */
export const read = (page: string): string => Fs.readFileSync(Path.join(repository, page), "utf8")

/** A line of a page, and the language of the fenced block that it is in: "" for a block without one. */
export interface Line {
  readonly number: number
  readonly text: string
  readonly block: string | undefined
}

/** The lines of a page, without those that begin and end blocks. */
export const lines = (page: string): ReadonlyArray<Line> => {
  let block: string | undefined
  return read(page).split("\n").flatMap((text, index) => {
    const fence = /^ *```(?<language>\w*)$/.exec(text)
    if (fence === null) return [{ number: index + 1, text, block }]
    block = block === undefined ? fence.groups?.["language"] ?? "" : undefined
    return []
  })
}

/** The lines of each fenced block of a page in this language, by default of those without one. */
export const blocks = (page: string, language = ""): ReadonlyArray<ReadonlyArray<string>> => {
  const inBlocks = lines(page).filter(({ block }) => block === language)
  return inBlocks.reduce<Array<Array<string>>>((all, { number, text }, index) => {
    if (inBlocks[index - 1]?.number === number - 1) all.at(-1)?.push(text)
    else all.push([text])
    return all
  }, [])
}

/** The text of a page below a heading, up to the next heading of the same level or a higher one. */
export const section = (page: string, heading: string): string => {
  const [, level, text] = /^(#+) (.*)$/.exec(heading) ?? []
  if (level === undefined || text === undefined) throw new Error(`expected a heading, found ${heading}`)
  const all = read(page).split("\n")
  const start = all.indexOf(heading)
  if (start === -1) throw new Error(`${page} has no heading ${heading}`)
  // In a block, the line of a command may look like a heading.
  const end = lines(page).find(({ block, number, text }) =>
    block === undefined && number > start + 1 && new RegExp(`^#{1,${level.length}} `).test(text)
  )
  return all.slice(start + 1, end && end.number - 1).join("\n")
}

/** An item of a list. */
export interface Item {
  /** The code spans before the first colon or parenthesis. */
  readonly names: ReadonlyArray<string>
  /** All of the item, on one line. */
  readonly text: string
}

/** The items of the lists in a text whose lines are not indented. */
export const items = (text: string): ReadonlyArray<Item> =>
  (text.match(/^- .*(?:\n {2}.*)*/gm) ?? []).map((item) => {
    const line = item.slice(2).replaceAll(/\n */g, " ")
    const [head = ""] = /^[^:(]*/.exec(line) ?? []
    return { text: line, names: [...head.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name) }
  })

/** The default that an item states, as JSON: `(default \`"text"\`)`. */
export const defaultOf = ({ text }: Item): unknown => {
  const [, json] = /\(default `([^`]*)`\)/.exec(text) ?? []
  return json === undefined ? undefined : JSON.parse(json)
}
