/** The walk-through of docs/taps.md, by podman itself. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import { setUp } from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

const walkThrough = `
${setUp}
cp /tmp/conf/87-podman-bridge.conflist /etc/cni/net.d/
podman pod create -p 8080:8080 -n test --infra-image localhost/bb --infra-command '/bin/busybox sleep 600' >&2
podman run -d --pod test localhost/bb /bin/busybox httpd -f -p 8080 -h / >&2
curl -s --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:8080/index.html
podman pod rm -f -t 0 test >&2
`

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "iproute2", "iptables", "curl"],
  "a pod of podman on 87-podman-bridge.conflist",
  () => {
    let sandbox: Sandbox.Sandbox
    let answer: string
    const log = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, name), "utf8")
    const dnatRule = /DNAT .* tcp dpt:8080 to:10\.88\.\d+\.\d+:8080/

    beforeAll(() => {
      sandbox = Sandbox.make()
      answer = sandbox.run(walkThrough)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("answers over HTTP through its published port", () => {
      assert.strictEqual(answer, "hello from the pod\n")
    })

    it("has the DNAT rule that portmap added in the log of the tap after it, not in the one before it", () => {
      assert.notMatch(log("cni-pre-portmap_ADD.log"), dnatRule)
      assert.match(log("cni-post-portmap_ADD.log"), dnatRule)
    })

    it("has the rule gone from the log of the tap that DEL comes to after portmap", () => {
      // DEL goes through the chain backwards: the tap after portmap is called before it.
      assert.match(log("cni-post-portmap_DEL.log"), dnatRule)
      assert.notMatch(log("cni-pre-portmap_DEL.log"), dnatRule)
    })

    for (const name of ["pre-portmap_ADD", "post-portmap_ADD", "pre-portmap_DEL", "post-portmap_DEL"]) {
      it(`has the output of both commands in ${name}`, () => {
        const text = log(`cni-${name}.log`)
        assert.match(text, /^COMMAND: \/usr\/sbin\/iptables -L -n -v -t nat$/m)
        assert.match(text, /^COMMAND: \/usr\/sbin\/iptables -L -n -v$/m)
        assert.strictEqual(text.match(/^EXIT STATUS: 0$/gm)?.length, 2)
        assert.notMatch(text, /^ERROR/m)
      })
    }

    it("is named in the log by the arguments that podman passes", () => {
      assert.match(log("cni-pre-portmap_ADD.log"), /^CNI_ARGS: .*K8S_POD_NAME=test/m)
    })
  }
)
