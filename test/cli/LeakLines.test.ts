/** What is left of containers that are gone, as it is printed. */
import { assert, describe, it } from "@effect/vitest"
import * as LeakLines from "../../src/cli/LeakLines.ts"
import type { Kept, Leak } from "../../src/doctor/Leaks.ts"
import * as Style from "../../src/render/terminal/Style.ts"

const id = "c0ffee123456".padEnd(64, "7")
const comment = `-m comment --comment "name: \\"n\\" id: \\"${id}\\""`

const leak = (kind: Leak["kind"], text: string): Leak => ({
  kind,
  text,
  containerId: id,
  reason: "/run/netns/web does not exist",
  network: "n",
  owners: [id],
  files: [],
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

  it("shows one at least, however few lines the screen has", () => {
    assert.deepStrictEqual(printed([rule, result, result], terminal(80, 2)).slice(1), [
      "and 2 more: --verbose prints all"
    ])
  })

  it("drops the reason where the line would be longer than the screen, and not before", () => {
    const whole = "result       eth0 of c0ffee123456  (c0ffee123456: /run/netns/web does not exist)"
    assert.deepStrictEqual(printed([result], terminal(whole.length)), [whole])
    assert.deepStrictEqual(printed([result], terminal(whole.length - 1)), [
      "result       eth0 of c0ffee123456  (c0ffee123456)"
    ])
  })

  it("is red where traffic of the host is led to where nobody is, and dim in what is said of the container", () => {
    const coloured = (one: Leak) => LeakLines.lines([one], Style.make(pipe, true), false)[0] ?? ""
    const reason = "\u001b[2m(c0ffee123456: /run/netns/web does not exist)\u001b[0m"
    for (const red of [mapping, leak("rule", "iptables -t nat -A X -j DNAT --to 10.9.0.2")]) {
      assert.strictEqual(coloured(red), `\u001b[31mrule         \u001b[0m${red.text}  ${reason}`)
    }
    for (const other of [rule, leak("chain", "iptables -t nat -N X -j DNAT"), leak("rule", "x-j DNAT")]) {
      assert.strictEqual(coloured(other), `${other.kind.padEnd(11)}  ${other.text}  ${reason}`)
    }
    const many = LeakLines.lines(Array.from({ length: 60 }, () => rule), Style.make(pipe, true), false)
    assert.strictEqual(many.at(-1), "\u001b[2mand 3 more: --verbose prints all\u001b[0m")
  })

  it("is a rule without its comment, whether that is quoted or not", () => {
    const of = (words: string) => printed([leak("rule", `iptables -t nat -A X ${words} -j Y`)], terminal(120))[0]
    const shown = /^rule {9}nat X -j Y {2}/
    for (const words of [`-m comment --comment "a \\"b\\" c"`, "-m comment --comment a"]) {
      assert.match(of(words) ?? "", shown)
    }
  })

  it("is summed up by kind, from the most harmful to what only takes space", () => {
    assert.strictEqual(LeakLines.sum([rule, mapping, result]), "2 rules, 1 result")
    const all = [result, leak("chain", "c"), reservation, leak("link", "l"), rule]
    assert.strictEqual(LeakLines.sum(all), "1 rule, 1 link, 1 reservation, 1 chain, 1 result")
    assert.strictEqual(LeakLines.sum([]), "")
  })
})

describe("what processes keep back", () => {
  const kept = (one: Leak, pid: number, containerId = id): Kept => ({
    ...one,
    containerId,
    process: { pid, name: "conmon", containerId, ifname: "eth0", args: "" }
  })

  it("has a line for each container, with its process", () => {
    assert.deepStrictEqual(LeakLines.keptBack([kept(rule, 7), kept(result, 8, "other"), kept(result, 7)]), [
      "1 rule, 1 result of c0ffee123456: not listed, because process 7 (conmon) is working for it",
      "1 result of other: not listed, because process 8 (conmon) is working for it"
    ])
    assert.deepStrictEqual(LeakLines.keptBack([]), [])
  })

  it("has ten lines, and how many there are besides", () => {
    const of = (count: number) =>
      LeakLines.keptBack(Array.from({ length: count }, (_, index) => kept(result, 1, `c${index}`)))
    assert.lengthOf(of(10), 10)
    assert.notInclude(of(10).at(-1), "more")
    assert.deepStrictEqual(of(12).slice(9).map((line) => line.split(":")[0]), [
      "1 result of c9",
      "and 2 more containers with leftovers kept back"
    ])
  })

  it("stands in JSON beside what is left and what may be in use, each from the most harmful on", () => {
    const text = LeakLines.json({
      found: [result, rule],
      kept: [kept(result, 7), kept(mapping, 7)],
      possible: [reservation, { ...rule, text: "\u0085" }],
      recent: [result, mapping],
      listed: [{ ...result, runtime: "containerd" }]
    })
    assert.include(text, `{\n  "leaks": [\n    {\n      "kind": "rule"`)
    assert.notInclude(text, "\u0085")
    const shown = ({ containerId, kind, reason, text }: Leak) => ({ kind, text, containerId, reason })
    const process = { pid: 7, name: "conmon" }
    assert.deepStrictEqual(JSON.parse(text), {
      leaks: [shown(rule), shown(result)],
      kept: [{ ...shown(mapping), process }, { ...shown(result), process }],
      possible: [shown({ ...rule, text: "\u0085" }), shown(reservation)],
      recent: [shown(mapping), shown(result)],
      listed: [{ ...shown(result), runtime: "containerd" }]
    })
  })
})
