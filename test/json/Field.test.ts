/** What fields take, and what a person reads about the rest. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as Field from "../../src/json/Field.ts"
import * as JsonText from "../../src/json/JsonText.ts"
import * as SchemaProblem from "../../src/json/SchemaProblem.ts"

const problemsOf = (schema: Schema.ConstraintDecoder<unknown>, value: unknown): ReadonlyArray<string> => {
  const outcome = SchemaParser.decodeUnknownResult(schema, { errors: "all" })(value)
  return Result.isSuccess(outcome)
    ? []
    : SchemaProblem.of(outcome.failure, value).map(({ message, path }) => `${JsonText.pathText(path)}: ${message}`)
}

describe("a field", () => {
  const duration = "a duration such as \"30s\", \"500ms\" or \"1m30s\"; 0 turns it off"
  const fields: ReadonlyArray<
    readonly [
      expected: string,
      Schema.ConstraintDecoder<unknown>,
      right: ReadonlyArray<unknown>,
      wrong: ReadonlyArray<unknown>
    ]
  > = [
    ["a string", Field.text(), ["", "a"], [1, null]],
    ["a string that is not empty", Field.filled(), ["a", " ", "a\nb"], ["", "a\0b", 1]],
    ["a string without NUL", Field.argument(), ["", "a b", "a\nb"], ["\0", "a\0", 1]],
    ["1 to 48 visible ASCII characters", Field.identifier(), ["!", "~", "a".repeat(48)], [
      "",
      "a b",
      "é",
      "a".repeat(49)
    ]],
    ["\"a\" or \"b\"", Field.oneOf(["a", "b"]), ["a", "b"], ["c", "", 1]],
    [duration, Field.duration(), [0, "0", "30s", "1m30s"], [1, "", "30", -1, "30 s"]]
  ]
  for (const [expected, schema, right, wrong] of fields) {
    for (const value of right) {
      it(`takes ${JSON.stringify(value)} for ${expected}`, () => assert.deepStrictEqual(problemsOf(schema, value), []))
    }
    for (const value of wrong) {
      it(`refuses ${JSON.stringify(value)} for ${expected}`, () => {
        assert.deepStrictEqual(problemsOf(schema, value), [`: found ${JSON.stringify(value)}, expected ${expected}`])
      })
    }
  }
})

describe("the problems of a value", () => {
  const member = <const Kind extends string>(kind: Kind, fields: Schema.Struct.Fields) =>
    Schema.Struct({ kind: Schema.Literal(kind).annotate({ identifier: JSON.stringify(kind) }), ...fields })
  const union = Schema.Union([member("a", { size: Field.text() }), member("b", { list: Schema.Array(Field.text()) })])
    .annotate({ identifier: "a thing", tag: { key: "kind", expected: "a or b" } })

  it("have the path of each, in its order", () => {
    const struct = Schema.Struct({ a: Field.text(), b: Schema.Array(Field.filled()), c: Field.text() })
    assert.deepStrictEqual(problemsOf(struct, { a: 1, b: ["x", "", 2] }), [
      "a: found 1, expected a string",
      "b[1]: found \"\", expected a string that is not empty",
      "b[2]: found 2, expected a string that is not empty",
      "c: found nothing, expected a value"
    ])
  })

  it("name what is missing the way its schema does", () => {
    const struct = Schema.Struct({ a: Field.text().pipe(Schema.annotateKey({ messageMissingKey: "a name" })) })
    assert.deepStrictEqual(problemsOf(struct, {}), ["a: found nothing, expected a name"])
  })

  it("are those of the member of a union that fits but for a part", () => {
    assert.deepStrictEqual(problemsOf(union, { kind: "b", list: ["x", 1] }), ["list[1]: found 1, expected a string"])
  })

  it("are about the tag where no member of a union has it", () => {
    assert.deepStrictEqual(problemsOf(union, { kind: "c" }), ["kind: found \"c\", expected a or b"])
    assert.deepStrictEqual(problemsOf(union, {}), ["kind: found nothing, expected a or b"])
  })

  it("are about the whole where it is no member at all", () => {
    assert.deepStrictEqual(problemsOf(union, "a"), [": found \"a\", expected a thing"])
    const untagged = Schema.Union([Schema.String, Schema.Number]).annotate({ identifier: "a string or a number" })
    assert.deepStrictEqual(problemsOf(untagged, { kind: "c" }), [": found an object, expected a string or a number"])
  })

  it("are about a value that was turned into another one too", () => {
    const list = Schema.Struct({ a: Schema.fromJsonString(Field.text()) })
    assert.deepStrictEqual(problemsOf(list, { a: "1" }), ["a: found \"1\", expected a string"])
    assert.deepStrictEqual(problemsOf(list, { a: "\"1\"" }), [])
  })
})
