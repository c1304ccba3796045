/** Which process made which change of the packet filter. */
import { assert, describe, it } from "@effect/vitest"
import * as Attribution from "../../src/watch/Attribution.ts"
import type { Author } from "../../src/watch/Author.ts"
import type { Counts } from "../../src/watch/NftMonitor.ts"

const none: Counts = { added: 0, removed: 0, isChanged: false }

const author = (pid: number, name: string, parent?: number): Author => ({
  pid,
  name,
  parents: parent === undefined ? [] : [{ pid: parent, name: "bash" }],
  isNoPlugin: false
})

const commit = (author: Author | undefined, touched: { readonly [key: string]: Partial<Counts> }) => ({
  time: author?.pid ?? 0,
  author,
  touched: new Map(Object.entries(touched).map(([key, counts]) => [key, { ...none, ...counts }]))
})

/** The processes of each group, and its facts. */
const groups = (
  commits: ReadonlyArray<Attribution.Authored>,
  differences: Parameters<typeof Attribution.of>[2],
  earlier: ReadonlyArray<Attribution.Authored> = []
) =>
  Attribution.of(commits, earlier, differences).map((group) => [
    group.commits.map(({ author }) => author?.pid),
    Object.values(group.differences).flatMap(({ added, removed }) => [...removed, ...added])
  ])

const drop = "ip filter -A FORWARD -s 10.1.0.1/32 -j DROP"
const accept = "ip filter -A FORWARD -s 10.1.0.2/32 -j ACCEPT"

describe("a rule", () => {
  it("belongs to the process that changed its chain", () => {
    const commits = [
      commit(author(1, "iptables"), { "ip filter FORWARD": { added: 1 } }),
      commit(author(2, "nft"), { "inet t c": { added: 1 } })
    ]
    assert.deepStrictEqual(
      groups(commits, {
        nftables: { added: ["rule inet t c accept"], removed: [] },
        iptables: { added: [drop], removed: [] }
      }),
      [[[1], [drop]], [[2], ["rule inet t c accept"]]]
    )
  })

  it("that was removed does not belong to a process that only added others to the chain", () => {
    const commits = [
      commit(author(1, "iptables"), { "ip filter FORWARD": { removed: 1 } }),
      commit(author(2, "firewalld"), { "ip filter FORWARD": { added: 1 } })
    ]
    assert.deepStrictEqual(
      groups(commits, { iptables: { added: [accept], removed: [drop] } }),
      [[[1], [drop]], [[2], [accept]]]
    )
  })

  it("belongs to one of several processes that changed the chain", () => {
    const commits = [
      commit(author(1, "iptables", 9), { "ip filter FORWARD": { added: 1 } }),
      commit(author(2, "iptables", 8), { "ip filter FORWARD": { added: 1 } })
    ]
    const [group] = Attribution.of(commits, [], { iptables: { added: [drop, accept], removed: [] } })
    assert.deepStrictEqual(group?.commits, commits)
    assert.isTrue(Attribution.isAmbiguous(commits))
  })

  it("that one script made with several processes belongs to all of them", () => {
    const commits = [
      commit(author(1, "iptables", 9), { "ip filter FORWARD": { added: 1 } }),
      commit(author(2, "iptables", 9), { "ip filter INPUT": { added: 1 } })
    ]
    const input = "ip filter -A INPUT -j DROP"
    assert.deepStrictEqual(
      groups(commits, { iptables: { added: [drop, input], removed: [] } }),
      [[[1, 2], [drop, input]]]
    )
    assert.isFalse(Attribution.isAmbiguous(commits))
  })

  it("of iptables-legacy belongs to no process, because the kernel does not report its changes", () => {
    const commits = [commit(author(1, "iptables"), { "ip filter FORWARD": { added: 1 } })]
    assert.deepStrictEqual(
      groups(commits, { iptables: { added: [`legacy ${drop}`], removed: [] } }),
      [[[], [`legacy ${drop}`]]]
    )
  })

  it("belongs to a process that made other changes before, if no other process explains it", () => {
    const before = commit(author(1, "iptables"), { "ip filter FORWARD": { added: 1 } })
    const now = commit(author(2, "iptables"), { "ip filter FORWARD": { added: 1 } })
    const differences = { iptables: { added: [drop], removed: [] } }
    assert.deepStrictEqual(groups([now], differences, [before]), [[[2], [drop]]])
    assert.deepStrictEqual(groups([], differences, [before]), [[[1], [drop]]])
  })
})

it("the policy of a chain belongs to the process that changed the chain, and not to one that added rules", () => {
  const commits = [
    commit(author(1, "iptables"), { "ip filter FORWARD": { isChanged: true } }),
    commit(author(2, "firewalld"), { "ip filter FORWARD": { added: 1 } })
  ]
  assert.deepStrictEqual(
    groups(commits, { iptables: { added: ["ip filter -P FORWARD DROP"], removed: [] } }),
    [[[1], ["ip filter -P FORWARD DROP"]]]
  )
})

it("a new chain belongs to the process that made it", () => {
  const commits = [commit(author(1, "iptables"), { "ip filter CNI-ADMIN": { isChanged: true } })]
  assert.deepStrictEqual(
    groups(commits, { iptables: { added: ["ip filter -N CNI-ADMIN"], removed: [] } }),
    [[[1], ["ip filter -N CNI-ADMIN"]]]
  )
})

it("a link belongs to no process", () => {
  const commits = [commit(author(1, "iptables"), { "ip filter FORWARD": { added: 1 } })]
  assert.deepStrictEqual(
    groups(commits, { links: { added: ["d0 dummy up"], removed: [] } }),
    [[[], ["d0 dummy up"]]]
  )
})

describe("rules that came and went again", () => {
  it("are counted, together for one script", () => {
    const commits = [
      commit(author(1, "iptables", 9), { "ip filter INPUT": { added: 1 } }),
      commit(author(2, "iptables", 9), { "ip filter INPUT": { removed: 1 } })
    ]
    const [own = []] = Attribution.withoutTrace(commits, [])
    assert.deepStrictEqual(Attribution.contentOf(own), [["ip filter INPUT", { added: 1, removed: 1 }]])
  })

  it("exclude a commit whose facts are known, or that has no rules", () => {
    const commits = [
      commit(author(1, "iptables"), { "ip filter FORWARD": { added: 1 } }),
      commit(author(2, "iptables"), { "ip filter": { isChanged: true } })
    ]
    const known = Attribution.of(commits, [], { iptables: { added: [drop], removed: [] } })
    assert.deepStrictEqual(Attribution.withoutTrace(commits, known), [])
  })
})
