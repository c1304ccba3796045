/** Pod sandboxes of containerd's CRI, as kubelet asks for them, with wrapped plugins and taps in their network. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { isStandalone, records } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import * as Cri from "./support/cri.ts"
import * as Sandbox from "./support/sandbox.ts"

const script = `
${Cri.setUp}
ln -f /tmp/opt-cni/bin/passthrough /tmp/bin/passthrough
cp /tmp/pods.conflist /etc/cni/net.d/10-pods.conflist
cd /tmp/out
cni-passthrough instrument --in-place /etc/cni/net.d/10-pods.conflist >&2
state > before
cni-passthrough wrap --changes --dir /opt/cni/bin >&2
${Cri.start}
web=$(run_pod web)
run_pod api 2> api.error && exit 1
cni-passthrough doctor pods --pod shop/api > doctor || true
end_pod $web
cp /var/log/cni/passthrough.jsonl log
cp /var/log/cni/$web.jsonl taps
cni-passthrough show --pod shop/web --network pods log > show
cni-passthrough show --failed --json log > failed || true
cni-passthrough show --failed log > failed.text || true
cni-passthrough unwrap --dir /opt/cni/bin >&2
state > after
ls /var/lib/cni/networks/pods > addresses
`

describeWith(
  ["containernetworking-plugins", "busybox-static", "containerd", "runc", "iproute2", "iptables"],
  "a pod sandbox of containerd's CRI, made by wrapped plugins",
  () => {
    let sandbox: Sandbox.Sandbox
    const file = (name: string) => Path.join(sandbox.tmp, "out", name)
    const output = (name: string) => Fs.readFileSync(file(name), "utf8")
    const requests = (command: string, label: string) =>
      records(file("log")).filter((record) =>
        record.event === "request" && record.command === command && record.label === label &&
        record.args.split(";").includes("K8S_POD_NAME=web")
      )

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      Cri.prepare(sandbox)
      Fs.mkdirSync(Path.join(sandbox.tmp, "out"))
      Fs.writeFileSync(Path.join(sandbox.tmp, "pods.conflist"), JSON.stringify(Cri.network))
      sandbox.run(script)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("is shown by the name of its pod: an ADD, and a DEL for each of Stop and Remove", () => {
      assert.deepStrictEqual(
        output("show").match(/^(?:ADD|DEL) .*/gm)?.map((line) => line.replace(/\(\w+\)/, "(ID)")),
        [
          "ADD eth0 of shop/web (ID) on pods",
          "DEL eth0 of shop/web (ID) on pods",
          "DEL eth0 of shop/web (ID) on pods"
        ]
      )
    })

    it("is deleted twice, the second time without a namespace and without its result", () => {
      const [first, second, ...others] = requests("DEL", "bridge")
      assert.deepStrictEqual(others, [])
      assert.match(first?.netns, /^\/var\/run\/netns\/cni-/)
      assert.property(first?.config, "prevResult")
      assert.isUndefined(second?.netns)
      assert.notProperty(second?.config, "prevResult")
    })

    it("has its capability arguments shown in the case in which containerd writes them", () => {
      const [request] = requests("ADD", "portmap")
      assert.deepStrictEqual(request?.config.runtimeConfig.portMappings, [
        { HostPort: 8080, ContainerPort: 80, Protocol: "tcp", HostIP: "" }
      ])
    })

    it("is seen by the taps of its network too", () => {
      const seen = records(file("taps")).filter(({ event }) => event === "request")
      assert.deepStrictEqual(seen.map(({ command, label }) => `${command} ${label}`), [
        "ADD after-bridge",
        "ADD after-portmap",
        "DEL after-portmap",
        "DEL after-bridge",
        "DEL after-portmap",
        "DEL after-bridge"
      ])
    })

    it("is shown with what each plugin changed, and with what its DEL took away again", () => {
      assert.match(output("show"), /\+ nat CNI-DN-\w+…: tcp dport 8080 → 10\.96\.0\.2:80$/m)
      assert.match(output("show"), /- nat CNI-DN-\w+…: tcp dport 8080 → 10\.96\.0\.2:80$/m)
    })

    it("that gets no address is explained by show --failed: the plugin, and inside which one", () => {
      assert.include(output("api.error"), "plugin type=\"bridge\" failed (add)")
      const [failed, ...others] = output("failed").trim().split("\n").map((line) => JSON.parse(line))
      assert.deepStrictEqual([failed.command, failed.network, others], ["ADD", "pods", []])
      assert.include(output("failed.text"), "✗ host-local in bridge: failed to allocate for range 0")
    })

    it("that gets no address is explained by doctor, which names the range, and what became of its ADD", () => {
      assert.match(output("doctor"), /✗ plugins\[0\]\.ipam\.ranges\[0\]\[0\]: the only address of .* is taken/)
      assert.match(
        output("doctor"),
        /^✗ the last ADD of eth0 of shop\/api \([0-9a-f]{12}\), at \S+, failed: host-local in bridge: failed to allocate/m
      )
    })

    it("leaves no address behind, and the folder of plugins as it was, to the inode", () => {
      assert.notMatch(output("addresses"), /^10\./m)
      assert.strictEqual(output("after"), output("before"))
    })
  }
)

/** What a node is asked at each moment: the answer follows a line with the question. */
const ask = "ask() { echo \"# $*\"; \"$@\" 2> /dev/null || true; }"

/** As in a container of the node that has its processes, and the root of the node mounted. */
const fromContainer = `
unshare --mount bash -c 'mkdir /tmp/host && mount --rbind / /tmp/host && cni-passthrough doctor --host-root /tmp/host' \\
  2> /tmp/out/host >&2`

const killed = `
${Cri.setUp}
${ask}
ln -f /tmp/opt-cni/bin/passthrough /tmp/bin/passthrough
# What the host has of podman is no runtime of this node.
mkdir /tmp/empty
for folder in /etc/containers /var/lib/containers; do [ ! -d $folder ] || mount --bind /tmp/empty $folder; done
unset CNI_PATH
sed -i 's/^  disable_apparmor/  netns_mounts_under_state_dir = true\\n&/
s#/opt/cni/bin#/tmp/node/bin#; s#/etc/cni/net.d#/tmp/node/net.d#' /tmp/containerd.toml
mkdir -p /tmp/node/net.d
cp -a /usr/lib/cni /tmp/node/bin
cp /tmp/pods.conflist /tmp/node/net.d/10-pods.conflist
echo '{"cniVersion":"0.3.1","name":"lo","type":"loopback"}' > /tmp/node/net.d/99-loopback.conf
${Cri.programsApart}
${Cri.start}
cni-passthrough wrap > /tmp/out/wrap 2>&1
web=$(run_pod web)
cni-passthrough show /var/log/cni/passthrough.jsonl > /tmp/out/show
cni-passthrough unwrap >&2
echo $web > /tmp/out/id
cache() { ls /var/lib/cni/results | sed "s/$web/ID/"; }
netns=$(sed -n 's/.* net:\\S* \\(\\S*netns\\/cni-\\S*\\) .*/\\1/p' /proc/self/mountinfo)
{
  echo "mounted at $netns"
  ask cache
  ask cni-passthrough doctor
  ask cni-passthrough doctor cni-loopback
  ask cni-passthrough leaks
} > /tmp/out/living
${isStandalone ? fromContainer : ""}
# The kernel keeps a namespace that is mounted, whichever processes end.
kill -KILL $(pgrep -x sleep) $(pgrep -x containerd-shim)
until ! pgrep -x sleep && ! pgrep -x containerd-shim; do sleep 0.1; done >&2
ask cni-passthrough leaks > /tmp/out/mounted
umount -l $netns
rm $netns
sleep 1
cni-passthrough leaks --older 1s --fix --yes > /tmp/out/listed 2>&1
kill -KILL $(pgrep -x containerd)
until ! pgrep -x containerd > /dev/null; do sleep 0.1; done
export NETCONFPATH=/tmp/node/net.d # which no runtime tells now
{
  ask cni-passthrough leaks pods --fix --yes
  ask cache
  ask cni-passthrough leaks --fix --yes
  ask cache
  ask cni-passthrough leaks
} > /tmp/out/gone
`

describeWith(
  ["containernetworking-plugins", "busybox-static", "containerd", "runc", "iproute2", "iptables"],
  "a pod sandbox of a containerd whose folders are its own, that of namespaces too,",
  () => {
    let sandbox: Sandbox.Sandbox
    let id: string
    const output = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")
    /** The answers by their questions. */
    const answers = (name: string) =>
      Object.fromEntries(
        output(name).split(/^# /m).slice(1).map((answer) => {
          const [question = "", ...lines] = answer.replaceAll(id, "ID").replaceAll(id.slice(0, 12), "ID").trim().split(
            "\n"
          )
          return [question, lines]
        })
      )

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      Cri.prepare(sandbox)
      Fs.mkdirSync(Path.join(sandbox.tmp, "out"))
      Fs.writeFileSync(Path.join(sandbox.tmp, "pods.conflist"), JSON.stringify(Cri.network).replace("/30", "/24"))
      sandbox.run(killed)
      id = output("id").trim()
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("is made by plugins that wrap finds without being told where they are, and says whose they are", () => {
      assert.match(
        output("wrap"),
        /^\/tmp\/node\/bin is used by containerd, conf \/tmp\/node\/net\.d, plugins \/tmp\/node\/bin \(containerd config dump\)\n\/tmp\/node\/bin\n {2}wrapped {2}/
      )
      assert.match(output("show"), /^ADD eth0 of shop\/web \(\w+\) on pods$/m)
    })

    it("has a result for its loopback link too, which is attached to no network and is nothing that is left", () => {
      assert.match(output("living"), /^mounted at \/run\/containerd\/.*\/netns\/cni-/)
      const living = answers("living")
      assert.deepStrictEqual(living["cache"], ["cni-loopback-ID-lo", "pods-ID-eth0"])
      assert.deepStrictEqual(living["cni-passthrough doctor"]?.filter((line) => !line.startsWith("  ")), [
        "pods: no problems found, 1 attachment checked",
        "lo: no problems found, 0 attachments checked"
      ])
      assert.match(living["cni-passthrough doctor cni-loopback"]?.[0] ?? "", /^– cni-loopback is the loopback link of/)
      assert.deepStrictEqual(living["cni-passthrough leaks"], ["nothing is left of containers that are gone"])
    })

    it("lives while its namespace is mounted, without a process", () => {
      assert.deepStrictEqual(answers("mounted"), {
        "cni-passthrough leaks": ["nothing is left of containers that are gone"]
      })
    })

    it("is not gone as long as its runtime lists it, which crictl beside the program of the runtime says", () => {
      assert.deepStrictEqual(output("listed").trim().split("\n"), [
        "2 rules, 1 reservation, 2 chains, 2 results: not listed, because containerd lists the container",
        "nothing else is left for 1s of containers that are gone"
      ])
    })

    if (isStandalone) {
      it("is looked at from a container of its node too, which asks the runtime", () => {
        assert.match(
          output("host"),
          /^containerd, conf \/tmp\/node\/net\.d, plugins \/tmp\/node\/bin \(containerd config dump\)$/m
        )
      })
    }

    it("leaves rules that the look at its network alone finds, and a result of its loopback link that a look at all does", () => {
      const text = output("gone").replaceAll(id, "ID")
      assert.deepStrictEqual(text.match(/^(?:removed .*|[a-z]+-ID-\w+|cni-loopback-ID-lo|nothing .*)$/gm), [
        "removed 6: 2 rules, 1 reservation, 2 chains, 1 result",
        "cni-loopback-ID-lo",
        "removed 1: 1 result",
        "nothing is left of containers that are gone"
      ])
    })
  }
)
