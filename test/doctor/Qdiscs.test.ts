/** The queues of links, out of what tc prints. */
import { assert, describe, it } from "@effect/vitest"
import * as Qdiscs from "../../src/doctor/facts/Qdiscs.ts"

describe("the queues of a host", () => {
  const bucket = { dev: "veth1", kind: "tbf", options: { rate: 1000, burst: 1600 } }

  it("are its token buckets, each with its size", () => {
    const fair = { dev: "eth0", kind: "fq_codel", options: { burst: 1 } }
    assert.deepStrictEqual(Qdiscs.parse(JSON.stringify([fair, bucket])), [{ device: "veth1", burst: 1600 }])
  })

  it("are none where tc prints something else", () => {
    const others = [{ ...bucket, dev: 5 }, { ...bucket, options: {} }, { ...bucket, options: { burst: "1600" } }, 5]
    for (const output of ["", "{", "{}", JSON.stringify(others)]) assert.deepStrictEqual(Qdiscs.parse(output), [])
  })
})
