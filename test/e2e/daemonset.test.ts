/** The DaemonSet of `conf/kubernetes`: its command, with the rights and mounts that it states, on a node with containerd. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Markdown from "../docs/markdown.ts"
import * as Transcript from "../docs/transcript.ts"
import * as Manifests from "../support/manifests.ts"
import { isStandalone } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import * as Cri from "./support/cri.ts"
import * as Image from "./support/image.ts"
import * as Podman from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

const shell = (words: ReadonlyArray<string>) => words.map((word) => `'${word}'`).join(" ")

const flags = Manifests.podmanFlags("/tmp/own")

/** Looks at the node from containers with these flags: those of the base, of the overlay, and of \`kubectl debug\`. */
const looks = {
  base: flags,
  overlay: Manifests.podmanFlags("/tmp/own", Manifests.doctorPod()),
  // What the profile sysadmin gives the pod of a node. Source: kubernetes/kubectl, \`pkg/cmd/debug/profiles.go\`.
  debug: ["--privileged", "--pid=host", "--network=host", "--ipc=host", "--volume=/:/host"]
}

const looking = Object.entries(looks).map(([name, flags]) => `
${name}() {
  podman run --rm ${
  shell(flags)
} ${Manifests.image()} $1 --host-root /host pods --json > ${name}.$2 2> ${name}.$2.error &&
    echo 0 > ${name}.$2.status || echo $? > ${name}.$2.status
}
${name} doctor doctor
${name} leaks leaks`).join("\n")

/** Starts the container of this name with the arguments of the manifest. */
const run = (flags: ReadonlyArray<string>) =>
  `podman run --name $1 ${shell(flags)} ${Manifests.image()} ${shell(Manifests.pod().container.args)}`

const script = `
mount --make-rshared /
${Cri.setUp}
${Podman.setUp}
podman load --quiet --input /tmp/image.tar >&2
cp /tmp/pods.conflist /etc/cni/net.d/10-pods.conflist
mkdir -p /tmp/own/deadline
cd /tmp/out
ln -sf /usr/lib/cni/tuning /opt/cni/bin/tuning # as packages do, and nothing that a pod would find
start() { ${run(flags)} > $1 2>&1 & }
said() { for attempt in $(seq 1200); do grep -q "$2" $1 && return; sleep 0.1; done; cat $1 >&2; return 1; }
ended() { podman stop -t 60 $1 >&2; podman wait $1 > $1.status; podman rm $1 >&2; }
state > before
no-chroot() { ${run(flags.filter((flag) => flag !== "--cap-add=SYS_CHROOT"))}; }
no-pid() { ${run(flags.filter((flag) => flag !== "--pid=host"))}; }
for right in no-chroot no-pid; do $right $right > $right 2>&1 && exit 1; podman rm $right >&2; done

start node
said node "waiting for /var/log/cni"
head -1 /opt/cni/bin/tuning > stub
${Cri.start}
web=$(run_pod web)
run_pod api 2> api.error && exit 1
said node "host-local in bridge: failed"
${looking}
printf 'gone\\r\\neth0' > /var/lib/cni/networks/pods/10.96.0.9
for rights in ${Object.keys(looks).join(" ")}; do $rights leaks left; done
rm /var/lib/cni/networks/pods/10.96.0.9
cp /usr/lib/cni/portmap /opt/cni/bin/.portmap.new && mv /opt/cni/bin/.portmap.new /opt/cni/bin/portmap
said node "written into /opt/cni/bin: portmap"
end_pod $web
said node "^DEL eth0"
ended node
state > after

state > before.kill
start killed
said killed "waiting for\\|passthrough.jsonl"
said killed '"onLogFailure"'
podman kill -s KILL killed >&2
podman wait killed > killed.status
podman rm killed >&2
head -1 /opt/cni/bin/bridge > killed.stub
CNI_COMMAND=VERSION /opt/cni/bin/bridge < /dev/null > killed.answer
start again
said again '"onLogFailure"'
ended again
state > after.kill

start interrupted
said interrupted '"onLogFailure"'
podman kill -s KILL interrupted >&2
podman wait interrupted >&2
echo 2020-01-01T00:00:00Z > /tmp/own/deadline/deadline
start over
said over "waits until it is stopped"
state > over.state
ended over
`

describe.runIf(isStandalone)("on a node", () => {
  describeWith(
    ["containernetworking-plugins", "busybox-static", "containerd", "iproute2", "iptables", ...Image.needs],
    "the container of the DaemonSet",
    () => {
      let sandbox: Sandbox.Sandbox
      const output = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")

      beforeAll(() => {
        sandbox = Sandbox.makeWithCommand()
        Cri.prepare(sandbox)
        Fs.renameSync(Image.build(Path.dirname(sandbox.tmp)), Path.join(sandbox.tmp, "image.tar"))
        Fs.mkdirSync(Path.join(sandbox.tmp, "out"))
        Fs.writeFileSync(Path.join(sandbox.tmp, "pods.conflist"), JSON.stringify(Cri.network))
        sandbox.run(script)
      })
      afterAll(() => sandbox[Symbol.dispose]())

      it("puts stubs in the places of the plugins that name the host's paths, also of those that are absolute links", () => {
        assert.strictEqual(output("stub"), "#!/opt/cni/bin/.passthrough/passthrough\n")
      })

      it("says what it lacks where a right is taken away, and changes nothing", () => {
        assert.include(output("no-chroot"), "cannot go to the root of the host in /host: expected to be root")
        assert.match(output("no-pid"), /in \/host: found no process \d+ in \/host\/proc, expected the host's \/proc/)
      })

      it("shows a pod that got its network, and one that did not, with the plugin that failed", () => {
        assert.match(output("node"), /^ADD eth0 of shop\/web \(\w+\) on pods$/m)
        assert.match(output("node"), /✓ portmap/)
        assert.match(output("node"), /✗ host-local in bridge: .* no IP addresses available/)
      })

      it("prints what docs/kubernetes.md shows", () => {
        const [shown = []] = Markdown.blocks("docs/kubernetes.md")
        const printed = output("node").trimEnd().split("\n")
        // Operations that end at about the same time come in either order.
        for (const part of shown.join("\n").split("\n…\n")) {
          assert.isUndefined(Transcript.missing(["…", ...part.split("\n"), "…"], printed), part)
        }
      })

      describe("looks at the node", () => {
        const status = (name: string) => Number(output(`${name}.status`))
        const json = (name: string) => JSON.parse(output(name))
        const unseen = (name: string) =>
          json(name).findings.find(({ check }: { readonly check: string }) => check === "everything-seen")
        const text = ({ text }: { readonly text: string }) => text.replace(/ .*/, "")

        for (const rights of ["overlay", "debug"]) {
          it(`and at all of it, with the rights of ${rights}`, () => {
            assert.strictEqual(json(`${rights}.doctor`).findings[0].check, "range-exhausted")
            assert.isUndefined(unseen(`${rights}.doctor`))
            assert.strictEqual(status(`${rights}.doctor`), 1)
            assert.deepInclude(json(`${rights}.leaks`), { leaks: [], kept: [], possible: [] })
            assert.deepStrictEqual([output(`${rights}.leaks.error`), status(`${rights}.leaks`)], ["", 0])
            assert.deepStrictEqual([json(`${rights}.left`).leaks.map(text), status(`${rights}.left`)], [
              ["10.96.0.9"],
              1
            ])
          })
        }

        it("as far as the rights of the base go, and says what it could not look at", () => {
          assert.strictEqual(json("base.doctor").findings[0].check, "range-exhausted")
          const { evidence, fix } = unseen("base.doctor")
          assert.match(evidence.join("\n"), /iptables.*\n.*namespace of eth0 of shop\/web .*: Operation not permitted/)
          assert.match(fix.text, /this process lacks SYS_ADMIN, SYS_PTRACE and NET_ADMIN$/)
          const { leaks, possible } = json("base.left")
          assert.deepStrictEqual([leaks, possible.map(text), status("base.left")], [[], ["10.96.0.9"], 2])
          assert.match(output("base.left.error"), /the namespaces of \d+ of \d+ processes: permission denied/)
        })
      })

      it("wraps what an installer writes meanwhile", () => {
        assert.match(output("node"), /^wrapped what was written into \/opt\/cni\/bin: portmap$/m)
      })

      it("unwraps on SIGTERM, and leaves the folder as it was, to the inode", () => {
        assert.include(output("node"), "stopped by SIGTERM\n/opt/cni/bin\n  unwrapped  bandwidth, bridge, ")
        assert.strictEqual(output("node.status"), "0\n")
        const others = (name: string) => output(name).split("\n").filter((line) => !line.startsWith("portmap "))
        assert.deepStrictEqual(others("after"), others("before"))
      })

      it("leaves plugins that work where it is killed, and takes them over and unwraps them in its next life", () => {
        assert.strictEqual(output("killed.stub"), "#!/opt/cni/bin/.passthrough/passthrough\n")
        assert.include(output("killed.answer"), "supportedVersions")
        assert.match(output("again"), /^ {2}already wrapped {2}bandwidth, bridge, /m)
        assert.strictEqual(output("after.kill"), output("before.kill"))
      })

      it("does not begin its time anew when it is started again", () => {
        const until = (name: string) => /^until (\S+ \S+ \S+)(.*)/m.exec(output(name))
        assert.strictEqual(until("again")?.[1], until("killed")?.[1])
        assert.include(until("again")?.[2], "as a run before this one began")
      })

      it("unwraps what a killed life left when the time is over, and then waits without wrapping anything", () => {
        assert.include(output("over"), "the time is over\n/opt/cni/bin\n  unwrapped  bandwidth, bridge, ")
        assert.strictEqual(output("over.state"), output("before.kill"))
        assert.strictEqual(output("over.status"), "0\n")
      })
    }
  )
})
