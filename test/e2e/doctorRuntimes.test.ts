/** What `cni-passthrough doctor` says of the networks that runtimes bring, while their containers run. */
import { assert, beforeAll, it } from "@effect/vitest"
import { describeWith } from "../support/requirements.ts"
import * as Containerd from "./support/containerd.ts"
import * as Podman from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

/** A function of the shell: what doctor says, whatever its status is. */
const ask = "ask() { cni-passthrough doctor \"$@\" || true; }"

const podman = `
${Podman.setUp}
${ask}
run() { podman run -d "$@" localhost/bb /bin/busybox sleep 600 >&2; }
ask podman
run --name alone -p 8080:80
podman pod create -p 8081:8080 -n pod --infra-image localhost/bb --infra-command '/bin/busybox sleep 600' >&2
run --pod pod
ask
podman network create other >&2
run --name both --network podman,other
ask podman
ask other
ask podman --trial
podman stop -t 0 alone >&2
ask podman
cni-passthrough leaks
podman kill both >&2
podman rm -af -t 0 >&2
podman pod rm -af -t 0 >&2
ask other
`

/** The network of containerd's own script for setting up CNI. */
const containerdNet = {
  cniVersion: "1.0.0",
  name: "containerd-net",
  plugins: [
    {
      type: "bridge",
      bridge: "cni0",
      isGateway: true,
      ipMasq: true,
      promiscMode: true,
      ipam: {
        type: "host-local",
        ranges: [[{ subnet: "10.88.0.0/16" }], [{ subnet: "2001:4860:4860::/64" }]],
        routes: [{ dst: "0.0.0.0/0" }, { dst: "::/0" }]
      }
    },
    { type: "portmap", capabilities: { portMappings: true } }
  ]
}

const containerd = `
echo '${JSON.stringify(containerdNet)}' > /etc/cni/net.d/10-containerd-net.conflist
${Containerd.setUp}
${ask}
ctr_run c1 /bin/busybox sleep 600 &
ctr_run c2 /bin/busybox sleep 600 &
for attempt in $(seq 1000); do [ $(ctr task ls | grep -c RUNNING) = 2 ] && break; sleep 0.1; done
ask
cni-passthrough leaks
ctr task kill -s 9 c1
wait -n || true
ask
`

const packages = ["containernetworking-plugins", "busybox-static", "runc", "iproute2", "iptables"] as const

const linesOf = (script: string): ReadonlyArray<string> => {
  const sandbox = Sandbox.makeWithCommand()
  try {
    // What was looked at differs by the addresses that containers get.
    return sandbox.run(script).trim().split("\n").filter((line) =>
      !/^ {2}(?:\S+ of .*: (?:looked at|sent packets over|not known:)|not known) /.test(line)
    )
  } finally {
    sandbox[Symbol.dispose]()
  }
}

describeWith([...packages, "podman", "catatonit"], "doctor, asked about podman's networks,", () => {
  let lines: ReadonlyArray<string>
  beforeAll(() => {
    lines = linesOf(podman)
  })

  it("knows the one that no file has, and has nothing to say of healthy ones while containers come and go", () => {
    assert.deepStrictEqual(lines, [
      "– podman has this network without a file, and nothing is attached to it: there is nothing to look at",
      "  host (check network-found)",
      "  fix: start a container, and ask again",
      "podman: no problems found, 2 attachments checked",
      "podman: no problems found, 3 attachments checked",
      "other: no problems found, 1 attachment checked",
      "podman: no problems found, 3 attachments checked",
      "podman: no problems found, 2 attachments checked",
      "nothing is left of containers that are gone",
      "other: no problems found, 0 attachments checked"
    ])
  })
})

describeWith([...packages, "containerd"], "doctor, asked about containerd's network,", () => {
  let lines: ReadonlyArray<string>
  beforeAll(() => {
    lines = linesOf(containerd)
  })

  it("has nothing to say while containers run, and after one has ended", () => {
    assert.deepStrictEqual(lines, [
      "containerd-net: no problems found, 2 attachments checked",
      "nothing is left of containers that are gone",
      "containerd-net: no problems found, 1 attachment checked"
    ])
  })
})

const netavark = `
${Wrapped.setUp}
${Podman.setUp}
${Podman.netavark}
${ask}
podman run -d --name web -p 8080:80 localhost/bb /bin/busybox httpd -f -p 80 -h / >&2
curl --silent --show-error --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:8080/index.html
iptables-save -t nat | grep -c -- '-A NETAVARK-HOSTPORT-DNAT'
ls /var/lib/cni
cni-passthrough doctor 2>&1
cni-passthrough wrap 2>&1 | head -n 2
cni-passthrough unwrap >&2
podman rm -f -t 0 web >&2
`

describeWith([...packages, "podman", "netavark", "curl"], "a host whose podman makes networks with netavark,", () => {
  let lines: ReadonlyArray<string>
  beforeAll(() => {
    lines = linesOf(netavark)
  })
  const words = (version: string, source: string) =>
    `podman ${version}makes networks with netavark, which calls no plugins, so there is nothing to wrap: its rules are in ` +
    `the table netavark of nftables, or in the chains NETAVARK-* of iptables (${source})`

  it("has a container with a published port, and nothing of CNI", () => {
    assert.deepStrictEqual(lines.slice(0, 2), ["hello from the pod", "1"])
  })

  it("has no network that doctor could look at, which is no problem", () => {
    assert.strictEqual(lines[2]?.replace(/^podman [\d.]+ /, "podman VERSION "), words("VERSION ", "podman info"))
    assert.deepStrictEqual(lines.slice(3, -2), [
      "– no network configuration in /etc/cni/net.d, and no runtime of this host needs one: there is nothing to look at",
      "  host (check network-found)",
      "  fix: ask the runtime about its networks, such as podman network inspect"
    ])
  })

  it("is told by wrap that no runtime uses the folder that it wraps", () => {
    assert.deepStrictEqual(lines.slice(-2), [
      "no runtime that was found on this host uses /usr/lib/cni:",
      `  ${words("", "/etc/containers/containers.conf")}`
    ])
  })
})
