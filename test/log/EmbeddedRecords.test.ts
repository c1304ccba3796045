/** The records embedded in a report. */
import { assert, describe, it } from "@effect/vitest"
import * as EmbeddedRecords from "../../src/log/EmbeddedRecords.ts"

const { beginning, recordsBegin } = EmbeddedRecords

describe("the records of a report", () => {
  const recordsOf = (json: string) =>
    EmbeddedRecords.recordsOf(`${beginning}\n${recordsBegin}${json}</script><script>["other"]</script>`)

  it("are the texts in its list", () => assert.deepStrictEqual(recordsOf(`["{}","[]"]`), ["{}", "[]"]))

  it("are missing where the list is damaged, or has anything but texts", () => {
    for (const damaged of ["", "[", "{}", "[5]", `["{}",{}]`]) assert.isUndefined(recordsOf(damaged), damaged)
  })

  it("are missing where nothing introduces the list, wherever it is", () => {
    assert.isUndefined(EmbeddedRecords.recordsOf(`${" ".repeat(recordsBegin.length - 1)}["{}"]</script>`))
  })
})

describe("a file", () => {
  it("is a report where it begins as all of them do", () => {
    assert.isTrue(EmbeddedRecords.isReport(Buffer.from(beginning)))
    for (const other of ["", beginning.slice(1), beginning.slice(0, -1), beginning.toUpperCase()]) {
      assert.isFalse(EmbeddedRecords.isReport(Buffer.from(other)))
    }
  })
})
