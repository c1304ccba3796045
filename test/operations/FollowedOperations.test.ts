/** When an operation that is followed is drawn. */
import { assert, describe, it } from "@effect/vitest"
import { FollowedOperations } from "../../src/operations/FollowedOperations.ts"
import * as Operation from "../../src/operations/Operation.ts"
import { at, common, read } from "./records.ts"

const second = 1000

/** A log that is followed, in seconds. */
const follow = (isWanted: (operation: Operation.Operation) => boolean = () => true) => {
  const following = new FollowedOperations(isWanted)
  const now = (time: number) => Date.parse(at(time * second))
  const add = (time: number, container: string, members: object) => {
    for (const record of read([{ ...common("", time * second), containerId: container, ...members }])) {
      following.add(record, now(time))
    }
  }
  return {
    /** The request of a tap. */
    begin: (time: number, container: string, label: string, members = {}) =>
      add(time, container, { invocation: `${container}/${label}`, label, event: "request", ...members }),
    end: (time: number, container: string, label: string) =>
      add(time, container, { invocation: `${container}/${label}`, event: "result", durationMs: 1 }),
    fail: (time: number, container: string, label: string) =>
      add(time, container, {
        invocation: `${container}/${label}`,
        event: "error",
        error: { code: 1, msg: "" },
        durationMs: 1
      }),
    /** What is drawn then: `a(` is a head, `)` a foot, and what is between them are steps. */
    due: (time: number) => text(following.due(now(time))),
    rest: () => text(following.rest())
  }
}

const text = (pieces: ReturnType<FollowedOperations["due"]>): string =>
  pieces.map((piece) => {
    if (piece._tag === "Foot") return ")"
    return piece._tag === "Head"
      ? `${piece.operation.request.containerId}(`
      : ` ${piece.operation.steps[piece.index]?.title}`
  }).join("")

/** A log in which an operation of two taps was seen. */
const withHistory = (isWanted?: (operation: Operation.Operation) => boolean) => {
  const log = follow(isWanted)
  log.begin(-100, "old", "one")
  log.end(-100, "old", "one")
  log.begin(-99, "old", "two")
  log.end(-99, "old", "two")
  assert.strictEqual(log.due(0), isWanted === undefined ? "old( one two)" : "")
  return log
}

describe("an operation that is followed", () => {
  it("is drawn as a whole when it has as many steps as the one before it", () => {
    const log = withHistory()
    log.begin(0, "a", "one")
    log.end(0, "a", "one")
    assert.strictEqual(log.due(20), "")
    log.begin(60, "a", "two")
    log.end(90, "a", "two")
    assert.strictEqual(log.due(90.5), "")
    assert.strictEqual(log.due(91), "a( one two)")
    assert.strictEqual(log.due(1000), "")
  })

  it("is drawn after those that ended before it, whichever began first", () => {
    const drawn = (due: (log: ReturnType<typeof withHistory>) => string) => {
      const log = withHistory()
      log.begin(0, "long", "one")
      log.begin(1, "short", "one")
      log.end(2, "short", "one")
      log.begin(3, "short", "two")
      log.end(4, "short", "two")
      log.end(5, "long", "one")
      log.begin(6, "long", "two")
      log.end(7, "long", "two")
      return due(log)
    }
    assert.strictEqual(drawn((log) => log.due(20)), "short( one two)long( one two)")
    assert.strictEqual(drawn((log) => log.rest()), "short( one two)long( one two)")
  })

  it("that a DEL completes at once is drawn after one that ended before it, and may just have ended", () => {
    const log = withHistory()
    log.begin(0, "early", "one")
    log.end(0, "early", "one")
    log.begin(0.5, "early", "two")
    log.end(1, "early", "two")
    log.begin(1.2, "late", "one")
    log.fail(1.5, "late", "one")
    log.begin(1.6, "late", "del", { command: "DEL" })
    log.end(1.6, "late", "del")
    assert.strictEqual(log.due(1.9), "")
    assert.strictEqual(log.due(2), "early( one two)late( one)")
  })

  it("is not split by others that go on meanwhile", () => {
    const log = withHistory()
    log.begin(0, "slow", "one")
    log.end(0, "slow", "one")
    log.begin(1, "b", "one")
    log.end(1, "b", "one")
    log.begin(2, "b", "two")
    log.end(2, "b", "two")
    assert.strictEqual(log.due(4), "b( one two)")
    log.begin(30, "slow", "two")
    log.end(30, "slow", "two")
    assert.strictEqual(log.due(31), "slow( one two)")
  })

  it("of a chain that was never seen is drawn step by step, so that nobody waits and nothing is split", () => {
    const log = follow()
    log.begin(0, "a", "one")
    assert.strictEqual(log.due(2), "")
    log.end(2, "a", "one")
    assert.strictEqual(log.due(3), "a( one")
    log.begin(20, "a", "two")
    assert.strictEqual(log.due(21), "")
    log.end(22, "a", "two")
    assert.strictEqual(log.due(22), " two")
    assert.strictEqual(log.due(51), "")
    assert.strictEqual(log.due(52), ")")
  })

  it("that is drawn step by step does not keep others waiting for long", () => {
    const log = follow()
    log.begin(0, "a", "one")
    log.end(0, "a", "one")
    assert.strictEqual(log.due(1), "a( one")
    log.begin(2, "b", "one")
    log.fail(2, "b", "one")
    assert.strictEqual(log.due(4), "")
    assert.strictEqual(log.due(5), ")b( one)")
  })

  it("that is drawn step by step has five seconds before others are drawn, thirty before its end", () => {
    const withOther = (until: number) => {
      const log = follow()
      log.begin(0, "a", "one")
      log.end(0, "a", "one")
      assert.strictEqual(log.due(0.999), "")
      assert.strictEqual(log.due(1), "a( one")
      log.begin(2, "b", "one")
      log.fail(2, "b", "one")
      return log.due(until)
    }
    assert.strictEqual(withOther(4.999), "")
    assert.strictEqual(withOther(5), ")b( one)")
    const alone = follow()
    alone.begin(0, "a", "one")
    alone.end(0, "a", "one")
    assert.strictEqual(alone.due(29.999), "a( one")
    assert.strictEqual(alone.due(29.999), "")
    assert.strictEqual(alone.due(30), ")")
  })

  it("is waited for as long as it says, to the millisecond", () => {
    const log = (end: (log: ReturnType<typeof withHistory>) => void) => {
      const made = withHistory()
      made.begin(0, "a", "one")
      end(made)
      return made
    }
    const fewer = log(({ end }) => end(0, "a", "one"))
    assert.deepStrictEqual([fewer.due(119.999), fewer.due(120)], ["", "a( one)"])
    const killed = log(() => {})
    assert.deepStrictEqual([killed.due(599.999), killed.due(600)], ["", "a( one)"])
    const failed = log(({ fail }) => fail(0, "a", "one"))
    assert.deepStrictEqual([failed.due(0.999), failed.due(1)], ["", "a( one)"])
  })

  it("that is drawn step by step shows how long others of its chain are", () => {
    const log = follow()
    for (const container of ["a", "b", "c"]) {
      log.begin(0, container, "one")
      log.end(0, container, "one")
    }
    assert.strictEqual(log.due(1), "a( one")
    assert.strictEqual(log.due(5), ")b( one)c( one)")
  })

  it("is complete when something failed, for a runtime goes no further", () => {
    const log = withHistory()
    log.begin(0, "a", "one")
    log.fail(0, "a", "one")
    assert.strictEqual(log.due(1), "a( one)")
  })

  it("is complete when the same attachment has another one", () => {
    const log = withHistory()
    log.begin(0, "a", "one")
    log.begin(1, "a", "one", { command: "DEL", invocation: "del" })
    assert.strictEqual(log.due(1), "a( one)")
  })

  it("whose plugin was killed is drawn in the end", () => {
    const log = follow()
    log.begin(0, "a", "one")
    assert.strictEqual(log.due(500), "")
    assert.strictEqual(log.due(600), "a( one)")
  })

  it("that has fewer steps is waited for, and has failed when nothing more comes", () => {
    const log = withHistory((operation) => Operation.hasFailed(operation))
    log.begin(0, "a", "one")
    log.end(0, "a", "one")
    assert.strictEqual(log.due(119), "")
    assert.strictEqual(log.due(120), "a( one)")
  })

  it("is not waited for any longer when a DEL has told that its chain has become shorter", () => {
    const log = withHistory()
    log.begin(0, "a", "one")
    log.end(0, "a", "one")
    assert.strictEqual(log.due(120), "a( one)")
    log.begin(121, "a", "one", { invocation: "a/del", command: "DEL" })
    log.end(121, "a", "del")
    assert.strictEqual(log.due(200), "a( one)")
    log.begin(200, "b", "one")
    log.end(200, "b", "one")
    assert.strictEqual(log.due(320), "b( one)")
    const failed = withHistory((operation) => Operation.hasFailed(operation))
    failed.begin(0, "a", "one")
    failed.end(0, "a", "one")
    failed.begin(121, "a", "one", { invocation: "a/del", command: "DEL" })
    failed.end(121, "a", "del")
    assert.strictEqual(failed.due(1000), "")
  })

  it("has not failed while it goes on, though others of its chain were longer", () => {
    const log = follow((operation) => Operation.hasFailed(operation))
    for (const [time, container] of [[0, "a"], [1, "b"]] as const) {
      log.begin(time, container, "one")
      log.end(time, container, "one")
    }
    log.begin(1, "a", "two")
    log.end(1, "a", "two")
    for (let time = 2; time < 31; time++) assert.strictEqual(log.due(time), "")
    log.begin(31, "b", "two")
    log.end(31, "b", "two")
    assert.strictEqual(log.due(1000), "")
  })

  it("that stopped is drawn when the DEL after it has gone through all taps", () => {
    const log = withHistory()
    log.begin(0, "a", "one")
    log.end(0, "a", "one")
    log.begin(1, "a", "two", { invocation: "a/del two", command: "DEL" })
    assert.strictEqual(log.due(2), "")
    log.end(2, "a", "del two")
    log.begin(2, "a", "one", { invocation: "a/del one", command: "DEL" })
    log.end(2, "a", "del one")
    assert.strictEqual(log.due(40), "a( one)a( two one)")
  })

  it("is drawn with the runs inside it, which are not drawn for themselves", () => {
    const log = withHistory()
    log.begin(0, "a", "one")
    log.begin(0, "a", "inner", { parent: "a/one" })
    log.fail(0, "a", "inner")
    assert.strictEqual(log.due(100), "")
    log.fail(100, "a", "one")
    assert.strictEqual(log.due(101), "a( one)")
    assert.strictEqual(log.rest(), "")
  })

  it("is drawn once, even where the same records come again", () => {
    const log = withHistory()
    log.begin(-100, "old", "one")
    log.end(-100, "old", "one")
    assert.strictEqual(log.due(1000), "")
  })

  it("that nobody asked for is not drawn, but teaches how long its chain is", () => {
    const log = follow((operation) => operation.request.containerId !== "old")
    log.begin(-100, "old", "one")
    log.end(-100, "old", "one")
    assert.strictEqual(log.due(0), "")
    log.begin(0, "a", "one")
    log.end(0, "a", "one")
    assert.strictEqual(log.due(1), "a( one)")
  })

  it("with times that are not dates, or of the future, is drawn all the same", () => {
    for (const time of ["never", "9999-01-01T00:00:00Z"]) {
      const log = withHistory()
      log.begin(0, "a", "one", { time })
      log.fail(0, "a", "one")
      assert.strictEqual(log.due(1), "a( one)")
    }
  })

  it("is drawn as far as it goes when nothing more will come", () => {
    const log = follow()
    log.begin(0, "a", "one")
    log.end(0, "a", "one")
    assert.strictEqual(log.due(1), "a( one")
    log.begin(1, "a", "two")
    log.begin(1, "b", "one")
    assert.strictEqual(log.rest(), " two)b( one)")
  })
})

describe("an operation of very many steps", () => {
  it("is drawn too", () => {
    const log = follow()
    for (let step = 0; step < 130_000; step++) {
      log.begin(0, "a", `${step}`)
      log.end(0, "a", `${step}`)
    }
    assert.include(log.due(1000) + log.rest(), " 129999")
  })
})
