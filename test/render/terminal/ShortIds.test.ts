/** Long numbers as people know them. */
import { assert, describe, it } from "@effect/vitest"
import * as ShortIds from "../../../src/render/terminal/ShortIds.ts"

describe("a name that is made of a long number", () => {
  const id = "0123456789abcdef".repeat(4)

  it("is short", () => {
    assert.strictEqual(ShortIds.of(`a ${id} b ${id}`), "a 0123456789ab b 0123456789ab")
    assert.strictEqual(ShortIds.of(`CNI-${id.slice(0, 24)}`), "CNI-0123…")
    assert.strictEqual(ShortIds.of(`CNI-DN-${id.slice(0, 20)}`), "CNI-DN-0123…")
  })

  it("is as it was where it is shorter or longer", () => {
    for (
      const text of [
        id.slice(1),
        `${id}0`,
        `CNI-${id.slice(0, 19)}`,
        `CNI-${id.slice(0, 25)}`,
        `XCNI-${id.slice(0, 24)}`
      ]
    ) {
      assert.strictEqual(ShortIds.of(text), text)
    }
  })
})
