/** A short run of the fuzzer. `npm run fuzz` is the long one. */
import { assert, describe, it } from "@effect/vitest"
import { check } from "../fuzz/check.ts"

describe("any environment, document and configuration", () => {
  const seed = Math.floor(Math.random() * 4000)
  it(`is answered as the specification says, seed ${seed}`, async () => {
    const broken: Array<string> = []
    for (let number = seed * 1_000_000; number < seed * 1_000_000 + 150; number += 5) {
      const problems = await Promise.all([0, 1, 2, 3, 4].map((offset) => check(number + offset)))
      problems.forEach((found, offset) => {
        if (found.length > 0) broken.push(`npm run fuzz -- --only ${number + offset}: ${found.join("; ")}`)
      })
    }
    assert.deepStrictEqual(broken, [])
  })
})
