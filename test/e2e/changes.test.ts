/** What plugins change, under a real runtime. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import * as Podman from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

const pods = {
  cniVersion: "1.0.0",
  name: "podman",
  plugins: [
    {
      type: "bridge",
      bridge: "cni-podman0",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.88.0.0/24" }]], routes: [{ dst: "0.0.0.0/0" }] }
    },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "tuning" }
  ]
}

/** What stands under a plugin, without what changes from one attachment to the next, up to the next plugin. */
const under = (plugin: string, text: string): ReadonlyArray<string> => {
  const lines = text.split("\n")
  const start = lines.findIndex((line) => line.includes(`✓ ${plugin}`))
  const indent = lines[start]?.indexOf("✓") ?? 0
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => /[✓✗]/.test(line.slice(0, indent + 1)) || line.startsWith("└─"))
  return rest.slice(0, end).map((line) =>
    line.slice(indent).replace(/^ /, "")
      .replace(/\(mac [0-9a-f:]+\)/, "(mac …)")
      .replace(/veth[0-9a-f]+/, "veth…")
      .replace(/CNI-(DN-)?[0-9a-f]{4}…/g, "CNI-$1…")
  )
}

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "iproute2", "iptables"],
  "a pod of podman with a published port, whose plugins are wrapped with --changes",
  () => {
    let sandbox: Sandbox.Sandbox
    const output = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      Fs.mkdirSync(Path.join(sandbox.tmp, "out"))
      Fs.writeFileSync(Path.join(sandbox.tmp, "podman.conflist"), JSON.stringify(pods))
      sandbox.run(`
${Wrapped.setUp}
${Podman.setUp}
cp /tmp/podman.conflist /etc/cni/net.d/
cd /tmp/out
log=/var/log/cni/passthrough.jsonl
cni-passthrough wrap --changes >&2
podman run -d --name web -p 8080:80 localhost/bb /bin/busybox sleep 600 >&2
cni-passthrough show --command ADD $log > add
podman rm -f -t 0 web >&2
cni-passthrough show --command DEL $log > del
cni-passthrough show --leftovers $log > none && echo 0 > none.status || echo $? > none.status
podman run -d --name other -p 8081:80 localhost/bb /bin/busybox sleep 600 >&2
iptables-save -t nat | sed -n 's/^:\\(CNI-DN-[^ ]*\\).*/iptables -t nat -N \\1/p; s/^-A CNI-\\(DN\\|HOSTPORT-DNAT\\).*/iptables -t nat &/p' > again
cat > meddler <<'EOF'
#!/bin/sh
/tmp/portmap
status=$?
[ "$CNI_COMMAND" != DEL ] || sh /tmp/out/again
exit $status
EOF
cp /usr/lib/cni/.passthrough/plugins/portmap /tmp/portmap
install -m 755 meddler /usr/lib/cni/.passthrough/plugins/portmap
podman rm -f -t 0 other >&2
cni-passthrough show --leftovers $log > some && echo 0 > some.status || echo $? > some.status
cni-passthrough leaks --json > leaks || true
cni-passthrough unwrap >&2
`)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("has the links, the addresses and the routes of bridge under bridge", () => {
      assert.includeMembers([...under("bridge", output("add"))], [
        "+ host link cni-podman0 (bridge, up)",
        "+ host link veth… (veth, up, master cni-podman0)",
        "+ host address 10.88.0.1/24 on cni-podman0",
        "+ container link eth0 (veth, up)",
        "+ container address 10.88.0.2/24 on eth0",
        "+ container route default via 10.88.0.1 dev eth0",
        "+ nat CNI-…: not to 224.0.0.0/4 masquerade"
      ])
    })

    it("has the rules of its published port under portmap, in words", () => {
      assert.includeMembers([...under("portmap", output("add"))], [
        "+ nat CNI-DN-…: tcp dport 8080 → 10.88.0.2:80",
        "+ nat CNI-HOSTPORT-MASQ: mark 0x2000 masquerade",
        "+ nat CNI-HOSTPORT-DNAT: tcp dport 8080 jump CNI-DN-…"
      ])
    })

    it("has its address under host-local inside bridge, and not twice", () => {
      assert.include(under("host-local", output("add")).join("\n"), "+ ipam podman: 10.88.0.2 for ")
      assert.lengthOf(output("add").match(/ipam podman/g) ?? [], 1)
    })

    it("is told that tuning changed nothing", () => {
      assert.deepStrictEqual(under("tuning", output("add")), ["changed nothing"])
    })

    it("leaves nothing over when it is removed", () => {
      assert.include(under("portmap", output("del")).join("\n"), "- nat CNI-DN-…: tcp dport 8080 → 10.88.0.2:80")
      assert.notInclude(output("del"), "leftover")
      assert.strictEqual(output("none.status"), "0\n")
    })

    it("is said to leave over the rules that somebody puts back meanwhile", () => {
      assert.match(output("some"), /leftover: nat CNI-DN-[0-9a-f]{4}…: tcp dport 8081 → 10\.88\.0\.3:80$/m)
      assert.strictEqual(output("some.status"), "1\n")
    })

    it("has leaked them, too", () => {
      assert.match(output("leaks"), /CNI-DN-/)
    })
  }
)
