/** What is left of containers that are gone, as facts tell it. */
import { assert, describe, it } from "@effect/vitest"
import * as Leaks from "../../src/doctor/Leaks.ts"
import * as Host from "./host.ts"

const nobody: Leaks.Life = { addresses: new Set(), mentions: "", ends: new Set(), unread: [], namespaces: [] }

describe("what is left", () => {
  it("says one reason of all that a container has left whose result is still there", () => {
    const facts = Host.facts({ attachment: { sight: { _tag: "Missing" } } })
    const leaks = Leaks.find(facts, nobody)
    assert.deepStrictEqual(
      leaks.map(({ kind, reason }) => `${kind}: ${reason}`),
      ["rule", "result"].map((kind) => `${kind}: /run/netns/web does not exist`)
    )
  })

  describe("of a pair of links whose namespace has no path any more", () => {
    const kinds = (fields: object, ends: ReadonlyArray<string>, mac = "02:00:00:00:00:01") => {
      const other = Host.link("eth7", { index: 13, kind: "veth", peerHere: "veth1", mac })
      const links = [Host.link("uplink"), Host.link("veth1", { index: 12, kind: "veth", ...fields }), other]
      const facts = Host.facts({ outside: { links }, attachment: { sight: { _tag: "Missing" } } })
      return Leaks.find(facts, { ...nobody, ends: new Set(ends) }).map(({ kind }) => kind)
    }

    it("is nothing, as long as the other end is in another namespace", () => {
      assert.deepStrictEqual(kinds({ peer: 2 }, ["veth1"]), [])
    })

    it("is no link where the other end has the index of a link of the host", () => {
      assert.deepStrictEqual(kinds({ peer: 2 }, []), ["rule", "result"])
    })

    it("is the pair too, where both ends are on the host", () => {
      assert.deepStrictEqual(kinds({ peerHere: "eth7" }, []), ["rule", "link", "result"])
    })

    it("is no pair of the host that the container had no end of", () => {
      assert.deepStrictEqual(kinds({ peerHere: "eth7" }, [], "02:00:00:00:00:07"), ["rule", "result"])
    })
  })

  describe("of a container whose result in the cache is damaged", () => {
    const damaged = [{ file: "/var/lib/cni/results/n-c0ffee-eth0", reason: "it is empty" }]
    const facts = (attachments: ReadonlyArray<string> = []) =>
      Host.facts({
        facts: { damaged, all: [], attachments: attachments.map((containerId) => Host.attachment({ containerId })) }
      })
    const left = (of: ReturnType<typeof facts>, life = nobody) =>
      Leaks.find(of, life).filter(({ kind }) => kind === "result").map(({ reason, text }) => `${text}: ${reason}`)

    it("is that file", () => {
      assert.deepStrictEqual(left(facts()), [
        "eth0 of c0ffee in /var/lib/cni/results/n-c0ffee-eth0: it is empty, so each DEL fails"
      ])
    })

    it("is not that file where a process speaks of the container, or another result has it", () => {
      assert.deepStrictEqual(left(facts(), { ...nobody, mentions: "runc init c0ffee" }), [])
      assert.deepStrictEqual(left(facts(["c0ffee"])), [])
    })
  })

  it("says of rules without a result that there is none", () => {
    const leaks = Leaks.find(Host.facts({ facts: { attachments: [], all: [] } }), nobody)
    assert.deepStrictEqual(
      leaks.map(({ kind, reason }) => `${kind}: ${reason}`),
      ["rule: no result and no process of it is there, and no namespace has its address"]
    )
  })
})
