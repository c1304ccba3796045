/** Which operations of two logs are compared. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../src/operations/Collector.ts"
import type * as Operation from "../../src/operations/Operation.ts"
import * as Pairing from "../../src/operations/Pairing.ts"
import { common, read } from "./records.ts"

/** Operations, each `NETWORK CONTAINER`, one after the other. */
const operations = (...names: ReadonlyArray<string>) =>
  Collector.operations(read(names.map((name, index) => {
    const [network, containerId] = name.split(" ")
    return { ...common(`${index}`, index), network, containerId, event: "request" }
  })))

const nameOf = ({ request: { containerId, network } }: Operation.Operation) => `${network} ${containerId}`

describe("the operations of a log that are compared", () => {
  it("are the newest of each network, of those that are asked for", () => {
    const all = operations("a 1", "b 1", "a 2", "a 3")
    const names = (filter: object) => Pairing.newest(all, filter).map(nameOf)
    assert.deepStrictEqual(names({ command: "ADD" }), ["a 3", "b 1"])
    assert.deepStrictEqual(names({ container: "1" }), ["a 1", "b 1"])
    assert.deepStrictEqual(names({ network: "b" }), ["b 1"])
    assert.deepStrictEqual(names({ command: "DEL" }), [])
  })
})

describe("the operations of two logs", () => {
  const pairs = (left: ReadonlyArray<string>, right: ReadonlyArray<string>) => {
    const { onlyFirst, onlySecond, pairs } = Pairing.make(operations(...left), operations(...right))
    return [pairs.map((pair) => pair.map(nameOf)), onlyFirst.map(nameOf), onlySecond.map(nameOf)]
  }

  it("are paired by their networks, and the rest is told", () => {
    assert.deepStrictEqual(pairs(["a 1", "b 1"], ["b 2", "c 2"]), [[["b 1", "b 2"]], ["a 1"], ["c 2"]])
  })

  it("are a pair where there is one in each, whatever their networks are called", () => {
    assert.deepStrictEqual(pairs(["a 1"], ["b 2"]), [[["a 1", "b 2"]], [], []])
  })
})
