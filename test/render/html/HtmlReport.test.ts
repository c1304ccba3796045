import { assert, describe, it } from "@effect/vitest"
import * as Crypto from "node:crypto"
import * as EmbeddedRecords from "../../../src/log/EmbeddedRecords.ts"
import * as HtmlReport from "../../../src/render/html/HtmlReport.ts"

const assets = { script: "document.title", style: "body{}" }
const hostile = "</script><!--\u2028\u2029<script>"
const empty = { operations: [] }

const render = (...content: Parameters<typeof HtmlReport.pieces>): string => [...HtmlReport.pieces(...content)].join("")

/** What a report shows, read back. */
const shownIn = (html: string) => JSON.parse(/id="report">(.*)<\/script>/.exec(html)?.[1] ?? "")

describe("a report", () => {
  it("is known by its first bytes", () => {
    const html = Buffer.from(render(empty, [], assets))
    assert.isTrue(EmbeddedRecords.isReport(html.subarray(0, EmbeddedRecords.headLength)))
    assert.isFalse(EmbeddedRecords.isReport(Buffer.from("<!doctype html>\n<html>")))
  })

  it("gives its records back, to the byte", () => {
    const records = [`{"a":"${hostile}","b":"\\u003c","big":12345678901234567890}`, `{"a":"\\\\u003c\\"é\\u2028"}`]
    assert.deepStrictEqual(EmbeddedRecords.recordsOf(render(empty, records, assets)), records)
  })

  it("shows its operations, and what else it is given", () => {
    const operations = ["a", "b"].map((time) => ({ time, hasFailed: false, steps: [] }))
    assert.deepStrictEqual(shownIn(render({ operations: [] }, [], assets)), { operations: [] })
    assert.deepStrictEqual(shownIn(render({ operations }, [], assets)), { operations })
    assert.deepStrictEqual(shownIn(render({ operations, traces: [], findings: [] }, [], assets)), {
      operations,
      traces: [],
      findings: []
    })
  })

  it("is made piece by piece, as its operations are", () => {
    let made = 0
    const operations = function*() {
      for (; made < 3; made++) yield { time: "", hasFailed: false, steps: [] }
    }
    const pieces = HtmlReport.pieces({ operations: operations() }, ["{}"], assets)
    for (let piece = 0; piece < 3; piece++) pieces.next()
    assert.strictEqual(made, 1)
  })

  it("has no records where there is no list of texts in their place", () => {
    const html = render(empty, ["text"], assets)
    for (const list of ["[5]", "{}", "\"text\"", ""]) {
      assert.isUndefined(EmbeddedRecords.recordsOf(html.replace("[\n\"text\"\n]", list)))
    }
    assert.isUndefined(EmbeddedRecords.recordsOf(`${"x".repeat(46)}["text"]</script>`))
  })

  it("has no records where it is damaged", () => {
    const html = render(empty, ["{}"], assets)
    assert.isUndefined(EmbeddedRecords.recordsOf(html.slice(0, html.indexOf("id=\"records\""))))
    assert.isUndefined(EmbeddedRecords.recordsOf(html.slice(0, html.indexOf("\"{}\"") + 1)))
  })

  it("has no element that its data could have made", () => {
    const operation = { time: hostile, hasFailed: false, containerId: hostile, steps: [] }
    const html = render({ operations: [operation] }, [JSON.stringify(hostile)], assets)
    assert.deepStrictEqual(html.match(/<\/?script[^>]*>|<!--/g), [
      "<!--",
      "<script type=\"application/json\" id=\"report\">",
      "</script>",
      "<script type=\"application/json\" id=\"records\">",
      "</script>",
      "<script>",
      "</script>"
    ])
  })

  it("allows its own script and style, and nothing else", () => {
    const html = render(empty, [], assets)
    const hash = (text: string) => Crypto.createHash("sha256").update(text).digest("base64")
    assert.strictEqual(
      /Content-Security-Policy" content="([^"]+)"/.exec(html)?.[1],
      `default-src 'none'; script-src 'sha256-${hash(assets.script)}'; style-src 'sha256-${hash(assets.style)}'; ` +
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
  })
})
