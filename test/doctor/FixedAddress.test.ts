/** Trials that would take the address of a living container. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type { Facts } from "../../src/doctor/Facts.ts"
import * as FixedAddress from "../../src/doctor/facts/FixedAddress.ts"
import * as ConfigFacts from "./facts.ts"
import * as Host from "./host.ts"

const fixed = { type: "static", addresses: [{ address: "10.99.0.2/24" }] }

const owner = (plugin: object, facts: Partial<Facts> = {}) =>
  FixedAddress.ownerOf({
    ...ConfigFacts.ofFile({ cniVersion: "1.0.0", name: "n", plugins: [{ type: "macvlan", ...plugin }] }),
    all: [Host.attachment()],
    ...facts
  })

describe("a configuration", () => {
  it("that fixes the address of a container is told with it", () => {
    assert.strictEqual(
      owner({ ipam: fixed }),
      "the configuration fixes 10.99.0.2, which eth0 of web has: a trial would cut it off"
    )
    assert.match(owner({ args: { cni: { ips: ["10.99.0.2/24"] } } }) ?? "", /fixes 10\.99\.0\.2/)
    assert.match(owner({}, { capabilityArgs: { ips: ["10.99.0.2/16"] } }) ?? "", /fixes 10\.99\.0\.2/)
  })

  it("that fixes the MAC of a container is told with it", () => {
    assert.match(owner({ mac: "02:00:00:00:00:01".toUpperCase() }) ?? "", /fixes 02:00:00:00:00:01, which eth0 of web/)
    assert.match(owner({}, { capabilityArgs: { mac: "02:00:00:00:00:01" } }) ?? "", /fixes 02:00:00:00:00:01/)
  })

  it("that fixes another address, or that of a container which is gone, may be tried", () => {
    assert.isUndefined(owner({ ipam: { ...fixed, addresses: [{ address: "10.99.0.9/24" }] } }))
    assert.isUndefined(owner({ ipam: { type: "host-local" } }))
    assert.isUndefined(owner({ ipam: fixed }, { all: [Host.attachment({ sight: { _tag: "Missing" } })] }))
    assert.isUndefined(owner({ ipam: fixed }, { all: [Host.attachment({ result: Result.fail("none") })] }))
  })
})
