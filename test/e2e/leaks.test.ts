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
        "error: cannot ask for confirmation, because stdin is not a terminal: give --yes",
        "status 2",
        "as before",
        "nothing is left of containers that are gone",
        "0"
      ]
    )
  })

  /** Names that a container can give its links, and that are no JSON, or no UTF-8. */
  const strange = `
for name in 'a\\033b' 'c\\001\\177' 'n\\377\\376' 'd"d' "q'q" 'b\\\\b'; do
  ip netns exec aa ip link add name "$(printf "$name")" type ifb
  ip netns exec aa ip link set "$(printf "$name")" alias "$(printf 'x\\033\\n\\377"')"
done
`

  it("goes on, as do gc and doctor, where a container gives its links names that are no JSON", () => {
    assert.deepStrictEqual(
      run(`
add aa 8081
add bb 8082
cni-passthrough doctor testing-net --json > /tmp/before || true
${strange}
ip -n aa -j link | grep -c "$(printf '\\033')"
cni-passthrough doctor testing-net --json | cmp - /tmp/before && echo as before
ip netns del bb
leaks | grep -c id-b[b]
cni-passthrough run gc testing-net | cut -d ' ' -f 1,3
ls /var/lib/cni/results /var/lib/cni/networks/testing-net | grep -c -e 10.99.0.[23] -e id-`),
      [
        "1",
        "as before",
        "6",
        "keep ",
        "remove id-bb",
        "2"
      ]
    )
  })

  /** Makes \`ip\` fail in the network namespace of this name. */
  const blind = (netns: string) => `
mkdir -p /tmp/blind
cat > /tmp/blind/ip <<'END'
#!/bin/sh
[ "$(stat -Lc %i /proc/self/ns/net)" = "$(stat -Lc %i /run/netns/${netns})" ] && { echo broken >&2; exit 1; }
PATH=/usr/sbin:/usr/bin:/sbin:/bin exec ip "$@"
END
chmod 755 /tmp/blind/ip
PATH=/tmp/blind:$PATH
`

  it("names a container whose namespace cannot be looked into, takes nothing of it, and goes on", () => {
    assert.deepStrictEqual(
      run(`
add aa 8081
add bb 8082
ip netns del bb
state > /tmp/before
${blind("aa")}
leaks --fix --yes 2>&1 | grep -v -e id-b[b] -e '10[.]99'
leaks 2> /dev/null
state | grep -c id-b[b] || true
state | diff /tmp/before - | grep -c '^>' || true
grep -l id-a[a] /var/lib/cni/networks/testing-net/*
ls /var/lib/cni/results`),
      [
        "the network namespace of id-aa cannot be inspected, so everything in it counts as used: " +
        "/run/netns/aa: ip -j: broken",
        "8 left of containers that are gone: 4 rules, 1 reservation, 2 chains, 1 result",
        "removed 8: 4 rules, 1 reservation, 2 chains, 1 result",
        "nothing is left of containers that are gone",
        "0",
        "0",
        "/var/lib/cni/networks/testing-net/10.99.0.2",
        "testing-net-id-aa-eth0"
      ]
    )
  })

  it("takes nothing away as long as a namespace cannot be looked into that no result speaks of, and names it", () => {
    assert.deepStrictEqual(
      run(`
add bb 8082
ip netns del bb
ip netns add unknown
${blind("unknown")}
leaks --fix --yes 2>&1 | grep -e '^error' -e '^status'
cni-passthrough run gc testing-net --dry-run 2>&1 >/dev/null || true
ls /var/lib/cni/results
PATH=\${PATH#*:}
leaks | grep -c id-b[b]`),
      [
        "error: cannot look into all network namespaces: /run/netns/unknown: ip -j: broken; this needs root and " +
        "a view of the processes and mounts of the host",
        "status 2",
        "error: cannot tell which attachments are valid, so only those known to be gone are removed: /run/netns/unknown: ip -j: broken",
        "testing-net-id-bb-eth0",
        "6"
      ]
    )
  })

  it("does not wait for a pipe among the names of namespaces, nor for one in the place of a result", () => {
    assert.deepStrictEqual(
      run(`
add bb 8082
ip netns del bb
mkfifo /run/netns/pipe /var/lib/cni/results/testing-net-pipe-eth0 /var/lib/cni/networks/testing-net/10.99.0.99
(timeout 60 cni-passthrough leaks || true) | grep -c id-b[b]
rm /run/netns/pipe`),
      ["6"]
    )
  })

  it("says what it leaves alone, as its container came back while others were taken away", () => {
    const lines = run(`
add cc 8083
ip netns del cc
mkdir -p /tmp/fake
for tool in iptables iptables-nft; do
  printf '#!/bin/bash\\n[[ $* != *-D* ]] || setsid sh -c "CNI_CONTAINERID=id-%s sleep 600 & echo \\$! >> /tmp/plugins" </dev/null >/dev/null 2>&1\\nexec /usr/sbin/%s "$@"\\n' \\
    cc $tool > /tmp/fake/$tool
done
chmod +x /tmp/fake/*
PATH=/tmp/fake:$PATH leaks --fix --yes 2>&1
kill $(cat /tmp/plugins)
cni-passthrough leaks --fix --yes >/dev/null`)
    assert.include(lines.join("\n"), "stays: id-cc exists again, or a process is working for it")
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
        "error: no networks in /etc/cni/net.d, and no results in /var/lib/cni that name one: nothing was checked",
        "status 2"
      ]
    )
  })

  it("finds what is left in a folder with hundreds of networks, and does not ask tools for each", () => {
    const network = { type: "bridge", ipam: { type: "host-local" } }
    assert.deepStrictEqual(
      run(`
for number in $(seq 300); do
  echo '{"cniVersion":"1.0.0","name":"n'$number'","plugins":[${
        JSON.stringify(network)
      }]}' > /etc/cni/net.d/n$number.conflist
done
mkdir -p /var/lib/cni/networks/n300 /tmp/counting
printf "id-gone\\r\\neth0" > /var/lib/cni/networks/n300/10.99.0.9
printf '#!/bin/sh\\necho >> /tmp/asked\\nexec %s "$@"\\n' $(type -p ip) > /tmp/counting/ip
chmod +x /tmp/counting/ip
PATH=/tmp/counting:$PATH leaks | sed 's/(.*//'
asked=$(wc -l < /tmp/asked)
[ $asked -gt 0 ] && [ $asked -lt 50 ] && echo "asked for all" || echo "asked $asked times"
rm /etc/cni/net.d/n*.conflist`),
      ["reservation  10.99.0.9 in /var/lib/cni/networks/n300/10.99.0.9  ", "status 1", "asked for all"]
    )
  })

  it("leaves all of a container alone whose namespace lost its name and lives on in a process", () => {
    assert.deepStrictEqual(
      run(`
add aa 8081
nsenter --net=/run/netns/aa sleep 600 &
until [ /proc/$!/ns/net -ef /run/netns/aa ]; do sleep 0.05; done
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
unshare --net bash -c 'sleep 600 & exec sleep 600' &
process=$!
until [ -n "$(cat /proc/$process/task/$process/children)" ]; do sleep 0.05; done
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
unshare --net sleep 600 &
while [ /proc/$!/ns/net -ef /proc/$$/ns/net ]; do sleep 0.05; done
cni-passthrough run add testing-net --netns /proc/$!/ns/net --container-id id-hidden > /dev/null
rm -rf /var/lib/cni/results
state > /tmp/before
unshare --pid --fork --mount-proc bash -c 'cni-passthrough leaks --fix --yes 2>&1' || echo "status $?"
state | diff /tmp/before - && echo as before
kill %1`)
    assert.match(lines.join("\n"), /^error: .*veth[0-9a-f]+ leads to one that has neither a name nor a process here/m)
    assert.deepStrictEqual(lines.slice(-2), ["status 2", "as before"])
  })

  it("lists all of a container whose identifier is among the arguments of a shell, also of its own", () => {
    assert.deepStrictEqual(
      run(`
add aa 8081
bash -c 'sleep 600; :' id-aa > /dev/null 2>&1 &
bash -c 'ip netns del aa; CNI_CONTAINERID=id-aa bash -c "cni-passthrough leaks || echo status; :" id-aa' 2> /dev/null | sed 's/ .*//' | sort | uniq -c | sed 's/^ *//'`),
      ["2 chain", "1 reservation", "1 result", "4 rule", "1 status"]
    )
  })

  it("keeps back all of a container that a plugin is at work for, names the plugin, and exits with 2", () => {
    const plugin = "process N (sleep) is working for it"
    assert.deepStrictEqual(
      run(`
add aa 8081
ip netns del aa
setsid sh -c 'CNI_CONTAINERID=id-aa sleep 600 & echo $! > /tmp/plugin' # which this shell has not started
plugin=$(cat /tmp/plugin)
numbered() { sed "s/process $plugin /process N /"; }
leaks 2>&1 | numbered
cni-passthrough doctor testing-net | grep -c 'reserved for' || true
cni-passthrough run gc testing-net --dry-run | numbered
kill $plugin
leaks | tail -1`),
      [
        `2 rules, 1 reservation, 2 chains, 1 result of id-aa: not listed, because ${plugin}`,
        `2 rules of 10.99.0.2: not listed, because ${plugin}`,
        "nothing else is left of containers that are gone",
        "status 2",
        "0",
        `keep    id-aa eth0  (/run/netns/aa does not exist, but ${plugin})`,
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
for look in 1 2 3 4; do cni-passthrough leaks --fix --yes 2>/dev/null || true; done | sed 's/nothing else/nothing/' | sort -u
wait
cni-passthrough doctor testing-net | grep -v '^  '
iptables-save -t nat | grep -c MASQUERADE`),
      [
        "nothing is left of containers that are gone",
        "testing-net: no problems found, 3 attachments checked",
        "3"
      ]
    )
  })
})
