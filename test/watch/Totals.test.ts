/** The numbers of what came and went. */
import { assert, describe, it } from "@effect/vitest"
import * as Totals from "../../src/watch/Totals.ts"

describe("the numbers of differences", () => {
  it("are those of each sort of fact, by side", () => {
    assert.deepStrictEqual(
      Totals.of({
        links: { added: ["eth0 veth up"], removed: [] },
        rules: { added: [], removed: ["ip 1: from all", "ip 2: from all"] },
        iptables: {
          added: ["ip nat -N CNI-1", "ip nat -A CNI-1 -j ACCEPT", "ip filter -P FORWARD DROP", "no rule"],
          removed: ["ip filter -P FORWARD ACCEPT"]
        },
        nftables: {
          added: ["table inet cni", "chain inet cni c", "rule inet cni c accept", "ct helper inet fw h type \"ftp\""],
          removed: ["element inet cni s 10.0.0.1"]
        }
      } as never),
      {
        totals: {
          links: { added: 1, removed: 0 },
          "policy rules": { added: 0, removed: 2 },
          chains: { added: 2, removed: 0 },
          rules: { added: 3, removed: 0 },
          policies: { added: 1, removed: 1 },
          tables: { added: 1, removed: 0 },
          "ct helpers": { added: 1, removed: 0 },
          elements: { added: 0, removed: 1 }
        },
        tables: ["ip nat", "ip filter", "inet cni", "inet fw"]
      }
    )
  })

  it("name at most 20 tables", () => {
    const added = Array.from({ length: 21 }, (_, index) => `rule inet t${index} c accept`)
    const { tables, totals } = Totals.of({ nftables: { added, removed: [] } })
    assert.deepStrictEqual([tables.length, tables.at(-1)], [20, "inet t19"])
    assert.deepStrictEqual(totals, { rules: { added: 21, removed: 0 } })
  })

  it("are none of nothing", () => {
    assert.deepStrictEqual(Totals.of({}), { totals: {}, tables: [] })
  })
})
