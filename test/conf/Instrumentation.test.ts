/** Taps that are put into a file leave no trace when they are taken out again. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as NetworkConfigList from "../../src/cni/NetworkConfigList.ts"
import * as Instrumentation from "../../src/conf/Instrumentation.ts"
import * as JsonSource from "../../src/json/JsonSource.ts"

const folder = Path.join(import.meta.dirname, "../../conf")
const conf = Object.fromEntries(
  Fs.readdirSync(folder).filter((name) => name.endsWith(".conflist"))
    .map((name) => [`conf/${name}`, Fs.readFileSync(Path.join(folder, name), "utf8")])
)
const spaced = `{ "name" :"n",\n\n"plugins":[ {"type":"a" }\t,\n  \n{"type"  : "b"}  ,{"type":"a"}\n ]\n }\n\n`
const texts: { readonly [name: string]: string } = {
  ...conf,
  "a file with Windows line ends": (conf["conf/10-chained.conflist"] ?? "").replaceAll("\n", "\r\n"),
  "a file on one line": JSON.stringify(JSON.parse(conf["conf/10-chained.conflist"] ?? "")),
  "a file with white space of its own": spaced,
  "a file without a line end": `{"name":"n","plugins":[{"type":"a"}]}`,
  "a file with members that look like paths":
    `{"name":"n","plugins[0]":{"type":"x"},"plugins":[{"type":"a"}],"plugins[1]":[1],"a.b":{"plugins":[]}}`,
  "a file with two lists of plugins": `{"name":"n","plugins":[{"type":"x"},{"type":"y"}],"plugins":[{"type":"a"}]}`,
  "a file with an escaped key": `{"name":"n","pl\\u0075gins":[{"type":"a"},{"type":"b"}]}`
}

const sourceOf = (text: string): JsonSource.Source => {
  const outcome = JsonSource.parse(text)
  if (JsonSource.isSource(outcome)) return outcome
  throw new Error(outcome.message)
}

const fields = { onLogFailure: "ignore", hookADD: ["echo '[]{},\"'"] }

const tapped = (text: string): string => {
  const source = sourceOf(text)
  return Instrumentation.insert(source, NetworkConfigList.make(source.value).plugins.map(({ title }) => title), fields)
}

const removed = (text: string): string => Instrumentation.remove(sourceOf(text))

describe("taps", () => {
  for (const [name, text] of Object.entries(texts)) {
    it(`come out of ${name} without a trace`, () => {
      assert.strictEqual(removed(tapped(text)), text)
    })

    it(`stand after each plugin of ${name}`, () => {
      const changed = tapped(text)
      const before: ReadonlyArray<{ readonly type: string }> = JSON.parse(text).plugins
      const after: ReadonlyArray<{ readonly label?: string; readonly type: string }> = JSON.parse(changed).plugins
      assert.strictEqual(Instrumentation.taps(sourceOf(changed)).length, before.length)
      assert.deepStrictEqual(after.filter((_, index) => index % 2 === 0), before as never)
      assert.isTrue(after.every(({ type }, index) => index % 2 === 0 || type === "passthrough"))
    })

    it(`leave the rest of ${name} as it is`, () => {
      const { plugins: before, ...rest } = JSON.parse(text)
      const { plugins: after, ...restAfter } = JSON.parse(tapped(text))
      assert.isAbove(after.length, before.length)
      assert.deepStrictEqual(restAfter, rest)
    })
  }

  it("are called after the plugin that they stand at, each by a name of its own", () => {
    const labels = JSON.parse(tapped(spaced)).plugins
      .flatMap(({ label }: { readonly label?: string }) => label ?? [])
    assert.deepStrictEqual(labels, ["after-a", "after-b", "after-a-2"])
  })

  it("are told with their labels, in their order, each on one line", () => {
    const tap = `{"type":"passthrough",\n"instrumentedBy":"cni-passthrough","label":"x"}`
    const other = `{"type":"passthrough","instrumentedBy":"cni-passthrough","label":1}`
    const source = sourceOf(`{"plugins":[{"type":"a"},${tap},{"type":"b"},${other}]}`)
    assert.deepStrictEqual(Instrumentation.taps(source).map(({ label, text }) => [label, JSON.parse(text).label]), [
      ["x", "x"],
      ["passthrough", 1]
    ])
    assert.notInclude(Instrumentation.taps(source)[0]?.text, "\n")
  })

  it("have a label without spaces, the fields that were asked for, and our mark", () => {
    const source = sourceOf(`{"plugins":[{"type":"a"}]}`)
    const [, tap] = JSON.parse(Instrumentation.insert(source, ["a b c"], { hookADD: ["x"] })).plugins
    assert.deepStrictEqual(tap, {
      type: "passthrough",
      label: "after-a-b-c",
      hookADD: ["x"],
      instrumentedBy: "cni-passthrough"
    })
  })

  it("are the only plugins of a chain, or not", () => {
    const tap = `{"type":"passthrough","instrumentedBy":"cni-passthrough"}`
    for (const mark of [`"instrumentedBy":"another"`, `"label":"cni-passthrough"`]) {
      assert.isFalse(Instrumentation.hasOnlyTaps(sourceOf(`{"plugins":[${tap},{"type":"passthrough",${mark}}]}`)))
    }
    assert.isTrue(Instrumentation.hasOnlyTaps(sourceOf(`{"plugins":[${tap},${tap}]}`)))
    assert.isFalse(Instrumentation.isInstrumented(sourceOf(`{"plugins":[null,1,"${"x"}"]}`)))
  })

  it("never stand before the first plugin, which podman takes the network for", () => {
    for (const text of Object.values(texts)) {
      assert.deepStrictEqual(JSON.parse(tapped(text)).plugins[0], JSON.parse(text).plugins[0])
    }
  })

  it("come out of a file that has one before its first plugin", () => {
    const tap = `{"type":"passthrough","label":"before-a","instrumentedBy":"cni-passthrough"}`
    assert.strictEqual(removed(spaced.replace(`[ {`, `[ ${tap}, {`)), spaced)
  })

  it("come out where a person has moved them", () => {
    const tap = `{"type":"passthrough","instrumentedBy":"cni-passthrough"}`
    assert.strictEqual(removed(`{"plugins":[{"type":"a"}, ${tap}, ${tap}]}`), `{"plugins":[{"type":"a"}]}`)
    assert.strictEqual(removed(`{"plugins":[${tap}, ${tap}, {"type":"a"}]}`), `{"plugins":[{"type":"a"}]}`)
    assert.strictEqual(
      removed(`{"plugins":[{"type":"a"}, ${tap}, {"type":"b"}]}`),
      `{"plugins":[{"type":"a"}, {"type":"b"}]}`
    )
  })

  it("of a person's own stay", () => {
    const text = `{"plugins":[{"type":"passthrough"},{"type":"a"}]}`
    assert.isFalse(Instrumentation.isInstrumented(sourceOf(text)))
    assert.isTrue(Instrumentation.isInstrumented(sourceOf(tapped(text))))
    assert.strictEqual(removed(tapped(text)), text)
  })
})

describe("a document", () => {
  it("is a chain where it has a list of plugins", () => {
    assert.isTrue(Instrumentation.isChain(sourceOf(spaced)))
    for (const text of ["1", "null", "{}", `{"type":"bridge"}`, `{"plugins":[]}`, `{"plugins":{}}`]) {
      assert.isFalse(Instrumentation.isChain(sourceOf(text)))
    }
  })
})
