/** Which values are kept out of logs. */
import { assert, describe, it } from "@effect/vitest"
import * as Redaction from "../../src/plugin/Redaction.ts"
import { record } from "../support/request.ts"

/** What the log shows of a network configuration with these secrets. */
const shown = (names: unknown, config: object): string => record("ADD", { redact: names, ...config }).config ?? ""

describe("a name in `redact`", () => {
  it("that is a key stands for the values of that key at any depth, however it is written", () => {
    const text = `{"name":"n","redact":["pass"],"a":[{"pass":[1,{"x":2}]}],"p\\u0061ss":"s","other":"pass"}`
    assert.strictEqual(
      record("ADD", text).config,
      `{"name":"n","redact":["pass"],"a":[{"pass":"[redacted]"}],"p\\u0061ss":"[redacted]","other":"pass"}`
    )
  })

  it("that starts with a slash is a JSON Pointer into the configuration", () => {
    const { a, b } = JSON.parse(shown(["/a/b~1c/1", "/none"], { a: { "b/c": [1, 2, 3] }, b: [1, 2, 3] }))
    assert.deepStrictEqual([a, b], [{ "b/c": [1, "[redacted]", 3] }, [1, 2, 3]])
  })

  it("that points into prevResult holds for the result too", () => {
    assert.strictEqual(
      Redaction.result(`{"dns": {"a":1}, "b":2.0}`, ["/prevResult/dns"]),
      `{"dns": "[redacted]", "b":2.0}`
    )
  })

  it("that is empty stands for everything", () => {
    assert.strictEqual(shown([""], {}), `"[redacted]"`)
    assert.strictEqual(Redaction.result(`{"a":1}`, [""]), `"[redacted]"`)
  })

  it("hides what is at its place, and what is in that", () => {
    const hides = (...path: ReadonlyArray<string | number>) => Redaction.hides(path, ["key", "/a/0"])
    assert.deepStrictEqual([hides("key"), hides("x", "key", 1), hides("a", 0), hides("a", 0, "b")], [
      true,
      true,
      true,
      true
    ])
    assert.deepStrictEqual([hides(), hides("a"), hides("a", 1), hides("x", "a", 0)], [false, false, false, false])
    assert.isFalse(Redaction.hides(["a"], ["/a/undefined"]))
    assert.deepStrictEqual([Redaction.hides(["a"], []), Redaction.hides(["a"], [""])], [false, true])
  })

  it("is needed for anything to be hidden", () => {
    assert.strictEqual(Redaction.config(`{"a": 1}`, []), `{"a": 1}`)
    assert.strictEqual(Redaction.result(`{"a": 1}`, []), `{"a": 1}`)
  })
})

describe("a `redact` that cannot be read", () => {
  it("keeps everything secret", () => {
    assert.strictEqual(shown("password", {}), `"[redacted]"`)
  })
})
