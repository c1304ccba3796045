/** `cni-passthrough leaks` takes away what is left of containers that are gone, and nothing else. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
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
      ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/24" }]], routes: [{ dst: "0.0.0.0/0" }] }
    },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "firewall" }
  ]
}

describeWith(["containernetworking-plugins", "iproute2", "iptables"], "cni-passthrough leaks", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
    Fs.writeFileSync(Path.join(sandbox.tmp, "etc-cni/net.d/10-n.conflist"), JSON.stringify(chain))
  })
  afterAll(() => sandbox[Symbol.dispose]())

  const run = (script: string) =>
    sandbox.run(`rm -rf /var/lib/cni/*
add() {
  ip netns add $1
  cni-passthrough run add testing-net --netns $1 --container-id id-$1 \\
    --capability-args "{\\"portMappings\\":[{\\"hostPort\\":$2,\\"containerPort\\":80,\\"protocol\\":\\"tcp\\"}]}" >/dev/null
}
leaks() { cni-passthrough leaks "$@" || echo "status $?"; }
state() { iptables-save | grep -v '^[#:]' | sort; find /var/lib/cni -type f ! -name lock ! -name 'last*' | sort; }
${script}`).trim().split("\n")

  it("has nothing to say where all that is attached lives", () => {
    assert.deepStrictEqual(run("add aa 8081; leaks; leaks --fix --yes; iptables-save | grep -c id-aa"), [
      "nothing is left of containers that are gone",
      "nothing is left of containers that are gone",
      "4"
    ])
  })

  it("takes away all of a container whose namespace is gone, and nothing of the one beside it", () => {
    assert.deepStrictEqual(
      run(`
add aa 8081
ip -n aa link set lo up # as runtimes do
state > /tmp/before
add bb 8082
ip netns del bb
leaks | sed 's/ .*//' | sort | uniq -c | sed 's/^ *//'
leaks --fix < /dev/null 2>&1 | tail -2
leaks --fix --yes > /dev/null
state | diff /tmp/before - && echo as before
leaks
iptables-save | grep -c bb || true`),
      [
        "2 chain",
        "1 reservation",
        "1 result",
        "4 rule",
        "1 status",
        "error: stdin is not a terminal, so that nobody can be asked: give --yes",
        "status 2",
        "as before",
        "nothing is left of containers that are gone",
        "0"
      ]
    )
  })

  it("says what it leaves alone, as its container came back while others were taken away", () => {
    const lines = run(`
name=cc # as no process may speak of its container before
add $name 8083
ip netns del $name
mkdir -p /tmp/fake
for tool in iptables iptables-nft; do
  printf '#!/bin/bash\\n[[ $* != *-D* ]] || { (exec -a id-%s sleep 20) </dev/null >/dev/null 2>&1 & }\\nexec /usr/sbin/%s "$@"\\n' \\
    $name $tool > /tmp/fake/$tool
done
chmod +x /tmp/fake/*
PATH=/tmp/fake:$PATH leaks --fix --yes 2>&1
pkill -f "^id-$name"
cni-passthrough leaks --fix --yes >/dev/null`)
    assert.include(lines.join("\n"), "stays: id-cc is there again, or a process speaks of it")
    assert.include(lines, "status 1")
  })

  it("finds what is left of a network whose file is gone", () => {
    assert.deepStrictEqual(
      run(`
add aa 8081
add bb 8082
ip netns del bb
mv /etc/cni/net.d/10-n.conflist /tmp/
leaks | sed 's/ .*//' | sort | uniq -c | sed 's/^ *//'
leaks testing-net --fix --yes > /dev/null
leaks
ip netns del aa
leaks --fix --yes > /dev/null
leaks 2>&1
mv /tmp/10-n.conflist /etc/cni/net.d/`),
      [
        "2 chain",
        "1 reservation",
        "1 result",
        "4 rule",
        "1 status",
        "nothing is left of containers that are gone",
        "error: no networks in /etc/cni/net.d, and none of a result in /var/lib/cni: looked at nothing",
        "status 2"
      ]
    )
  })

  it("leaves all of a container alone whose namespace lost its name and lives on in a process", () => {
    assert.deepStrictEqual(
      run(`
add aa 8081
nsenter --net=/run/netns/aa sleep 60 &
sleep 0.3
ip netns del aa
state > /tmp/before
leaks --fix --yes
state | diff /tmp/before - && echo as before
kill %1`),
      ["nothing is left of containers that are gone", "as before"]
    )
  })

  it("leaves a container alone that has no address, and whose namespace lost its path", () => {
    assert.deepStrictEqual(
      run(`
echo '{"cniVersion":"1.0.0","name":"plain","plugins":[{"type":"bridge","bridge":"cni-plain","ipam":{}}]}' > /etc/cni/net.d/20-plain.conflist
unshare --net bash -c 'sleep 60 & exec sleep 60' &
process=$!
sleep 0.3
cni-passthrough run add plain --netns /proc/$process/ns/net --container-id id-plain > /dev/null
kill $process
wait $process || true
leaks --fix --yes
ip -o link show master cni-plain | grep -c veth
rm /etc/cni/net.d/20-plain.conflist`),
      ["nothing is left of containers that are gone", "1"]
    )
  })

  it("takes nothing away where it does not see the namespaces of all links", () => {
    const lines = run(`
unshare --net sleep 60 &
sleep 0.3
cni-passthrough run add testing-net --netns /proc/$!/ns/net --container-id id-hidden > /dev/null
rm -rf /var/lib/cni/results
state > /tmp/before
unshare --pid --fork --mount-proc bash -c 'cni-passthrough leaks --fix --yes 2>&1' || echo "status $?"
state | diff /tmp/before - && echo as before
kill %1`)
    assert.match(lines[0] ?? "", /veth[0-9a-f]+ leads to one that has neither a name nor a process here/)
    assert.deepStrictEqual(lines.slice(1), ["status 2", "as before"])
  })

  it("leaves all of a container alone that a process is at work for", () => {
    assert.deepStrictEqual(
      run(`
mkdir -p /var/lib/cni/networks/testing-net
id=id-c; id=\${id}c # whose name no command line has
printf "$id\\r\\neth0" > /var/lib/cni/networks/testing-net/10.99.0.9
CNI_CONTAINERID=$id sleep 60 &
sleep 0.3
leaks
kill %1
sleep 0.3
leaks | sed 's/(.*//'`),
      [
        "nothing is left of containers that are gone",
        "reservation  10.99.0.9 in /var/lib/cni/networks/testing-net/10.99.0.9  ",
        "status 1"
      ]
    )
  })

  it("takes nothing of containers that come, go and come again under one name while it looks", () => {
    assert.deepStrictEqual(
      run(`
come() { cni-passthrough run add testing-net --netns $1 --container-id id-$1 >/dev/null; }
for name in aa bb cc; do
  ip netns add $name
  (come $name; cni-passthrough run del testing-net --netns $name --container-id id-$name; come $name) &
done
for look in 1 2 3 4; do cni-passthrough leaks --fix --yes; done | sort -u
wait
cni-passthrough doctor testing-net
iptables-save -t nat | grep -c MASQUERADE`),
      [
        "nothing is left of containers that are gone",
        "testing-net: nothing is wrong, with 3 attachments looked at",
        "3"
      ]
    )
  })
})
