/** `cni-passthrough run` among real plugins and libcni. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import { buildLibcniRun } from "./support/libcni.ts"
import * as Sandbox from "./support/sandbox.ts"

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
    sandbox = Sandbox.makeWithCommand()
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
    // The executable has the plugin in it, which shows what bridge starts. The script needs it beside itself for that.
    const output = withChain("1.0.0", "ours add --tap; ours del --tap")
    assert.match(output, /^ADD eth0 of c1 on testing-net$/m)
    assert.match(
      output,
      /✓ first .*s\n├─ ✓ bridge .*s\n(?:│ {3}└─ ✓ host-local .*\n(?:│ {7}\+ .*\n)+)?│ {3}\+ interface cni-testing0 \(mac .*\)\n/
    )
    assert.match(
      output,
      /\+ address 10\.99\.0\.\d+\/16 \(.*gateway 10\.99\.0\.1\)\n│ {3}\+ route 0\.0\.0\.0\/0\n├─ ✓ portmap/
    )
    assert.match(
      output,
      /^DEL eth0 of c1 on testing-net\n.*\n│\n├─ ✓ tuning .*\n├─ ✓ portmap .*\n├─ ✓ bridge .*\n(?:│ {3}└─ ✓ host-local .*\n)?├─ ✓ first/m
    )
  })

  it("shows what a wrapped plugin starts under it, as under any other", () => {
    const output = withChain(
      "1.0.0",
      `cp /opt/cni/bin/passthrough /tmp/bin
cp /usr/lib/cni/bridge /usr/lib/cni/host-local /usr/lib/cni/portmap /usr/lib/cni/tuning /opt/cni/bin
cni-passthrough wrap --dir /opt/cni/bin >&2
export CNI_PATH=/opt/cni/bin
ours add --tap
ours del >&2
cni-passthrough unwrap --dir /opt/cni/bin >&2
rm /opt/cni/bin/bridge /opt/cni/bin/host-local /opt/cni/bin/portmap /opt/cni/bin/tuning /tmp/bin/passthrough`
    )
    assert.match(output, /├─ ✓ bridge .*ms\n│ {3}└─ ✓ host-local .*ms\n│ {7}\+ address 10\.99\./)
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
cni-passthrough run status testing-net 2>&1 && echo ready
rm /etc/cni/net.d/chain.conflist`)
    assert.match(output, /^passthrough {2}0\.1\.0, .*1\.1\.0$/m)
    assert.match(output, /no network "nowhere" in \/etc\/cni\/net\.d: it has testing-net\n[^]*?status 2/)
    assert.match(output, /no plugin was called: version 1\.0\.0 has no STATUS: it needs 1\.1\.0 or newer\nready/)
  })

  describe("whose second plugin", () => {
    const failing: { readonly [name: string]: readonly [script: string, message: RegExp] } = {
      "fails": [
        `echo '{"cniVersion":"1.0.0","code":11,"msg":"no addresses","details":"10.0.0.0/8 is full"}'; echo why >&2; exit 1`,
        /ADD failed in second: code 11: no addresses, exit status 1, after [\d.]+ ms\n {2}details: 10\.0\.0\.0\/8 is full\n {2}stderr: why/
      ],
      "hangs": [
        "echo so far; sleep 600",
        /ADD failed in second: did not end within 3s, and was killed, after 3[\d.]* m?s\n {2}stdout: so far/
      ],
      "is killed": [
        "echo before >&2; kill -9 $$",
        /ADD failed in second: was killed by SIGKILL, without an error document, after [\d.]+ ms\n {2}stderr: before/
      ],
      "prints garbage": [
        "cat >/dev/null; echo garbage",
        /ADD failed in second: exited with status 0, but its result is not a JSON object, after/
      ],
      "is missing": ["", /ADD failed in second: not found in \/tmp\/plugins:\/opt\/cni\/bin/]
    }
    for (const [name, [script, message]] of Object.entries(failing)) {
      it(`${name} is told so, with the command that undoes the first`, () => {
        const output = sandbox.run(`
mkdir -p /tmp/plugins; rm -f /tmp/plugins/second
${script === "" ? "" : `cat > /tmp/plugins/second <<'EOF'\n#!/bin/sh\n${script}\nEOF\nchmod +x /tmp/plugins/second`}
echo '{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"passthrough"},{"type":"second"},{"type":"passthrough"}]}' > /tmp/n.conflist
cni-passthrough run add /tmp/n.conflist --netns /none --cni-path /tmp/plugins:/opt/cni/bin --timeout 3s --tap 2>&1 && exit 1
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
