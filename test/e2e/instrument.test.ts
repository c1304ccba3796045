/** A chain of podman that is instrumented by the companion command. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import { setUp } from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "iproute2", "iptables"],
  "a chain of podman that is instrumented, run, shown, and restored",
  () => {
    let sandbox: Sandbox.Sandbox
    let output: string
    const original = `{
  "cniVersion": "0.4.0", "name": "podman",
\t"plugins": [ {
    "type": "bridge", "bridge": "cni-podman0", "isGateway": true, "ipMasq": true,
    "ipam": { "type": "host-local", "routes": [{ "dst": "0.0.0.0/0" }], "ranges": [[{ "subnet": "10.88.0.0/16" }]] }
  },  { "type": "portmap", "capabilities": { "portMappings": true } } ]
}`

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      Fs.writeFileSync(Path.join(sandbox.tmp, "original.conflist"), original)
      output = sandbox.run(`${setUp}
conflist=/etc/cni/net.d/87-podman-bridge.conflist
cp /tmp/original.conflist $conflist
chmod 640 $conflist
cni-passthrough instrument -i --log-dir /tmp/taps --hook 'iptables -t nat -S' $conflist >&2
podman network ls --format '{{.Name}} is a {{.Driver}}'
podman run --rm -p 8080:80 localhost/bb /bin/busybox true >&2
cni-passthrough show '/tmp/taps/*.jsonl' --command add
cni-passthrough instrument -i --remove $conflist >&2
stat -c %a $conflist
cp $conflist /tmp/restored.conflist`)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("shows what each plugin did between the taps", () => {
      assert.match(
        output,
        /✓ bridge\n[^]*\+ interface cni-podman0[^]*\+ address 10\.88[^]*· after-bridge[^]*✓ portmap [^]*· after-portmap/
      )
      assert.match(output, /· after-portmap[^]*\$ iptables -t nat -S[^]*\+ -A CNI-DN-/)
    })

    it("is a network of the same kind for podman", () => {
      assert.include(output, "podman is a bridge\n")
    })

    it("is byte for byte the old file afterwards, with its mode", () => {
      assert.strictEqual(Fs.readFileSync(Path.join(sandbox.tmp, "restored.conflist"), "utf8"), original)
      assert.match(output, /\n640\n$/)
    })
  }
)

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "iproute2", "iptables"],
  "a chain of podman that is instrumented, and fails",
  () => {
    let sandbox: Sandbox.Sandbox
    const bridge = (subnet: string) => ({
      type: "bridge",
      bridge: "cni-podman0",
      isGateway: true,
      ipam: { type: "host-local", ranges: [[{ subnet }]] }
    })

    /** What `show --failed` has where a container was run in a network of these plugins. */
    const failing = (plugins: ReadonlyArray<object>, before = "true") => {
      Fs.writeFileSync(
        Path.join(sandbox.tmp, "failing.conflist"),
        JSON.stringify({ cniVersion: "0.4.0", name: "podman", plugins })
      )
      return sandbox.run(`${setUp}
conflist=/etc/cni/net.d/87-podman-bridge.conflist
rm -rf /tmp/taps
cp /tmp/failing.conflist $conflist
cni-passthrough instrument -i --log-dir /tmp/taps $conflist >&2
${before}
podman run --rm localhost/bb /bin/busybox true >&2 || true
cni-passthrough show '/tmp/taps/*.jsonl' --failed || true`)
    }

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("in its first plugin is told by the DEL that podman sends", () => {
      const drawn = failing([bridge("10.88.0.0/30")], "podman run -d localhost/bb /bin/busybox sleep 60 >&2")
      assert.match(drawn, /^DEL eth0 of .+ on podman\n✗ bridge failed in the ADD before, or the runtime stopped\n/)
    })

    it("in another one is told by the taps that were not reached", () => {
      const drawn = failing([
        bridge("10.88.0.0/24"),
        { type: "tuning", sysctl: { "net.ipv4.none": "1" } },
        { type: "portmap" }
      ])
      assert.match(drawn, /^ADD eth0 of .+ on podman\n✗ tuning failed, or the runtime stopped\n/m)
    })
  }
)
