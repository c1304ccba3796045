/** The sessions that README and docs/ show, on a terminal and with podman: commands and what they print. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Transcript from "../docs/transcript.ts"
import { describeWith } from "../support/requirements.ts"
import * as Podman from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

/** A network that gives addresses of a subnet. */
const pods = (subnet: string, bridge: object = {}) => ({
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "bridge",
      bridge: "cni-pods0",
      isGateway: true,
      ipMasq: true,
      hairpinMode: true,
      ipam: { type: "host-local", ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] },
      ...bridge
    },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "firewall" },
    { type: "tuning" }
  ]
})

/** The networks of these tests, by name. The smallest one has an address for one container. */
const networks = {
  small: pods("10.88.7.0/30"),
  large: pods("10.88.7.0/24"),
  worse: pods("10.88.7.0/24", { ipMasq: false, mtu: 1400 })
}

const ports = `'{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'`

/** A session of a page, with the network that its host has and what happened before. */
interface Scene {
  readonly page: string
  /** Which of its sessions it is. */
  readonly index: number
  readonly title: string
  readonly before: string
}

const scenes: ReadonlyArray<Scene> = [
  {
    page: "README.md",
    index: 0,
    title: "a pod has no network",
    before: `
network small
cni-passthrough run add pods --new-netns web >&2`
  },
  {
    page: "README.md",
    index: 1,
    title: "what a container that is gone has left",
    before: `
network large
cni-passthrough run add pods --new-netns web --container-id web --capability-args ${ports} >&2
ip netns del web`
  },
  { page: "docs/changes-and-diff.md", index: 0, title: "what each plugin changed", before: "network large" },
  {
    page: "docs/changes-and-diff.md",
    index: 1,
    title: "what a DEL left behind",
    before: `
network large
log=/var/log/cni/passthrough.jsonl
mkdir -p /var/log/cni
ip netns add c1
cni-passthrough run add pods --netns c1 --container-id c1 --changes --log $log --capability-args ${ports} >&2
cni-passthrough run del pods --netns c1 --container-id c1 --changes --log $log --capability-args '{}' >&2`
  },
  {
    page: "docs/changes-and-diff.md",
    index: 2,
    title: "the host that works, and the one that does not",
    before: `
for host in good bad; do
  [ $host = good ] && network large || network worse
  cni-passthrough run add pods --new-netns web --changes --log $host.jsonl >&2
  cni-passthrough run del pods --new-netns web >&2
done`
  },
  {
    page: "docs/doctor.md",
    index: 0,
    title: "a host that does not forward, and is fixed",
    before: `
network large
cni-passthrough run add pods --new-netns web >&2
sysctl --quiet --write net.ipv4.ip_forward=0`
  },
  {
    page: "docs/doctor.md",
    index: 1,
    title: "a host that does not forward",
    before: `
network large
cni-passthrough run add pods --new-netns web --args 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web' >&2
sysctl --quiet --write net.ipv4.ip_forward=0`
  },
  { page: "docs/run.md", index: 0, title: "a chain without a container", before: "network small" }
]

/** Runs the commands of a session on a terminal of 100 columns, each into a file. */
const script = ({ before, index, page }: Scene) => `
${Wrapped.setUp}
${Podman.setUp}
export -f podman
export SHELL=/bin/bash TERM=dumb NO_COLOR=1
mount -t devpts devpts /dev/pts
network() { cp /tmp/$1.conflist /etc/cni/net.d/pods.conflist; }
mkdir /tmp/session
cd /tmp/session
${before}
${
  (Transcript.sessions(page)[index] ?? []).map(({ command }, step) =>
    `script -qec "stty cols 100; ${command}" /dev/null < /dev/null > ${step} || true`
  ).join("\n")
}
podman rm --force --all --time 0 >&2
`

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "bsdutils", "iproute2", "iptables"],
  "the sessions of the pages",
  () => {
    it("are all run here", () => {
      for (const page of new Set(scenes.map(({ page }) => page))) {
        const tested = scenes.filter((scene) => scene.page === page).map(({ index }) => index)
        assert.deepStrictEqual(tested, [...Transcript.sessions(page).keys()], page)
      }
    })

    for (const scene of scenes) {
      describeWith([], `${scene.page}: ${scene.title}`, () => {
        let sandbox: Sandbox.Sandbox
        const steps = Transcript.sessions(scene.page)[scene.index] ?? []

        beforeAll(() => {
          sandbox = Sandbox.makeWithCommand()
          for (const [name, network] of Object.entries(networks)) {
            Fs.writeFileSync(Path.join(sandbox.tmp, `${name}.conflist`), JSON.stringify(network))
          }
          sandbox.run(script(scene))
        })
        afterAll(() => sandbox[Symbol.dispose]())

        it.each(steps.map(({ command, output }, index) => ({ command, index, output })))(
          "$command",
          ({ index, output }) => {
            const printed = Fs.readFileSync(Path.join(sandbox.tmp, "session", String(index)), "utf8")
              .replaceAll("\r", "").trimEnd().split("\n")
            assert.isUndefined(Transcript.missing(output, printed), printed.join("\n"))
          }
        )
      })
    }
  }
)
