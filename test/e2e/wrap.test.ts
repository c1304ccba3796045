/** Wrapped plugins under real runtimes. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import * as Containerd from "./support/containerd.ts"
import { buildLibcniRun } from "./support/libcni.ts"
import * as Podman from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"
import * as Wrapped from "./support/wrapped.ts"

const { normalised } = Wrapped

/** A network with one bridge, whose addresses host-local gives. */
const network = (name: string, subnet: string, bridge: object = {}, ...more: ReadonlyArray<object>) => ({
  cniVersion: "1.0.0",
  name,
  plugins: [
    {
      type: "bridge",
      bridge: `cni-${name}`,
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet }]], routes: [{ dst: "0.0.0.0/0" }] },
      ...bridge
    },
    ...more
  ]
})

const portmap = { type: "portmap", capabilities: { portMappings: true } }

const pod = network("podman", "10.88.0.0/24", {}, portmap, { type: "firewall" }, { type: "tuning" })

/** What a plugin is drawn with, whatever it brought about and however long it took. */
const drawn = (text: string): ReadonlyArray<string> =>
  text.split("\n").filter((line) => /[✓✗]/.test(line)).map((line) => line.replace(/ +[\d.]+ m?s$/, ""))

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "iproute2", "iptables", "curl"],
  "a pod of podman, made by wrapped plugins",
  () => {
    let sandbox: Sandbox.Sandbox
    const output = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      Fs.mkdirSync(Path.join(sandbox.tmp, "out"))
      Fs.writeFileSync(Path.join(sandbox.tmp, "podman.conflist"), JSON.stringify(pod))
      sandbox.run(`
${Wrapped.setUp}
${Podman.setUp}
cp /tmp/podman.conflist /etc/cni/net.d/
get() { curl -s --retry 20 --retry-delay 1 --retry-connrefused http://127.0.0.1:$1/index.html; }
rules() { iptables-save -t nat | grep -- "--dport $1 " || true; }
cd /tmp/out
podman run -d --name earlier -p 8081:8080 localhost/bb /bin/busybox httpd -f -p 8080 -h / >&2
state > before
cni-passthrough wrap >&2
state > wrapped
podman pod create -p 8080:8080 -n test --infra-image localhost/bb --infra-command '/bin/busybox sleep 600' >&2
podman run -d --pod test localhost/bb /bin/busybox httpd -f -p 8080 -h / >&2
get 8080 > wrapped.http
get 8081 > wrapped.earlier.http
cni-passthrough show --command ADD /var/log/cni/passthrough.jsonl > show
cni-passthrough show --failed /var/log/cni/passthrough.jsonl >&2
cni-passthrough unwrap >&2
state > after
get 8080 > after.http
get 8081 > after.earlier.http
rules 808[01] > after.rules
podman pod rm -f -t 0 test >&2
podman rm -f -t 0 earlier >&2
rules 808[01] > deleted.rules
ls /var/lib/cni/networks/podman > deleted.addresses
`)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("answers over HTTP through its published port", () => {
      assert.strictEqual(output("wrapped.http"), "hello from the pod\n")
    })

    it("is drawn with its plugins, and the one inside bridge", () => {
      assert.deepStrictEqual(drawn(output("show")), [
        "├─ ✓ bridge",
        "│   └─ ✓ host-local",
        "├─ ✓ portmap",
        "├─ ✓ firewall",
        "├─ ✓ tuning"
      ])
    })

    it("lives on when its plugins are unwrapped", () => {
      assert.strictEqual(output("after.http"), "hello from the pod\n")
    })

    it("lives on from before its plugins were wrapped until after they are unwrapped", () => {
      assert.strictEqual(output("wrapped.earlier.http"), "hello from the pod\n")
      assert.strictEqual(output("after.earlier.http"), "hello from the pod\n")
    })

    it("is taken away by the plugins themselves, with its rules and addresses", () => {
      assert.include(output("after.rules"), "--dport 8080 ")
      assert.strictEqual(output("deleted.rules"), "")
      assert.notMatch(output("deleted.addresses"), /^10\./m)
    })

    it("leaves the folder of plugins as it was, to the inode", () => {
      assert.notStrictEqual(output("wrapped"), output("before"))
      assert.strictEqual(output("after"), output("before"))
    })
  }
)

/** A network that does not work. */
interface Breakage {
  readonly conflist: object | string
  /** What podman says of it. */
  readonly error: RegExp
  /** The line in which `show --failed` names the plugin; undefined where none failed. */
  readonly culprit?: RegExp
  /** Whether podman comes to no plugin at all, not even to ask for its versions. */
  readonly isBeforePlugins?: boolean
  /** Done before, and undone. */
  readonly before?: string
  readonly after?: string
  readonly port?: string
}

const breakages: { readonly [name: string]: Breakage } = {
  "an MTU of a wrong type": {
    conflist: network("broken", "10.91.0.0/24", { mtu: "1500" }),
    error: /cannot unmarshal string into Go struct field hostLocalBridge\.mtu of type int/
  },
  "a plugin that is not there": {
    conflist: network("broken", "10.92.0.0/24", { type: "bridgee" }),
    error: /failed to find plugin \\"bridgee\\" in path/,
    isBeforePlugins: true
  },
  "a trailing comma": {
    conflist: JSON.stringify(network("broken", "10.93.0.0/24")).replace("}]}", "},]}"),
    error: /error parsing configuration list: invalid character ']'/,
    isBeforePlugins: true
  },
  "a cniVersion that there is not": {
    conflist: { ...network("broken", "10.94.0.0/24"), cniVersion: "9.9.9" },
    error: /plugin bridge does not support config version \\"9\.9\.9\\"/
  },
  "a range without a free address": {
    conflist: network("broken", "10.95.0.0/30"),
    before: "mkdir -p /var/lib/cni/networks/broken; echo another > /var/lib/cni/networks/broken/10.95.0.2",
    after: "rm -r /var/lib/cni/networks/broken",
    error: /plugin type="bridge" failed \(add\).* no IP addresses available in range set: 10\.95\.0\.1-10\.95\.0\.2/,
    culprit: /^✗ host-local in bridge: failed to allocate .* range set: 10\.95\.0\.1-10\.95\.0\.2$/m
  },
  "a published port that is taken": {
    conflist: network("broken", "10.96.0.0/24", {}, portmap),
    before: "busybox httpd -f -p 8080 & listener=$!",
    after: "kill $listener",
    port: "8080:80",
    error: /listen tcp4 :8080: bind: address already in use/
  },
  "a plugin without its execute bit": {
    conflist: network("broken", "10.97.0.0/24", {}, portmap),
    before: "chmod -x /usr/lib/cni/portmap",
    after: "chmod +x /usr/lib/cni/portmap",
    port: "8080:80",
    error: /cni plugin portmap failed: fork\/exec \/usr\/lib\/cni\/portmap: permission denied/
  },
  "a firewalld that does not run": {
    conflist: network("broken", "10.98.0.0/24", {}, { type: "firewall", backend: "firewalld" }),
    error: /plugin type="firewall" failed \(add\).*system_bus_socket: connect: no such file or directory/,
    culprit: /^✗ firewall: dial unix .*system_bus_socket: connect: no such file or directory$/m
  }
}

/** Starts a container in each of the networks, and keeps what podman and `show` say of it. */
const tryAll = (kept: string): string =>
  Object.values(breakages).map(({ after = "", before = "", port }, index) => `
cp /tmp/broken/${index} /etc/cni/net.d/broken.conflist
rm -f /tmp/log/cni.jsonl
${before}
podman run --rm --network broken ${port === undefined ? "" : `-p ${port}`} localhost/bb /bin/busybox true \\
  > /tmp/out/${index}.${kept} 2>&1 && exit 1
${after}
status=0
cni-passthrough show --failed /tmp/log/cni.jsonl > /tmp/out/${index}.${kept}.show 2> /tmp/out/${index}.${kept}.show.err ||
  status=$?
echo $status > /tmp/out/${index}.${kept}.status
ip link del cni-broken 2>/dev/null || true
rm -rf /var/lib/cni/networks`).join("\n")

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "iproute2", "iptables"],
  "a container of podman that gets no network from wrapped plugins",
  () => {
    let sandbox: Sandbox.Sandbox
    const output = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      for (const folder of ["out", "broken"]) Fs.mkdirSync(Path.join(sandbox.tmp, folder))
      Object.values(breakages).forEach(({ conflist }, index) =>
        Fs.writeFileSync(
          Path.join(sandbox.tmp, "broken", String(index)),
          typeof conflist === "string" ? conflist : JSON.stringify(conflist)
        )
      )
      sandbox.run(`
${Wrapped.setUp}
${Podman.setUp}
${tryAll("plain")}
cni-passthrough wrap bridge host-local portmap firewall --log /tmp/log/cni.jsonl >&2
${tryAll("wrapped")}
`)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    Object.entries(breakages).forEach(([name, { culprit, error, isBeforePlugins = false }], index) => {
      describe(`for ${name}`, () => {
        it("has the error text of podman that it has without them", () => {
          assert.match(output(`${index}.plain`), error)
          assert.strictEqual(normalised(output(`${index}.wrapped`)), normalised(output(`${index}.plain`)))
        })

        if (isBeforePlugins) {
          it("has no log that could say that all went well, as no plugin was called", () => {
            assert.include(output(`${index}.wrapped.show.err`), "was called since it was wrapped")
            assert.strictEqual(output(`${index}.wrapped.status`), "2\n")
          })
        } else if (culprit === undefined) {
          it("is not put down to a plugin, as none failed", () => {
            assert.match(output(`${index}.wrapped.show.err`), /^0 of \d+ operations match/)
            assert.strictEqual(output(`${index}.wrapped.show`), "")
          })
        } else {
          it("is put down to the plugin that failed, in its own words", () => {
            assert.match(output(`${index}.wrapped.show`), culprit)
            assert.strictEqual(output(`${index}.wrapped.status`), "1\n")
          })
        }
      })
    })
  }
)

describeWith(
  ["containernetworking-plugins", "busybox-static", "containerd", "runc", "iproute2", "iptables"],
  "a container of containerd, made by wrapped plugins",
  () => {
    let sandbox: Sandbox.Sandbox
    let addresses: string
    let shown: string

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      Fs.writeFileSync(
        Path.join(sandbox.tmp, "etc-cni/net.d/10-containerd.conflist"),
        JSON.stringify(network("containerd", "10.97.0.0/16"))
      )
      addresses = sandbox.run(`
${Wrapped.setUp}
cni-passthrough wrap bridge host-local --log /tmp/log/cni.jsonl >&2
${Containerd.setUp}
ctr_run c1 /bin/busybox ip -o -4 addr show eth0
cni-passthrough show /tmp/log/cni.jsonl > /tmp/show
`)
      shown = Fs.readFileSync(Path.join(sandbox.tmp, "show"), "utf8")
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("has the address that is drawn", () => {
      const [, address = ""] = /address (10\.97\.\d+\.\d+\/16)/.exec(shown) ?? []
      assert.notStrictEqual(address, "")
      assert.include(addresses, `inet ${address} `)
    })

    it("is drawn from its ADD to its DEL, with the plugin inside bridge", () => {
      assert.deepStrictEqual(shown.match(/^(ADD|DEL) .*/gm)?.map((line) => line.slice(0, 3)), ["ADD", "DEL"])
      const each = ["├─ ✓ bridge", "│   └─ ✓ host-local"]
      assert.deepStrictEqual(drawn(shown), [...each, ...each])
    })
  }
)

/** A plugin, and those that it started. */
interface Tree {
  readonly name: string
  readonly nested: ReadonlyArray<Tree>
}

/** The plugins among the programs that `strace -f` saw, put into those that started them. */
const traced = (trace: string): ReadonlyArray<Tree> => {
  const starters = new Map<string, string>()
  const plugins = new Map<string, { readonly name: string; readonly nested: Array<Tree> }>()
  const roots: Array<Tree> = []
  const executed: Array<readonly [pid: string, name: string]> = []
  for (const line of trace.split("\n").filter((line) => !line.includes(" = -1 "))) {
    const [, pid = "", child] = /^(\d+) +(?:<\.\.\. )?v?(?:clone3?|fork)\b.* = (\d+)$/.exec(line) ?? []
    if (child !== undefined) starters.set(child, pid)
    const [, by = "", name] = /^(\d+) +execve\("\/usr\/lib\/cni\/\.passthrough\/plugins\/([^"/]+)"/.exec(line) ?? []
    if (name !== undefined) executed.push([by, name])
  }
  for (const [pid, name] of executed) {
    const tree = { name, nested: [] }
    plugins.set(pid, tree)
    let around = starters.get(pid)
    while (around !== undefined && !plugins.has(around)) around = starters.get(around)
    const home = around === undefined ? roots : plugins.get(around)?.nested
    home?.push(tree)
  }
  return roots
}

interface ShownStep {
  readonly title: string
  readonly nested: ReadonlyArray<ShownStep>
}

const treeOf = (steps: ReadonlyArray<ShownStep>): ReadonlyArray<Tree> =>
  steps.map(({ nested, title }) => ({ name: title, nested: treeOf(nested) }))

describeWith(
  ["containernetworking-plugins", "golang-go", "golang-github-appc-cni-dev", "iproute2", "iptables", "strace"],
  "a chain of wrapped plugins under libcni",
  () => {
    let sandbox: Sandbox.Sandbox
    const output = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, "out", name), "utf8")
    const chain = network("chain", "10.99.0.0/24", {}, portmap, { type: "firewall" }, { type: "tuning", mtu: 1400 })
    const conflists: { readonly [name: string]: object } = {
      "0.4.0": { ...chain, cniVersion: "0.4.0" },
      "1.0.0": chain,
      mtu: network("mtu", "10.91.0.0/24", { mtu: "1500" }),
      version: { ...network("version", "10.94.0.0/24"), cniVersion: "9.9.9" }
    }
    const versions = ["0.4.0", "1.0.0"]
    /** All verbs of an attachment, then a CHECK of one that is broken. */
    const verbs = (kept: string, version: string) => `
operation ${kept} add ${version}
operation ${kept} check ${version}
ip -n testing addr flush dev eth0
operation ${kept} check ${version} broken
operation ${kept} del ${version}
rm -rf /var/lib/cni/networks`

    beforeAll(() => {
      sandbox = Sandbox.makeWithCommand()
      buildLibcniRun(sandbox)
      Fs.mkdirSync(Path.join(sandbox.tmp, "out"))
      for (const [name, conflist] of Object.entries(conflists)) {
        Fs.writeFileSync(Path.join(sandbox.tmp, `${name}.conflist`), JSON.stringify(conflist))
      }
      sandbox.run(`
${Wrapped.setUp}
ip netns add testing
libcni_run() { libcni-run $1 /tmp/$2.conflist /run/netns/testing container-1 eth0 /tmp/cache; }
operation() { # KEPT VERB CONFLIST [WORD]
  local status=0
  libcni_run $2 $3 > /tmp/out/$3.$2\${4-}.$1 2>&1 || status=$?
  echo "exit status $status" >> /tmp/out/$3.$2\${4-}.$1
}
${versions.map((version) => verbs("plain", version)).join("\n")}
for name in mtu version; do operation plain add $name; done
libcni_run add 1.0.0 >&2
cni-passthrough wrap bridge host-local portmap firewall tuning --log /tmp/log/cni.jsonl >&2
libcni_run check 1.0.0 >&2
libcni_run del 1.0.0 >&2
ip netns exec testing ip -o link show > /tmp/out/across.links
rm -rf /var/lib/cni/networks
${versions.map((version) => verbs("wrapped", version)).join("\n")}
for name in mtu version; do
  rm /tmp/log/cni.jsonl
  operation wrapped add $name
  cni-passthrough show --failed /tmp/log/cni.jsonl > /tmp/out/$name.show && exit 1
done
rm /tmp/log/cni.jsonl
strace -f -e trace=execve,clone,clone3,fork,vfork -o /tmp/out/trace \\
  libcni-run add /tmp/1.0.0.conflist /run/netns/testing container-2 eth0 /tmp/cache >&2
cni-passthrough show --json /tmp/log/cni.jsonl > /tmp/out/traced.json
`)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    for (const version of versions) {
      for (const verb of ["add", "check", "del"]) {
        it(`gives the runtime the bytes that it gives unwrapped, for ${verb} in version ${version}`, () => {
          assert.match(output(`${version}.${verb}.plain`), /exit status 0\n$/)
          assert.strictEqual(
            normalised(output(`${version}.${verb}.wrapped`)),
            normalised(output(`${version}.${verb}.plain`))
          )
        })
      }

      it(`fails with the words that it fails with unwrapped, for check in version ${version}`, () => {
        assert.match(output(`${version}.checkbroken.plain`), /exit status 1\n$/)
        assert.strictEqual(
          normalised(output(`${version}.checkbroken.wrapped`)),
          normalised(output(`${version}.checkbroken.plain`))
        )
      })
    }

    for (
      const [name, words] of [
        ["mtu", /^✗ bridge: .*cannot unmarshal string into Go struct field NetConf\.mtu of type int$/m],
        ["version", /^✗ bridge: code 1: incompatible CNI versions$/m]
      ] as const
    ) {
      it(`is put down to bridge, in its own words, where podman would not have called it: ${name}`, () => {
        assert.strictEqual(output(`${name}.add.wrapped`), output(`${name}.add.plain`))
        assert.match(output(`${name}.show`), words)
      })
    }

    it("takes away an attachment that it did not make", () => {
      assert.notInclude(output("across.links"), "eth0")
    })

    it("is drawn as the tree of plugins that the kernel started", () => {
      const tree = traced(output("trace"))
      assert.deepStrictEqual(tree.map(({ name }) => name), ["bridge", "portmap", "firewall", "tuning"])
      assert.deepStrictEqual(treeOf(JSON.parse(output("traced.json")).steps), tree)
      assert.deepStrictEqual(tree[0]?.nested.map(({ name }) => name), ["host-local"])
    })
  }
)
