/** Which plugin failed, as people see it, to the letter. */
import { assert, describe, it } from "@effect/vitest"
import * as Collector from "../../../src/operations/Collector.ts"
import * as Filter from "../../../src/operations/Filter.ts"
import * as View from "../../../src/operations/View.ts"
import * as ViewJson from "../../../src/operations/ViewJson.ts"
import * as OperationText from "../../../src/render/terminal/OperationText.ts"
import * as Style from "../../../src/render/terminal/Style.ts"
import { common, read, tapped, wrapped } from "../../operations/records.ts"

const operations = (records: ReadonlyArray<object>) => Collector.operations(read(records))

/** Everything that these records tell, 100 columns wide. */
const draw = (records: ReadonlyArray<object>, full = false): string => {
  const style = Style.make({ isTerminal: true, width: 100, minutesEast: () => 0 }, false)
  return Collector.operations(read(records), { full })
    .map((operation) => OperationText.render(View.make(operation), style, { full }).join("\n")).join("\n\n")
}

/** What `--failed` finds. */
const failed = (records: ReadonlyArray<object>) =>
  operations(records).filter((operation) => Filter.matches({ failed: true }, operation))
    .map(({ request: { command, containerId } }) => `${command} ${containerId}`)

const lease = { cniVersion: "1.0.0", ips: [{ address: "10.88.0.2/16", gateway: "10.88.0.1" }] }
const result = { ...lease, interfaces: [{ name: "eth0", sandbox: "/run/netns/demo" }] }
const exhausted = {
  code: 999,
  msg: "failed to allocate for range 0: no IP addresses available in range set: 10.88.0.1-10.88.0.2"
}
const refused = { outcome: { exitCode: 1 }, end: { event: "error", error: exhausted } }

describe("a plugin inside another", () => {
  it("is drawn in it, with its own time and what it answered", () => {
    assert.strictEqual(
      draw([
        ...wrapped("b", { type: "bridge", start: 0, took: 81, end: { event: "result", result } }),
        ...wrapped("i", {
          type: "host-local",
          start: 20,
          took: 2.5,
          members: { parent: "b" },
          end: { event: "result", result: lease }
        }),
        ...wrapped("p", { type: "portmap", start: 90, took: 136, config: { type: "portmap", prevResult: result } })
      ]),
      `ADD eth0 of 5c01f03d8d6d on podman
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✓ bridge                                                        81 ms
│   └─ ✓ host-local                                               2.5 ms
│       + address 10.88.0.2/16 (gateway 10.88.0.1)
│   + address 10.88.0.2/16 (gateway 10.88.0.1)
│   + interface eth0 in /run/netns/demo
├─ ✓ portmap                                                      136 ms
└─ 226 ms in total`
    )
  })

  it("that failed has the words, and the plugin around it only those that are different", () => {
    const records = [
      ...wrapped("b", {
        type: "bridge",
        start: 0,
        took: 132,
        outcome: { exitCode: 1, stderr: "ipam: waiting\nbridge: cleaning up\n" },
        end: { event: "error", error: exhausted }
      }),
      ...wrapped("i", {
        type: "host-local",
        start: 40,
        took: 12,
        members: { parent: "b" },
        outcome: { exitCode: 1, stderr: "ipam: waiting\n" },
        end: { event: "error", error: exhausted }
      }),
      ...wrapped("d", { type: "host-local", start: 60, took: 8, members: { parent: "b", command: "DEL" } })
    ]
    assert.strictEqual(
      draw(records),
      `ADD eth0 of 5c01f03d8d6d on podman
✗ host-local in bridge: failed to allocate for range 0: no IP addresses available in range set:
  10.88.0.1-10.88.0.2
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✗ bridge                                                       132 ms
│   stderr:
│     bridge: cleaning up
│   ├─ ✗ host-local                                                12 ms
│   │   failed to allocate for range 0: no IP addresses available in range set: 10.88.0.1-10.88.0.2
│   │   exit status 1
│   │   stderr:
│   │     ipam: waiting
│   └─ ✓ host-local DEL                                             8 ms
└─ 132 ms in total`
    )
    assert.deepStrictEqual(failed(records), ["ADD 5c01f03d8d6d"])
  })

  it("at any depth says for whom it ran, and each plugin around it adds what it said besides", () => {
    const macvlan = { parent: "m", ifname: "net1", network: "macvlan" }
    assert.strictEqual(
      draw([
        ...wrapped("m", {
          type: "multus",
          start: 0,
          took: 100,
          outcome: { exitCode: 1 },
          end: { event: "error", error: { code: 999, msg: `[default/web]: ${exhausted.msg}` } }
        }),
        ...wrapped("v", { type: "macvlan", start: 10, took: 50, members: macvlan, ...refused }),
        ...wrapped("i", { type: "host-local", start: 20, took: 5, members: { ...macvlan, parent: "v" }, ...refused })
      ]),
      `ADD eth0 of 5c01f03d8d6d on podman
✗ host-local in macvlan net1 on macvlan in multus: failed to allocate for range 0: no IP addresses
  available in range set: 10.88.0.1-10.88.0.2
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✗ multus                                                       100 ms
│   [default/web]: …
│   exit status 1
│   └─ ✗ macvlan net1 on macvlan                                   50 ms
│       └─ ✗ host-local                                             5 ms
│           failed to allocate for range 0: no IP addresses available in range set:
│             10.88.0.1-10.88.0.2
│           exit status 1
└─ 100 ms in total`
    )
  })

  it("that failed in one which did not mind is found", () => {
    const records = [
      ...wrapped("b", { type: "bridge", start: 0, took: 9, members: { command: "DEL" } }),
      ...wrapped("i", {
        type: "host-local",
        start: 2,
        took: 1,
        members: { command: "DEL", parent: "b" },
        ...refused
      })
    ]
    assert.deepStrictEqual(failed(records), ["DEL 5c01f03d8d6d"])
    assert.match(draw(records), /\n✗ host-local in bridge: failed to[^]*├─ ✓ bridge [^]*│ {3}└─ ✗ host-local /)
  })

  it("whose own run around it is not logged stands in the chain, and says so", () => {
    assert.include(
      draw(wrapped("i", { type: "host-local", start: 0, took: 5, members: { parent: "nobody" } })),
      "├─ ✓ host-local                                                     5 ms\n" +
        "│   started by a run that is not in the log\n"
    )
  })

  it("that a person started, who is no plugin, has nothing to say of that", () => {
    const members = { parent: "nobody" }
    const drawn = draw([
      ...wrapped("b", { type: "bridge", start: 0, took: 5, members }),
      ...wrapped("p", { type: "portmap", start: 9, took: 5, members, config: { type: "portmap" } })
    ])
    assert.match(drawn, /✓ bridge[^]*✓ portmap/)
    assert.notInclude(drawn, "not in the log")
  })

  it("that only told its versions is not drawn", () => {
    const records = [
      ...wrapped("m", { type: "multus", start: 0, took: 9 }),
      ...wrapped("v", { type: "bridge", start: 2, took: 1, members: { command: "VERSION", parent: "m" } })
    ]
    assert.notInclude(draw(records), "bridge")
  })

  it("makes the same tree in whatever order the records come", () => {
    const records = [
      ...wrapped("m", { type: "multus", start: 0, took: 100 }),
      ...wrapped("b", { type: "bridge", start: 10, took: 60, members: { parent: "m" } }),
      ...wrapped("i", { type: "host-local", start: 20, took: 5, members: { parent: "b" }, ...refused }),
      ...wrapped("d", { type: "host-local", start: 40, took: 5, members: { parent: "b", command: "DEL" } }),
      ...wrapped("t", { type: "tuning", start: 110, took: 5, config: { type: "tuning" } }),
      ...tapped("other", "ADD", 200, ["after-bridge", "after-portmap"], { output: (index) => `rule\n${index}\n` }),
      ...tapped("third", "ADD", 300, ["after-bridge"], { output: () => "rule\n" })
    ]
    const drawn = draw(records)
    let seed = 1
    const random = () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647
    for (let round = 0; round < 200; round++) {
      const shuffled = records.map((record) => [random(), record] as const).sort(([left], [right]) => left - right)
      assert.strictEqual(draw(shuffled.map(([, record]) => record)), drawn)
    }
  })
})

describe("a chain of which a plugin is there twice", () => {
  it("is one operation, and two where it runs again", () => {
    const chain = (mark: string, start: number) => [
      ...wrapped(`${mark}1`, { type: "tuning", start, took: 5, config: { type: "tuning", mtu: 1400 } }),
      ...wrapped(`${mark}2`, { type: "tuning", start: start + 9, took: 5, config: { type: "tuning", mtu: 1500 } })
    ]
    assert.deepStrictEqual(operations([...chain("a", 0), ...chain("b", 50)]).map(({ steps }) => steps.length), [2, 2])
  })
})

describe("a plugin that was killed", () => {
  it("by a signal says which, and what it wrote", () => {
    const records = wrapped("b", {
      type: "bridge",
      start: 0,
      took: 30,
      outcome: { exitCode: null, signal: "SIGKILL", stdout: "half an ans" },
      end: { event: "error", error: { msg: "was killed by SIGKILL, and its stdout is not an error document" } }
    })
    assert.strictEqual(
      draw(records),
      `ADD eth0 of 5c01f03d8d6d on podman
✗ bridge: was killed by SIGKILL, and its stdout is not an error document: half an ans
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✗ bridge                                                        30 ms
│   was killed by SIGKILL, and its stdout is not an error document
│   stdout:
│     half an ans
└─ 30 ms in total`
    )
    assert.deepStrictEqual(failed(records), ["ADD 5c01f03d8d6d"])
  })

  it("has failed also where a result is logged after it", () => {
    const records = wrapped("b", { type: "bridge", start: 0, took: 3, outcome: { exitCode: null, signal: "SIGABRT" } })
    assert.include(draw(records), "\n✗ bridge: SIGABRT\n")
    assert.deepStrictEqual(failed(records), ["ADD 5c01f03d8d6d"])
  })

  it("with all that is around it has requests alone", () => {
    const [outer = {}] = wrapped("b", { type: "bridge", start: 0, took: 0 })
    const [inner = {}] = wrapped("i", { type: "host-local", start: 10, took: 0, members: { parent: "b" } })
    assert.strictEqual(
      draw([outer, inner]),
      `ADD eth0 of 5c01f03d8d6d on podman
✗ host-local in bridge was killed, or is still running
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✗ bridge
│   no result was logged: it was killed, or is still running
│   └─ ✗ host-local
│       no result was logged: it was killed, or is still running
└─`
    )
    assert.deepStrictEqual(failed([outer, inner]), ["ADD 5c01f03d8d6d"])
  })
})

describe("a plugin that wrote text before its error document", () => {
  it("is drawn with all of it", () => {
    assert.strictEqual(
      draw(wrapped("p", {
        type: "portmap",
        start: 0,
        took: 30,
        outcome: { exitCode: 1, stdout: "iptables: chain exists\n{\n  \"code\": 5\n}\n" },
        end: { event: "error", error: { msg: "exited with status 1, and its stdout is not an error document" } }
      })),
      `ADD eth0 of 5c01f03d8d6d on podman
✗ portmap: exited with status 1, and its stdout is not an error document: iptables: chain exists
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✗ portmap                                                       30 ms
│   exited with status 1, and its stdout is not an error document
│   stdout:
│     iptables: chain exists
│     {
│       "code": 5
│     }
└─ 30 ms in total`
    )
  })
})

const taps = ["after-bridge", "after-portmap", "after-firewall"]

describe("a plugin between taps", () => {
  it("is drawn with its time and what it changed; taps that have nothing to tell are not, but with --full", () => {
    const records = tapped("one", "ADD", 0, taps, { result })
    assert.strictEqual(
      draw(records),
      `ADD eth0 of one on podman
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✓ bridge
│   + address 10.88.0.2/16 (gateway 10.88.0.1)
│   + interface eth0 in /run/netns/demo
├─ ✓ portmap                                                       20 ms
├─ ✓ firewall                                                      20 ms
└─ 55 ms in total`
    )
    for (const tap of taps) assert.include(draw(records, true), `├─ · ${tap} `)
  })

  it("in DEL stands before the tap that is named after it in the chain, and the last one is not seen", () => {
    assert.strictEqual(
      draw(tapped("one", "DEL", 0, taps.toReversed(), { result })),
      `DEL eth0 of one on podman
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✓ firewall                                                      20 ms
├─ ✓ portmap                                                       20 ms
├─ · bridge  no tap after it
└─ 55 ms in total`
    )
  })

  it("is not drawn again where it is wrapped", () => {
    assert.strictEqual(
      draw([
        ...wrapped("b", { type: "bridge", start: 0, took: 81, end: { event: "result", result } }),
        ...tapped("5c01f03d8d6d", "ADD", 90, ["after-bridge", "after-portmap"], { result })
      ]),
      `ADD eth0 of 5c01f03d8d6d on podman
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✓ bridge                                                        81 ms
│   + address 10.88.0.2/16 (gateway 10.88.0.1)
│   + interface eth0 in /run/netns/demo
├─ ✓ portmap                                                       20 ms
└─ 120 ms in total`
    )
  })

  it("failed where the chain ended before its tap: the DEL after it went through all of them", () => {
    const records = [
      ...tapped("one", "ADD", 0, ["after-bridge"], { result }),
      ...tapped("one", "DEL", 100, taps.toReversed())
    ]
    assert.include(
      draw(records),
      `ADD eth0 of one on podman
✗ portmap failed, or the runtime stopped
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✓ bridge
│   + address 10.88.0.2/16 (gateway 10.88.0.1)
│   + interface eth0 in /run/netns/demo
├─ ✗ portmap failed, or the runtime stopped
└─ 5 ms in total

DEL eth0 of one on podman
2026-`
    )
    assert.deepStrictEqual(failed(records), ["ADD one"])
  })

  it("failed where the chain ended before its tap: others of the same network went further before it", () => {
    for (const command of ["ADD", "CHECK"]) {
      const records = [
        ...tapped("old", command, 0, taps, { result }),
        ...tapped("new", command, 1000, taps.slice(0, 2), { result })
      ]
      assert.include(draw(records), "├─ ✗ firewall failed, or the runtime stopped\n")
      assert.deepStrictEqual(failed(records), [`${command} new`])
    }
  })

  it("failed in DEL where that ended before its tap", () => {
    const records = [
      ...tapped("one", "ADD", 0, taps, { result }),
      ...tapped("one", "DEL", 1000, ["after-firewall"], { result })
    ]
    assert.include(draw(records), "├─ ✗ firewall failed, or the runtime stopped\n")
    assert.deepStrictEqual(failed(records), ["DEL one"])
  })

  it("has no name where the labels have none", () => {
    const records = [...tapped("old", "ADD", 0, ["x", "y"]), ...tapped("new", "ADD", 1000, ["x"])]
    assert.include(draw(records), "├─ ✗ the plugin after x failed, or the runtime stopped\n")
  })

  it("has not failed where the chain has become shorter, as the DEL after it says", () => {
    const shorter = taps.slice(0, 2)
    assert.deepStrictEqual(
      failed([
        ...tapped("old", "ADD", 0, taps, { result }),
        ...tapped("one", "ADD", 1000, shorter, { result }),
        ...tapped("two", "ADD", 2000, shorter, { result }),
        ...tapped("one", "DEL", 3000, shorter.toReversed(), { result })
      ]),
      []
    )
  })

  it("is not to blame where a tap failed itself", () => {
    const [first, , ...rest] = tapped("new", "ADD", 1000, taps.slice(0, 1))
    const records = [
      ...tapped("old", "ADD", 0, taps, { result }),
      { ...first, event: "request" },
      { ...first, event: "error", error: { code: 100, msg: "hook failed" }, durationMs: 1 },
      ...rest
    ]
    assert.notInclude(draw(records), "the runtime stopped")
    assert.deepStrictEqual(failed(records), ["ADD new"])
  })
})

describe("an ADD that reached no tap", () => {
  it("is told by the DEL after it", () => {
    const records = tapped("one", "DEL", 0, taps.toReversed())
    assert.strictEqual(
      draw(records),
      `DEL eth0 of one on podman
✗ bridge failed in the ADD before, or the runtime stopped
2026-11-24 10:00:00.000 +00:00  /run/netns/demo
│
├─ ✗ bridge failed in the ADD before, or the runtime stopped
│   no tap saw an ADD, and this DEL came without the result of one
├─ ✓ firewall                                                      20 ms
├─ ✓ portmap                                                       20 ms
├─ · bridge  no tap after it
└─ 55 ms in total`
    )
    assert.deepStrictEqual(failed(records), ["DEL one"])
  })

  it("is not made up where the DEL has the result of one, where there is one, and in versions without", () => {
    const del = tapped("one", "DEL", 1000, taps.toReversed())
    const cases = [
      tapped("one", "DEL", 1000, taps.toReversed(), { result }),
      [...tapped("one", "ADD", 0, taps, { result }), ...del],
      [...tapped("one", "DEL", 0, taps.toReversed(), { result }), ...del],
      del.map((record) => ({ ...record, cniVersion: "0.3.1" }))
    ]
    for (const records of cases) assert.deepStrictEqual(failed(records), [])
  })
})

describe("the output of a hook", () => {
  const rules = Array.from({ length: 9 }, (_, index) => `-A POSTROUTING -s 10.88.0.${index}/32`)
  const output = (index: number) =>
    `${[...rules.slice(index === 2 ? 1 : 0), ...(index === 0 ? [] : ["-A CNI-DN-77 -j DNAT"])].join("\n")}\n`

  it("is what changed since the tap before", () => {
    assert.include(
      draw(tapped("one", "ADD", 0, [...taps, "after-tuning"], { output: (index) => output(Math.min(index, 2)) })),
      `│     -A POSTROUTING -s 10.88.0.8/32
├─ ✓ portmap                                                       20 ms
├─ · after-portmap                                                  5 ms
│   $ iptables -t nat -S  12.5 ms
│     … 8 lines as before
│       -A POSTROUTING -s 10.88.0.8/32
│     + -A CNI-DN-77 -j DNAT
├─ ✓ firewall                                                      20 ms
├─ · after-firewall                                                 5 ms
│   $ iptables -t nat -S  12.5 ms
│     - -A POSTROUTING -s 10.88.0.0/32
│       -A POSTROUTING -s 10.88.0.1/32
│     … 8 lines as before
├─ ✓ tuning                                                        20 ms
├─ · after-tuning                                                   5 ms
│   $ iptables -t nat -S  12.5 ms
│     as before
└─`
    )
  })

  it("is all of it with --full", () => {
    const drawn = draw(tapped("one", "ADD", 0, taps, { output: () => output(0) }), true)
    assert.strictEqual(drawn.match(/-A POSTROUTING -s 10\.88\.0\.4\/32/g)?.length, 3)
  })

  it("is compared as a whole, though only its end is kept to be shown", () => {
    const long = Array.from({ length: 500 }, (_, index) => `line ${index}`)
    const drawn = draw(tapped("one", "ADD", 0, taps.slice(0, 2), {
      output: (index) => (index === 0 ? long : ["new", ...long]).join("\n")
    }))
    assert.include(drawn, "│     + new\n│       line 0\n│     … 499 lines as before\n")
  })
})

describe("what a plugin changed in network namespaces", () => {
  const found = (changes: object, notes?: ReadonlyArray<string>) => [
    ...wrapped("b", { type: "bridge", start: 0, took: 5 }),
    { ...common("b", 5), event: "changes", changes, durationMs: 3, ...(notes === undefined ? {} : { notes }) }
  ]

  it("stands at the plugin, with what could not be looked at", () => {
    const drawn = draw(
      found({ host: { links: { added: ["cni0 bridge up mtu 1500"], removed: [] } } }, ["nft is not on PATH"])
    )
    assert.include(drawn, "│   + host link cni0 (bridge, up)\n│   nft is not on PATH\n")
  })

  it("is said to be nothing where that was found", () => {
    assert.include(draw(found({})), "│   changed nothing\n")
  })

  it("is told once where several plugins could not look", () => {
    const drawn = draw([
      ...found({}, ["nft is not on PATH"]),
      ...wrapped("p", { type: "portmap", start: 9, took: 5 }),
      { ...common("p", 14), event: "changes", changes: {}, durationMs: 3, notes: ["nft is not on PATH"] }
    ])
    assert.include(drawn, "│   changed nothing\n│   nft is not on PATH\n├─ ✓ portmap")
    assert.include(drawn, "│   changed nothing\n└─ 14 ms in total")
  })

  it("stands at the plugin inside which did it, and not again at the one around it", () => {
    const ipam = { added: ["podman 10.88.0.2 5c01f03d8d6d eth0"], removed: [] }
    const links = { added: ["cni0 bridge up mtu 1500"], removed: [] }
    const inside = [
      ...wrapped("i", { type: "host-local", start: 1, took: 2, members: { parent: "b" } }),
      { ...common("i", 3), parent: "b", event: "changes", changes: { host: { ipam } }, durationMs: 1 }
    ]
    const words = "│   └─ ✓ host-local                                                 2 ms\n" +
      "│       + ipam podman: 10.88.0.2 for 5c01f03d8d6d eth0\n"
    assert.include(
      draw([...found({ host: { links, ipam } }), ...inside]),
      `${words}│   + host link cni0 (bridge, up)\n└─`
    )
    assert.include(draw([...found({ host: { ipam } }), ...inside]), `${words}│   changed nothing itself\n└─`)
  })

  it("is told apart from what others changed meanwhile, which is a number, and all with --full", () => {
    const chain = "CNI-0123456789abcdef01234567"
    const records = found({
      host: { iptables: { added: [`ip nat -N ${chain}`, "ip nat -A X -j ACCEPT"], removed: [] } }
    })
    assert.include(draw(records), "│   + nat X: accept\n│   + 1 change that others made at the same time\n└─")
    assert.include(draw(records, true), `│   + 1 change that others made at the same time:\n│   + nat chain ${chain}\n`)
    const others = found({ host: { iptables: { added: [`ip nat -N ${chain}`], removed: [] } } })
    assert.include(draw(others), "│   changed nothing\n│   + 1 change that others made at the same time\n")
  })

  it("has container IDs and chains in short, and whole with --full", () => {
    const chain = "CNI-DN-0123456789abcdef01234"
    const rule = `ip nat -A ${chain} -p tcp -m comment --comment "id: \\"5c01f03d8d6d\\"" -j DROP`
    const records = found({ host: { iptables: { added: [rule], removed: [] } } })
    assert.include(draw(records), "│   + nat CNI-DN-0123…: tcp drop\n")
    assert.include(draw(records, true), `│   + nat ${chain}: tcp drop\n`)
  })

  it("is compared at the end of a DEL with what the ADD did, and what is left is told there", () => {
    const reservation = "podman 10.88.0.2 5c01f03d8d6d eth0"
    const del = wrapped("d", { type: "bridge", start: 1000, took: 5, members: { command: "DEL" } })
    const drawn = draw([
      ...found({ host: { ipam: { added: [reservation], removed: [] } } }),
      ...del,
      { ...common("d", 1005), command: "DEL", event: "changes", changes: {}, durationMs: 3 }
    ])
    assert.include(
      drawn,
      "│   changed nothing\n│ leftover: ipam podman: 10.88.0.2 for 5c01f03d8d6d eth0\n└─ 5 ms in total"
    )
  })

  it("is bounded, and says how much is not kept", () => {
    const added = Array.from({ length: 10_000 }, (_, index) => `rule ${index} ${"x".repeat(1000)}`)
    const drawn = draw(found({ host: { iptables: { added, removed: [] } } }))
    assert.include(drawn, "│   … 460 changes more\n│   9500 more changes of host iptables are in the log\n")
  })
})

describe("hostile parents", () => {
  const request = (invocation: string, time: number, parent?: string) => ({
    ...common(invocation, time, invocation),
    event: "request",
    ...(parent === undefined ? {} : { parent }),
    config: { type: "x" } // where we write it, as it is read faster there
  })
  const count = 30_000

  it("that are circles leave each run in its place", () => {
    const drawn = draw([
      request("itself", 0, "itself"),
      request("a", 1, "b"),
      request("b", 2, "c"),
      request("c", 3, "a"),
      request("child", 4, "c")
    ])
    for (const name of ["itself", "a", "b", "c"]) assert.include(drawn, `\n├─ ✗ ${name}\n`)
    assert.include(drawn, "\n│   └─ ✗ child\n")
  })

  it("with very many children are drawn in part, and found as a whole", () => {
    const records = [request("a", 0), ...Array.from({ length: count }, (_, index) => request(`${index}`, 1, "a"))]
    const drawn = draw(records)
    assert.include(drawn, `│   … ${count - 20} runs more\n`)
    assert.isBelow(drawn.split("\n").length, 100)
    const [view] = operations(records).map(View.make)
    assert.strictEqual(view?.steps[0]?.nested.length, count)
  })

  it("of parents without end are drawn side by side from some depth on", () => {
    const records = Array.from({ length: count }, (_, index) => request(`${index}`, index, `${index - 1}`))
    const drawn = draw(records)
    assert.isBelow(Math.max(...drawn.split("\n").map((line) => line.length)), 101)
    assert.include(drawn, "runs more\n")
    const [json = ""] = operations(records).map((operation) => ViewJson.render(View.make(operation)))
    assert.strictEqual(json.match(/"kind":"plugin"/g)?.length, count)
    JSON.parse(json)
  })
})
