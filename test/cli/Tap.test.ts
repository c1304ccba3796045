/** Taps that are put into a file leave no trace when they are taken out again. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Conflist from "../../src/cli/Conflist.ts"
import * as JsonSource from "../../src/cli/JsonSource.ts"
import * as Tap from "../../src/cli/Tap.ts"

const folder = Path.join(import.meta.dirname, "../../conf")
const conf = Object.fromEntries(
  Fs.readdirSync(folder).filter((name) => name.endsWith(".conflist"))
    .map((name) => [`conf/${name}`, Fs.readFileSync(Path.join(folder, name), "utf8")])
)
const texts: { readonly [name: string]: string } = {
  ...conf,
  "a file with Windows line ends": (conf["conf/10-chained.conflist"] ?? "").replaceAll("\n", "\r\n"),
  "a file on one line": JSON.stringify(JSON.parse(conf["conf/10-chained.conflist"] ?? "")),
  "a file with white space of its own":
    `{ "name" :"n",\n\n"plugins":[ {"type":"a" }\t,\n  \n{"type"  : "b"}  ,{"type":"a"}\n ]\n }\n\n`,
  "a file without a line end": `{"name":"n","plugins":[{"type":"a"}]}`
}

const sourceOf = (text: string) => {
  const source = JsonSource.parse(text)
  if (!("value" in source)) throw new Error(source.message)
  return source
}

const fields = { onLogFailure: "ignore", hookADD: ["echo '[]{},\"'"] }

const tapped = (text: string) => {
  const source = sourceOf(text)
  return Tap.insert(Conflist.make("x", text, source.value), source, fields)
}

describe("taps", () => {
  for (const [name, text] of Object.entries(texts)) {
    it(`come out of ${name} without a trace`, () => {
      const { text: changed } = tapped(text)
      assert.strictEqual(Tap.remove(changed, sourceOf(changed)), text)
    })

    it(`stand before, between and behind the plugins of ${name}`, () => {
      const { inserted, text: changed } = tapped(text)
      const before: ReadonlyArray<{ readonly type: string }> = JSON.parse(text).plugins
      const after: ReadonlyArray<{ readonly label?: string; readonly type: string }> = JSON.parse(changed).plugins
      assert.strictEqual(inserted.length, before.length + 1)
      assert.deepStrictEqual(after.filter((_, index) => index % 2 === 1), before as never)
      assert.isTrue(after.every(({ type }, index) => index % 2 === 1 || type === "passthrough"))
    })
  }

  it("are called after the plugin that they stand at, each by a name of its own", () => {
    const { text } = tapped(texts["a file with white space of its own"] ?? "")
    const labels = JSON.parse(text).plugins.flatMap(({ label }: { readonly label?: string }) => label ?? [])
    assert.deepStrictEqual(labels, ["before-a", "before-b", "before-a-2", "after-a-2"])
  })
})
