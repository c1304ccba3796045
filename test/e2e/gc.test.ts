/** `cni-passthrough run gc` takes away what is gone, and nothing else. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import { script } from "../support/scripts.ts"
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
a=web-; a=\${a}one; b=web-; b=\${b}two # whose names no command line has: such a container counts as alive
leases() { grep -ho '^web-[a-z]*' $(find /var/lib/cni/networks -name '10.*') | sort | tr '\\n' ' '; }
rules() { iptables -t nat -S | grep -o -- 'to-destination .*' | sort | tr '\\n' ' '; }
left() { echo "$(leases)| $(ls /tmp/cache/results | tr '\\n' ' ')| $(rules)"; }
gc() { cni-passthrough run gc /tmp/chain.conflist --cache-dir /tmp/cache "$@"; }
${script}`).trim().split("\n")

    it("removes rules, lease and cache of a container whose namespace is gone, and of no other", () => {
      assert.deepStrictEqual(
        run(`
ip netns add $a; ports 8080; ours $a
ip netns add $b; ports 8081; ours $b
ip netns del $b
gc --dry-run
left
gc >/dev/null
left`),
        [
          "keep    web-one eth0  (/run/netns/web-one is there)",
          "remove  web-two eth0  (/run/netns/web-two does not exist)",
          "web-one web-two | testing-net-web-one-eth0 testing-net-web-two-eth0 | to-destination 10.99.0.2:80 to-destination 10.99.0.3:80 ",
          "web-one | testing-net-web-one-eth0 | to-destination 10.99.0.2:80"
        ]
      )
    })

    it("keeps a container whose namespace has lost its name, as long as a process is in it", () => {
      assert.deepStrictEqual(
        run(`
ip netns add $b; ports 8081; ours $b
ip netns exec $b sleep 600 & inside=$!
until [ "$(readlink /proc/$inside/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
ip netns del $b
gc
left
kill $inside; wait $inside || true
until gc | grep -q ^remove; do sleep 0.2; done
left`),
        [
          "keep    web-two eth0  (/run/netns/web-two does not exist, but its link on the host leads to a live namespace)",
          "web-two | testing-net-web-two-eth0 | to-destination 10.99.0.2:80 ",
          "| |"
        ]
      )
    })

    it("frees addresses of containers that are gone and have no result", () => {
      assert.deepStrictEqual(
        run(`
ip netns add $a; ports 8080; ours $a
ip netns add $b; ports 8081; ours $b
rm /tmp/cache/results/*-$b-*; ip netns del $b
gc --dry-run | sed 's/  (.*//'
gc >/dev/null
leases`),
        ["keep    web-one eth0", "remove  web-two 10.99.0.3 in /var/lib/cni/networks/testing-net/10.99.0.3", "web-one"]
      )
    })

    it("keeps all that a libcni has made that does not tell the namespace", () => {
      assert.deepStrictEqual(
        run(`
ip netns add $a; ports 8080; libcni $a
ip netns add $b; ports 8081; libcni $b
ip netns del $b
gc
left`),
        [
          "keep    web-one eth0  (the cache does not have its network namespace)",
          "keep    web-two eth0  (the cache does not have its network namespace)",
          "web-one web-two | testing-net-web-one-eth0 testing-net-web-two-eth0 | to-destination 10.99.0.2:80 to-destination 10.99.0.3:80"
        ]
      )
    })
  }
)

describeWith(
  ["containernetworking-plugins", "iproute2", "iptables"],
  "the attachments that plugins of 1.1.0 have to leave alone",
  () => {
    let sandbox: Sandbox.Sandbox
    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      const [bridge] = chain.plugins
      const list = { ...chain, cniVersion: "1.1.0", plugins: [bridge] }
      Fs.writeFileSync(Path.join(sandbox.tmp, "chain.conflist"), JSON.stringify(list))
      const own = { ...bridge, ipam: { type: "static", addresses: [{ address: "10.99.7.7/16" }] } }
      Fs.writeFileSync(Path.join(sandbox.tmp, "static.conflist"), JSON.stringify({ ...list, plugins: [own] }))
      // The bridge of Debian does not know GC, nor its version.
      script(
        Path.join(sandbox.tmp, "opt-cni/bin/bridge"),
        `if [ $CNI_COMMAND = GC ]; then cat >/tmp/gc; exit; fi
sed 's/"cniVersion":"1.1.0"/"cniVersion":"1.0.0"/g' | /usr/lib/cni/bridge | sed 's/"cniVersion": "1.0.0"/"cniVersion":"1.1.0"/'`
      )
    })
    afterAll(() => sandbox[Symbol.dispose]())

    const run = (script: string) =>
      sandbox.run(`rm -rf /tmp/cache /tmp/other /tmp/gc /var/lib/cni/*
a=web-; a=\${a}one; b=web-; b=\${b}two
add() { cni-passthrough run add /tmp/\${2:-chain}.conflist --netns $1 --container-id $1 --cache-dir \${3:-/tmp/cache} >/dev/null; }
gc() { cni-passthrough run gc /tmp/\${1:-chain}.conflist --cache-dir /tmp/cache >/tmp/out 2>&1 || echo "status $?"; }
valid() { [ ! -e /tmp/gc ] || sed 's/.*"cni.dev.valid-attachments":\\(\\[[^]]*\\]\\).*/\\1/' /tmp/gc; }
ip netns add $a; ip netns add $b
${script}`).trim().split("\n")

    const both = `[{"containerID":"web-one","ifname":"eth0"},{"containerID":"web-two","ifname":"eth0"}]`

    it("are those of the cache that are there", () => {
      assert.deepStrictEqual(run("add $a; ip netns del $b; gc; valid"), [
        `[{"containerID":"web-one","ifname":"eth0"}]`
      ])
    })

    const lost = {
      "is lost": "rm /tmp/cache/results/*-$b-*",
      "is cut short": "truncate -s 40 /tmp/cache/results/*-$b-*",
      "is a named pipe": "rm /tmp/cache/results/*-$b-*; mkfifo /tmp/cache/results/testing-net-$b-eth0",
      "is a folder": "rm /tmp/cache/results/*-$b-*; mkdir /tmp/cache/results/testing-net-$b-eth0",
      "has lost its namespace's name":
        "ip netns exec $b sleep 600 & until [ /proc/$!/ns/net -ef /run/netns/$b ]; do sleep 0.05; done; ip netns del $b",
      "says no namespace": "sed -i 's/\"netns\":\"[^\"]*\",//' /tmp/cache/results/*-$b-*"
    }
    for (const [what, command] of Object.entries(lost)) {
      it(`are one whose file in the cache ${what}, while its namespace lives`, () => {
        const [valid] = run(`add $a; add $b; ${command}; gc; valid`)
        for (const each of ["web-one", "web-two"]) assert.include(valid, `{"containerID":"${each}","ifname":"eth0"}`)
      })
    }

    it("are one in another cache", () => {
      assert.deepStrictEqual(run("add $a; add $b chain /tmp/other; gc; valid"), [both])
    })

    it("are not known where a link of the bridge is of a container that nothing names", () => {
      const [status, reason, ...more] = run("add $b static; rm -r /tmp/cache; gc static; tail -n 1 /tmp/out; valid")
      assert.deepStrictEqual([status, more], ["status 2", []])
      assert.match(reason ?? "", /known to be gone are removed: eth0 in \/run\/netns\/web-two may be attached to it/)
    })

    it("are not known where a reservation cannot be read", () => {
      const [status, reason, ...more] = run(`add $b; rm -r /tmp/cache
cd /var/lib/cni/networks/testing-net; rm 10.*; mkfifo 10.99.0.2; gc; tail -n 1 /tmp/out; valid`)
      assert.deepStrictEqual([status, more], ["status 2", []])
      assert.match(reason ?? "", /testing-net\/10\.99\.0\.2 cannot be read$/)
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
