/** What is left of containers that are gone, as it is printed. */
import { assert, describe, it } from "@effect/vitest"
import * as LeakLines from "../../src/cli/LeakLines.ts"
import type { Leak } from "../../src/doctor/Leaks.ts"
import * as Style from "../../src/render/terminal/Style.ts"

const id = "c0ffee123456".padEnd(64, "7")
const comment = `-m comment --comment "name: \\"n\\" id: \\"${id}\\""`

const leak = (kind: Leak["kind"], text: string): Leak => ({
  kind,
  text,
  containerId: id,
  reason: "/run/netns/web does not exist",
  removal: { _tag: "File", path: "/nowhere", lock: undefined }
})

const result = leak("result", "eth0 of c0ffee123456")
const reservation = leak("reservation", "10.9.0.2 in /var/lib/cni/networks/n/10.9.0.2")
const rule = leak("rule", `iptables -t nat -A POSTROUTING -s 10.9.0.2/32 ${comment} -j CNI-0123456789abcdef01234567`)
const mapping = leak(
  "rule",
  `iptables -t nat -A CNI-HOSTPORT-DNAT --dports 80 ${comment} -j CNI-DN-0123456789abcdef01234`
)

const pipe = { isTerminal: false, width: Number.POSITIVE_INFINITY, minutesEast: () => 0 }
const terminal = (width: number, height?: number) => ({ isTerminal: true, width, height, minutesEast: () => 0 })

const printed = (found: ReadonlyArray<Leak>, screen: Style.Screen, isVerbose = false) =>
  LeakLines.lines(found, Style.make(screen, false), isVerbose)

describe("what is left of containers that are gone", () => {
  it("begins with what leads traffic to where nobody is, and ends with what only takes space", () => {
    const lines = printed([rule, result, reservation, mapping], terminal(78))
    assert.deepStrictEqual(lines.map((line) => line.split(/ {2,}/)[1]), [
      "nat CNI-HOSTPORT-DNAT --dports 80 -j CNI-DN-0123…",
      "nat POSTROUTING -s 10.9.0.2/32 -j CNI-0123…",
      "10.9.0.2 in /var/lib/cni/networks/n/10.9.0.2",
      "eth0 of c0ffee123456"
    ])
  })

  it("has the table of a rule in place of the command that made it, with its family where that is IPv6", () => {
    const of = (program: string) => printed([leak("rule", `${program} -t nat -A POSTROUTING -j X`)], terminal(40))[0]
    assert.match(of("iptables") ?? "", /^rule {9}nat POST/)
    assert.match(of("ip6tables") ?? "", /^rule {9}IPv6 nat/)
  })

  it("has a line each, with its container, which no screen breaks", () => {
    for (const width of [40, 72, 100]) {
      for (const line of printed([rule, result, reservation, mapping], terminal(width))) {
        assert.isAtMost(line.length, width, line)
        assert.match(line, /\(c0ffee1/)
      }
    }
  })

  it("says why it is a leftover where there is room for that", () => {
    assert.deepStrictEqual(printed([result], terminal(100)), [
      "result       eth0 of c0ffee123456  (c0ffee123456: /run/netns/web does not exist)"
    ])
  })

  it("is not shortened in a pipe, nor with --verbose", () => {
    const whole = `rule         ${rule.text}  (c0ffee123456: /run/netns/web does not exist)`
    assert.deepStrictEqual(printed([rule], pipe), [whole])
    assert.deepStrictEqual(printed([rule], terminal(40), true), [whole])
  })

  it("takes at most 60 lines with those that follow, and says how many it leaves out", () => {
    const lines = printed(Array.from({ length: 253 }, () => rule), pipe)
    assert.strictEqual(lines.length, 58)
    assert.strictEqual(lines.at(-1), "and 196 more: --verbose prints all")
    assert.strictEqual(printed(Array.from({ length: 253 }, () => rule), pipe, true).length, 253)
  })

  it("fits on a screen that has fewer lines", () => {
    const lines = printed(Array.from({ length: 30 }, () => rule), terminal(80, 24))
    assert.strictEqual(lines.length, 22)
    assert.strictEqual(lines.at(-1), "and 9 more: --verbose prints all")
  })

  it("leaves nothing out for a line that says what was left out", () => {
    assert.strictEqual(printed(Array.from({ length: 22 }, () => rule), terminal(80, 24)).length, 22)
  })

  it("is summed up by kind", () => {
    assert.strictEqual(LeakLines.sum([rule, mapping, result]), "2 rules, 1 result")
  })
})
