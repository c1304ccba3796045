/** The operations of a log that is followed. */
import { assert, describe, it } from "@effect/vitest"
import { ExportedOperations } from "../../src/export/ExportedOperations.ts"
import type { Operation } from "../../src/operations/Operation.ts"
import { called } from "../operations/records.ts"
import { failingIpam, read, time } from "./records.ts"

const following = (records: ReadonlyArray<object>, isWanted?: (operation: Operation) => boolean) => {
  const operations = new ExportedOperations(isWanted)
  for (const record of read(records)) operations.add(record, time(100))
  return operations
}

describe("an operation of a log that is followed", () => {
  it("comes once, when it is complete", () => {
    const operations = following(failingIpam())
    assert.deepStrictEqual(operations.due(time(101)), [])
    assert.lengthOf(operations.due(time(3_600_000)), 1)
    assert.deepStrictEqual(operations.rest(), [])
  })

  it("comes in the end, though it is not complete", () => {
    const [operation, ...others] = following(called({}, { event: "result" }).slice(0, 1)).rest()
    assert.deepStrictEqual(others, [])
    assert.strictEqual(operation?.request.command, "ADD")
  })

  it("does not come if it is not wanted", () => {
    assert.deepStrictEqual(following(failingIpam(), () => false).rest(), [])
  })

  it("has what looks like a secret masked", () => {
    const end = { event: "error", error: { code: 7, msg: "cannot log in with password=hunter2" } }
    const text = JSON.stringify(following(called({ exitCode: 1 }, end)).rest())
    assert.include(text, "cannot log in with password=")
    assert.notInclude(text, "hunter2")
  })
})
