/** What `export --prometheus` says of a real host: addresses, what containers left behind, and wrapped plugins. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Prometheus from "../support/prometheus.ts"
import { describeWith } from "../support/requirements.ts"
import { bridge, functions, listOf } from "./support/networks.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

const list = listOf({ ...bridge, ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/29" }]] } })

describeWith(["containernetworking-plugins", "iproute2", "iptables"], "the metrics of a host", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
  })
  afterAll(() => sandbox[Symbol.dispose]())

  /** The metrics after a script on a host with two attachments of a network of five addresses. */
  const metricsAfter = (script: string) =>
    Prometheus.parse(sandbox.run(`${functions}${Wrapped.setUp}
echo '${JSON.stringify(list)}' > /etc/cni/net.d/10-n.conflist
attach web
attach db
${script}
cni-passthrough export /dev/null --prometheus /tmp/metrics >&2
cat /tmp/metrics`))

  const addresses = (metrics: ReturnType<typeof metricsAfter>) =>
    ["free", "used", "stale"].map((state) => metrics.value("cni_host_local_addresses", { network: "n", state }))

  it("are the addresses of host-local, and that nothing is left over", () => {
    const metrics = metricsAfter("true")
    assert.deepStrictEqual(addresses(metrics), [3, 2, 0])
    const kinds = metrics.seriesOf("cni_leftovers").map(({ labels, value }) => [labels?.["kind"], Number(value)])
    assert.deepStrictEqual(kinds.toSorted(), [["chain", 0], ["link", 0], ["reservation", 0], ["result", 0], [
      "rule",
      0
    ]])
  })

  it("are what containers that are gone have left behind", () => {
    const metrics = metricsAfter("ip netns del db")
    assert.deepStrictEqual(addresses(metrics), [3, 1, 1])
    const count = (kind: string) => metrics.value("cni_leftovers", { network: "n", kind })
    assert.deepStrictEqual([count("reservation"), count("result"), count("link")], [1, 1, 0])
    assert.isAbove(count("rule"), 0)
  })

  it("are the wrapped plugins of each folder", () => {
    const metrics = metricsAfter("cni-passthrough wrap bridge portmap >&2")
    assert.strictEqual(metrics.value("cni_passthrough_wrapped_plugins", { folder: "/usr/lib/cni" }), 2)
  })

  it("have no value for what is hidden from the command", () => {
    const metrics = metricsAfter(
      "chmod 755 /tmp /tmp/bin; install -d -m 777 /tmp/out; cni-passthrough() { PATH=/tmp/bin:/usr/bin:/bin setpriv " +
        "--reuid=65534 --regid=65534 --clear-groups /tmp/bin/cni-passthrough export /dev/null --prometheus " +
        "/tmp/out/metrics; cp /tmp/out/metrics /tmp/metrics; }"
    )
    assert.deepStrictEqual(metrics.seriesOf("cni_leftovers"), [])
    assert.isNotEmpty(metrics.seriesOf("cni_passthrough_wrapped_plugins"))
  })
})
