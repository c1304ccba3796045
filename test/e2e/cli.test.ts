/** The companion command among real plugins, libcni and podman. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { companion } from "../support/plugin.ts"
import { describeWith } from "../support/requirements.ts"
import { buildLibcniRun } from "./support/libcni.ts"
import { setUp } from "./support/podman.ts"
import * as Sandbox from "./support/sandbox.ts"

const makeSandbox = () => {
  const sandbox = Sandbox.make()
  Fs.copyFileSync(companion, Path.join(sandbox.tmp, "bin/cni-passthrough"))
  return sandbox
}

/** What differs from one attachment to the next. */
const normalised = (result: string): unknown =>
  JSON.parse(
    result.replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC").replace(/veth[0-9a-f]+/g, "VETH").replace(
      /10\.99\.\d+\.\d+/g,
      "ADDRESS"
    )
  )

/** A chain of real plugins, with a port of its own mapped. */
const chain = (cniVersion: string) => ({
  cniVersion,
  name: "testing-net",
  plugins: [
    { type: "passthrough", label: "first" },
    {
      type: "bridge",
      bridge: "cni-testing0",
      isGateway: true,
      ipMasq: true,
      ipam: { type: "host-local", ranges: [[{ subnet: "10.99.0.0/16" }]], routes: [{ dst: "0.0.0.0/0" }] }
    },
    { type: "portmap", capabilities: { portMappings: true } },
    { type: "tuning", mtu: 1400 }
  ]
})

const ports = `'{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]}'`

const packages = [
  "containernetworking-plugins",
  "golang-go",
  "golang-github-appc-cni-dev",
  "iproute2",
  "iptables"
] as const

describeWith(packages, "cni-passthrough run, on a chain of bridge, portmap and tuning", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = makeSandbox()
    buildLibcniRun(sandbox)
  })
  afterAll(() => sandbox[Symbol.dispose]())

  const withChain = (cniVersion: string, script: string) => {
    Fs.writeFileSync(Path.join(sandbox.tmp, "chain.conflist"), JSON.stringify(chain(cniVersion)))
    return sandbox.run(`ip netns add testing
rm -rf /tmp/cache /var/lib/cni/*
ours() { cni-passthrough run "$1" /tmp/chain.conflist --netns testing --container-id c1 --cache-dir /tmp/cache "\${@:2}"; }
libcni() { libcni-run "$1" /tmp/chain.conflist /run/netns/testing c1 eth0 /tmp/cache; }
${script}`)
  }

  for (const cniVersion of ["0.3.1", "0.4.0", "1.0.0"]) {
    const check = (who: string) => cniVersion === "0.3.1" ? ":" : `${who} check`

    it(`gives the result that libcni gives, in version ${cniVersion}`, () => {
      const ours = withChain(cniVersion, `ours add; ${check("ours")}; ours del; [ ! -e /tmp/cache/results/* ]`)
      const libcnis = withChain(cniVersion, "libcni add; libcni del")
      assert.deepStrictEqual(normalised(ours), normalised(libcnis))
    })

    it(`goes on where libcni began, and the other way round, in version ${cniVersion}`, () => {
      withChain(cniVersion, `libcni add; ${check("ours")}; ours del; [ ! -e /tmp/cache/results/* ]`)
      withChain(cniVersion, `ours add; ${check("libcni")}; libcni del; [ ! -e /tmp/cache/results/* ]`)
    })
  }

  it("gives capabilities to the plugins that have them, and takes them away again", () => {
    const output = withChain(
      "1.0.0",
      `
ours add --capability-args ${ports} >/dev/null
iptables -t nat -S | grep -c 'DNAT.*10.99' || true
ours del
iptables -t nat -S | grep -c 'DNAT.*10.99' || true`
    )
    assert.deepStrictEqual(output.trim().split("\n"), ["1", "0"])
  })

  it("shows what each plugin did", () => {
    const output = withChain("1.0.0", "ours add --tap; ours del --tap")
    assert.match(output, /^ADD eth0 of c1 on testing-net$/m)
    assert.match(output, /✓ first .*ms\n├─ ✓ bridge .*ms\n│ {3}\+ interface cni-testing0 \(mac .*\)\n/)
    assert.match(
      output,
      /\+ address 10\.99\.0\.\d+\/16 \(.*gateway 10\.99\.0\.1\)\n│ {3}\+ route 0\.0\.0\.0\/0\n├─ ✓ portmap/
    )
    assert.match(
      output,
      /^DEL eth0 of c1 on testing-net\n.*\n│\n├─ ✓ tuning .*\n├─ ✓ portmap .*\n├─ ✓ bridge .*\n├─ ✓ first/m
    )
  })

  it("shows what went into and came out of each plugin where it is asked to", () => {
    const output = withChain("1.0.0", "ours add --tap --full --args 'IgnoreUnknown=1;K8S_POD_NAME=web'")
    assert.match(
      output,
      /✓ bridge .*\n│ {3}CNI_ARGS=IgnoreUnknown=1;K8S_POD_NAME=web\n│ {3}CNI_PATH=\/opt\/cni\/bin:\/usr\/lib\/cni\n│ {3}stdin\n│ {5}\{\n/
    )
    assert.match(output, /│ {3}stdout\n│ {5}\{\n[^]*│ {3}exit status 0\n├─ ✓ portmap/)
  })

  it("writes records that show reads", () => {
    const output = withChain(
      "1.0.0",
      `
ours add --log /tmp/chain.jsonl >/dev/null
ours del --json > /tmp/del.jsonl
cni-passthrough show /tmp/chain.jsonl
cni-passthrough show --command del < /tmp/del.jsonl
cni-passthrough show '/tmp/*.jsonl' --failed`
    )
    assert.deepStrictEqual(output.match(/^(?:ADD|DEL) eth0/gm), ["ADD eth0", "DEL eth0"])
  })

  it("makes a namespace, and removes it", () => {
    const output = withChain(
      "1.0.0",
      `
cni-passthrough run add /tmp/chain.conflist --new-netns demo --tap
ip netns list | grep -c demo
cni-passthrough run check /tmp/chain.conflist --netns demo
cni-passthrough run del /tmp/chain.conflist --new-netns demo
ip netns list | grep -c demo || true`
    )
    assert.match(output, /of cnitool-[0-9a-f]{20} on testing-net/)
    assert.match(output, /\n1\n0\n$/)
  })

  it("finds a network by its name, asks plugins for their versions, and knows what each version has", () => {
    Fs.writeFileSync(
      Path.join(sandbox.tmp, "chain.conflist"),
      JSON.stringify({ ...chain("0.3.1"), cniVersions: ["0.4.0", "1.0.0", "9.0.0"] })
    )
    const output = sandbox.run(`
cp /tmp/chain.conflist /etc/cni/net.d/
cni-passthrough run version testing-net
cni-passthrough run add nowhere --netns x 2>&1 || echo "status $?"
cni-passthrough run status testing-net 2>&1 || echo "status $?"
rm /etc/cni/net.d/chain.conflist`)
    assert.match(output, /^passthrough {2}0\.1\.0, .*1\.1\.0$/m)
    assert.match(output, /no network "nowhere" in \/etc\/cni\/net\.d: it has testing-net\n[^]*?status 2/)
    assert.match(output, /version 1\.0\.0 has no STATUS: it needs 1\.1\.0\n[^]*?status 2/)
  })

  describe("whose second plugin", () => {
    const failing: { readonly [name: string]: readonly [script: string, message: RegExp] } = {
      "fails": [
        `echo '{"cniVersion":"1.0.0","code":11,"msg":"no addresses","details":"10.0.0.0/8 is full"}'; echo why >&2; exit 1`,
        /ADD failed in second: code 11: no addresses, exit status 1, after [\d.]+ ms\n {2}details: 10\.0\.0\.0\/8 is full\n {2}stderr: why/
      ],
      "hangs": ["sleep 600", /ADD failed in second: code 999: second did not end within 0\.5 s/],
      "prints garbage": [
        "cat >/dev/null; echo garbage",
        /second exited with status 0, and without a result that is a JSON object/
      ],
      "is missing": ["", /second is not in \/tmp\/plugins:\/opt\/cni\/bin/]
    }
    for (const [name, [script, message]] of Object.entries(failing)) {
      it(`${name} is told so, with the command that undoes the first`, () => {
        const output = sandbox.run(`
mkdir -p /tmp/plugins; rm -f /tmp/plugins/second
${script === "" ? "" : `cat > /tmp/plugins/second <<'EOF'\n#!/bin/sh\n${script}\nEOF\nchmod +x /tmp/plugins/second`}
echo '{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"passthrough"},{"type":"second"},{"type":"passthrough"}]}' > /tmp/n.conflist
cni-passthrough run add /tmp/n.conflist --netns /none --cni-path /tmp/plugins:/opt/cni/bin --timeout 500ms --tap 2>&1 && exit 1
echo "status $?"`)
        assert.match(output, message)
        assert.match(output, /cni-passthrough run del \/tmp\/n\.conflist --netns \/none --cni-path/)
        assert.match(output, /├─ ✗ second/)
        assert.notMatch(output, /passthrough 2/)
        assert.match(output, /status 1\n$/)
      })
    }
  })
})

describeWith(["containernetworking-plugins", "iproute2"], "cni-passthrough validate", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = makeSandbox()
  })
  afterAll(() => sandbox[Symbol.dispose]())

  const validate = (text: string, flags = "") => {
    Fs.writeFileSync(Path.join(sandbox.tmp, "x.conflist"), text)
    return sandbox.run(`cni-passthrough validate ${flags} /tmp/x.conflist 2>&1 && echo "status 0" || echo "status $?"`)
  }

  it("finds nothing wrong with what is right", () => {
    assert.strictEqual(validate(JSON.stringify(chain("1.0.0"))), "/tmp/x.conflist: fine\nstatus 0\n")
  })

  it("names every problem with its place", () => {
    const text = `{
  "cniVersion": "1.0.0",
  "name": "-n",
  "plugins": [
    { "type": "passthrough", "hookADD": 3, "logSinks": [{ "type": "kafka" }] },
    { "type": "no-such-plugin" },
    {}
  ]
}`
    assert.strictEqual(
      validate(text),
      `/tmp/x.conflist:3:11: name: found "-n", expected a letter or digit, then letters, digits, '_', '.' or '-'
/tmp/x.conflist:5:41: plugins[0].hookADD: found 3, expected a list of commands
/tmp/x.conflist:5:67: plugins[0].logSinks[0].type: found "kafka", expected "file" or "syslog" or "journald" or "stderr"
/tmp/x.conflist:6:15: plugins[1].type: the plugin no-such-plugin is not in /opt/cni/bin:/usr/lib/cni
/tmp/x.conflist:7:5: plugins[2].type: found nothing, expected the name of a plugin, which is a file on the CNI path
status 1
`
    )
  })

  it("names a trailing comma as such", () => {
    assert.strictEqual(
      validate(`{"name": "n",\n"plugins": [{"type": "bridge"},]}`),
      "/tmp/x.conflist:2:31: a trailing comma in front of \"]\"\nstatus 1\n"
    )
  })

  it("asks plugins whether they speak the version", () => {
    const answer = validate(JSON.stringify(chain("1.1.0")))
    assert.match(answer, /plugins\[1\]\.type: \/usr\/lib\/cni\/bridge speaks .*, and not 1\.1\.0/)
  })

  it("has a status of its own for a file that cannot be read", () => {
    assert.match(
      sandbox.run("cni-passthrough validate /none 2>&1 || echo \"status $?\""),
      /cannot read \/none[^]*status 2/
    )
  })
})

describeWith(
  ["containernetworking-plugins", "busybox-static", "podman", "runc", "iproute2", "iptables"],
  "a chain of podman that is instrumented, run, shown, and restored",
  () => {
    let sandbox: Sandbox.Sandbox
    let output: string
    const original = `{
  "cniVersion": "0.4.0", "name": "podman",
\t"plugins": [ {
    "type": "bridge", "bridge": "cni-podman0", "isGateway": true, "ipMasq": true,
    "ipam": { "type": "host-local", "routes": [{ "dst": "0.0.0.0/0" }], "ranges": [[{ "subnet": "10.88.0.0/16" }]] }
  },  { "type": "portmap", "capabilities": { "portMappings": true } } ]
}`

    beforeAll(() => {
      sandbox = makeSandbox()
      Fs.writeFileSync(Path.join(sandbox.tmp, "original.conflist"), original)
      output = sandbox.run(`${setUp}
conflist=/etc/cni/net.d/87-podman-bridge.conflist
cp /tmp/original.conflist $conflist
chmod 640 $conflist
cni-passthrough instrument -i --log-dir /tmp/taps --hook 'iptables -t nat -S' $conflist >&2
podman run --rm -p 8080:80 localhost/bb /bin/busybox true >&2
cni-passthrough show '/tmp/taps/*.jsonl' --command add
cni-passthrough instrument -i --remove $conflist >&2
stat -c %a $conflist
cp $conflist /tmp/restored.conflist`)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    it("shows what each plugin did between the taps", () => {
      assert.match(
        output,
        /✓ before-bridge[^]*\+ interface cni-podman0[^]*\+ address 10\.88[^]*✓ before-portmap[^]*✓ after-portmap/
      )
      assert.match(output, /✓ after-portmap[^]*\$ iptables -t nat -S/)
    })

    it("is byte for byte the old file afterwards, with its mode", () => {
      assert.strictEqual(Fs.readFileSync(Path.join(sandbox.tmp, "restored.conflist"), "utf8"), original)
      assert.match(output, /\n640\n$/)
    })
  }
)
