/**
 * `cni-passthrough run` and libcni on the same chains: what one of them has made the other one checks and takes away,
 * and results, cache files and all that is left on the host are the same, no matter which of them did it.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as CniVersion from "../../src/cni/CniVersion.ts"
import * as ResultConversion from "../../src/cni/ResultConversion.ts"
import { describeWith } from "../support/requirements.ts"
import { buildLibcniRun } from "./support/libcni.ts"
import * as Sandbox from "./support/sandbox.ts"

const ipam = (subnet: string) => ({ type: "host-local", ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] })
const bridge = { type: "bridge", bridge: "cni-testing0", isGateway: true, ipMasq: true, ipam: ipam("10.99.0.0/16") }
const ptp = { type: "ptp", ipMasq: true, ipam: ipam("10.98.0.0/16") }
const portmap = { type: "portmap", capabilities: { portMappings: true }, snat: true }
const tap = { type: "passthrough" }

/** The plugins of the networks. The portmap of Debian fails its CHECK where there is no address of IPv6. */
const networks: { readonly [name: string]: ReadonlyArray<object> } = {
  "bridge, portmap and tuning": [bridge, portmap, { type: "tuning", mtu: 1400 }],
  "bridge, portmap and firewall with taps between them": [bridge, tap, portmap, tap, { type: "firewall" }, tap],
  "ptp between taps": [tap, ptp, tap],
  "ptp, bandwidth and portmap": [ptp, { type: "bandwidth", capabilities: { bandwidth: true } }, portmap],
  "bridge of two families and sbr": [
    {
      ...bridge,
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: "10.99.0.0/16" }], [{ subnet: "fd99::/64" }]],
        routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }]
      }
    },
    { type: "sbr" }
  ]
}

const capabilityArgs = JSON.stringify({
  portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
  bandwidth: { ingressRate: 1_000_000, ingressBurst: 1_000_000, egressRate: 1_000_000, egressBurst: 1_000_000 },
  unused: { a: [1, null] }
})

/** Does everything in all four ways, and writes down what there is afterwards. */
const script = (hasCheck: boolean) => `
export CNI_ARGS='IgnoreUnknown=1;K8S_POD_NAME=web' CAP_ARGS='${capabilityArgs}'
ip netns add testing
ours() { cni-passthrough run "$1" /tmp/chain.conflist --netns testing --container-id c1 --cache-dir /tmp/cache; }
libcni() { libcni-run "$1" /tmp/chain.conflist /run/netns/testing c1 eth0 /tmp/cache; }
one() {
  for what in link addr "route show table all" rule "-6 rule"; do echo "# $what"; ip "$@" -o $what; done
  echo "# tc"; tc "$@" qdisc
}
state() {
  echo "## host"; one
  echo "## container"; one -netns testing
  for save in iptables-save ip6tables-save; do echo "## $save"; $save; done
  for file in $(find /var/lib/cni -type f ! -name lock | sort); do echo "## $file"; cat $file; done
}
both() {
  local out=/tmp/out/$1-$2
  mkdir -p $out
  rm -rf /var/lib/cni/* /tmp/cache
  $1 add > $out/result
  cp /tmp/cache/results/testing-net-c1-eth0 $out/cache
  sleep 0.1
  state > $out/attached
  ${hasCheck ? "$2 check 2>/dev/null" : "true"} && echo fine > $out/checked || echo failed > $out/checked
  $2 del
  state > $out/detached
  ls /tmp/cache/results > $out/left
}
rm -rf /tmp/out
both ours ours # what the first one makes and leaves, such as the bridge, is there for all others
for first in ours libcni; do for second in ours libcni; do both $first $second; done; done`

/** Lines that come and go by themselves after a link is up. */
const passing = /fe80::|\bff00::|\banycast\b|^local fd99::1 /

/** What differs from one attachment to the next: addresses of hardware, names and numbers of devices, and counters. */
const normalised = (text: string): string =>
  text
    .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC")
    .replace(/veth[0-9a-f]+/g, "VETH")
    .replace(/\bbwp[0-9a-f]+/g, "IFB")
    .replace(/@(?:if\d+|VETH|eth0)/g, "@PEER")
    .replace(/^\d+: /gm, "")
    .replace(/^# (?:Generated|Completed).*$/gm, "")
    .replace(/^:(\S+ \S+) \[.*\]$/gm, ":$1")
    .replace(/qdisc (\S+) [0-9a-f]+:/g, "qdisc $1")
    .replace(/<\S+>|\bstate \S+|\b(?:tentative|linkdown)\b/g, "")

/** Lines in an order of their own: kernels list devices and routes by numbers that differ. */
const sorted = (text: string): ReadonlyArray<string> =>
  normalised(text).split("\n").filter((line) => !passing.test(line)).map((line) => line.replace(/\s+/g, " ").trim())
    .sort()

const ways = ["ours-ours", "ours-libcni", "libcni-ours", "libcni-libcni"]

const packages = [
  "containernetworking-plugins",
  "golang-go",
  "golang-github-appc-cni-dev",
  "iproute2",
  "iptables"
] as const

describeWith(packages, "cni-passthrough run and libcni", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
    buildLibcniRun(sandbox)
  })
  afterAll(() => sandbox[Symbol.dispose]())

  const read = (way: string, name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", way, name), "utf8")

  for (const [name, plugins] of Object.entries(networks)) {
    for (const cniVersion of ["0.3.1", "0.4.0", "1.0.0"]) {
      if (cniVersion === "0.3.1" && name.includes("firewall")) continue // which does not speak it
      describe(`on a network of ${name}, in version ${cniVersion}`, () => {
        const conflist = JSON.stringify({ cniVersion, name: "testing-net", plugins })
        beforeAll(() => {
          Fs.writeFileSync(Path.join(sandbox.tmp, "chain.conflist"), conflist)
          sandbox.run(script(CniVersion.isAtLeast(cniVersion, "0.4.0")))
        })

        it("give the same result", () => {
          const [first, ...others] = ways.map((way) => JSON.parse(normalised(read(way, "result"))))
          assert.strictEqual(first.cniVersion, cniVersion)
          const addresses = (result: object) =>
            JSON.parse(JSON.stringify(result).replace(/"(?:10\.9[89]|fd99:)[^"]*"/g, "\"ADDRESS\""))
          for (const other of others) assert.deepStrictEqual(addresses(other), addresses(first))
        })

        it("keep the same of it, field by field", () => {
          for (const way of ways) {
            const { netns, result, ...fields } = JSON.parse(read(way, "cache"))
            assert.deepStrictEqual(fields, {
              kind: "cniCacheV1",
              containerId: "c1",
              config: Buffer.from(conflist).toString("base64"),
              ifName: "eth0",
              networkName: "testing-net",
              cniArgs: [["IgnoreUnknown", "1"], ["K8S_POD_NAME", "web"]],
              capabilityArgs: JSON.parse(capabilityArgs)
            })
            assert.deepStrictEqual(result, JSON.parse(read(way, "result")))
            // Debian's libcni is older than this field.
            assert.strictEqual(netns, way.startsWith("ours") ? "/run/netns/testing" : undefined)
          }
        })

        it("make the same links, addresses, routes, rules and leases", () => {
          for (const way of ways) {
            assert.deepStrictEqual(sorted(read(way, "attached")), sorted(read("ours-ours", "attached")))
          }
        })

        it("find the same when they check it", () => {
          const found = name === "ptp between taps" ? "fine\n" : read("ours-ours", "checked")
          for (const way of ways) assert.strictEqual(read(way, "checked"), found)
        })

        it("leave the same behind, whichever made it, and nothing in the cache", () => {
          for (const way of ways) {
            assert.deepStrictEqual(sorted(read(way, "detached")), sorted(read("ours-ours", "detached")))
            assert.strictEqual(read(way, "left"), "")
          }
        })
      })
    }
  }

  it("make the same of results in all versions", () => {
    const results = [
      { cniVersion: "0.1.0", ip4: { ip: "10.1.0.5/16" } },
      {
        cniVersion: "0.2.0",
        ip4: {
          ip: "10.1.0.5/16",
          gateway: "10.1.0.1",
          routes: [{ dst: "0.0.0.0/0" }, { dst: "10.2.0.0/16", gw: "10.1.0.9" }]
        },
        ip6: { ip: "fd00::5/64", gateway: "fd00::1", routes: [{ dst: "::/0" }] },
        dns: { nameservers: ["10.1.0.1"], domain: "a.example", search: ["b"], options: ["ndots:5"] }
      },
      ...["0.3.0", "0.3.1", "0.4.0"].map((cniVersion) => ({
        cniVersion,
        interfaces: [{ name: "cni0", mac: "de:ad:be:ef:00:01" }, { name: "eth0", sandbox: "/run/netns/x" }],
        ips: [
          { version: "4", address: "10.1.0.5/16", gateway: "10.1.0.1", interface: 1 },
          { version: "4", address: "10.3.0.5/16" },
          { version: "6", address: "fd00::5/64", interface: 0 }
        ],
        routes: [{ dst: "0.0.0.0/0", gw: "10.1.0.1" }, { dst: "fd01::/64" }],
        dns: { nameservers: [] }
      })),
      {
        cniVersion: "1.0.0",
        interfaces: [{ name: "eth0", mac: "de:ad:be:ef:00:01", sandbox: "/run/netns/x" }],
        ips: [{ address: "fd00::5/64", interface: 0 }, { address: "10.1.0.5/16", gateway: "10.1.0.1" }],
        routes: [{ dst: "::/0", gw: "fd00::1" }, { dst: "10.2.0.0/16" }],
        dns: { domain: "a.example" }
      },
      { cniVersion: "1.0.0", ips: [{ address: "fd00::5/64" }], routes: [{ dst: "0.0.0.0/0" }] },
      { cniVersion: "1.0.0", interfaces: [{ name: "lo" }] },
      { cniVersion: "0.4.0", ips: "10.0.0.1/8" },
      { cniVersion: "0.4.0", ips: [{ version: "4", address: "10.0.0.1" }] },
      { cniVersion: "0.4.0", ips: [{ version: "4", address: "10.0.0.1/33" }] },
      { cniVersion: "0.4.0", ips: null, dns: null, routes: [] },
      { cniVersion: "0.4.0", routes: [{ dst: "10.0.0.0/8", gw: "here" }] },
      { cniVersion: "0.4.0", dns: { nameservers: [8] } },
      { cniVersion: "0.4.0", code: 11, msg: "later" },
      { cniVersion: "2.0.0" }
    ]
    const versions = CniVersion.supported.filter((version) => version !== "1.1.0")
    const requests = results.flatMap((result) => versions.map((to) => ({ to, result })))
    const answers = ChildProcess.execFileSync(Path.join(sandbox.tmp, "bin/libcni-run"), ["convert"], {
      input: requests.map((request) => JSON.stringify(request)).join("\n"),
      encoding: "utf8"
    }).split("\n")
    /** Members that are empty count as left out: libcni writes an empty `dns`, and leaves out empty lists. */
    const filled = (value: unknown): unknown =>
      JSON.parse(
        JSON.stringify(value, (_, each) =>
          each === null || each === undefined ? undefined : Array.isArray(each) ?
            each.length === 0 ? undefined : each
            : typeof each === "object" && Object.keys(each).length === 0
            ? undefined
            : each)
      )
    const withoutEmpty = (value: unknown): unknown => filled(filled(value))
    for (const [index, { result, to }] of requests.entries()) {
      const ours = ResultConversion.convert(JSON.stringify(result), to)
      const theirs = answers[index] ?? ""
      const message = `${JSON.stringify(result)} in ${to}`
      if (theirs === "") assert.strictEqual(ours._tag, "Failure", message)
      else {
        if (ours._tag === "Failure") throw new Error(`${message}: ${ours.failure}`)
        const { code: _, msg: __, ...known } = JSON.parse(ours.success) // what libcni does not know it drops
        assert.deepStrictEqual(withoutEmpty(known), withoutEmpty(JSON.parse(theirs)), message)
      }
    }
  })

  it("judge the answers of plugins in the same way", () => {
    const answers: { readonly [name: string]: readonly [stdout: string, status: number] } = {
      result: [`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.5/8"}]}`, 0],
      "no version": [`{"ips":[{"address":"10.0.0.5/8"}]}`, 0],
      "an empty version": [`{"cniVersion":"","ips":[]}`, 0],
      "a version that is a number": [`{"cniVersion":1}`, 0],
      "an older version": [`{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.5/8"}]}`, 0],
      "an unknown version": [`{"cniVersion":"7.0.0"}`, 0],
      "addresses that are a string": [`{"cniVersion":"1.0.0","ips":"10.0.0.5/8"}`, 0],
      "an address without a mask": [`{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.5"}]}`, 0],
      "a byte-order mark": ["\uFEFF{}", 0],
      null: ["null", 0],
      nothing: ["", 0],
      text: ["done", 0],
      "a list": ["[]", 0],
      "two documents": ["{} {}", 0],
      "an error with exit status 0": [`{"cniVersion":"1.0.0","code":11,"msg":"later"}`, 0],
      "an error": [`{"cniVersion":"1.0.0","code":11,"msg":"later"}`, 1],
      "a result with exit status 1": [`{"cniVersion":"1.0.0"}`, 1]
    }
    Fs.mkdirSync(Path.join(sandbox.tmp, "plugins"), { recursive: true })
    Fs.writeFileSync(
      Path.join(sandbox.tmp, "plugins/p"),
      "#!/bin/sh\ncat >/dev/null\ncat /tmp/answer\nexit $(cat /tmp/status)\n",
      { mode: 0o755 }
    )
    Fs.writeFileSync(Path.join(sandbox.tmp, "p.conflist"), `{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"p"}]}`)
    const names = Object.keys(answers)
    for (const [index, [stdout, status]] of Object.values(answers).entries()) {
      Fs.writeFileSync(Path.join(sandbox.tmp, `answer-${index}`), stdout)
      Fs.writeFileSync(Path.join(sandbox.tmp, `status-${index}`), String(status))
    }
    const output = sandbox.run(`
export CNI_PATH=/tmp/plugins
for index in $(seq 0 ${names.length - 1}); do
  cp /tmp/answer-$index /tmp/answer; cp /tmp/status-$index /tmp/status
  libcni-run add /tmp/p.conflist /none c1 eth0 /tmp/cache >/tmp/theirs-$index 2>/dev/null && theirs=0 || theirs=1
  cni-passthrough run add /tmp/p.conflist --netns /none --container-id c1 --cache-dir /tmp/cache >/tmp/ours-$index 2>/dev/null && ours=0 || ours=1
  echo "$theirs $ours"
done`)
    for (const [index, name] of names.entries()) {
      const [theirs, ours] = (output.split("\n")[index] ?? "").split(" ")
      assert.strictEqual(ours, theirs, name)
      if (theirs === "1") continue
      const version = (whose: string) =>
        JSON.parse(Fs.readFileSync(Path.join(sandbox.tmp, `${whose}-${index}`), "utf8")).cniVersion
      assert.strictEqual(version("ours"), version("theirs"), name)
    }
  })
})
