import { assert, describe, it } from "@effect/vitest"
import * as CniVersion from "../../src/cni/CniVersion.ts"

describe("a version", () => {
  it("is one to three numbers", () => {
    for (const text of ["1", "1.0", "1.1.0", "0.3.10", "123456789.123456789.123456789"]) {
      assert.isTrue(CniVersion.isVersion(text), text)
    }
    for (
      const text of [
        "",
        "a",
        "1.",
        "1.0.0.0",
        "v1.0.0",
        "1234567890",
        "1.1234567890",
        "1.0.1234567890",
        "1.0.0-rc1",
        " 1.0.0"
      ]
    ) {
      assert.isFalse(CniVersion.isVersion(text), text)
    }
  })

  it("is compared by its numbers, not by its text", () => {
    assert.isTrue(CniVersion.isAtLeast("0.10.0", "0.4.0"))
    assert.isTrue(CniVersion.isAtLeast("0.4.0", "0.4.0"))
    assert.isTrue(CniVersion.isAtLeast("1", "0.4.0"))
    assert.isFalse(CniVersion.isAtLeast("0.3.1", "0.4.0"))
    assert.isFalse(CniVersion.isAtLeast("1.0.9", "1.1.0"))
    assert.isFalse(CniVersion.isAtLeast("1.0.0", "1.0.1"))
    assert.isTrue(CniVersion.isAtLeast("1.0.1", "1.0.0"))
    assert.isTrue(CniVersion.isAtLeast("1", "1.0.0"))
    assert.isTrue(CniVersion.isAtLeast("2.0.0", "1.9.9"))
  })

  it("is supported only as it is written in the specification", () => {
    assert.isTrue(CniVersion.supported.every(CniVersion.isSupported))
    for (const text of ["1.0", "1.2.0", "0.5.0", ""]) assert.isFalse(CniVersion.isSupported(text), text)
  })
})
