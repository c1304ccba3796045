/** `cni-passthrough run gc` takes away what is gone, and nothing else. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import { buildLibcniRun } from "./support/libcni.ts"
import { setUp } from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

const chain = {
  cniVersion: "1.0.0",
  name: "testing-net",
  plugins: [
    {
      type: "bridge",
      bridge: "cni-testing0",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] }
    },
    { type: "portmap", capabilities: { portMappings: true } }
  ]
}

describeWith(
  ["containernetworking-plugins", "golang-go", "golang-github-appc-cni-dev", "iproute2", "iptables"],
  "a garbage collection on a network of bridge and portmap",
  () => {
    let sandbox: Sandbox.Sandbox
    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      buildLibcniRun(sandbox)
      Fs.writeFileSync(Path.join(sandbox.tmp, "chain.conflist"), JSON.stringify(chain))
    })
    afterAll(() => sandbox[Symbol.dispose]())

    const run = (script: string) =>
      sandbox.run(`rm -rf /tmp/cache /var/lib/cni/*
ports() { export CAP_ARGS="{\\"portMappings\\":[{\\"hostPort\\":$1,\\"containerPort\\":80,\\"protocol\\":\\"tcp\\"}]}"; }
ours() { cni-passthrough run add /tmp/chain.conflist --netns $1 --container-id $1 --cache-dir /tmp/cache >/dev/null; }
libcni() { libcni-run add /tmp/chain.conflist /run/netns/$1 $1 eth0 /tmp/cache >/dev/null; }
leases() { grep -ho '^[ab]' $(find /var/lib/cni/networks -name '10.*') | sort | tr '\\n' ' '; }
rules() { iptables -t nat -S | grep -o -- 'to-destination .*' | sort | tr '\\n' ' '; }
left() { echo "$(leases)| $(ls /tmp/cache/results | tr '\\n' ' ')| $(rules)"; }
gc() { cni-passthrough run gc /tmp/chain.conflist --cache-dir /tmp/cache "$@"; }
${script}`).trim().split("\n")

    it("removes rules, lease and cache of a container whose namespace is gone, and of no other", () => {
      assert.deepStrictEqual(
        run(`
ip netns add a; ports 8080; ours a
ip netns add b; ports 8081; ours b
ip netns del b
gc --dry-run
left
gc >/dev/null
left`),
        [
          "keep    a eth0  (/run/netns/a is there)",
          "remove  b eth0  (/run/netns/b does not exist)",
          "a b | testing-net-a-eth0 testing-net-b-eth0 | to-destination 10.99.0.2:80 to-destination 10.99.0.3:80 ",
          "a | testing-net-a-eth0 | to-destination 10.99.0.2:80"
        ]
      )
    })

    it("frees addresses of containers that are gone and have no result", () => {
      assert.deepStrictEqual(
        run(`
ip netns add a; ports 8080; ours a
id=gone-; id=\${id}one # whose name no command line has
ip netns add $id; ports 8081; ours $id
rm /tmp/cache/results/*-$id-*; ip netns del $id
gc --dry-run | sed 's/  (.*//'
gc >/dev/null
leases`),
        ["keep    a eth0", "remove  gone-one 10.99.0.3 in /var/lib/cni/networks/testing-net/10.99.0.3", "a"]
      )
    })

    it("keeps all that a libcni has made that does not tell the namespace", () => {
      assert.deepStrictEqual(
        run(`
ip netns add a; ports 8080; libcni a
ip netns add b; ports 8081; libcni b
ip netns del b
gc
left`),
        [
          "keep    a eth0  (the cache does not have its network namespace)",
          "keep    b eth0  (the cache does not have its network namespace)",
          "a b | testing-net-a-eth0 testing-net-b-eth0 | to-destination 10.99.0.2:80 to-destination 10.99.0.3:80"
        ]
      )
    })
  }
)

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "catatonit", "iproute2", "iptables", "curl"],
  "a running container of podman",
  () => {
    it("keeps its rules, its lease and its cache through a garbage collection", () => {
      using sandbox = Sandbox.makeWithCommand()
      const list = { ...chain, cniVersion: "0.4.0", name: "podman" }
      Fs.writeFileSync(Path.join(sandbox.tmp, "podman.conflist"), JSON.stringify(list))
      const output = sandbox.run(`${setUp}
cp /tmp/podman.conflist /etc/cni/net.d/87-podman-bridge.conflist
id=$(podman run -d -p 8080:80 localhost/bb /bin/busybox httpd -f -p 80)
state() {
  iptables-save -t nat | grep -v '^[#:]'
  find /var/lib/cni -type f ! -name lock -exec md5sum {} +
}
state > /tmp/before
cni-passthrough run gc podman
state > /tmp/after
cmp /tmp/before /tmp/after
grep -c DNAT /tmp/after
curl --silent --show-error --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:8080/index.html
podman rm -f -t 0 $id >&2
find /var/lib/cni/results -type f | wc -l`)
      assert.match(output, /^keep {4}[0-9a-f]{64} eth0 {2}\(.*\)\n/)
      assert.match(output, /\n[1-9]\d*\nhello from the pod\n0\n$/)
    })
  }
)
