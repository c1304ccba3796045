/** Which values are kept out of logs. */
import { assert, describe, it } from "@effect/vitest"
import * as redact from "../../src/record/redact.ts"
import { make } from "../support/request.ts"

const shown = (names: unknown, config: object) => {
  const { document } = redact.request(make("ADD", { redact: names, ...config }))
  if (document._tag !== "Config") throw new Error("no document")
  return document
}

describe("a name in `redact`", () => {
  it("that is a key stands for the values of that key at any depth, however it is written", () => {
    const text = `{"name":"n","redact":["pass"],"a":[{"pass":[1,{"x":2}]}],"p\\u0061ss":"s","other":"pass"}`
    const { document } = redact.request(make("ADD", text))
    assert.strictEqual(
      document._tag === "Config" ? document.text : "",
      `{"name":"n","redact":["pass"],"a":[{"pass":"[redacted]"}],"p\\u0061ss":"[redacted]","other":"pass"}`
    )
  })

  it("that starts with a slash is a JSON Pointer into the configuration", () => {
    const { value } = shown(["/a/b~1c/1", "/none"], { a: { "b/c": [1, 2, 3] }, b: [1, 2, 3] })
    assert.deepStrictEqual([value["a"], value["b"]], [{ "b/c": [1, "[redacted]", 3] }, [1, 2, 3]])
  })

  it("that points into prevResult holds for the result too", () => {
    const request = make("ADD", { redact: ["/prevResult/dns"], prevResult: { dns: { a: 1 }, b: 2.0 } })
    assert.strictEqual(redact.result(request, `{"dns": {"a":1}, "b":2.0}`), `{"dns": "[redacted]", "b":2.0}`)
  })

  it("that is empty stands for everything", () => {
    assert.strictEqual(shown([""], {}).text, `"[redacted]"`)
    assert.strictEqual(redact.result(make("ADD", { redact: [""] }), `{"a":1}`), `"[redacted]"`)
  })
})

describe("a `redact` that cannot be read", () => {
  it("keeps everything secret", () => {
    assert.strictEqual(shown("password", {}).text, `"[redacted]"`)
  })
})
