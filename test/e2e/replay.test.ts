/** A real plugin that failed, called once more. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

/** A network with one address for containers. */
const network = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [{
    type: "bridge",
    bridge: "cni-pods",
    isGateway: true,
    ipam: { type: "host-local", ranges: [[{ subnet: "10.88.7.0/30" }]] }
  }]
}

describeWith(["containernetworking-plugins", "iproute2"], "replay of a real failure", () => {
  it("gives the same code while its cause is there, as a script too, and another answer after that", () => {
    using sandbox = Sandbox.makeWithCommand()
    Fs.writeFileSync(Path.join(sandbox.tmp, "pods.conflist"), JSON.stringify(network))
    const out = sandbox.run(`
${Wrapped.setUp}
mount -t tmpfs tmpfs /run
run() { cni-passthrough run "$@" >&2; }
status() { "$@" && echo "status 0" || echo "status $?"; }
run add /tmp/pods.conflist --new-netns web --container-id web
run add /tmp/pods.conflist --new-netns api --container-id api --log /tmp/log.jsonl --report /tmp/report.html || true
ip netns add first # the ADD that failed left its interface in the namespace
ip netns add second
ip netns add third
again() { status cni-passthrough replay /tmp/log.jsonl --run --plugin "$@"; }
again host-local
again bridge --netns first
cni-passthrough replay /tmp/report.html --plugin bridge --netns second > /tmp/bridge.sh
status sh /tmp/bridge.sh
run del /tmp/pods.conflist --new-netns web --container-id web
again bridge --netns third
`)
    const same = (plugin: string) =>
      `${plugin}, ADD eth0 of api on pods, TIME: the same again: exit status 1, failed to allocate for range 0: ` +
      "no IP addresses available in range set: 10.88.7.1-10.88.7.2\nstatus 0\n"
    const [again = "", script = "", another = ""] = out.replace(/\d{4}-[^ ]+Z/g, "TIME").split(/(?=^\{)|(?<=^\}.*\n)/m)
    assert.strictEqual(again, same("host-local") + same("bridge"))
    assert.match(script, /"code": 999,\n *"msg": "failed to allocate for range 0: [^]*\}status 1\n$/)
    assert.match(
      another,
      /^bridge, .*: another answer than then\n {2}~ ended: exit status 1 → exit status 0\n {2}~ code: 999 → none\n[^]*status 1\n$/
    )
  })
})
