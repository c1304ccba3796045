/** What `nft monitor` of nftables 1.0.6 prints, as it was captured. */
import { assert, describe, it } from "@effect/vitest"
import * as TraceTable from "../../src/network/TraceTable.ts"
import type { Said } from "../../src/watch/NftMonitor.ts"
import * as NftMonitor from "../../src/watch/NftMonitor.ts"

const read = (text: string): ReadonlyArray<Said> => {
  const reader = new NftMonitor.Reader(TraceTable.is)
  return text.trim().split("\n").map((line) => reader.line(line))
}

const touchedBy = (text: string) => {
  const last = read(text).at(-1)
  assert.isObject(last)
  const { committer, touched } = last as NftMonitor.Commit
  return { committer, touched: Object.fromEntries(touched) }
}

describe("the lines of a commit", () => {
  it("are counted by chain, and belong to the process that its last line names", () => {
    assert.deepStrictEqual(
      touchedBy(`
add table ip filter # handle 1
add chain ip filter FORWARD { type filter hook forward priority filter; policy accept; } # handle 1
add rule ip filter FORWARD ip saddr 10.0.0.1  counter packets 0 bytes 0 accept # handle 2
# new generation 2 by process 24084 (iptables)`),
      {
        committer: { pid: 24084, name: "iptables" },
        touched: {
          "ip filter": { added: 0, removed: 0, isChanged: true },
          "ip filter FORWARD": { added: 1, removed: 0, isChanged: true }
        }
      }
    )
  })

  it("do not belong to the next commit too", () => {
    assert.deepStrictEqual(
      touchedBy(`
delete rule ip filter FORWARD handle 2
# new generation 9 by process 24103 (iptables)
delete element inet t s { 10.0.0.2 }
# new generation 15 by process 24112 (nft)`).touched,
      { "inet t s": { added: 0, removed: 1, isChanged: false } }
    )
  })

  it("count rules that replace others", () => {
    assert.deepStrictEqual(
      touchedBy("replace rule inet t c handle 4 accept\n# new generation 3 by process 5 (nft)").touched,
      { "inet t c": { added: 1, removed: 1, isChanged: false } }
    )
  })

  it("count a flush of everything", () => {
    assert.deepStrictEqual(
      touchedBy(`
delete chain ip filter FORWARD
delete table ip filter # handle 1
delete rule ip nat POSTROUTING handle 2
delete chain ip nat POSTROUTING
delete table ip nat # handle 2
# new generation 16 by process 24113 (nft)`).touched["ip nat POSTROUTING"],
      { added: 0, removed: 1, isChanged: true }
    )
  })
})

describe("the name of a process", () => {
  it("may have spaces and parentheses", () => {
    assert.deepStrictEqual(
      touchedBy("add table inet t # handle 3\n# new generation 4 by process 7 (tmux: (server))").committer,
      { pid: 7, name: "tmux: (server)" }
    )
  })

  it("is unknown if the kernel or nft is too old to report it", () => {
    assert.isUndefined(touchedBy("add table inet t # handle 3\n# new generation 4").committer)
  })
})

it("says that events were lost", () => {
  assert.deepStrictEqual(read("# ERROR: We lost some netlink events!"), ["lost"])
})

describe("the table of a trace", () => {
  const own = `add table inet ${TraceTable.nameOf(4711)} { flags owner; } # handle 9`

  it("is ignored", () => {
    assert.deepStrictEqual(read(`${own}\n# new generation 4 by process 7 (nft)`), [undefined, undefined])
  })

  it("does not hide what else was changed", () => {
    assert.deepStrictEqual(
      touchedBy(`${own}\nadd table inet t # handle 3\n# new generation 4 by process 7 (nft)`).touched,
      { "inet t": { added: 0, removed: 0, isChanged: true } }
    )
  })
})
