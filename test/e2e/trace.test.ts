/** `cni-passthrough trace` with real packets: it names what drops a packet, and leaves nothing behind. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Transcript from "../docs/transcript.ts"
import { describeWith } from "../support/requirements.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

const network = (name: string, subnet: string, firewall: object = {}) =>
  JSON.stringify({
    cniVersion: "1.0.0",
    name,
    plugins: [
      {
        type: "bridge",
        bridge: `cni-${name}`,
        isGateway: true,
        ipMasq: true,
        ipam: { type: "host-local", ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] }
      },
      { type: "portmap", capabilities: { portMappings: true } },
      { type: "firewall", ...firewall }
    ]
  })

/** A host with an uplink to a host that listens, and pods on a bridge. */
const host = `
rm -rf /var/lib/cni/*
mkdir -p /tmp/out /run/lock
iptables() { iptables-nft "$@"; }
for filter in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 > $filter; done
ip netns add world
ip link add up0 type veth peer name w0 netns world
ip addr add 192.0.2.2/24 dev up0
ip link set up0 up
ip -n world addr add 192.0.2.1/24 dev w0
ip -n world link set w0 up
ip route add default via 192.0.2.1
add() { # NAME PORT [NETWORK]
  ip netns add $1
  cni-passthrough run add \${3:-n} --netns $1 --container-id id-of-$1 \\
    --args "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=$1" \\
    --capability-args "{\\"portMappings\\":[{\\"hostPort\\":$2,\\"containerPort\\":80,\\"protocol\\":\\"tcp\\"}]}" >/dev/null
  ip -n $1 link set lo up
}
listen() { ip netns exec $1 busybox nc -ll -p $2 -e /bin/echo hello & } # NAMESPACE PORT
settle() { # NAMESPACE PORT: waits until it listens
  until ip netns exec $1 ss -Hltn "sport = :$2" | grep -q .; do sleep 0.1; done
}
trace() { # NAME ARGUMENT…
  local name=$1 status=0
  shift
  cni-passthrough trace "$@" > /tmp/out/$name 2> /tmp/out/$name.err || status=$?
  echo $status > /tmp/out/$name.status
}
ours() { for table in $(nft list tables; ip netns exec web nft list tables); do echo $table; done | grep -c trace || true; }
`

const packages = ["containernetworking-plugins", "iproute2", "iptables", "nftables", "busybox-static"] as const

describeWith(packages, "cni-passthrough trace", () => {
  let sandbox: Sandbox.Sandbox
  const text = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")
  /** How it ended: the lines from there to the next step, and the exit status. */
  const end = (name: string) => {
    const lines = text(name).trimEnd().split("\n")
    const at = lines.findIndex((line) => /^[✓✗?]/.test(line))
    assert.isAtLeast(at, 0, `${text(name)}${text(`${name}.err`)}`)
    const next = lines.indexOf("", at)
    return { status: Number(text(`${name}.status`)), lines: lines.slice(at, next < 0 ? undefined : next) }
  }
  const unwritten = "  no log names who wrote it; cni-passthrough watch names who changes rules from now on"

  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
    const conf = Path.join(sandbox.tmp, "etc-cni/net.d")
    Fs.writeFileSync(Path.join(conf, "10-n.conflist"), network("n", "10.99.0.0/24"))
    const isolated = { ingressPolicy: "same-bridge" }
    Fs.writeFileSync(Path.join(conf, "20-one.conflist"), network("one", "10.98.1.0/24", isolated))
    Fs.writeFileSync(Path.join(conf, "30-two.conflist"), network("two", "10.98.2.0/24", isolated))
  })
  afterAll(() => sandbox[Symbol.dispose]())

  describe("a packet that a rule drops", () => {
    beforeAll(() => {
      sandbox.run(`${host}
add web 8080
add other 8081
listen world 9000; listen web 80; listen other 80
settle world 9000; settle web 80; settle other 80
out="--pod shop/web --to 192.0.2.1:9000"
nft add table inet own
nft 'add chain inet own leaving { type filter hook postrouting priority 10; }'
nft 'add chain inet own through { type filter hook forward priority 10; }'
nft add table bridge own
nft 'add chain bridge own through { type filter hook forward priority 10; }'

iptables -I FORWARD -s 10.99.0.2 -p tcp --dport 9000 -j DROP
trace forward $out
iptables -D FORWARD 1
nft add rule inet own through ip daddr 192.0.2.1 counter drop
trace inet $out
nft flush chain inet own through
iptables -t raw -A PREROUTING -s 10.99.0.2 -p tcp --dport 9000 -j DROP
trace raw $out
iptables -t raw -F
nft add rule inet own leaving ip daddr 192.0.2.1 drop
trace postrouting $out
nft flush chain inet own leaving
iptables -A INPUT -s 10.99.0.2 -p tcp --dport 22 -j REJECT
trace input --pod shop/web --to 10.99.0.1:22
iptables -F INPUT
iptables -A OUTPUT -d 10.99.0.2 -p tcp --dport 80 -j DROP
trace output --pod shop/web --from host --port 80
iptables -F OUTPUT
ip netns exec web iptables-nft -P OUTPUT DROP
trace inside $out
ip netns exec web iptables-nft -P OUTPUT ACCEPT
nft add rule bridge own through ip daddr 10.99.0.3 drop
trace bridge --pod shop/web --to 10.99.0.3:80
nft flush chain bridge own through
iptables -I FORWARD -d 10.99.0.2 -p tcp --sport 9000 -j DROP
trace answer $out
iptables -D FORWARD 1
iptables-legacy -A FORWARD -s 10.99.0.2 -p tcp --dport 9000 -j DROP
trace legacy $out --timeout 1s
iptables-legacy -F
`)
    })

    const drops: ReadonlyArray<readonly [what: string, name: string, lines: ReadonlyArray<string>]> = [
      ["in FORWARD of iptables", "forward", [
        "✗ dropped by ip filter FORWARD: -s 10.99.0.2/32 -p tcp -m tcp --dport 9000 -j DROP",
        "  in host, hook forward"
      ]],
      ["in a table of nftables", "inet", [
        "✗ dropped by inet own through: ip daddr 192.0.2.1 counter drop",
        "  in host, hook forward"
      ]],
      ["in PREROUTING of the table raw", "raw", [
        "✗ dropped by ip raw PREROUTING: -s 10.99.0.2/32 -p tcp -m tcp --dport 9000 -j DROP",
        "  in host, hook prerouting"
      ]],
      ["at postrouting", "postrouting", [
        "✗ dropped by inet own leaving: ip daddr 192.0.2.1 drop",
        "  in host, hook postrouting"
      ]],
      ["in INPUT of the host, by rejecting it", "input", [
        "✗ dropped by ip filter INPUT: -s 10.99.0.2/32 -p tcp -m tcp --dport 22 -j REJECT --reject-with icmp-port-unreachable",
        "  in host, hook input"
      ]],
      ["in OUTPUT of the host", "output", [
        "✗ dropped by ip filter OUTPUT: -d 10.99.0.2/32 -p tcp -m tcp --dport 80 -j DROP",
        "  in host, hook output"
      ]],
      ["in the namespace of the container, by a policy", "inside", [
        "✗ dropped by ip filter OUTPUT: policy drop",
        "  in shop/web, hook output"
      ]],
      ["in a table of the bridge", "bridge", [
        "✗ dropped by bridge own through: ip daddr 10.99.0.3 drop",
        "  in host, hook forward"
      ]]
    ]
    for (const [what, name, lines] of drops) {
      it(`${what} ends with the rule and its place`, () => {
        assert.deepStrictEqual(end(name), { status: 1, lines: [...lines, unwritten] })
      })
    }

    it("leads to doctor", () => {
      assert.strictEqual(
        text("forward").trimEnd().split("\n").at(-1),
        "next: cni-passthrough doctor --container-id id-of-web, which may know a fix"
      )
    })

    it("that is the answer also ends with the rule", () => {
      assert.deepStrictEqual(end("answer"), {
        status: 1,
        lines: [
          "✗ the answer was dropped by ip filter FORWARD: -d 10.99.0.2/32 -p tcp -m tcp --sport 9000 -j DROP",
          "  in host, hook forward",
          unwritten
        ]
      })
    })

    it("of iptables-legacy, which cannot be traced, ends with a prediction", () => {
      assert.include(
        text("legacy"),
        "note: rules of iptables-legacy in host are not traced: what they do is predicted\n"
      )
      assert.deepStrictEqual(end("legacy"), {
        status: 1,
        lines: [
          "✗ ended in host after prerouting, and no traced rule dropped it",
          "  predicted: iptables-legacy drops it in the table filter of host: " +
          "-A FORWARD -s 10.99.0.2/32 -p tcp -m tcp --dport 9000 -j DROP",
          "  │ rules of iptables-legacy are not traced"
        ]
      })
    })
  })

  describe("a packet that no rule drops", () => {
    beforeAll(() => {
      sandbox.run(`${host}
add web 8080
out="--pod shop/web --to 192.0.2.1:9000 --timeout 1s"
ip -n web neigh flush dev eth0
ip route add 10.99.0.2/32 dev up0
echo 1 > /proc/sys/net/ipv4/conf/cni-n/rp_filter
trace cold --pod shop/web --to 192.0.2.1:9000
echo 0 > /proc/sys/net/ipv4/conf/cni-n/rp_filter
ip route del 10.99.0.2/32
trace warm $out
mac=$(ip -j link show cni-n | sed 's/.*"address":"\\([^"]*\\)".*/\\1/')
ip -n web neigh replace 10.99.0.1 lladdr $mac dev eth0 nud permanent
ip route add 10.99.0.2/32 dev up0
echo 1 > /proc/sys/net/ipv4/conf/cni-n/rp_filter
trace reverse $out
echo 0 > /proc/sys/net/ipv4/conf/cni-n/rp_filter
ip route del 10.99.0.2/32
ip route del default
trace route --pod shop/web --to 198.51.100.1:80/udp --timeout 1s
ip route add default via 192.0.2.1
ip -n web route del default
trace routeless --pod shop/web --to 198.51.100.1:80
ip -n web route add default via 10.99.0.1
trace neighbour --pod shop/web --to 192.0.2.77:80
echo 0 > /proc/sys/net/ipv4/conf/cni-n/forwarding
trace forwarding $out
echo 1 > /proc/sys/net/ipv4/conf/cni-n/forwarding
ip route add blackhole 198.51.100.0/24
trace blackhole --pod shop/web --to 198.51.100.1:80/udp --timeout 1s
`)
    })

    const causes: ReadonlyArray<readonly [what: string, name: string, lines: ReadonlyArray<RegExp>]> = [
      ["but the filter by the reverse path", "reverse", [
        /^✗ ended in host after prerouting, and no traced rule dropped it$/,
        /^ {2}predicted: rp_filter of cni-n in host refuses it: its route back to 10.99.0.2 leads by up0, not by cni-n$/,
        /^ {2}│ the counter TcpExtIPReversePathFilter of host rose by \d$/,
        /^ {2}│ net.ipv4.conf.\{all,cni-n\}.rp_filter = 0, 1$/
      ]],
      ["but the filter by the reverse path, which silences ARP too", "cold", [
        /^✗ ended in shop\/web after postrouting, and no traced rule dropped it$/,
        /^ {2}predicted: rp_filter of cni-n in host refuses it: its route back to 10.99.0.2 leads by up0, not by cni-n$/,
        /^ {2}│ net.ipv4.conf.\{all,cni-n\}.rp_filter = 0, 1$/,
        /^ {2}│ the neighbour 10.99.0.1 on eth0 does not answer shop\/web$/,
        /^ {2}│ ip neigh show to 10.99.0.1 dev eth0: (?:FAILED|INCOMPLETE)$/
      ]],
      ["but the host has no route", "route", [
        /^✗ ended in host after prerouting, and no traced rule dropped it$/,
        /^ {2}predicted: host has no route to 198.51.100.1$/,
        /^ {2}│ the counter IpExtInNoRoutes of host rose by 1$/
      ]],
      ["but the container has no route", "routeless", [
        /^✗ did not leave shop\/web, and no traced rule dropped it$/,
        /^ {2}predicted: shop\/web has no route to 198.51.100.1$/,
        /^ {2}│ ip route get 198.51.100.1: Network is unreachable$/
      ]],
      ["but whose neighbour does not answer", "neighbour", [
        /^✗ ended in host after postrouting, and no traced rule dropped it$/,
        /^ {2}predicted: the neighbour 192.0.2.77 on up0 does not answer host$/,
        /^ {2}│ ip neigh show to 192.0.2.77 dev up0: (?:FAILED|INCOMPLETE)$/
      ]],
      ["but the host does not forward", "forwarding", [
        /^✗ ended in host after prerouting, and no traced rule dropped it$/,
        /^ {2}predicted: host does not forward what arrives on cni-n$/,
        /^ {2}│ the counter IpInAddrErrors of host rose by \d$/
      ]],
      ["but a blackhole takes", "blackhole", [
        /^✗ ended in host after prerouting, and no traced rule dropped it$/,
        /^ {2}predicted: host has a blackhole route to 198.51.100.1$/
      ]]
    ]
    for (const [what, name, lines] of causes) {
      it(`${what} ends with a prediction and its evidence`, () => {
        const { lines: found, status } = end(name)
        assert.strictEqual(status, 1)
        for (const [index, line] of lines.entries()) assert.match(found[index] ?? "", line)
      })
    }
  })

  describe("a packet that arrives", () => {
    beforeAll(() => {
      sandbox.run(`${host}
add web 8080
add other 8081
listen world 9000; listen web 80; listen other 80
settle world 9000; settle web 80; settle other 80
trace out --pod shop/web --to 192.0.2.1:9000
trace published --pod shop/other --to 192.0.2.2:8080
trace refused web --to 10.99.0.3:81 --report /tmp/trace.html
# A tunnel takes datagrams and answers none.
ip -n other link add tunnel type vxlan id 1 dstport 81 local 10.99.0.3 dev eth0
ip -n other link set tunnel up
trace silent --container-id id-of-web --to 10.99.0.3:81/udp --timeout 1s --json
ip netns exec world nft 'add table ip own; add chain ip own in { type filter hook input priority 0; }; add rule ip own in udp dport 9 drop'
trace left --netns web --to 192.0.2.1:9/udp --timeout 1s --json
trace many web --to 192.0.2.1:9000 --count 2 --json
( # again and again, as nothing shows when it begins to listen to the kernel
  until [ -e /tmp/out/waited.status ]; do
    ip netns exec world busybox nc 192.0.2.2 8080 < /dev/null > /dev/null
    sleep 1
  done
) &
trace waited --pod shop/web --port 8080
wait $!
trace nothing --pod shop/web --port 9999 --timeout 1s
`)
    })

    it("shows each hook, rule and change by nat, and the path of its answer", () => {
      const lines = text("out").replaceAll(/veth[\da-f]+/g, "veth").replaceAll(/:[45]\d{4}/g, ":PORT").split("\n")
      const seen = lines.map((line) => line.replaceAll(/ +/g, " ").trim())
      assert.match(
        seen[0] ?? "",
        /^adds the table inet cni-passthrough-trace-\d+ to shop\/web, host; it is removed when this command ends$/
      )
      assert.includeMembers(seen, [
        "shop/web sends tcp from 10.99.0.2:PORT to 192.0.2.1:9000",
        "→ packet from 10.99.0.2:PORT: tcp syn, 60 bytes",
        "shop/web output eth0",
        "host ingress veth",
        "host forward cni-n → up0",
        "jump ip filter FORWARD: -j CNI-FORWARD",
        "accept ip filter CNI-FORWARD: -s 10.99.0.2/32 -j ACCEPT",
        "nat source is now 192.0.2.2:PORT",
        "← answer from 192.0.2.1:9000: tcp syn ack, 60 bytes",
        "nat destination is now 10.99.0.2:PORT",
        "shop/web input eth0"
      ])
      assert.deepStrictEqual(end("out"), { status: 0, lines: ["✓ arrived, and was answered"] })
    })

    it("at a published port of another pod shows the path in both namespaces", () => {
      const seen = text("published").replaceAll(/ +/g, " ")
      assert.include(seen, "destination is now 10.99.0.2:80\n")
      assert.include(seen, "\n shop/web input eth0\n")
      assert.deepStrictEqual(end("published"), { status: 0, lines: ["✓ arrived in shop/web, and was answered"] })
    })

    it("is a report too, which has its path and its end", () => {
      const html = Fs.readFileSync(`${sandbox.tmp}/trace.html`, "utf8")
      const [, data = ""] = /<script type="application\/json" id="report">(.*)<\/script>/.exec(html) ?? []
      const { traces: [trace, ...others] } = JSON.parse(data)
      assert.match(trace.title, /^shop\/web sends tcp from 10\.99\.0\.2:\d+ to 10\.99\.0\.3:81$/)
      assert.include(trace.path.join("\n").replaceAll(/ +/g, " "), "\n shop/other input eth0\n")
      assert.match(trace.end[0], /^✓ arrived in shop\/other, and was refused there/)
      assert.deepStrictEqual([trace.state, others], ["good", []])
    })

    it("where nothing listens is reported as refused", () => {
      const { lines, status } = end("refused")
      assert.strictEqual(status, 0)
      assert.match(lines[0] ?? "", /^✓ arrived in shop\/other, and was refused there: /)
    })

    it("at a published port is waited for, and shown with its answer", () => {
      const seen = text("waited").replaceAll(/ +/g, " ")
      assert.include(seen, "waits up to 60 s for tcp to port 80 of shop/web, or to port 8080 of the host\n")
      assert.include(seen, "destination is now 10.99.0.2:80\n")
      assert.deepStrictEqual(end("waited"), { status: 0, lines: ["✓ arrived in shop/web, and was answered"] })
    })

    it("is not claimed if none came", () => {
      assert.deepStrictEqual(end("nothing"), { status: 2, lines: ["? no packet came within 1 s"] })
    })

    it("is one JSON document, with each packet that was sent", () => {
      const { places, traces } = JSON.parse(text("many"))
      assert.deepStrictEqual(places, ["shop/web", "host"])
      assert.strictEqual(traces.length, 2)
      for (const { hops, outcome } of traces) {
        assert.strictEqual(outcome.end, "arrived")
        assert.deepInclude(
          hops.map(({ chain, place, rule, verdict }: Record<string, string>) => ({ chain, place, rule, verdict })),
          {
            chain: "CNI-FORWARD",
            place: "host",
            rule: "-A CNI-FORWARD -s 10.99.0.2/32 -j ACCEPT",
            verdict: "accept"
          }
        )
      }
    })

    it("is only said to have left the host if nothing comes back", () => {
      const { traces: [{ outcome }] } = JSON.parse(text("left"))
      assert.deepInclude(outcome, { end: "left", link: "up0", place: "host" })
    })

    it("is said to have passed input at a receiver that does not answer", () => {
      const { traces: [{ outcome }] } = JSON.parse(text("silent"))
      assert.deepInclude(outcome, { end: "arrived", proof: "delivered", place: "shop/other" })
    })
  })

  it("names the plugin that wrote the rule, its container, and when, as its page shows", () => {
    const [[step] = []] = Transcript.sessions("docs/trace.md")
    sandbox.run(`${Wrapped.setUp}${host}
cni-passthrough wrap --changes >&2
add api 8080 one
add db 8081 two
${step?.command.replace("cni-passthrough trace", "trace author")}
`)
    assert.strictEqual(Number(text("author.status")), 1)
    const printed = text("author").trimEnd().replaceAll(/trace-\d+/g, "trace-1234").replaceAll(
      /:[45]\d{4}\b/g,
      ":43490"
    ).replaceAll(/\b\d{4}-\d\d-\d\d\b/g, "2026-11-30")
    assert.isUndefined(Transcript.missing(step?.output ?? ["a session"], printed.split("\n")))
  })

  it("leaves nothing behind, however it ends", () => {
    const left = sandbox.run(`${host}
add web 8080
for signal in INT TERM KILL; do
  cni-passthrough trace --pod shop/web --port 99 > /dev/null 2>&1 &
  trace=$!
  until [ $(ours) = 2 ]; do sleep 0.1; done
  before=$(ours)
  kill -$signal $trace
  wait $trace || true
  until [ $(pgrep -c nft || true) = 0 ]; do sleep 0.1; done
  echo $signal: $before tables, then $(ours), and $(pgrep -c nft || true) processes
done
`)
    assert.deepStrictEqual(
      left.trim().split("\n"),
      ["INT", "TERM", "KILL"].map((signal) => `${signal}: 2 tables, then 0, and 0 processes`)
    )
  })

  it("traces no packets of other flows", () => {
    const others = sandbox.run(`${host}
add web 8080
add other 8081
listen world 9000; listen world 9001
settle world 9000; settle world 9001
nft -a monitor trace > /tmp/out/monitor &
monitor=$!
(while true; do
  ip netns exec other busybox nc 192.0.2.1 9000 < /dev/null
  ip netns exec web busybox nc 192.0.2.1 9001 < /dev/null
done > /dev/null 2>&1) &
traffic=$!
trace one --pod shop/web --to 192.0.2.1:9000 --count 3
kill $traffic
sleep 0.5
kill $monitor
grep packet: /tmp/out/monitor | grep -vc 'ip saddr 10.99.0.2 ip daddr 192.0.2.1 .*dport 9000\\|saddr 192.0.2.1 .*sport 9000\\|saddr 192.0.2.2 ip daddr 192.0.2.1 .*dport 9000' || true
grep -c 'saddr 10.99.0.3' /tmp/out/monitor || true
grep -c packet: /tmp/out/monitor | sed 's/^[1-9].*/some of its own/'
`)
    assert.deepStrictEqual(others.trim().split("\n"), ["0", "0", "some of its own"])
  })

  it("says at once what it needs and does not have", () => {
    sandbox.run(`${host}
mkdir /tmp/few
for tool in cat env ip sh nsenter node; do ! file=$(type -p $tool) || ln -s $file /tmp/few/$tool; done

command=$(type -p cni-passthrough)
PATH=/tmp/few $command trace --from host --to 192.0.2.1:80 2> /tmp/out/nft || echo $? > /tmp/out/nft.status
setpriv --reuid 65534 --clear-groups --bounding-set=-all --inh-caps=-all $command trace --from host --to 192.0.2.1:80 \\
  2> /tmp/out/rights || echo $? > /tmp/out/rights.status
`)
    assert.match(text("nft"), /^error: packets cannot be traced in the network namespace of host: nft is not on PATH/)
    assert.match(text("rights"), /Operation not permitted: this needs root/)
    assert.deepStrictEqual(["nft", "rights"].map((name) => text(`${name}.status`)), ["2\n", "2\n"])
  })
})
