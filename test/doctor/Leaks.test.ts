/** What is left of containers that are gone, as facts tell it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as LeakRemoval from "../../src/doctor/LeakRemoval.ts"
import * as Leaks from "../../src/doctor/Leaks.ts"
import * as ResultCache from "../../src/runtime/ResultCache.ts"
import * as Fake from "./fake.ts"
import * as Host from "./host.ts"

const nobody: Leaks.Life = {
  addresses: new Set(),
  processes: [],
  blind: undefined,
  ends: new Set(),
  unread: [],
  namespaces: []
}

describe("what is left", () => {
  it("says one reason of all that a container has left whose result is still there", () => {
    const facts = Host.facts({ attachment: { sight: { _tag: "Missing" } } })
    const leaks = Leaks.find(facts, nobody)
    assert.deepStrictEqual(
      leaks.map(({ kind, reason }) => `${kind}: ${reason}`),
      ["rule", "result"].map((kind) => `${kind}: /run/netns/web does not exist`)
    )
  })

  describe("of a pair of links whose namespace has no path any more", () => {
    const kinds = (fields: object, ends: ReadonlyArray<string>, mac = "02:00:00:00:00:01") => {
      const other = Host.link("eth7", { index: 13, kind: "veth", peerHere: "veth1", mac })
      const links = [Host.link("uplink"), Host.link("veth1", { index: 12, kind: "veth", ...fields }), other]
      const facts = Host.facts({ outside: { links }, attachment: { sight: { _tag: "Missing" } } })
      return Leaks.find(facts, { ...nobody, ends: new Set(ends) }).map(({ kind }) => kind)
    }

    it("is nothing, as long as the other end is in another namespace", () => {
      assert.deepStrictEqual(kinds({ peer: 2 }, ["veth1"]), [])
    })

    it("is no link where the other end has the index of a link of the host", () => {
      assert.deepStrictEqual(kinds({ peer: 2 }, []), ["rule", "result"])
    })

    it("is the pair too, where both ends are on the host", () => {
      assert.deepStrictEqual(kinds({ peerHere: "eth7" }, []), ["rule", "link", "result"])
    })

    it("is no pair of the host that the container had no end of", () => {
      assert.deepStrictEqual(kinds({ peerHere: "eth7" }, [], "02:00:00:00:00:07"), ["rule", "result"])
    })
  })

  describe("of a container whose result in the cache is damaged", () => {
    const damaged = [{ file: "/var/lib/cni/results/n-c0ffee-eth0", reason: "it is empty" }]
    const facts = (attachments: ReadonlyArray<string> = []) =>
      Host.facts({
        facts: { damaged, all: [], attachments: attachments.map((containerId) => Host.attachment({ containerId })) }
      })
    const left = (of: ReturnType<typeof facts>, life = nobody) =>
      Leaks.find(of, life).filter(({ kind }) => kind === "result").map(({ reason, text }) => `${text}: ${reason}`)

    it("is that file", () => {
      assert.deepStrictEqual(left(facts()), [
        "eth0 of c0ffee in /var/lib/cni/results/n-c0ffee-eth0: it is empty, so each DEL fails"
      ])
    })

    it("is not that file where a process is at work for the container, or another result has it", () => {
      assert.deepStrictEqual(left(facts(), { ...nobody, processes: [Host.process({ containerId: "c0ffee" })] }), [])
      assert.deepStrictEqual(left(facts(["c0ffee"])), [])
    })
  })

  it("says of rules without a result that there is none", () => {
    const leaks = Leaks.find(Host.facts({ facts: { attachments: [], all: [] } }), nobody)
    assert.deepStrictEqual(
      leaks.map(({ kind, reason }) => `${kind}: ${reason}`),
      ["rule: no result and no process of it is there, and no namespace has its address"]
    )
  })
})

/** What is left by these facts, each as its kind, container, text and reason. */
const left = (change: Host.Change, life: Partial<Leaks.Life> = {}) =>
  Leaks.find(Host.facts(change), { ...nobody, ...life }).map(({ containerId, kind, reason, text }) =>
    [kind, containerId, text, reason].join("; ")
  )
const gone = { sight: { _tag: "Missing" } } as const
const ofResult = "result; web; eth0 of web in /var/lib/cni/results/n-web-eth0; /run/netns/web does not exist"
const withoutRules = { rules: Result.succeed({ rulesets: [], nft: [] }) }

describe("a result that is left", () => {
  it("is that of a container whose namespace is gone", () => {
    assert.deepStrictEqual(left({ attachment: gone, host: withoutRules }), [ofResult])
    assert.deepStrictEqual(left({ host: withoutRules }), [])
  })

  const alive: { readonly [what: string]: Partial<Leaks.Life> } = {
    "while its link leads into a namespace": { ends: new Set(["veth1"]) },
    "while its namespace cannot be looked into": { unread: [{ containerId: "web", reason: "x" }] },
    "while a process is working for it": { processes: [Host.process()] },
    "while a namespace has its address": { addresses: new Set(["10.99.0.2"]) }
  }
  for (const [what, life] of Object.entries(alive)) {
    it(`is none ${what}`, () => assert.deepStrictEqual(left({ attachment: gone, host: withoutRules }, life), []))
  }

  const others: { readonly [what: string]: Partial<Leaks.Life> } = {
    "another link": { ends: new Set(["veth2", "eth0"]) },
    "another namespace": { unread: [{ containerId: "api", reason: "x" }] },
    "a process": { processes: [Host.process({ containerId: "webserver" })] },
    "a namespace": { addresses: new Set(["10.99.0.3", "10.99.0.2/24"]) }
  }
  for (const [what, life] of Object.entries(others)) {
    it(`is one though ${what} is another's`, () => {
      assert.deepStrictEqual(left({ attachment: gone, host: withoutRules }, life), [ofResult])
    })
  }

  it("is taken away as a file, without a lock", () => {
    const [leak] = Leaks.find(Host.facts({ attachment: gone, host: withoutRules }), nobody)
    assert.deepStrictEqual(leak?.removal, { _tag: "File", path: "/var/lib/cni/results/n-web-eth0", lock: undefined })
  })
})

describe("a sign of life of an attachment", () => {
  const lifeOf = (change: Host.Change, life: Partial<Leaks.Life> = {}, file = "/var/lib/cni/results/n-web-eth0") =>
    Leaks.lifeOf(Host.facts(change), { ...nobody, ...life }, file)
  const cases: ReadonlyArray<readonly [what: string, said: string | undefined, life: Partial<Leaks.Life>]> = [
    ["is none", undefined, {}],
    ["is its link", "its link on the host leads to a live namespace", {
      ends: new Set(["veth1"]),
      processes: [Host.process()]
    }],
    ["is a process", "process 4711 (bridge) is working for it", {
      processes: [Host.process()],
      addresses: new Set(["10.99.0.2"])
    }],
    ["is its address", "a namespace has its address", { addresses: new Set(["10.99.0.2"]) }]
  ]
  for (const [what, said, life] of cases) {
    it(what, () => assert.strictEqual(lifeOf({ attachment: gone }, life), said))
  }

  it("is that it is not known to be gone", () => {
    const unknown = "it is not known to be gone"
    assert.strictEqual(lifeOf({}), unknown)
    assert.strictEqual(lifeOf({ attachment: gone }, {}, "/other"), unknown)
    assert.strictEqual(lifeOf({ attachment: { sight: { _tag: "Unseen", reason: "x" } } }), unknown)
  })

  it("is none of a result that cannot be read", () => {
    const attachment = { ...gone, result: Result.fail("x") }
    assert.isUndefined(lifeOf({ attachment }, { ends: new Set(["veth1"]), addresses: new Set(["10.99.0.2"]) }))
  })
})

describe("a reservation that is left", () => {
  const reservation = (address: string, fields: object = {}) => ({
    file: `/networks/n/${address}`,
    address,
    containerId: "old",
    ifname: "eth0",
    isGone: true,
    reason: "why",
    ...fields
  })
  const stored = (...reservations: ReadonlyArray<ReturnType<typeof reservation>>): Host.Change => ({
    host: withoutRules,
    facts: {
      all: [],
      attachments: [],
      store: { folder: "/networks/n", reservations, unread: [], problem: undefined, unwritable: undefined }
    }
  })
  it("is that of a container that is gone", () => {
    assert.deepStrictEqual(left(stored(reservation("10.99.0.7"), reservation("10.99.0.8", { isGone: false }))), [
      "reservation; old; 10.99.0.7 in /networks/n/10.99.0.7; why"
    ])
  })

  it("is none while the namespace of its container cannot be looked into", () => {
    assert.deepStrictEqual(
      left(stored(reservation("10.99.0.7")), { unread: [{ containerId: "old", reason: "x" }] }),
      []
    )
  })

  it("is taken away as a file, under the lock of host-local", () => {
    const [leak] = Leaks.find(Host.facts(stored(reservation("10.99.0.7"))), nobody)
    assert.deepStrictEqual(leak?.removal, { _tag: "File", path: "/networks/n/10.99.0.7", lock: "/networks/n/lock" })
  })

  /** The rules of the plugin firewall are known by their address alone. */
  describe("takes the rules of its address with it", () => {
    const save =
      "*filter\n:CNI-FORWARD -\n-A CNI-FORWARD -d 10.99.0.7/32 -j ACCEPT\n-A OTHER -d 10.99.0.7/32 -j ACCEPT\nCOMMIT"
    const rules = { host: { rules: Result.succeed({ rulesets: [Host.rules(save)], nft: [] }) } }
    const rule =
      "rule; 10.99.0.7; iptables -t filter -A CNI-FORWARD -d 10.99.0.7/32 -j ACCEPT; no network namespace has 10.99.0.7 any more"
    const kept = "reservation; old; 10.99.0.7 in /networks/n/10.99.0.7; why"

    it("in the chain of firewall alone", () => {
      assert.deepStrictEqual(left({ ...stored(reservation("10.99.0.7")), ...rules }), [rule, kept])
    })

    it("with who had it, so that another who gets it meanwhile keeps them", () => {
      const [leak] = Leaks.find(Host.facts({ ...stored(reservation("10.99.0.7")), ...rules }), nobody)
      assert.deepStrictEqual(leak?.holder, {
        file: "/networks/n/10.99.0.7",
        containerId: "old",
        results: new Set<string>()
      })
      assert.deepStrictEqual(leak?.removal, {
        _tag: "Commands",
        argvs: [["iptables", "-t", "filter", "-D", "CNI-FORWARD", "-d", "10.99.0.7/32", "-j", "ACCEPT"]]
      })
    })

    it("unless a namespace has it", () => {
      assert.deepStrictEqual(
        left({ ...stored(reservation("10.99.0.7")), ...rules }, { addresses: new Set(["10.99.0.7"]) }),
        [
          kept
        ]
      )
    })

    it("unless another has reserved it", () => {
      const both = stored(reservation("10.99.0.7"), reservation("10.99.0.7", { containerId: "new", isGone: false }))
      assert.deepStrictEqual(left({ ...both, ...rules }), [kept])
    })

    it("also of a result without a store", () => {
      const forward = Host.rules("*filter\n:CNI-FORWARD -\n-A CNI-FORWARD -s 10.99.0.2/32 -j ACCEPT\nCOMMIT")
      const change: Host.Change = {
        attachment: gone,
        facts: { store: undefined },
        host: { rules: Result.succeed({ rulesets: [forward], nft: [] }) }
      }
      assert.deepStrictEqual(left(change), [
        "rule; 10.99.0.2; iptables -t filter -A CNI-FORWARD -s 10.99.0.2/32 -j ACCEPT; no network namespace has 10.99.0.2 any more",
        ofResult
      ])
      assert.isUndefined(Leaks.find(Host.facts(change), nobody)[0]?.holder)
    })
  })
})

describe("where more may live than can be seen", () => {
  const blind = { blind: "no rights" }
  const possible = (change: Host.Change, life: Partial<Leaks.Life> = {}) =>
    Leaks.possible(Host.facts(change), { ...nobody, ...life }).map(({ kind }) => kind)

  it("nothing is known to be left, and what looks so is possible", () => {
    assert.deepStrictEqual(left({ attachment: gone }, blind), [])
    assert.deepStrictEqual(possible({ attachment: gone }, blind), ["rule", "result"])
    assert.deepStrictEqual(possible({ attachment: gone }), [])
    assert.deepStrictEqual(possible({ attachment: gone }, { ...blind, processes: [Host.process()] }), [])
  })

  it("an address is possible whose container may be one that cannot be seen", () => {
    const reservation = (address: string, unknown: object) => ({
      file: `/networks/n/${address}`,
      address,
      containerId: "old",
      ifname: "eth0",
      isGone: false,
      reason: "why",
      ...unknown
    })
    const reservations = [reservation("10.99.0.7", { unknown: "no rights" }), reservation("10.99.0.8", {})]
    const store = { folder: "/networks/n", reservations, unread: [], problem: undefined, unwritable: undefined }
    const change: Host.Change = { host: withoutRules, facts: { all: [], attachments: [], store } }
    assert.deepStrictEqual(possible(change, blind), ["reservation"])
  })
})

describe("what is kept back, since a process is working for its container,", () => {
  const kept = (change: Host.Change, life: Partial<Leaks.Life> = {}) =>
    Leaks.keptBack(Host.facts(change), { ...nobody, ...life }).map(({ containerId, kind, process, reason }) =>
      [kind, containerId, process.pid, reason].join("; ")
    )
  const atWork = { processes: [Host.process()] }
  const reason = "process 4711 (bridge) is working for it"

  it("is all that would be listed without it", () => {
    assert.deepStrictEqual(kept({ attachment: gone }, atWork), [
      `rule; web; 4711; ${reason}`,
      `result; web; 4711; ${reason}`
    ])
  })

  it("is nothing of a container that lives anyway, and nothing that is listed", () => {
    assert.deepStrictEqual(kept({}, atWork), [])
    assert.deepStrictEqual(kept({ attachment: gone }, { processes: [Host.process({ containerId: "api" })] }), [])
    assert.deepStrictEqual(kept({ attachment: gone }, { ...atWork, ends: new Set(["veth1"]) }), [])
    assert.deepStrictEqual(kept({ attachment: gone }), [])
  })

  it("is also its address, and the rules that are known by that alone", () => {
    const forward = Host.rules("*filter\n:CNI-FORWARD -\n-A CNI-FORWARD -d 10.99.0.7/32 -j ACCEPT\nCOMMIT")
    const process = Host.process({ containerId: "old" })
    const reservation = {
      file: "/networks/n/10.99.0.7",
      address: "10.99.0.7",
      containerId: "old",
      ifname: "eth0",
      isGone: false,
      reason: "",
      process
    }
    const change: Host.Change = {
      host: { rules: Result.succeed({ rulesets: [forward], nft: [] }) },
      facts: {
        all: [],
        attachments: [],
        store: {
          folder: "/networks/n",
          reservations: [reservation],
          unread: [],
          problem: undefined,
          unwritable: undefined
        }
      }
    }
    const expected = [`rule; 10.99.0.7; 4711; ${reason}`, `reservation; old; 4711; ${reason}`]
    assert.deepStrictEqual(kept(change, { processes: [process] }), expected)
    // It was at work when the addresses were read, and has ended since.
    assert.deepStrictEqual(kept(change), expected)
    assert.deepStrictEqual(left(change, { processes: [process] }), [])
  })

  it("is also the rules of the address of its result", () => {
    const forward = Host.rules("*filter\n:CNI-FORWARD -\n-A CNI-FORWARD -s 10.99.0.2/32 -j ACCEPT\nCOMMIT")
    const change: Host.Change = {
      attachment: gone,
      facts: { store: undefined },
      host: { rules: Result.succeed({ rulesets: [forward], nft: [] }) }
    }
    assert.deepStrictEqual(kept(change, atWork), [`rule; 10.99.0.2; 4711; ${reason}`, `result; web; 4711; ${reason}`])
  })
})

describe("rules that are left", () => {
  const id = "CNI-0123456789abcdef"
  const of = (containerId: string, network = "n", target = id) =>
    `-A POSTROUTING -s 10.99.0.2/32 -m comment --comment "name: \\"${network}\\" id: \\"${containerId}\\"" -j ${target}`
  const nat = (...rules: ReadonlyArray<string>): Host.Change => ({
    attachment: gone,
    host: {
      rules: Result.succeed({
        rulesets: [Host.rules(`*nat\n:POSTROUTING ACCEPT\n:${id} -\n${rules.join("\n")}\nCOMMIT`)],
        nft: []
      })
    }
  })
  const rule = (containerId: string, reason: string, target = id) =>
    `rule; ${containerId}; iptables -t nat ${of(containerId, "n", target)}; ${reason}`
  const chain = (containerId: string, reason: string) =>
    `chain; ${containerId}; ${id} of nat, with its rules; ${reason}`
  const missing = "/run/netns/web does not exist"
  const nothing = "no result and no process of it is there, and no namespace has its address"

  it("are those of its comment, and the chain that they lead to", () => {
    assert.deepStrictEqual(left(nat(of("web"))), [rule("web", missing), chain("web", missing), ofResult])
  })

  it("may be of a container of which nothing else is left", () => {
    assert.deepStrictEqual(left(nat(of("old"))), [rule("old", nothing), chain("old", nothing), ofResult])
  })

  it("lead to no chain of their own", () => {
    for (const target of ["MASQUERADE", "CNI-0123456789abcde", "CNI-X-0123456789abcdeg", "cni-0123456789abcdef"]) {
      assert.deepStrictEqual(left(nat(of("web", "n", target))), [rule("web", missing, target), ofResult])
    }
  })

  it("lead to a chain for one purpose of a container", () => {
    const dn = "CNI-DN-0123456789abcdef0"
    const found = left(nat(of("web", "n", dn)))
    assert.deepStrictEqual(found[1], `chain; web; ${dn} of nat, with its rules; ${missing}`)
  })

  const kept: ReadonlyArray<readonly [what: string, change: Host.Change, life?: Partial<Leaks.Life>]> = [
    ["of another network", nat(of("old", "m"))],
    ["without a comment", nat("-A POSTROUTING -s 10.99.0.2/32 -j MASQUERADE")],
    ["inside a chain of one container, which go with it", nat(of("old").replace("POSTROUTING", id))],
    ["of a container that a process is at work for", nat(of("old")), {
      processes: [Host.process({ containerId: "old" })]
    }],
    ["of a container whose namespace cannot be looked into", nat(of("old")), {
      unread: [{ containerId: "old", reason: "x" }]
    }],
    ["with an address that a namespace has", nat(of("old").replace("10.99.0.2", "10.99.0.5")), {
      addresses: new Set(["10.99.0.5"])
    }],
    [
      "that lead to a chain with an address that a namespace has",
      nat(of("old"), `-A ${id} -j DNAT --to-destination 10.99.0.5:80`),
      {
        addresses: new Set(["10.99.0.5"])
      }
    ],
    [
      "that lead to a chain with an address of IPv6 that a namespace has",
      nat(of("old"), `-A ${id} -j DNAT --to-destination [fd00::5]:80`),
      {
        addresses: new Set(["fd00::5"])
      }
    ]
  ]
  for (const [what, change, life = {}] of kept) {
    it(`are none ${what}`, () => assert.deepStrictEqual(left(change, life), [ofResult]))
  }

  it("are none of a container that another attachment has", () => {
    const others = [Host.attachment({ containerId: "old", file: "/x" })]
    assert.deepStrictEqual(left({ ...nat(of("old")), others }), [ofResult])
    const goneToo = [Host.attachment({ containerId: "old", file: "/x", netns: "/run/netns/old", ...gone })]
    assert.deepStrictEqual(
      left({ ...nat(of("old")), others: goneToo })[0],
      rule("old", "/run/netns/old does not exist")
    )
  })

  it("are none of a container that has an address", () => {
    const reservations = [{
      file: "/x",
      address: "10.99.0.8",
      containerId: "old",
      ifname: "eth0",
      isGone: false,
      reason: "why"
    }]
    const store = { folder: "/networks/n", reservations, unread: [], problem: undefined, unwritable: undefined }
    assert.deepStrictEqual(left({ ...nat(of("old")), facts: { store } }), [ofResult])
  })

  it("are not known where the rules, the host or the network are not", () => {
    assert.deepStrictEqual(left({ attachment: gone, host: { rules: Result.fail("x") } }), [ofResult])
    assert.deepStrictEqual(left({ ...nat(of("web")), facts: { network: undefined } }), [ofResult])
    assert.deepStrictEqual(left({ ...nat(of("web")), facts: { host: undefined } }), [ofResult])
  })

  it("are taken away one by one, and the chain after its rules", () => {
    const leaks = Leaks.find(Host.facts(nat(of("web"), `-A ${id} -d 10.99.0.0/24 -j ACCEPT`)), nobody)
    assert.deepStrictEqual(leaks.slice(0, 2).map(({ removal }) => removal), [
      {
        _tag: "Commands",
        argvs: [
          [
            "iptables",
            "-t",
            "nat",
            "-D",
            "POSTROUTING",
            "-s",
            "10.99.0.2/32",
            "-m",
            "comment",
            "--comment",
            "name: \"n\" id: \"web\"",
            "-j",
            id
          ]
        ]
      },
      {
        _tag: "Commands",
        argvs: [
          ["iptables", "-t", "nat", "-D", id, "-d", "10.99.0.0/24", "-j", "ACCEPT"],
          ["iptables", "-t", "nat", "-X", id]
        ]
      }
    ])
  })
})

describe("a link that is left", () => {
  const pair = (end: object = {}, other: object = {}): Host.Change => ({
    attachment: gone,
    host: withoutRules,
    outside: {
      links: [
        Host.link("veth1", { kind: "veth", peerHere: "eth7", ...end }),
        Host.link("eth7", { kind: "veth", peerHere: "veth1", ...other })
      ]
    }
  })
  const found = "link; web; veth1; /run/netns/web does not exist"

  it("is a pair of which the container had one end", () => {
    assert.deepStrictEqual(left(pair()), [found, ofResult])
    const [leak] = Leaks.find(Host.facts(pair()), nobody)
    assert.deepStrictEqual(leak?.removal, { _tag: "Commands", argvs: [["ip", "link", "del", "veth1"]] })
  })

  const others: { readonly [what: string]: Host.Change } = {
    "a link of another kind": pair({ kind: "dummy" }),
    "a link with another MAC": pair({ mac: "02:00:00:00:00:09" }),
    "a link whose pair is another": pair({}, { peerHere: "veth2" }),
    "a link whose other end has another MAC": pair({}, { mac: "02:00:00:00:00:09" }),
    "a link whose other end is not here": pair({ peerHere: undefined }, { peerHere: undefined })
  }
  for (const [what, change] of Object.entries(others)) {
    it(`is not ${what}`, () => assert.deepStrictEqual(left(change), [ofResult]))
  }

  it("is not known where the links of the host are not", () => {
    assert.deepStrictEqual(left({ attachment: gone, host: { ...withoutRules, network: Result.fail("x") } }), [ofResult])
    const attachment = { ...gone, result: Result.fail("x") }
    assert.deepStrictEqual(left({ ...pair(), attachment }), [ofResult])
  })

  it("is none of a container that is there", () => {
    assert.deepStrictEqual(left({ ...pair(), attachment: {} }), [])
  })
})

describe("taking away what is left", () => {
  const leak = (removal: Leaks.Leak["removal"]): Leaks.Leak => ({
    kind: "reservation",
    text: "",
    containerId: "web",
    reason: "",
    network: "n",
    owners: ["web"],
    files: [],
    removal
  })
  const file = (lock: string | undefined, path = "/networks/n/10.99.0.7") => leak({ _tag: "File", path, lock })
  const removed = Effect.fnUntraced(function*(
    leak: Leaks.Leak,
    { programs = {}, tools = [] }: {
      readonly programs?: Fake.Fake["programs"]
      readonly tools?: ReadonlyArray<string>
    } = {}
  ) {
    const host = Fake.host({
      files: { "/networks/n/10.99.0.7": "web" },
      ...(programs === undefined ? {} : { programs })
    })
    const known = new Map(tools.map((name) => [name, `/sbin/${name}`]))
    const outcome = yield* Effect.provide(LeakRemoval.remove(leak, known), host.layer)
    return { outcome, commands: host.commands, isThere: "/networks/n/10.99.0.7" in host.files }
  })

  it.effect("removes a file", () =>
    Effect.gen(function*() {
      for (const [lock, tools] of [[undefined, ["flock"]], ["/networks/n/lock", []]] as const) {
        assert.deepStrictEqual(yield* removed(file(lock), { tools }), {
          outcome: Result.succeed(""),
          commands: [],
          isThere: false
        })
      }
    }))

  it.effect("removes a reservation under its lock, unless it is another's by then", () =>
    Effect.gen(function*() {
      const { commands, outcome } = yield* removed(file("/networks/n/lock"), {
        tools: ["flock"],
        programs: { flock: "" }
      })
      assert.deepStrictEqual(outcome, Result.succeed(""))
      assert.lengthOf(commands, 1)
      assert.match(
        commands[0] ?? "",
        /^flock --timeout 4 \/networks\/n\/lock sh -c .* sh \/networks\/n\/10\.99\.0\.7 web$/
      )
      assert.deepStrictEqual((yield* removed(file("lock", "relative"), { tools: ["flock"] })).commands, [])
    }))

  it.effect("runs commands up to the first that fails", () =>
    Effect.gen(function*() {
      const commands = leak({ _tag: "Commands", argvs: [["one", "a"], ["two", "b"], ["three", "c"]] })
      const failing = (stderr: string) =>
        removed(commands, { programs: { two: Fake.complaint(stderr), one: "", three: "" } })
      assert.deepStrictEqual(yield* failing("no rights"), {
        outcome: Result.fail("two b: no rights"),
        commands: ["one a", "two b"],
        isThere: true
      })
      for (
        const stderr of [
          "iptables: No chain/target/match by that name.",
          "iptables: Bad rule (does a matching rule exist in that chain?).",
          "Cannot find device \"veth1\""
        ]
      ) {
        const { commands, outcome } = yield* failing(stderr)
        assert.deepStrictEqual([outcome, commands.length], [Result.succeed(""), 3])
      }
    }))
})

describe("what is left", () => {
  it("goes container by container, and the rules of an address before its reservation", () => {
    const leak = (kind: Leaks.Leak["kind"], containerId: string, holder?: Leaks.Leak["holder"]): Leaks.Leak => ({
      kind,
      containerId,
      text: `${kind} of ${containerId}`,
      reason: "",
      network: "n",
      owners: [],
      files: [],
      removal: { _tag: "Commands", argvs: [] },
      ...(holder === undefined ? {} : { holder })
    })
    const holder = { file: "/networks/n/10.99.0.7", containerId: "web", results: new Set<string>() }
    const groups = LeakRemoval.byContainer([
      leak("rule", "web"),
      leak("rule", "10.99.0.7", holder),
      leak("chain", "web"),
      leak("result", "api"),
      leak("rule", "10.99.0.7", holder),
      leak("reservation", "web")
    ])
    assert.deepStrictEqual(groups.map((group) => group.map(({ text }) => text)), [
      ["rule of 10.99.0.7", "rule of 10.99.0.7"],
      ["rule of web", "chain of web", "reservation of web"],
      ["result of api"]
    ])
  })
})

describe("a container that is alive again", () => {
  const result = { cniVersion: "1.0.0", ips: [{ address: "10.99.0.7/24" }] }
  const cached = (containerId: string, netns: string) =>
    ResultCache.encode(
      { network: "n", containerId, ifname: "eth0", netns, args: [], capabilityArgs: {} },
      "{}",
      JSON.stringify(result)
    )
  const isAlive = (leak: Parameters<typeof LeakRemoval.isAlive>[0], files: Fake.Files) =>
    Effect.provide(LeakRemoval.isAlive(leak, "/cache"), Fake.host({ files }).layer)
  const results = "/cache/results/n-web-eth0"

  it.effect("has a namespace that is there", () =>
    Effect.gen(function*() {
      const web = { containerId: "web", files: [] }
      assert.isTrue(yield* isAlive(web, { [results]: cached("web", "/run/netns/web"), "/run/netns/web": "" }))
      assert.isFalse(yield* isAlive(web, { [results]: cached("web", "/run/netns/web") }))
      assert.isFalse(yield* isAlive(web, { [results]: cached("api", "/run/netns/api"), "/run/netns/api": "" }))
      assert.isTrue(yield* isAlive(web, { "/cache/results": { error: "PermissionDenied" } }))
    }))

  it.effect("has the address, where that is all that is known", () =>
    Effect.gen(function*() {
      const holder = { file: "/n/10.99.0.7", containerId: "", results: new Set<string>() }
      const files = { [results]: cached("web", "/run/netns/web"), "/run/netns/web": "" }
      assert.isTrue(yield* isAlive({ containerId: "10.99.0.7", holder, files: [] }, files))
      assert.isFalse(yield* isAlive({ containerId: "10.99.0.8", holder, files: [] }, files))
      assert.isFalse(yield* isAlive({ containerId: "10.99.0.7", files: [] }, files))
    }))

  it.effect("has an address of a result that came later, or of one of its own that was written again", () =>
    Effect.gen(function*() {
      const holder = { file: "/n/10.99.0.7", containerId: "", results: new Set(["n-web-eth0"]) }
      const files = { [results]: cached("web", "/run/netns/web"), "/run/netns/web": "" }
      const later = { "/cache/results/n-api-eth0": cached("api", "/run/netns/web"), "/run/netns/web": "" }
      assert.isFalse(yield* isAlive({ containerId: "10.99.0.7", holder, files: [] }, files))
      assert.isTrue(yield* isAlive({ containerId: "10.99.0.7", holder, files: [results] }, files))
      assert.isTrue(yield* isAlive({ containerId: "10.99.0.7", holder, files: [] }, later))
    }))
})

describe("the life of a host", () => {
  const links = [
    { ifname: "veth1", link_index: 3, linkinfo: { info_kind: "veth" } },
    { ifname: "veth2", link: "veth3", linkinfo: { info_kind: "veth" } },
    { ifname: "vlan1", link_index: 4, linkinfo: { info_kind: "vlan" } }
  ]
  const inside = [
    { ifname: "lo", addr_info: [{ local: "127.0.0.1", prefixlen: 8 }, { local: "::1", prefixlen: 128 }] },
    { ifname: "eth0", addr_info: [{ local: "10.99.0.2", prefixlen: 24 }, { local: "fd00:0::2", prefixlen: 64 }] }
  ]
  const files = {
    "/proc/self/ns/net": Fake.namespace(1),
    "/proc/9000001/ns/net": "-> net:[7]",
    "/proc/9000001/environ": "CNI_CONTAINERID=web\0"
  }
  const programs = { "nsenter": Fake.tells({ links: inside }), "ip -j": Fake.tells({ links }) }

  it.effect("is its addresses, the ends of its pairs, and the processes at work for containers", () =>
    Effect.gen(function*() {
      const life = yield* Effect.provide(Leaks.look([]), Fake.host({ files, programs }).layer)
      assert.deepStrictEqual([...life.addresses], ["10.99.0.2", "fd00::2"])
      assert.deepStrictEqual([...life.ends], ["veth1"])
      assert.deepStrictEqual(life.processes.map(({ containerId }) => containerId), ["web"])
      assert.deepStrictEqual([life.namespaces.length, life.unread], [1, []])
    }))

  it.effect("has the addresses of containers whose namespaces cannot be looked into", () =>
    Effect.gen(function*() {
      const host = Fake.host({
        files: { ...files, "/run/netns/web": Fake.namespace(7) },
        programs: { ...programs, nsenter: Fake.complaint("no room") }
      })
      const attachments = [Host.attachment(), Host.attachment({ containerId: "api", netns: "/run/netns/api" })]
      const life = yield* Effect.provide(Leaks.look(attachments), host.layer)
      assert.deepStrictEqual([...life.addresses], ["10.99.0.2"])
      assert.deepStrictEqual(life.unread.map(({ containerId }) => containerId), ["web"])
    }))

  it.effect("is not known where more may live than can be seen", () =>
    Effect.gen(function*() {
      const host = Fake.host({ files, programs: { ...programs, nsenter: Fake.complaint("no rights") } })
      assert.deepStrictEqual(
        (yield* Effect.provide(Leaks.look([]), host.layer)).blind,
        "/proc/9000001/ns/net: ip -j: no rights"
      )
    }))
})
