/** Attachments that were made before their network was edited. */
import { assert, describe, it } from "@effect/vitest"
import * as Check from "../../src/doctor/Check.ts"
import * as Checks from "../../src/doctor/Checks.ts"
import * as ConfigFile from "../../src/doctor/ConfigFile.ts"
import type { Facts } from "../../src/doctor/Facts.ts"
import * as Host from "./host.ts"

const plugin = { type: "bridge", bridge: "cni0", ipam: { type: "host-local", subnet: "10.99.0.0/24" } }
const list = (...plugins: ReadonlyArray<object>) => JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins })
const fileOf = (text: string) => ConfigFile.make("/etc/cni/net.d/10-n.conflist", text)

describe("a cached configuration", () => {
  it("has the plugins of a file, however the file is laid out", () => {
    const file = fileOf(JSON.stringify(JSON.parse(list(plugin)), undefined, 4))
    assert.isTrue(ConfigFile.hasPlugins(file, list(plugin)))
  })

  it("has the plugin of a file for one plugin, which libcni caches as a list", () => {
    const single = { ...plugin, name: "n", cniVersion: "1.0.0" }
    assert.isTrue(ConfigFile.hasPlugins(fileOf(JSON.stringify(single)), list(single)))
  })

  it("differs where a member or the number of plugins does", () => {
    assert.isFalse(ConfigFile.hasPlugins(fileOf(list({ ...plugin, mtu: 1400 })), list(plugin)))
    assert.isFalse(ConfigFile.hasPlugins(fileOf(list(plugin, { type: "portmap" })), list(plugin)))
  })

  it("shows no secret where it differs", () => {
    const [was, now] = ["hunter2", "s3cr3t"].map((password) => list({ ...plugin, password })) as [string, string]
    assert.isFalse(ConfigFile.hasPlugins(fileOf(now), was))
    assert.deepStrictEqual(ConfigFile.changesSince(fileOf(now), was), ["changed a secret"])
  })

  it("counts as that of the file if it cannot be read", () => {
    assert.isTrue(ConfigFile.hasPlugins(fileOf(list(plugin)), "{"))
  })
})

/** The healthy host, whose attachment was made before the file got this change. */
const edited = (change: object, host: Host.Change = {}): Facts => {
  const facts = Host.facts(host)
  const { attachments, chain, delegates, file, network } = facts
  const config = file?.text ?? ""
  const now = Host.facts({ ...host, bridge: change })
  return {
    ...now,
    attachments: [],
    earlier: [{ attachments: attachments.map((each) => ({ ...each, config })), chain, delegates, file, network }]
  }
}

const all = [...Checks.configuration, ...Checks.live]
const found = (facts: Facts) => Check.examine(all, facts).findings.map(({ check, level }) => `${level} ${check}`)

describe("an edit beside living containers", () => {
  it("is a note that says what was edited", () => {
    const { findings: [finding] } = Check.examine(all, edited({ mtu: 1300 }))
    assert.deepInclude(finding, {
      level: "note",
      check: "edited-since",
      message: "eth0 of web was attached before the network was edited: the edit applies to new containers",
      evidence: ["added plugins[0].mtu: 1300", "eth0 of web"]
    })
    assert.deepStrictEqual(finding?.fix.commands, [])
  })

  it("is no fault of theirs, whatever was edited", () => {
    for (const change of [{ mtu: 1300 }, { ipMasq: false }, { isGateway: false }]) {
      assert.deepStrictEqual(found(edited(change)), ["note edited-since"], JSON.stringify(change))
    }
  })

  it("of the bridge's name warns of the subnet that both bridges have, and touches neither", () => {
    const { findings } = Check.examine(all, edited({ bridge: "cni1" }))
    assert.deepStrictEqual(findings.map(({ check, level }) => `${level} ${check}`), [
      "warning overlapping-subnets",
      "note edited-since"
    ])
    assert.isTrue(findings.every(({ fix }) => fix.commands.length === 0))
  })

  it("of the subnet warns that the next ADD fails, and does not take the address of living containers away", () => {
    const ipam = { type: "host-local", ranges: [[{ subnet: "10.98.0.0/24" }]], routes: [{ dst: "0.0.0.0/0" }] }
    const { findings } = Check.examine(all, edited({ ipam }))
    assert.deepStrictEqual(findings.map(({ check, level }) => `${level} ${check}`), [
      "warning bridge-address",
      "note edited-since"
    ])
    assert.deepStrictEqual(findings[0]?.fix.commands, [])
  })

  it("hides no fault of theirs", () => {
    const off = { host: { sysctls: new Map([["net.ipv4.ip_forward", "0"]]) } }
    assert.deepStrictEqual(found(edited({ mtu: 1300 }, off)), ["error ip-forward", "note edited-since"])
  })
})
