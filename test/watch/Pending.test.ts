/** What monitors reported since the last look, and when to look. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Authored } from "../../src/watch/Attribution.ts"
import * as Pending from "../../src/watch/Pending.ts"

const commit = (time: number): Authored => ({ time, author: undefined, touched: new Map() })

describe("what is pending", () => {
  it("has the kinds that may have changed, each with its first and last event", () => {
    const pending = Pending.make()
    pending.touch(10, ["links", "routes"])
    pending.touch(20, ["routes"])
    pending.touch(30, [])
    pending.commit(commit(40), ["nftables"])
    assert.deepStrictEqual(pending.commits(), [commit(40)])
    const { commits, isLossy, kinds, span } = pending.take()
    assert.deepStrictEqual([...kinds], [
      ["links", { from: 10, to: 10 }],
      ["routes", { from: 10, to: 20 }],
      ["nftables", { from: 40, to: 40 }]
    ])
    assert.deepStrictEqual({ commits, isLossy, span }, {
      commits: [commit(40)],
      isLossy: false,
      span: { from: 10, to: 40 }
    })
  })

  it("is nothing again once it is taken", () => {
    const pending = Pending.make()
    pending.lost(10, ["nftables"])
    assert.isTrue(pending.take().isLossy)
    assert.deepStrictEqual(pending.take(), { kinds: new Map(), commits: [], span: undefined, isLossy: false })
  })

  it("has at most 2000 commits: after that, some are lost", () => {
    const pending = Pending.make()
    for (let time = 1; time <= 2000; time++) pending.commit(commit(time), ["nftables"])
    const { length } = pending.commits()
    pending.commit(commit(2001), ["nftables"])
    const { commits, isLossy, span } = pending.take()
    assert.deepStrictEqual([length, commits.length, isLossy, span], [2000, 2000, true, { from: 1, to: 2001 }])
    for (let time = 1; time <= 2000; time++) pending.commit(commit(time), ["nftables"])
    assert.isFalse(pending.take().isLossy)
  })

  it.effect("wakes what waits for the first event, but not what waits after it was taken", () =>
    Effect.gen(function*() {
      const pending = Pending.make()
      for (const report of [() => pending.part(1), () => pending.touch(1, ["links"])]) {
        const fiber = yield* Effect.forkChild(pending.await)
        pending.touch(0, [])
        yield* Effect.yieldNow
        assert.isUndefined(fiber.pollUnsafe())
        report()
        yield* Fiber.join(fiber)
        pending.take()
      }
    }))
})

describe("it is time to look", () => {
  it("when nothing has happened for 100 ms, or nothing at all", () => {
    const pending = Pending.make()
    assert.isTrue(pending.isSettled(0))
    pending.touch(1000, ["links"])
    assert.deepStrictEqual([pending.isSettled(1099), pending.isSettled(1100)], [false, true])
  })

  it("when a burst goes on for more than two seconds", () => {
    const pending = Pending.make()
    for (let time = 1000; time <= 3000; time += 50) pending.touch(time, ["links"])
    assert.deepStrictEqual([pending.isSettled(3000), pending.isSettled(3001)], [false, true])
  })

  it("not before a commit is complete, or takes more than ten seconds", () => {
    const pending = Pending.make()
    pending.part(1000)
    pending.part(1500)
    assert.deepStrictEqual([pending.isSettled(11_000), pending.isSettled(11_001)], [false, true])
    pending.commit(commit(2000), ["nftables"])
    assert.isTrue(pending.isSettled(2100))
    assert.deepStrictEqual(pending.take().span, { from: 1000, to: 2000 })
    pending.part(3000)
    pending.lost(3100, ["nftables"])
    assert.isTrue(pending.isSettled(3200))
  })
})
