/** What is left of containers that are gone, as facts tell it. */
import { assert, describe, it } from "@effect/vitest"
import * as Leaks from "../../src/doctor/Leaks.ts"
import * as Host from "./host.ts"

const nobody: Leaks.Life = { addresses: new Set(), mentions: "" }

describe("what is left", () => {
  it("says one reason of all that a container has left whose result is still there", () => {
    const leaks = Leaks.find(Host.facts({ attachment: { sight: { _tag: "Missing" } } }), nobody)
    assert.deepStrictEqual(
      leaks.map(({ kind, reason }) => `${kind}: ${reason}`),
      ["rule", "result"].map((kind) => `${kind}: /run/netns/web does not exist`)
    )
  })

  it("says of rules without a result that there is none", () => {
    const leaks = Leaks.find(Host.facts({ facts: { attachments: [], all: [] } }), nobody)
    assert.deepStrictEqual(
      leaks.map(({ kind, reason }) => `${kind}: ${reason}`),
      ["rule: no result and no process of it is there, and no namespace has its address"]
    )
  })
})
