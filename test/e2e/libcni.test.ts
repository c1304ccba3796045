/** `10-chained.conflist`, driven by libcni, with its taps and without them. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { describeWith } from "../support/requirements.ts"
import { buildLibcniRun } from "./support/libcni.ts"
import * as Sandbox from "./support/sandbox.ts"

/** What differs from one attachment to the next, and says nothing about the chain. */
const normalised = (result: string): unknown =>
  JSON.parse(
    result
      .replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, "MAC")
      .replace(/veth[0-9a-f]+/g, "VETH")
      .replace(/10\.99\.\d+\.\d+/g, "ADDRESS")
  )

const chain = (conflist: string, cniVersion: string) => `
ip netns add testing
libcni_run() { /tmp/bin/libcni-run "$1" ${conflist} /run/netns/testing container-1 eth0 /tmp/cache; }
libcni_run add
${cniVersion === "0.3.1" ? "" : "libcni_run check"}
ip -n testing -o -4 addr show eth0 >&2
libcni_run del
`

describeWith(
  ["containernetworking-plugins", "golang-go", "golang-github-appc-cni-dev", "iproute2", "iptables"],
  "10-chained.conflist under libcni",
  () => {
    let sandbox: Sandbox.Sandbox
    beforeAll(() => {
      sandbox = Sandbox.make()
      buildLibcniRun(sandbox)
    })
    afterAll(() => sandbox[Symbol.dispose]())

    for (const cniVersion of ["0.3.1", "0.4.0", "1.0.0"]) {
      describe(`in version ${cniVersion}`, () => {
        let result: string
        const log = (name: string) => Fs.readFileSync(Path.join(sandbox.tmp, `debug-${name}.log`), "utf8")

        beforeAll(() => {
          for (const name of Fs.readdirSync(sandbox.tmp).filter((name) => name.startsWith("debug-"))) {
            Fs.rmSync(Path.join(sandbox.tmp, name))
          }
          const conflist = JSON.parse(Fs.readFileSync(Path.join(sandbox.tmp, "conf/10-chained.conflist"), "utf8"))
          Fs.writeFileSync(Path.join(sandbox.tmp, "tapped.conflist"), JSON.stringify({ ...conflist, cniVersion }))
          result = sandbox.run(chain("/tmp/tapped.conflist", cniVersion))
        })

        it("ends with the same result as without taps", () => {
          const conflist = JSON.parse(Fs.readFileSync(Path.join(sandbox.tmp, "tapped.conflist"), "utf8"))
          const plugins = conflist.plugins.filter(({ type }: { readonly type: string }) => type !== "passthrough")
          assert.strictEqual(plugins.length, conflist.plugins.length - 2)
          Fs.writeFileSync(Path.join(sandbox.tmp, "plain.conflist"), JSON.stringify({ ...conflist, plugins }))
          const plain = sandbox.run(chain("/tmp/plain.conflist", cniVersion))
          assert.deepStrictEqual(normalised(result), normalised(plain))
          assert.strictEqual(JSON.parse(result).cniVersion, cniVersion)
        })

        it("shows what bridge did between the two taps", () => {
          assert.notInclude(log("0_container-1_ADD"), "prevResult")
          assert.include(log("1_container-1_ADD"), "\"prevResult\"")
          assert.include(log("1_container-1_ADD"), "\"cni-testing0\"")
        })

        it("is logged by both taps for every operation", () => {
          const operations = cniVersion === "0.3.1" ? ["ADD", "DEL"] : ["ADD", "CHECK", "DEL"]
          for (const operation of operations) {
            for (const tap of [0, 1]) assert.match(log(`${tap}_container-1_${operation}`), /^RESULT: /m)
          }
        })
      })
    }
  }
)
