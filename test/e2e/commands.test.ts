/** Each command once on a real network, in both forms: what else they do is tested in one of them. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import * as Networks from "./support/networks.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

const network = Networks.listOf(Networks.bridge, { type: "firewall" })

/** A container comes, loses its packets, and goes without a DEL; all of it around wrapped plugins. */
const script = `${Wrapped.setUp}${Networks.functions}
${Networks.write({ "10-n.conflist": network })}
mkdir -p /tmp/out
said() { # NAME COMMAND…: keeps what it prints and its exit status
  local name=$1 status=0
  shift
  "$@" > /tmp/out/$name 2>&1 || status=$?
  echo "status $status" >> /tmp/out/$name
}
state > /tmp/out/before
said wrap cni-passthrough wrap --log /tmp/log.jsonl
attach web
said check cni-passthrough run check n --netns web --container-id web
said doctor cni-passthrough doctor n
cni-passthrough watch --json > /tmp/out/watch 2> /run/watching &
watch=$!
until grep -q '^watching the network' /run/watching; do kill -0 $watch; sleep 0.05; done
iptables -I FORWARD -s 10.99.0.2 -j DROP
until grep -q 'FORWARD -s 10.99.0.2' /tmp/out/watch; do kill -0 $watch; sleep 0.05; done
kill -INT $watch
wait $watch || true
said trace cni-passthrough trace --netns web --to 192.0.2.1:9000
iptables -D FORWARD 1
ip netns del web
said leaks cni-passthrough leaks
said gc cni-passthrough run gc n --dry-run
said fix cni-passthrough leaks --fix --yes
said replay cni-passthrough replay /tmp/log.jsonl --plugin host-local
said show cni-passthrough show /tmp/log.jsonl --command add
said unwrap cni-passthrough unwrap
state > /tmp/out/after
cp /etc/cni/net.d/10-n.conflist /tmp/out/original
said instrument cni-passthrough instrument -i /etc/cni/net.d/10-n.conflist
cp /etc/cni/net.d/10-n.conflist /tmp/out/instrumented
said remove cni-passthrough instrument -i --remove /etc/cni/net.d/10-n.conflist
cp /etc/cni/net.d/10-n.conflist /tmp/out/restored
`

describeWith(["containernetworking-plugins", "iproute2", "iptables", "nftables"], "cni-passthrough", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
    sandbox.run(script)
  })
  afterAll(() => sandbox[Symbol.dispose]())
  const text = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")

  it("wraps plugins, and gives them back to the inode", () => {
    assert.match(text("wrap"), /wrapped +[^]*bridge[^]*status 0\n$/)
    assert.match(text("unwrap"), /unwrapped +[^]*bridge[^]*status 0\n$/)
    assert.strictEqual(text("after"), text("before"))
  })

  it("attaches and checks", () => {
    assert.match(text("check"), /status 0\n$/)
  })

  it("finds nothing wrong with a network that works", () => {
    assert.match(text("doctor"), /^n: no problems found, 1 attachment checked[^]*status 0\n$/m)
  })

  it("tells a change to the host's rules", () => {
    const added = text("watch").trim().split("\n").flatMap((line) =>
      JSON.parse(line).changes?.host?.iptables?.added ?? []
    )
    assert.include(added, "ip filter -A FORWARD -s 10.99.0.2/32 -j DROP")
  })

  it("names the rule that drops a packet", () => {
    assert.match(text("trace"), /\n✗ dropped by ip filter FORWARD: -s 10\.99\.0\.2\/32 -j DROP\n[^]*status 1\n$/)
  })

  it("finds and takes away what is left of a container", () => {
    assert.match(text("leaks"), /reservation [^]*status 1\n$/)
    assert.match(text("gc"), /^remove +web eth0 [^]*status 0\n$/)
    assert.match(text("fix"), /status 0\n$/)
  })

  it("shows a call of a plugin, and makes a script of it", () => {
    assert.match(text("show"), /^ADD eth0 of web on n\n[^]*✓ host-local[^]*status 0\n$/)
    assert.match(text("replay"), /^#!\/bin\/sh\n[^]*CNI_COMMAND=[^]*status 0\n$/)
  })

  it("puts taps into a network, and gives the file back byte for byte", () => {
    assert.match(text("instrument"), /status 0\n$/)
    assert.include(text("instrumented"), "\"type\":\"passthrough\"")
    assert.match(text("remove"), /status 0\n$/)
    assert.strictEqual(text("restored"), text("original"))
  })
})
