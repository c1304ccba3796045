/** README and the pages of docs/ stay short, narrow and linked. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { repository } from "../support/plugin.ts"
import { lines, pages, read, section } from "./markdown.ts"

/** The anchors of a page, as GitHub makes them out of headings. */
const anchors = (page: string): ReadonlyArray<string> =>
  lines(page).flatMap(({ block, text }) => {
    const [, heading] = /^#+ (.*)$/.exec(text) ?? []
    return block !== undefined || heading === undefined ? [] : [
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ]
  })

/** The targets of the links and pictures of a page. */
const targets = (page: string): ReadonlyArray<string> =>
  [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target)

describe("README.md", () => {
  it("has at most 14 KB", () => {
    assert.isAtMost(Buffer.byteLength(read("README.md")), 14_000)
  })

  it("begins with the two commands that set everything up", () => {
    const [first = "", second = ""] = lines("README.md").filter(({ block }) => block !== undefined)
      .map(({ text }) => text)
    assert.match(first, /^npm start +#/)
    assert.match(second, /^npm test +#/)
  })

  it("has one picture", () => {
    assert.strictEqual(read("README.md").match(/!\[/g)?.length, 1)
  })

  it("names each page of docs/ once, on a line of its own", () => {
    const named = section("README.md", "## More").match(/^- \[[^\]]+\]\((docs\/[^)]+)\): /gm) ?? []
    const files = named.map((item) => /\((.*)\)/.exec(item)?.[1])
    assert.deepStrictEqual(files.toSorted(), pages.filter((page) => page !== "README.md"))
  })
})

describe.each(pages)("%s", (page) => {
  it("has no line of more than 100 columns, but for pictures and records of a log", () => {
    const wide = lines(page).filter(({ block, text }) =>
      [...text].length > 100 && block !== "jsonl" && !/^!\[[^\]]*\]\([^)]*\)$/.test(text)
    )
    assert.deepStrictEqual(wide, [])
  })

  it("has one heading of the first level, and begins with it", () => {
    const headings = lines(page).filter(({ block, text }) => block === undefined && text.startsWith("# "))
    assert.deepStrictEqual(headings.map(({ number }) => number), [1])
  })

  it("has no table", () => {
    assert.deepStrictEqual(lines(page).filter(({ block, text }) => block === undefined && text.startsWith("|")), [])
  })

  it.each(targets(page))("links to %s, which is there", (target) => {
    if (target.startsWith("https://")) return
    const [path = "", anchor] = target.split("#")
    const file = path === "" ? page : Path.join(Path.dirname(page), path)
    assert.isTrue(Fs.existsSync(Path.join(repository, file)), file)
    if (anchor !== undefined) assert.include(anchors(file), anchor)
  })
})
