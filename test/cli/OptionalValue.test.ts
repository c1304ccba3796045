/** Flags whose value may be left out. */
import { assert, describe, it } from "@effect/vitest"
import * as OptionalValue from "../../src/cli/OptionalValue.ts"

describe("--changes of wrap", () => {
  const cases: { readonly [name: string]: readonly [given: string, filled: string] } = {
    "without a value means all": ["wrap --changes", "wrap --changes=all"],
    "does not take the argument after it for its value": ["wrap --changes bridge", "wrap --changes=all bridge"],
    "keeps its value": ["wrap --changes=links bridge", "wrap --changes=links bridge"],
    "is an argument after --": ["wrap --changes -- --changes", "wrap --changes=all -- --changes"],
    "is not looked for in other commands": ["run add n --changes", "run add n --changes"]
  }
  for (const [name, [given, filled]] of Object.entries(cases)) {
    it(name, () => assert.strictEqual(OptionalValue.fill(given.split(" ")).join(" "), filled))
  }
})
