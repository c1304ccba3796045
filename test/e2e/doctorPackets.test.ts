/**
 * What doctor says about flows is what happens to packets: on hosts that were changed at random, packets are sent over
 * each flow. PASSTHROUGH_SEEDS=1-10000 tries other hosts than the 200 of each run.
 */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Esbuild from "esbuild"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import * as Networks from "./support/networks.ts"
import type { Outcome } from "./support/packets/driver.ts"
import * as Sandbox from "./support/sandbox.ts"

const [first = 1, last = first] = (process.env["PASSTHROUGH_SEEDS"] ?? "1-200").split("-").map(Number)

/** How many of the flows doctor may leave open. */
const mostUnknown = 0.1

/** How long all seeds may take, in milliseconds. */
const longest = 60_000 + 20_000 * (last - first + 1)

const ipam = (...subnets: ReadonlyArray<string>) => ({
  type: "host-local",
  ranges: subnets.map((subnet) => [{ subnet }]),
  routes: subnets.map((subnet) => ({ dst: subnet.includes(":") ? "::/0" : "0.0.0.0/0" }))
})

const dns = { nameservers: ["10.99.0.1", "192.0.2.1"] }
const bridge = { type: "bridge", bridge: "cni-n", isGateway: true, ipMasq: true, hairpinMode: true, dns }
const portmap = { type: "portmap", capabilities: { portMappings: true } }

/** The networks that are changed. */
const kinds = {
  bridge: { ...bridge, ipam: ipam("10.99.0.0/24") },
  ptp: { type: "ptp", ipMasq: true, ipam: ipam("10.99.0.0/24"), dns },
  dual: { ...bridge, ipam: ipam("10.99.0.0/24", "fd99::/64") }
} as const

const names = Object.keys(kinds) as ReadonlyArray<keyof typeof kinds>

/** A host whose uplink leads to a router, which answers for the world. */
const script = (kind: keyof typeof kinds, index: number): string => `
${Networks.functions}
ip netns add router
ip link set world netns router
inside router sh -c '
  ip link set lo up; ip link set world up
  ip addr add 192.0.2.1/24 dev world; ip addr add 93.184.216.34/32 dev lo
  ip addr add 2001:db8::1/64 dev world nodad; ip addr add 2606:2800::1/128 dev lo nodad'
ip addr add 2001:db8::2/64 dev uplink nodad
ip -6 route add default via 2001:db8::1
for each in iptables ip6tables; do echo 1 > /proc/sys/net/bridge/bridge-nf-call-$each; done
${Networks.write({ "10-n.conflist": { cniVersion: "1.0.0", name: "n", plugins: [kinds[kind], portmap] } })}
attach web "$(port 8080)"
attach api "$(port 8081)"
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
for family in 4 6; do
  tool=$([ $family = 4 ] && echo iptables || echo ip6tables)
  for table in raw mangle nat filter security; do $tool-save -t $table || printf '*%s\\nCOMMIT\\n' $table; done > /run/saved$family
done
sleep 2.5 # until addresses of IPv6 can be used
/tmp/tools/node /tmp/driver.mjs ${kind} ${first + index} ${names.length} ${last}
`

const bundle = (sandbox: Sandbox.Sandbox, name: string) =>
  Esbuild.buildSync({
    entryPoints: [Path.join(import.meta.dirname, "support/packets", `${name}.ts`)],
    outfile: Path.join(sandbox.tmp, `${name}.mjs`),
    bundle: true,
    platform: "node",
    format: "esm",
    mainFields: ["module", "main"],
    logLevel: "error"
  })

/** What failed, as a person would reproduce it. */
const inWords = ({ commands, flows, seed }: Outcome, kind: string): string =>
  [
    `seed ${seed} (${kind})`,
    ...commands,
    ...flows.map(({ flow, hasArrived, reason, status }) =>
      `  ${flow}: ${status} (${reason}), and ${hasArrived ? "arrived" : "was lost"}`
    )
  ].join("\n")

describeWith(
  ["busybox-static", "containernetworking-plugins", "iproute2", "iptables", "nftables"],
  "what doctor says about the flows of a host that was changed at random",
  () => {
    let sandbox: Sandbox.Sandbox
    let outcomes: ReadonlyArray<Outcome & { readonly kind: string }>
    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      Fs.mkdirSync(Path.join(sandbox.tmp, "tools"))
      Fs.copyFileSync(process.execPath, Path.join(sandbox.tmp, "tools/node"))
      for (const name of ["driver", "agent"]) bundle(sandbox, name)
      names.forEach((kind, index) => Fs.writeFileSync(Path.join(sandbox.tmp, kind), script(kind, index)))
      sandbox.run(
        `cd /tmp
${
          names.map((kind) =>
            `unshare --net --mount --pid --fork --mount-proc bash -euo pipefail ${kind} > ${kind}.out 2> ${kind}.err &`
          ).join("\n")
        }
wait`,
        longest
      )
      outcomes = names.flatMap((kind) => {
        const text = (ending: string) => Fs.readFileSync(Path.join(sandbox.tmp, `${kind}.${ending}`), "utf8")
        const lines = text("out").trim().split("\n").filter((line) => line !== "")
        if (lines.length === 0) throw new Error(text("err"))
        return lines.map((line) => ({ kind, ...JSON.parse(line) as Outcome }))
      })
    }, longest)
    afterAll(() => sandbox[Symbol.dispose]())

    const wrong = (isWrong: (flow: Outcome["flows"][number]) => boolean) =>
      outcomes.flatMap(({ flows, ...outcome }) => {
        const found = flows.filter(isWrong)
        return found.length === 0 ? [] : [inWords({ ...outcome, flows: found }, outcome.kind)]
      })

    it("is of each seed", () => {
      assert.lengthOf(outcomes, last - first + 1)
    })

    it("is no arrival where a packet was lost", () => {
      assert.deepStrictEqual(wrong(({ hasArrived, status }) => status === "arrives" && !hasArrived), [])
    })

    it("is no loss where a packet arrived", () => {
      assert.deepStrictEqual(wrong(({ hasArrived, status }) => status === "dropped" && hasArrived), [])
    })

    it("leaves few of them open", () => {
      const all = outcomes.flatMap(({ flows }) => flows)
      assert.isBelow(all.filter(({ status }) => status === "unknown").length / all.length, mostUnknown)
    })
  }
)
