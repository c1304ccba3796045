/** The tools of this host, in network namespaces of this test's own. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as HostTools from "../../src/exec/HostTools.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { collect } from "../../src/network/SnapshotCollector.ts"
import { between } from "../../src/network/StateDiff.ts"
import { kinds } from "../../src/network/StateKind.ts"
import { temporary } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import * as Namespaces from "./namespaces.ts"

const look = ({ netns, runner }: Namespaces.Namespaces) =>
  collect(kinds, { netns, ipamFolders: [] }).pipe(Effect.provideService(ProcessRunner, runner))

/** A script that gives a backend of iptables this many rules. */
const rules = (count: number): string =>
  ["*filter", ":MANY - [0:0]"].concat(
    Array.from({ length: count }, (_, index) => `-A MANY -p tcp -m tcp --dport ${index + 1} -j RETURN`),
    "COMMIT"
  ).join("\n")

/** The folder of a PATH that has only these programs. */
const folderOf = (programs: ReadonlyArray<string>): string => {
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-path-"))
  for (const program of programs) {
    const file = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map((each) => Path.join(each, program)).find(Fs.existsSync)
    if (file !== undefined) Fs.symlinkSync(file, Path.join(folder, program))
  }
  return folder
}

describeWith(["iproute2", "iptables", "nftables", "ipset"], "the tools of this host", () => {
  it.live("tell one rule more among ten thousand", () =>
    Effect.gen(function*() {
      const namespaces = yield* Namespaces.during(Namespaces.make)
      namespaces.run(`${namespaces.within("host", "iptables-nft-restore")} <<'END'\n${rules(10_000)}\nEND`)
      const before = yield* look(namespaces)
      assert.strictEqual(before.host.get("iptables")?.size, 10_001)
      namespaces.run(namespaces.within("host", "iptables-nft -w -I MANY 5000 -s 10.0.0.1/32 -j DROP"))
      assert.deepStrictEqual(between(before, yield* look(namespaces)), {
        changes: {
          host: { iptables: { added: ["ip filter -A MANY -s 10.0.0.1/32 -j DROP"], removed: [] } }
        }
      })
    }))

  it.live(
    "are cut where a container fills its namespace, are named then, and the others go on",
    () =>
      Effect.gen(function*() {
        const namespaces = yield* Namespaces.during(Namespaces.make)
        const routes = Array.from(
          { length: 250_000 },
          (_, index) => `route add 10.${index >> 16}.${(index >> 8) & 255}.${index & 255} dev lo`
        )
        namespaces.run(`${namespaces.within("container", "ip -batch -")} <<'END'\n${routes.join("\n")}\nEND`)
        const { container, host, notes } = yield* look(namespaces)
        assert.isFalse(container.has("routes"))
        assert.isTrue(container.has("links"))
        assert.isTrue(host.has("routes"))
        assert.match(
          notes.join("\n"),
          /^ip (?:printed too much: a snapshot may read 4 MiB about a container in total|timed out: .*): routes, rules, neighbours are not compared$/
        )
      })
  )

  it.live("have one limit of time, however many of them do not end", () =>
    Effect.gen(function*() {
      const namespaces = yield* Namespaces.during(Namespaces.make)
      using folder = temporary()
      for (const tool of ["ip", "nft", "ipset", "grep", "find", "iptables-nft-save"]) {
        Fs.writeFileSync(`${folder.path}/${tool}`, "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 })
      }
      const tools = HostTools.make({ PATH: `${folder.path}:/usr/sbin:/usr/bin:/sbin:/bin` })
      const started = performance.now()
      const { host, notes } = yield* Effect.provideService(look(namespaces), HostTools.HostTools, tools)
      assert.isBelow(performance.now() - started, 30_000)
      assert.isFalse(host.has("links"))
      assert.match(notes.join(), /^ip timed out: a snapshot may take 3 s in total: links, /)
    }))

  it.live("tell links of a container by names that are no JSON", () =>
    Effect.gen(function*() {
      const namespaces = yield* Namespaces.during(Namespaces.make)
      const { run, within } = namespaces
      run(`${within("container", "ip link add")} name "$(printf 'a\\033"\\377')" type ifb`)
      run(`${within("container", "ip link set")} "$(printf 'a\\033"\\377')" alias "$(printf 'x\\001')"`)
      const { container, notes } = yield* look(namespaces)
      assert.deepStrictEqual(notes, [])
      assert.match([...container.get("links") ?? []].join("\n"), /^a\u001b"\ufffd ifb .* alias "x\\u0001"$/m)
    }))

  it.live("make nothing where there is nothing", () =>
    Effect.gen(function*() {
      const namespaces = yield* Namespaces.during(Namespaces.make)
      yield* look(namespaces)
      for (const place of Namespaces.places) {
        const within = (command: string) => namespaces.run(namespaces.within(place, command))
        assert.strictEqual(within("nft list tables"), "")
        assert.strictEqual(
          within("sh -c 'cat /proc/net/ip_tables_names /proc/net/ip6_tables_names 2>/dev/null || :'"),
          ""
        )
      }
    }))

  it.live("tell of a link in its namespace, wherever it goes", () =>
    Effect.gen(function*() {
      const namespaces = yield* Namespaces.during(Namespaces.make)
      const { container, run, within } = namespaces
      run(within("host", "ip link add moving address 02:00:00:00:00:01 type ifb"))
      const before = yield* look(namespaces)
      run(within("host", `ip link set moving netns ${container}`))
      run(within("container", "ip link set moving name eth0"))
      const words = "ifb down mtu 1500 qlen 32 mac 02:00:00:00:00:01 noarp"
      assert.deepStrictEqual(between(before, yield* look(namespaces)).changes, {
        host: { links: { added: [], removed: [`moving ${words}`] } },
        container: { links: { added: [`eth0 ${words}`], removed: [] } }
      })
    }))

  it.live("are named once where they are not on PATH, and the others go on", () =>
    Effect.gen(function*() {
      const namespaces = yield* Namespaces.during(Namespaces.make)
      const folder = folderOf(["nsenter", "sh", "ip", "grep", "iptables-nft-save", "ip6tables-nft-save"])
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
      const tools = HostTools.make({ PATH: folder })
      const before = yield* Effect.provideService(look(namespaces), HostTools.HostTools, tools)
      namespaces.run(namespaces.within("container", "ip addr add 10.0.0.1/32 dev lo"))
      const { changes, notes } = between(
        before,
        yield* Effect.provideService(look(namespaces), HostTools.HostTools, tools)
      )
      assert.deepStrictEqual(changes, { container: { addresses: { added: ["lo 10.0.0.1/32"], removed: [] } } })
      assert.sameMembers([...notes ?? []], [
        "nft is not on PATH: nftables are not compared",
        "ipset is not on PATH: ipsets are not compared"
      ])
    }))
})

const network = {
  cniVersion: "1.0.0",
  name: "seen",
  type: "bridge",
  bridge: "cni0",
  isGateway: true,
  ipMasq: true,
  ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] }
}

describeWith(["iproute2", "iptables", "nftables", "ipset", "containernetworking-plugins"], "a plugin", () => {
  it.live("is seen to make and to take away what it is for", () =>
    Effect.gen(function*() {
      const namespaces = yield* Namespaces.during(Namespaces.make)
      const dataDir = Fs.mkdtempSync(Path.join(Os.tmpdir(), "passthrough-ipam-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(dataDir, { recursive: true })))
      const lookAlso = () =>
        collect(kinds, { netns: namespaces.netns, ipamFolders: [dataDir] }).pipe(
          Effect.provideService(ProcessRunner, namespaces.runner)
        )
      const config = JSON.stringify({ ...network, ipam: { ...network.ipam, dataDir } })
      const plugin = (verb: string) =>
        namespaces.run(
          `export CNI_COMMAND=${verb} CNI_CONTAINERID=id-1 CNI_IFNAME=eth0 CNI_NETNS=${namespaces.netns}
CNI_PATH=/usr/lib/cni ${namespaces.within("host", "/usr/lib/cni/bridge")} <<'END'\n${config}\nEND`
        )
      const start = yield* lookAlso()
      plugin("ADD")
      const added = yield* lookAlso()
      const { container, host } = between(start, added).changes
      assert.deepStrictEqual(container?.["routes"]?.added, [
        "10.99.0.0/16 dev eth0 proto kernel scope link src 10.99.0.2",
        "default via 10.99.0.1 dev eth0"
      ])
      assert.deepStrictEqual(container?.["addresses"]?.added, ["eth0 10.99.0.2/16 brd 10.99.255.255"])
      assert.match(host?.["links"]?.added[1] ?? "", /^veth\w+ veth up mtu 1500 mac \S+ master cni0$/)
      assert.deepStrictEqual(host?.["ipam"]?.added, ["seen 10.99.0.2 id-1 eth0"])
      assert.include(host?.["sysctls"]?.added ?? [], "net.ipv4.ip_forward = 1")
      assert.isTrue(host?.["iptables"]?.added.some((fact) => fact.startsWith("ip nat -A POSTROUTING -s 10.99.0.2/32 ")))
      plugin("DEL")
      const left = between(start, yield* lookAlso()).changes
      assert.deepStrictEqual(Object.keys(left), ["host"])
      // The bridge stays.
      assert.deepStrictEqual(Object.keys(left.host ?? {}), ["links", "addresses", "routes", "sysctls"])
      assert.notMatch(JSON.stringify(left), /id-1|10\.99\.0\.2|veth/)
    }))
})
