/** `cni-passthrough doctor` as a user without rights: it says what it could not look at, and goes on. */
import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { describeWith } from "../support/requirements.ts"
import { bridge, functions, listOf } from "./support/networks.ts"
import * as Sandbox from "./support/sandbox.ts"

describeWith(["containernetworking-plugins", "iproute2", "iptables"], "doctor, asked by nobody,", () => {
  let sandbox: Sandbox.Sandbox
  beforeAll(() => {
    sandbox = Sandbox.makeWithCommand()
  })
  afterAll(() => sandbox[Symbol.dispose]())

  /** What it says of a network with an attachment, after a script, without the runtimes of this host. */
  const said = (script: string, words = "n", list: object = listOf(bridge)) =>
    sandbox.run(`${functions}
chmod 755 /tmp /tmp/bin
echo '${JSON.stringify(list)}' > /etc/cni/net.d/10-n.conflist
attach web
${script}
status=0
PATH=/tmp/bin:/usr/bin:/bin setpriv --reuid=65534 --regid=65534 --clear-groups cni-passthrough doctor ${words} 2>&1 || status=$?
echo $status`).trim().split("\n").filter((line) => !/^podman \d/.test(line))

  const cache = "  │ cannot read the results of attachments in /var/lib/cni/results: permission denied"
  /** What is not known as nobody may enter the namespace that may have the address, or see one that is mounted. */
  const reserved =
    /^ {2}│ which addresses are reserved for containers that are gone: .*: (?:Operation not permitted|permission denied)$/
  const isAboutRules = (line: string | undefined) => /│ iptables(?:-nft)?-save: .*must be root/.test(line ?? "")

  it("says it once, and could not look", () => {
    const [first, second, third, fourth, fifth, ...others] = said("")
    assert.strictEqual(first, "– some checks could not run, so problems there would be missed")
    assert.strictEqual(second, "  host (check everything-seen)")
    assert.strictEqual(third, cache)
    assert.match(fourth ?? "", reserved)
    assert.isTrue(isAboutRules(fifth), fifth)
    assert.deepStrictEqual(others, [
      "  fix: run doctor as root with all capabilities: this process lacks SYS_ADMIN, SYS_PTRACE and NET_ADMIN",
      "2"
    ])
  })

  it("takes no namespace that it may not enter for something else", () => {
    const lines = said("chmod -R a+rX /var/lib/cni")
    assert.match(lines.join("\n"), /│ the namespace of eth0 of web: .*Operation not permitted/)
    assert.notMatch(lines.join("\n"), /error of/)
  })

  it("takes no file that it may not read for one that is not there", () => {
    const lines = said("chmod 600 /etc/cni/net.d/*", "")
    assert.include(lines, "  │ cannot read /etc/cni/net.d/10-n.conflist: permission denied")
    assert.notMatch(lines.join("\n"), /no network configuration/)
  })

  it("says that no trial was possible", () => {
    assert.match(said("", "n --trial").join("\n"), /│ no trial was possible: ip netns add/)
  })

  it("still finds what is wrong with what it sees", () => {
    const broken = "sed -i 's/\"isGateway\":true/\"isGateway\":\"yes\"/' /etc/cni/net.d/*"
    const lines = said(broken)
    assert.match(lines[0] ?? "", /^✗ plugins\[0\]\.isGateway: found "yes"/)
    assert.strictEqual(lines.at(-1), "1")
  })
})
