/** `cni-passthrough doctor --fix` on a real host: what it runs, what it asks for, and how the network is afterwards. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { describeWith } from "../support/requirements.ts"
import { bridge, functions, listOf } from "./support/networks.ts"
import * as Sandbox from "./support/sandbox.ts"

describeWith(["containernetworking-plugins", "iproute2", "iptables"], "cni-passthrough doctor --fix", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
  })
  afterAll(() => sandbox[Symbol.dispose]())

  /** What it prints about a network with an attachment after a script, and its exit status. */
  const fixed = (script: string, words: string) => {
    const output = sandbox.run(`${functions}
echo '${JSON.stringify(listOf(bridge))}' > /etc/cni/net.d/10-n.conflist
attach web
${script}
status=0
cni-passthrough doctor n --fix ${words} < /dev/null 2>&1 || status=$?
echo
echo $status`).trimEnd().replace(/^podman \d.*\n/m, "") // the runtimes of this host
    const end = output.lastIndexOf("\n")
    return { text: output.slice(0, end).trimEnd(), status: Number(output.slice(end)) }
  }

  const forwarding = "sysctl -qw net.ipv4.ip_forward=0"
  const dropping = "iptables -I FORWARD -i cni-n -j DROP"
  const unlinked = "ip link del $(host_end)"

  it("runs one fix after another, and says that nothing is wrong any more", () => {
    const { status, text } = fixed(`${forwarding}; ${dropping}`, "--yes")
    assert.match(text, /\n {4}sysctl -w net\.ipv4\.ip_forward=1\n {2}✓ fixed\n/)
    assert.match(text, /\n {4}iptables .*-D FORWARD .*\n {2}✓ fixed\n/)
    assert.match(text, /\nn: no problems found, 1 attachment checked\n/)
    assert.strictEqual(status, 0)
  })

  it("is one document for scripts", () => {
    const { status, text } = fixed(forwarding, "--yes --json")
    const { findings, fixes } = JSON.parse(text)
    assert.deepStrictEqual([findings, status], [[], 0])
    assert.deepStrictEqual(fixes, [{
      check: "ip-forward",
      network: "n",
      message: "the host does not forward IPv4: net.ipv4.ip_forward is 0, expected 1",
      commands: [["sysctl", "-w", "net.ipv4.ip_forward=1"]],
      outcome: "fixed",
      reason: ""
    }])
  })

  it("cuts no traffic without being told for which check", () => {
    const { status, text } = fixed(unlinked, "--yes")
    assert.match(text, /\n {2}not run: it cuts open connections of eth0 of web: --yes --cut \S+ allows it/)
    assert.strictEqual(status, 1)
  })

  it("attaches a container anew where that was allowed", () => {
    const check = /--cut (\S+) allows it/.exec(fixed(unlinked, "--yes").text)?.[1]
    const { status, text } = fixed(unlinked, `--yes --cut ${check}`)
    assert.match(text, /\n {4}cni-passthrough run add n .*\n.*\n {2}✓ fixed\n/)
    assert.strictEqual(status, 0)
  })

  it("asks, and changes nothing where nobody can answer", () => {
    const { status, text } = fixed(forwarding, "")
    assert.match(text, /\n.*cannot ask for confirmation, because stdin is not a terminal: give --yes$/)
    assert.strictEqual(status, 2)
  })

  it("says that there is nothing that commands can fix", () => {
    const { status, text } = fixed("edit 's/host-local/host-locl/'", "--yes")
    assert.match(text, /\nno finding has a fix that commands can run$/)
    assert.strictEqual(status, 1)
  })

  for (
    const [words, message] of [
      ["--yes --cut nat", "--cut nat: no check has this name"],
      ["--json", "--fix --json cannot ask for confirmation: give --yes"],
      ["--cut masquerade", "--cut needs --fix --yes; without --yes, doctor asks"]
    ] as const
  ) {
    it(`refuses ${words} at once`, () => {
      const { status, text } = fixed("true", words)
      assert.include(text, message)
      assert.strictEqual(status, 2)
    })
  }
})
