/** `cni-passthrough watch` says what changes the network of a host, who changes it, and what attachments lose by it. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import type { Change, Event, Flows } from "../../src/watch/Event.ts"
import { describeWith } from "../support/requirements.ts"
import * as Networks from "./support/networks.ts"
import * as Sandbox from "./support/sandbox.ts"
import { setUp } from "./support/wrapped.ts"

const chain = Networks.listOf(
  Networks.bridge,
  { type: "portmap", capabilities: { portMappings: true } },
  { type: "firewall" }
)

const functions = `
${setUp}
${Networks.functions}
mkdir -p /run/watch
watch() { # FLAGS
  cni-passthrough watch --json "$@" > /run/watch/out 2> /run/watch/err &
  W=$!
  until grep -q '^watching the network' /run/watch/err; do kill -0 $W; sleep 0.05; done
}
shows() { # PATTERN: waits until an event has it
  for try in $(seq 2000); do
    if grep -qE -- "$1" /run/watch/out; then return; fi
    kill -0 $W
    sleep 0.05
  done
  echo "no event has $1" >&2
  cat /run/watch/out >&2
  kill -KILL $W
  exit 1
}
ends() { # prints the events
  kill -INT $W
  wait $W || true
  cat /run/watch/out
}
others() { # the tools that run in this network namespace
  for process in /proc/[0-9]*; do
    [ "$(readlink $process/ns/net)" != "$(readlink /proc/self/ns/net)" ] || cat $process/comm 2>/dev/null || true
  done | grep -xE 'nft|ip' || true
}
sysctl -qw net.ipv4.ip_forward=1
`

describeWith(
  ["containernetworking-plugins", "iproute2", "iptables", "nftables"],
  "cni-passthrough watch",
  () => {
    let sandbox: Sandbox.Sandbox
    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
    })
    afterAll(() => sandbox[Symbol.dispose]())

    const printed = (script: string): string =>
      sandbox.runBeside(`${functions}\n${Networks.write({ "10-n.conflist": chain })}\n${script}`)

    /** Runs a script on a host of its own, and reads the events that it prints. */
    const run = (script: string): ReadonlyArray<Event> =>
      printed(script).trim().split("\n").map((line) => JSON.parse(line))

    const changes = (events: ReadonlyArray<Event>) => events.filter((each): each is Change => each.event === "change")
    const flows = (events: ReadonlyArray<Event>) => events.filter((each): each is Flows => each.event === "flows")
    const portsIn = (list: Flows["cuts"] = []) =>
      list.map(({ containerId, flow }) => `${flow} of ${containerId}`).filter((each) => each.startsWith("port "))

    it("names the process that flushes the rules of iptables, and these rules", () => {
      const [change] = changes(run(`
iptables -A FORWARD -s 10.1.0.1 -j DROP
iptables -A FORWARD -s 10.1.0.2 -j DROP
watch
iptables -F
shows '"removed":."ip filter'
ends`))
      assert.deepStrictEqual(change?.by.map(({ name }) => name), ["iptables"])
      assert.deepStrictEqual(change?.changes.host, {
        iptables: {
          added: [],
          removed: ["ip filter -A FORWARD -s 10.1.0.1/32 -j DROP", "ip filter -A FORWARD -s 10.1.0.2/32 -j DROP"]
        }
      })
    })

    it("names the script in which nft flushes the ruleset, and that it is no plugin", () => {
      const [change] = changes(run(`
printf 'table inet t {\\n chain c {\\n type filter hook forward priority 0;\\n ip saddr 10.1.0.1 drop\\n }\\n}\\n' > /run/t.nft
nft -f /run/t.nft
mkfifo /run/commands
printf '#!/bin/bash\\nnft -i < /run/commands > /dev/null\\ntrue\\n' > /run/flush.sh # whose nft stays a while
chmod +x /run/flush.sh
watch
/run/flush.sh &
exec 7> /run/commands
echo 'flush ruleset' >&7
shows '"removed":."chain inet t c'
exec 7>&-
ends`))
      const [author] = change?.by ?? []
      assert.deepStrictEqual(author?.commandLine, ["nft", "-i"])
      assert.deepStrictEqual(author?.parents[0]?.commandLine, ["/bin/bash", "/run/flush.sh"])
      assert.isTrue(author?.isNoPlugin)
      assert.include(change?.changes.host["nftables"]?.removed ?? [], "rule inet t c ip saddr 10.1.0.1 drop")
    })

    it("says which published port a flush cuts, and when it is restored", () => {
      const all = flows(run(`
attach web "$(port 8080)"
iptables-save -t nat > /run/nat
watch
iptables -t nat -F CNI-HOSTPORT-DNAT
shows '"cuts":.[{].*port 8080/tcp'
iptables-restore < /run/nat
shows '"restores":.[{]'
ends`))
      const lost = portsIn(all.flatMap(({ cuts }) => cuts))
      assert.includeMembers(lost, ["port 8080/tcp of web", "port 8080/tcp from the host of web"])
      assert.sameMembers(portsIn(all.flatMap(({ restores }) => restores)), lost)
    })

    it("names the wrapped plugin in whose run links came and went", () => {
      const all = changes(run(`
cni-passthrough wrap > /dev/null
watch
attach web
shows '"links":.*"added":.*"veth[^]]*.,"removed":.[]]'
detach web
shows '"links":.*"removed":."veth'
ends
cni-passthrough unwrap > /dev/null`))
      const during = (side: "added" | "removed") =>
        all.filter(({ changes }) => changes.host["links"]?.[side].some((line) => line.startsWith("veth")))
          .flatMap(({ during = [] }) =>
            during.map(({ command, containerId, plugin }) => [command, plugin, containerId])
          )
      assert.deepInclude(during("added"), ["ADD", "bridge", "web"])
      assert.deepInclude(during("removed"), ["DEL", "bridge", "web"])
    })

    it("reports 10,000 rules that are loaded at once as one event with their number", () => {
      const loads = run(`
{
  printf 'table inet big {\\n chain c {\\n'
  for i in $(seq 10000); do echo "ip saddr 10.$((i / 250)).$((i % 250)).1 tcp dport 80 accept"; done
  printf '}\\n}\\n'
} > /run/big.nft
watch
nft -f /run/big.nft
shows 'inet big'
ends`).filter((event) => JSON.stringify(event).includes("inet big"))
      // A host that is too busy to list them in time has the number from the kernel.
      const numbers = loads.map((event) =>
        event.event === "change"
          ? event.totals["rules"]?.added
          : event.event === "counted"
          ? event.chains["inet big c"]?.added
          : undefined
      )
      assert.deepStrictEqual(numbers, [10_000])
      assert.isAtMost(JSON.stringify(loads).length, 20_000)
    })

    it("finds by looking what the kernel does not report: rules of iptables-legacy, and sysctls", () => {
      const all = changes(run(`
ip link add br9 type bridge
watch
iptables-legacy -A FORWARD -s 10.1.0.1 -j DROP
sysctl -qw net.ipv4.conf.br9.route_localnet=1
shows 'legacy ip filter'
shows 'route_localnet'
ends`))
      const added = all.flatMap(({ changes }) => Object.values(changes.host).flatMap(({ added }) => added))
      assert.includeMembers(added, [
        "legacy ip filter -A FORWARD -s 10.1.0.1/32 -j DROP",
        "net.ipv4.conf.br9.route_localnet = 1"
      ])
      assert.deepStrictEqual(all.flatMap(({ by }) => by), [])
    })

    it("leaves no process behind when it is killed", () => {
      const script = (signal: string) => `
watch
others | sort | tr '\\n' ' '
kill -${signal} $W
wait $W || true
until [ -z "$(others)" ]; do sleep 0.05; done
echo gone`
      for (const signal of ["KILL", "TERM", "INT"]) {
        assert.strictEqual(printed(script(signal)).trim(), "ip nft gone", signal)
      }
    })
  }
)
