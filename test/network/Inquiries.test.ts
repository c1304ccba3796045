/** What is asked of which tool, and what becomes of its answer. */
import { assert, describe, it } from "@effect/vitest"
import * as FilterInquiries from "../../src/network/FilterInquiries.ts"
import type { Inquiry } from "../../src/network/Inquiry.ts"
import * as LinkInquiries from "../../src/network/LinkInquiries.ts"
import * as Reservation from "../../src/network/Reservation.ts"
import { type Facts, Finding } from "../../src/network/Snapshot.ts"
import type { Kind } from "../../src/network/StateKind.ts"

/** What is asked for these kinds, and what was found so far. */
const asking = (...kinds: ReadonlyArray<Kind>) => {
  const problems: Array<readonly [kinds: ReadonlyArray<Kind>, problem: string]> = []
  const finding = new Finding(kinds, (kinds, problem) => problems.push([kinds, problem]))
  return { finding, problems, facts: () => plain(finding.facts()) }
}

const plain = (facts: Facts) => Object.fromEntries([...facts].map(([kind, lines]) => [kind, [...lines]]))

const commands = (inquiries: ReadonlyArray<Inquiry>) => inquiries.map(({ argv }) => argv.join(" "))

/** The inquiry whose command begins so. */
const find = (inquiries: ReadonlyArray<Inquiry>, command: string): Inquiry => {
  const found = inquiries.find(({ argv }) => argv.join(" ").startsWith(command))
  if (found === undefined) throw new Error(`nothing asks ${command}`)
  return found
}

const addr = "ip -j -d addr show"
const routing = ["ip -o -4 -batch -", "ip -o -6 -batch -"]
const everySysctl = "grep -rHs  /proc/sys/net"

describe("of links", () => {
  it("is asked what is wanted, on the host and in a container", () => {
    const cases: ReadonlyArray<
      readonly [kinds: ReadonlyArray<Kind>, host: ReadonlyArray<string>, container: ReadonlyArray<string>]
    > = [
      [["links"], [addr], [addr]],
      [["addresses"], [addr], [addr]],
      [["bridge"], [addr], [addr]],
      [["sysctls"], [addr], [everySysctl]],
      [["routes"], routing, routing],
      [["rules"], routing, routing],
      [["neighbours"], routing, routing],
      [["links", "sysctls", "rules"], [addr, ...routing], [addr, everySysctl, ...routing]],
      [["nftables", "iptables", "ipsets", "ipam"], [], []],
      [[], [], []]
    ]
    for (const [kinds, host, container] of cases) {
      assert.deepStrictEqual(commands(LinkInquiries.all(asking(...kinds).finding, true)), host)
      assert.deepStrictEqual(commands(LinkInquiries.all(asking(...kinds).finding, false)), container)
    }
  })

  it("is asked with the kinds that are lost without an answer", () => {
    const { finding } = asking("links", "sysctls", "routes")
    assert.deepStrictEqual(find(LinkInquiries.all(finding, true), "ip -j").kinds, [
      "links",
      "addresses",
      "bridge",
      "sysctls"
    ])
    const inContainer = LinkInquiries.all(finding, false)
    assert.deepStrictEqual(find(inContainer, "ip -j").kinds, ["links", "addresses", "bridge"])
    assert.deepStrictEqual(find(inContainer, "grep").kinds, ["sysctls"])
    assert.isTrue(find(inContainer, "grep").isLenient)
    for (const family of ["-4", "-6"]) {
      assert.deepStrictEqual(find(inContainer, `ip -o ${family}`).kinds, ["routes", "rules", "neighbours"])
    }
  })

  it("all routes, rules and neighbours are asked at once", () => {
    for (const { stdin } of LinkInquiries.all(asking("routes").finding, true)) {
      assert.strictEqual(stdin, "route show table all\nrule show\nneigh show\nneigh show proxy\n")
    }
  })

  it("routes, rules and neighbours are found of each family", () => {
    const { facts, finding } = asking("routes", "rules", "neighbours")
    const [four, six] = LinkInquiries.all(finding, false)
    const lines = "0:\tfrom all lookup local\ndefault dev eth0\nfd00::1 dev eth0 proxy\n"
    assert.deepStrictEqual([four?.take(lines), six?.take(lines)], [[], []])
    assert.deepStrictEqual(facts(), {
      routes: ["default dev eth0", "::/0 dev eth0"],
      rules: ["ip 0: from all lookup local", "ip6 0: from all lookup local"],
      neighbours: ["fd00::1 dev eth0 proxy", "fd00::1 dev eth0 proxy #2"]
    })
  })

  const link = (name: string, kind: string, data: object = {}) => ({
    ifname: name,
    flags: [],
    linkinfo: { info_kind: kind, info_data: data }
  })
  const next = (kinds: ReadonlyArray<Kind>, isHost: boolean, ...links: ReadonlyArray<object>) => {
    const [first] = LinkInquiries.all(asking(...kinds).finding, isHost)
    return commands(first?.take(JSON.stringify(links)) ?? [])
  }

  it("bridges are asked what they forward, where there is a bridge or a tunnel", () => {
    assert.deepStrictEqual(next(["bridge"], true, link("a", "veth")), [])
    assert.deepStrictEqual(next(["bridge"], true, link("a", "bridge_slave"), link("b", "openvswitch_bridge")), [])
    for (const kind of ["bridge", "vxlan"]) {
      assert.deepStrictEqual(next(["bridge"], false, link("a", "veth"), link("b", kind)), ["bridge -j -d fdb show"])
      assert.deepStrictEqual(next(["links"], false, link("b", kind)), [])
    }
  })

  it("bridges are asked for VLANs, where one looks at them", () => {
    assert.deepStrictEqual(next(["bridge"], false, link("br0", "bridge", { vlan_filtering: 1 })), [
      "bridge -j -d fdb show",
      "bridge -j -d vlan show"
    ])
  })

  it("sysctls are asked on the host of each link that is no veth, and of all and default", () => {
    const folders = (link: string) =>
      ["ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"].map((folder) => `/proc/sys/net/${folder}/${link}`)
    assert.deepStrictEqual(next(["sysctls"], true, link("a", "veth"), link("b", "dummy"), link("c", "vethx")), [
      `grep -rHs --exclude-dir=conf --exclude-dir=neigh  /proc/sys/net ${
        ["all", "default", "b", "c"].flatMap(folders).join(" ")
      }`
    ])
    assert.deepStrictEqual(next(["links"], true, link("b", "dummy")), [])
    assert.deepStrictEqual(next(["links", "sysctls"], false, link("b", "dummy")), [])
  })

  it("what bridges say is found", () => {
    const { facts, finding } = asking("links", "addresses", "bridge")
    const [first] = LinkInquiries.all(finding, false)
    const asked = first?.take(JSON.stringify([link("br0", "bridge", { vlan_filtering: 1 })])) ?? []
    const entry = { ifname: "br0", mac: "02:00:00:00:00:07", master: "br0", state: "static" }
    assert.deepStrictEqual(find(asked, "bridge -j -d fdb").take(JSON.stringify([entry])), [])
    assert.deepStrictEqual(find(asked, "bridge -j -d vlan").take(`[{"ifname":"br0","vlans":[{"vlan":1}]}]`), [])
    assert.deepStrictEqual(facts(), {
      links: ["br0 bridge down vlan_filtering 1"],
      addresses: [],
      bridge: ["fdb 02:00:00:00:00:07 dev br0 master br0 static", "vlan 1 dev br0"]
    })
  })

  it("nothing is printed where there is none", () => {
    const { facts, finding, problems } = asking("links")
    assert.deepStrictEqual(LinkInquiries.all(finding, false)[0]?.take("\n"), [])
    assert.deepStrictEqual([facts(), problems], [{ links: [] }, []])
  })

  it("no list is printed where the tool is too old", () => {
    const { facts, finding, problems } = asking("links", "bridge", "routes")
    const [first] = LinkInquiries.all(finding, false)
    const [fdb] = first?.take(JSON.stringify([link("br0", "bridge")])) ?? []
    assert.deepStrictEqual(fdb?.take("{}"), [])
    assert.deepStrictEqual(problems, [[["bridge"], "bridge does not print JSON: iproute2 is too old"]])
    assert.deepStrictEqual(Object.keys(facts()), ["links", "routes"])
    assert.deepStrictEqual(first?.take("1: lo"), [])
    assert.deepStrictEqual(problems[1], [["links"], "ip does not print JSON: iproute2 is too old"])
  })
})

describe("of packet filters", () => {
  it("is asked what is wanted", () => {
    const cases: ReadonlyArray<readonly [kinds: ReadonlyArray<Kind>, commands: ReadonlyArray<string>]> = [
      [["nftables"], ["nft list chains"]],
      [["iptables"], ["nft list chains", "iptables-legacy-save", "ip6tables-legacy-save"]],
      [["ipsets"], ["ipset save"]],
      [["links", "routes"], []]
    ]
    for (const [kinds, expected] of cases) {
      assert.deepStrictEqual(commands(FilterInquiries.all(asking(...kinds).finding)), expected)
    }
  })

  it("is asked of tools whose exit status says whether they succeeded", () => {
    const asked = FilterInquiries.all(asking("nftables", "iptables", "ipsets").finding)
    assert.deepStrictEqual(asked.filter(({ isLenient }) => isLenient === true), [])
  })

  it("is asked where the kernel has any, and with the kinds that are lost without an answer", () => {
    const asked = FilterInquiries.all(asking("nftables", "iptables", "ipsets").finding)
    assert.deepStrictEqual(asked.map(({ argv: [tool], kinds, where }) => [tool, kinds, where]), [
      ["nft", ["nftables", "iptables"], undefined],
      ["iptables-legacy-save", ["iptables"], "/proc/net/ip_tables_names"],
      ["ip6tables-legacy-save", ["iptables"], "/proc/net/ip6_tables_names"],
      ["ipset", ["ipsets"], "/sys/module/ip_set/parameters/max_sets"]
    ])
  })

  const chains = (...tables: ReadonlyArray<string>) => tables.map((table) => `table ${table} {\n}\n`).join("")
  const tablesOf = (...names: ReadonlyArray<string>) => names.map((name) => `nft -s list table ${name}`)
  const after = (kinds: ReadonlyArray<Kind>, ...tables: ReadonlyArray<string>) => {
    const [nft] = FilterInquiries.all(asking(...kinds).finding)
    return commands(nft?.take(chains(...tables)) ?? [])
  }

  it("each table is asked of nft, but those that iptables has made", () => {
    const own = ["filter", "nat", "mangle", "raw", "security"].flatMap((name) => [`ip ${name}`, `ip6 ${name}`])
    const others = ["inet nat", "arp filter", "ip natural", "ip mynat", "ip6 cilium", "ipx nat"]
    const saves = ["iptables-nft-save", "ip6tables-nft-save"]
    assert.deepStrictEqual(after(["nftables", "iptables"], ...own, ...others), [...tablesOf(...others), ...saves])
    assert.deepStrictEqual(after(["iptables"], ...own, ...others), saves)
    assert.deepStrictEqual(after(["nftables"], ...own, ...others), tablesOf(...own, ...others))
    assert.deepStrictEqual(after(["nftables", "iptables"], "ip6 nat"), ["ip6tables-nft-save"])
    assert.deepStrictEqual(after(["nftables", "iptables"]), [])
  })

  it("tables that iptables does not know are asked of nft, and all where it is missing", () => {
    const { facts, finding } = asking("nftables", "iptables")
    const [nft] = FilterInquiries.all(finding)
    const [save] = nft?.take(chains("ip nat", "ip filter")) ?? []
    assert.deepStrictEqual(
      commands(save?.take("*nat\n:own - [0:0]\n# Table `filter' is incompatible, use 'nft' tool.\n") ?? []),
      tablesOf("ip filter")
    )
    assert.deepStrictEqual(facts(), { nftables: [], iptables: ["ip nat -N own"] })
    const [plain] = save?.otherwise?.() ?? []
    assert.deepStrictEqual([plain?.argv, plain?.kinds, plain?.where], [["iptables-save"], ["iptables"], undefined])
    assert.deepStrictEqual(commands(plain?.otherwise?.() ?? []), tablesOf("ip nat", "ip filter"))
  })

  it("a tool that has no backend in its name counts for the one that it says", () => {
    const answers = {
      nft: "# Generated by iptables-nft-save v1.8.7 (nf_tables) on Thu\n*nat\n:nft - [0:0]\n",
      legacy: "# Generated by iptables-save v1.8.7 on Thu\n*nat\n:legacy - [0:0]\n"
    }
    for (const answer of ["nft", "legacy"] as const) {
      const { facts, finding } = asking("iptables")
      const [nft, legacy] = FilterInquiries.all(finding)
      const [save] = nft?.take(chains("ip nat")) ?? []
      for (const asked of [save, legacy]) {
        const [plain] = asked?.otherwise?.() ?? []
        assert.strictEqual(plain?.where, asked?.where)
        plain?.take(answers[answer])
      }
      assert.deepStrictEqual(facts(), { iptables: [answer === "nft" ? "ip nat -N nft" : "legacy ip nat -N legacy"] })
    }
  })

  it("legacy iptables is missing where both of its tools are", () => {
    const [, legacy] = FilterInquiries.all(asking("iptables").finding)
    const [plain] = legacy?.otherwise?.() ?? []
    assert.isUndefined(plain?.otherwise)
  })

  it("iptables of both families is asked where there is no nft, and then is missing without its tools", () => {
    const { finding, problems } = asking("nftables", "iptables")
    const [nft] = FilterInquiries.all(finding)
    const asked = nft?.otherwise?.() ?? []
    assert.deepStrictEqual(commands(asked), ["iptables-nft-save", "ip6tables-nft-save"])
    assert.deepStrictEqual(problems, [[["nftables"], "nft is not on PATH"]])
    assert.isUndefined(asked[0]?.otherwise?.()[0]?.otherwise)
    const alone = asking("nftables")
    assert.deepStrictEqual(FilterInquiries.all(alone.finding)[0]?.otherwise?.(), [])
  })
})

describe("of host-local", () => {
  const inquiry = (folder: string) => Reservation.inquiry(asking("ipam").finding)(folder)

  it("the small files of reservations are asked, and nothing else", () => {
    const { argv, isLenient, kinds } = inquiry("/var/lib/cni/networks")
    assert.deepStrictEqual(
      argv.join(" "),
      "find -L /var/lib/cni/networks/ -mindepth 2 -maxdepth 2 ( -name *.*.*.* -o -name *:* ) -type f -size -9 " +
        "-exec head -v -c 4096 {} +"
    )
    assert.deepStrictEqual([kinds, isLenient], [["ipam"], true])
  })

  it("the folder may be anything, but no name that is too long for a folder", () => {
    const folderOf = (folder: string) => inquiry(folder).argv[2]
    assert.strictEqual(folderOf("/"), "/")
    assert.strictEqual(folderOf("/var//lib/"), "/var/lib/")
    assert.strictEqual(folderOf("/a/../-delete"), "/-delete/")
    const none = "/proc/no-such-folder/"
    assert.strictEqual(folderOf("/a\0b"), none)
    assert.strictEqual(folderOf(`/${"a".repeat(4094)}`), `/${"a".repeat(4094)}/`)
    assert.strictEqual(folderOf(`/${"a".repeat(4095)}`), none)
    assert.strictEqual(folderOf(`/${"é".repeat(2048)}`), none)
  })

  it("who has which address is found, in files with the name of one", () => {
    const file = (path: string, text: string) => `==> ${path} <==\n${text}\n`
    const facts = (...files: ReadonlyArray<string>) => Reservation.lines("/nets", files.join("\n"))
    assert.deepStrictEqual(
      facts(
        file("/nets/one/10.0.0.1", "id\r\neth0"),
        file("/nets/one/FD00::1", " id \n\n"),
        file("/nets/two/::ffff:10.0.0.1", ""),
        file("/nets/two/last_reserved_ip.0.0.0", "x"),
        file("/nets/two/g::1", "x"),
        file("/nets/two/10.0.0.1:", "x"),
        file("/nets/two/x10.0.0.1", "x"),
        file("/nets/two/fd00", "x"),
        file("/nets/a/b/10.0.0.1", "x"),
        file("/other/one/10.0.0.2", "x")
      ),
      ["one 10.0.0.1 id eth0", "one FD00::1 id", "two ::ffff:10.0.0.1"]
    )
    assert.deepStrictEqual(Reservation.lines("/nets", ""), [])
  })
})

describe("what is found", () => {
  it("is of the kinds that are wanted, until one of them fails", () => {
    const { facts, finding, problems } = asking("links", "routes")
    assert.deepStrictEqual([finding.wants("rules"), finding.wants("rules", "routes")], [false, true])
    finding.add("links", ["a"])
    finding.add("rules", ["b"])
    finding.fail(["routes", "rules"], "ip is not on PATH")
    finding.fail(["routes"], "once more")
    finding.add("routes", ["c"])
    assert.isFalse(finding.wants("routes"))
    assert.deepStrictEqual(facts(), { links: ["a"] })
    assert.deepStrictEqual(problems, [[["routes"], "ip is not on PATH"]])
  })

  it("has a number where it is there more than once", () => {
    const { facts, finding } = asking("links", "routes")
    finding.add("links", ["a", "b", "a"])
    finding.add("links", ["a"])
    assert.deepStrictEqual(facts(), { links: ["a", "b", "a #2", "a #3"], routes: [] })
  })
})
