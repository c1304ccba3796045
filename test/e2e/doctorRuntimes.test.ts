/** What `cni-passthrough doctor` says of the networks that runtimes bring, while their containers run. */
import { assert, beforeAll, it } from "@effect/vitest"
import { describeWith } from "../support/requirements.ts"
import * as Containerd from "./support/containerd.ts"
import * as Podman from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

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
