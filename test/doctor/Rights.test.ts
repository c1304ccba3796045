/** Which capabilities a look at the host lacks. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Rights from "../../src/doctor/facts/Rights.ts"
import * as Fake from "./fake.ts"

describe("the capabilities that are missing", () => {
  const cases: ReadonlyArray<readonly [what: string, effective: string, missing: ReadonlyArray<string>]> = [
    ["are none of root", "000001ffffffffff", []],
    ["are none where exactly those are there", "0000000000281000", []],
    ["are all of a user", "0000000000000000", ["SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN"]],
    ["are all of a container with those of podman", "00000000800405fb", ["SYS_ADMIN", "SYS_PTRACE", "NET_ADMIN"]],
    ["are one", "000001ffffffefff", ["NET_ADMIN"]]
  ]
  for (const [what, effective, missing] of cases) {
    it.effect(what, () =>
      Effect.gen(function*() {
        const status = `Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t0000000000000000\n`
        const { layer } = Fake.host({ files: { "/proc/self/status": status } })
        assert.deepStrictEqual(yield* Effect.provide(Rights.lacking(), layer), missing)
      }))
  }

  it.effect("are not known of a kernel that does not say", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Effect.provide(Rights.lacking(), Fake.host({}).layer), [])
    }))
})
