/** Tests of executables that are not built fail at once. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import { temporary, whyUnbuilt } from "./plugin.ts"

describe("a folder of executables", () => {
  it("lacks what was not built, and says how to build it", () => {
    using folder = temporary()
    const advice = "build it first, with npm run build:standalone"
    assert.strictEqual(whyUnbuilt(folder.path), `${folder.path} has no passthrough, cni-passthrough: ${advice}`)
    Fs.writeFileSync(`${folder.path}/passthrough`, "")
    assert.strictEqual(whyUnbuilt(folder.path), `${folder.path} has no cni-passthrough: ${advice}`)
    Fs.writeFileSync(`${folder.path}/cni-passthrough`, "")
    assert.isUndefined(whyUnbuilt(folder.path))
  })
})
