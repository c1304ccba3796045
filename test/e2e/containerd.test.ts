/** A container of containerd, by `ctr run --cni`. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Path from "node:path"
import { records } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import { setUp } from "./support/containerd.ts"
import * as Sandbox from "./support/sandbox.ts"

const tap = (label: string) =>
  JSON.stringify({ type: "passthrough", label, logFile: "/tmp/log/containerd.jsonl", logFormat: "json" })

const script = `
cat > /etc/cni/net.d/10-containerd.conflist <<'EOF'
{
  "cniVersion": "1.0.0",
  "name": "containerd-net",
  "plugins": [
    ${tap("before-bridge")},
    {
      "type": "bridge",
      "bridge": "cni-ctd0",
      "isGateway": true,
      "ipam": { "type": "host-local", "ranges": [[{ "subnet": "10.97.0.0/16" }]], "dataDir": "/tmp/ipam" }
    },
    ${tap("after-bridge")}
  ]
}
EOF
${setUp}
ctr_run c1 /bin/busybox ip -o -4 addr show eth0
`

describeWith(
  ["containernetworking-plugins", "busybox-static", "containerd", "runc", "iproute2"],
  "a container of containerd between two taps",
  () => {
    let sandbox: Sandbox.Sandbox
    let addresses: string
    const log = () => records(Path.join(sandbox.tmp, "log/containerd.jsonl"))
    const requests = () => log().filter(({ event }) => event === "request")

    beforeAll(() => {
      sandbox = Sandbox.make()
      addresses = sandbox.run(script)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("has the address that bridge gave it", () => {
      const after = requests().find(({ command, label }) => command === "ADD" && label === "after-bridge")
      assert.include(addresses, after.config.prevResult.ips[0].address)
    })

    it("is logged forwards for ADD and backwards for DEL", () => {
      assert.deepStrictEqual(requests().map(({ command, label }) => `${command} ${label}`), [
        "ADD before-bridge",
        "ADD after-bridge",
        "DEL after-bridge",
        "DEL before-bridge"
      ])
    })

    it("is deleted although containerd sends no CNI_NETNS with DEL", () => {
      const deletions = log().filter(({ command }) => command === "DEL")
      assert.deepStrictEqual(deletions.map(({ event }) => event), ["request", "result", "request", "result"])
      assert.deepStrictEqual(deletions.map(({ netns }) => netns), [undefined, undefined, undefined, undefined])
    })
  }
)
