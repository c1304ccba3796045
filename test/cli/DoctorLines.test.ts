/** Findings as people see them. */
import { assert, describe, it } from "@effect/vitest"
import * as DoctorLines from "../../src/cli/DoctorLines.ts"
import type { Finding, Level } from "../../src/doctor/Finding.ts"
import type { Flow } from "../../src/doctor/flow/Flow.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import * as Host from "../doctor/host.ts"

const style = Style.make({ isTerminal: true, width: 80, minutesEast: () => 0 }, false)

const fix = { text: "do", commands: [] }
const finding = (level: Level, check = "mtu"): Finding => ({ level, check, message: "it is", evidence: [], fix })

describe("a finding", () => {
  it("begins with a mark of its level", () => {
    const heads = (["error", "warning", "note"] as const).map((level) => DoctorLines.lines(finding(level), style)[0])
    assert.deepStrictEqual(heads, ["✗ it is", "! it is", "– it is"])
  })

  const whole: Finding = {
    level: "warning",
    check: "bridge-mtu",
    plugin: "bridge",
    message: "the MTU is wrong",
    evidence: ["1450 in the configuration", "1500 on the link"],
    fix: { text: "set it", commands: [] },
    file: "/etc/cni/net.d/n.conflist",
    line: 3,
    column: 7
  }

  it("says whose it is, who found it, where, how that is known, and what to do", () => {
    assert.deepStrictEqual(DoctorLines.lines(whole, style), [
      "! the MTU is wrong",
      "  plugin bridge (check bridge-mtu)",
      "  at /etc/cni/net.d/n.conflist:3:7",
      "  │ 1450 in the configuration",
      "  │ 1500 on the link",
      "  fix: set it"
    ])
    const { column: _column, line: _line, plugin: _plugin, ...file } = whole
    assert.deepStrictEqual(DoctorLines.lines({ ...file, evidence: [] }, style), [
      "! the MTU is wrong",
      "  host (check bridge-mtu)",
      "  at /etc/cni/net.d/n.conflist",
      "  fix: set it"
    ])
  })

  it("has the colour of its level in its head, and is dim but for that and for what to do", () => {
    const coloured = Style.make(style, true)
    const [dim, end] = ["\u001b[2m", "\u001b[0m"]
    const head = (level: Level) => DoctorLines.lines(finding(level), coloured)[0]
    assert.strictEqual(head("error"), `\u001b[1m\u001b[31m✗ it is${end}${end}`)
    assert.strictEqual(head("warning"), `\u001b[1m\u001b[33m! it is${end}${end}`)
    assert.strictEqual(head("note"), `\u001b[1m${dim}– it is${end}${end}`)
    assert.deepStrictEqual(DoctorLines.lines({ ...whole, evidence: ["one"] }, coloured).slice(1), [
      `${dim}  plugin bridge (check bridge-mtu)${end}`,
      `${dim}  at /etc/cni/net.d/n.conflist:3:7${end}`,
      `${dim}  │ one${end}`,
      "  fix: set it"
    ])
  })

  it("breaks each of its lines between words, and goes on below them", () => {
    const narrow = DoctorLines.lines(
      {
        ...whole,
        message: "one two three fours",
        evidence: ["one two three four"],
        fix: { text: "one two three four", commands: [] }
      },
      { ...style, width: 20 }
    )
    assert.deepStrictEqual(narrow, [
      "! one two three",
      "  fours",
      "  plugin bridge",
      "    (check",
      "    bridge-mtu)",
      "  at",
      "    /etc/cni/net.d/n",
      "    .conflist:3:7",
      "  │ one two three",
      "    four",
      "  fix: one two three",
      "    four"
    ])
  })

  it("shows ten lines of evidence, and how many there are besides", () => {
    const shown = (count: number) =>
      DoctorLines.lines({ ...whole, evidence: Array.from({ length: count }, (_, index) => `${index}`) }, style)
        .filter((line) => line.includes("│"))
    assert.strictEqual(shown(10).at(-1), "  │ 9")
    assert.deepStrictEqual(shown(11).slice(-2), ["  │ 9", "  │ and 1 lines more"])
  })

  it("is cut where a text of it is long, and has nothing in it that a terminal obeys", () => {
    assert.strictEqual(DoctorLines.bounded("x".repeat(500)), "x".repeat(500))
    assert.strictEqual(DoctorLines.bounded("x".repeat(501)), `${"x".repeat(500)}…`)
    const hostile = "\u001b[2J\n"
    const lines = DoctorLines.lines(
      {
        ...whole,
        message: hostile,
        plugin: hostile,
        file: hostile,
        evidence: [hostile],
        fix: { text: hostile, commands: [[hostile]], cuts: hostile }
      },
      style
    )
    assert.deepStrictEqual(lines, [
      "! \\u001b[2J\\u000a",
      "  plugin \\u001b[2J\\u000a (check bridge-mtu)",
      "  at \\u001b[2J\\u000a:3:7",
      "  │ \\u001b[2J\\u000a",
      "  fix: \\u001b[2J\\u000a",
      "    '\\u001b[2J\\u000a'",
      "  this cuts \\u001b[2J\\u000a"
    ])
  })
})

describe("a report as one JSON document", () => {
  it("has the findings and the checks, each with its members in one order", () => {
    const checks = [{ check: "mtu", status: "failed" as const, reason: "it is" }]
    assert.strictEqual(
      DoctorLines.json({
        findings: [{ ...finding("error"), plugin: "bridge", file: "/a\u0085", line: 1, column: 2, evidence: ["e"] }],
        checks
      }),
      `{
  "findings": [
    {
      "level": "error",
      "check": "mtu",
      "plugin": "bridge",
      "message": "it is",
      "evidence": [
        "e"
      ],
      "fix": {
        "text": "do",
        "commands": []
      },
      "file": "/a\\u0085",
      "line": 1,
      "column": 2
    }
  ],
  "checks": [
    {
      "check": "mtu",
      "status": "failed",
      "reason": "it is"
    }
  ]
}`
    )
  })

  it("has a level where one of its findings has it", () => {
    const report = { findings: [finding("note"), finding("warning")], checks: [] }
    assert.deepStrictEqual((["error", "warning", "note"] as const).map((level) => DoctorLines.has(report, level)), [
      false,
      true,
      true
    ])
  })
})

describe("the fix of a finding", () => {
  const commands = [["ip", "link", "set", "it's", "up"], ["sysctl", "-w", `a=${"x".repeat(100)}`]]
  const linesOf = (fix: Finding["fix"]) => DoctorLines.lines({ ...finding("error"), fix }, style).slice(2)

  it("is a sentence, and commands that stand whole on lines of their own", () => {
    assert.deepStrictEqual(linesOf({ text: "set it up", commands }), [
      "  fix: set it up",
      "    ip link set 'it'\\''s' up",
      `    sysctl -w a=${"x".repeat(100)}`
    ])
  })

  it("says what it cuts", () => {
    const cuts = "open connections of eth0 of web"
    assert.strictEqual(linesOf({ text: "attach it anew", commands, cuts }).at(-1), `  this cuts ${cuts}`)
  })

  it("is the same in JSON, as lists of words", () => {
    const { findings } = JSON.parse(
      DoctorLines.json({ findings: [{ ...finding("note"), fix: { text: "x", commands } }], checks: [] })
    )
    assert.deepStrictEqual(findings[0].fix, { text: "x", commands })
  })

  it("has its commands as lines on the page of a report", () => {
    const { fix } = DoctorLines.onPage({ ...finding("note"), fix: { text: "x", commands, cuts: "y" } })
    assert.deepStrictEqual(fix, {
      text: "x",
      commands: ["ip link set 'it'\\''s' up", `sysctl -w a=${"x".repeat(100)}`],
      cuts: "y"
    })
  })
})

describe("all findings", () => {
  const many = Array.from({ length: 40 }, (_, index) => finding("error", `c${index}`))
  const checksIn = (lines: ReadonlyArray<string>) => lines.flatMap((line) => /check (c\d+)/.exec(line)?.[1] ?? [])

  it("have an empty line between them", () => {
    const lines = DoctorLines.all(many.slice(0, 2), style, false)
    assert.strictEqual(lines.map((line) => line === "" ? "-" : "x").join(""), "xxx-xxx")
    assert.deepStrictEqual(DoctorLines.all([], style, false), [])
  })

  it("are the first ones on a screen, and how many there are besides", () => {
    const lines = DoctorLines.all(many, style, false)
    assert.isAtMost(lines.length, 60)
    const shown = checksIn(lines)
    assert.deepStrictEqual(shown, many.slice(0, shown.length).map(({ check }) => check))
    assert.strictEqual(lines.at(-1), `and ${40 - shown.length} findings more: --verbose prints all`)
    assert.strictEqual(
      DoctorLines.all(many.slice(0, shown.length + 1), style, false).at(-1),
      "and 1 finding more: --verbose prints all"
    )
  })

  it("are all of them where that is asked for, with all that proves them", () => {
    assert.lengthOf(checksIn(DoctorLines.all(many, style, true)), 40)
    const proved = { ...finding("error"), evidence: Array.from({ length: 30 }, (_, index) => `line ${index}`) }
    const proofs = (isVerbose: boolean) =>
      DoctorLines.all([proved], style, isVerbose).filter((line) => line.includes("│"))
    assert.lengthOf(proofs(true), 30)
    assert.deepStrictEqual(proofs(false).slice(-2), ["  │ line 9", "  │ and 20 lines more"])
  })

  it("have room for 50 lines, the empty ones between them included", () => {
    const withEvidence = (lines: number) => ({
      ...finding("error"),
      evidence: Array.from({ length: lines }, (_, index) => `${index}`)
    })
    // Of 3 lines besides its evidence each, and an empty one between: 13 + 1 + 13 + 1 + 13 + 1 + 8 = 50.
    const full = [10, 10, 10].map(withEvidence)
    assert.lengthOf(DoctorLines.all([...full, withEvidence(5)], style, false), 50)
    assert.strictEqual(
      DoctorLines.all([...full, withEvidence(6)], style, false).at(-1),
      "and 1 finding more: --verbose prints all"
    )
    const dim = DoctorLines.all([...full, withEvidence(6)], Style.make(style, true), false)
    assert.deepStrictEqual(dim.slice(-2), ["", "\u001b[2mand 1 finding more: --verbose prints all\u001b[0m"])
  })

  it("are never none, however long the first one is", () => {
    const long = {
      ...finding("error", "long"),
      message: "word ".repeat(100),
      evidence: Array<string>(10).fill("word ".repeat(100))
    }
    const lines = DoctorLines.all([long, finding("note", "short")], style, false)
    assert.isAbove(lines.length, 50)
    assert.include(lines.join("\n"), "check long")
    assert.notInclude(lines.join("\n"), "check short")
  })
})

describe("the checks of a phase", () => {
  it("have a mark each: of what was found the gravest", () => {
    const outcomes = (["ok", "failed", "failed", "skipped"] as const).map((status, index) => ({
      check: `c${index}`,
      status,
      reason: ""
    }))
    const findings = [finding("warning", "c1"), finding("warning", "c2"), finding("error", "c2")]
    assert.deepStrictEqual(DoctorLines.checkLines("host", outcomes, findings, style), [
      "host           ✓ c0 ! c1 ✗ c2 – c3"
    ])
    assert.deepStrictEqual(DoctorLines.checkLines("host", outcomes, findings, { ...style, width: 30 }), [
      "host           ✓ c0 ! c1 ✗ c2",
      "               – c3"
    ])
  })

  it("are coloured, each by its mark", () => {
    const outcomes = (["ok", "failed", "failed", "skipped"] as const).map((status, index) => ({
      check: `c${index}`,
      status,
      reason: ""
    }))
    const lines = DoctorLines.checkLines("host", outcomes, [finding("error", "c2")], Style.make(style, true))
    assert.deepStrictEqual(lines, [
      "host           \u001b[32m✓ c0\u001b[0m \u001b[33m! c1\u001b[0m \u001b[31m✗ c2\u001b[0m \u001b[2m– c3\u001b[0m"
    ])
  })

  it("have ten columns at least, however narrow the screen is", () => {
    const outcomes = ["check-1", "check-2"].map((check) => ({ check, status: "ok" as const, reason: "" }))
    assert.deepStrictEqual(DoctorLines.checkLines("host", outcomes, [], { ...style, width: 12 }), [
      "host           ✓ check-1",
      "               ✓ check-2"
    ])
    assert.deepStrictEqual(
      DoctorLines.checkLines(
        "host",
        ["abcdefg", "x"].map((check) => ({ check, status: "ok" as const, reason: "" })),
        [],
        {
          ...style,
          width: 25
        }
      ),
      [
        "host           ✓ abcdefg",
        "               ✓ x"
      ]
    )
  })
})

describe("the flows of attachments", () => {
  const wide = { ...style, width: 1000 }
  const attachment = (name: string) => Host.attachment({ containerId: name, netns: `/run/netns/${name}` }, Host.inside)
  const flow = (fields: Partial<Flow> = {}): Flow => ({
    kind: "world",
    attachment: attachment("c1"),
    words: "the world, by up0",
    from: "10.99.0.2",
    to: "world",
    family: 4,
    verified: false,
    protocol: "tcp",
    port: 443,
    size: 84,
    path: ["eth0", "cni0", "up0"],
    status: "arrives",
    reason: "",
    ...fields
  })
  const many = (count: number, fields: Partial<Flow> = {}) =>
    Array.from({ length: count }, (_, index) => flow({ ...fields, attachment: attachment(`c${index + 1}`) }))

  describe("without findings", () => {
    const lines = (flows: ReadonlyArray<Flow>, isVerbose = false) =>
      DoctorLines.walked(Host.facts(), flows, wide, isVerbose)
    const unknown =
      "  not known without sending packets: whether programs answer; what filters of tc and other eBPF programs do; " +
      "what is beyond the links of the host"

    it("are listed in one line for each attachment if they arrive, with what inspection cannot show", () => {
      const c1 = attachment("c1")
      const flows = [
        flow({ attachment: c1, words: "gateway 10.99.0.1" }),
        flow({ attachment: c1 }),
        flow({ attachment: c1, kind: "world-large", status: "unknown", reason: "not known without sending one" })
      ]
      assert.deepStrictEqual(lines(flows), [
        "  eth0 of c1: looked at gateway 10.99.0.1; the world, by up0",
        unknown
      ])
    })

    it("are listed by their reasons if they are not known", () => {
      const c1 = attachment("c1")
      const open = { attachment: c1, status: "unknown", reason: "its gateway is not this host" } as const
      const flows = [
        flow({ attachment: c1, kind: "gateway", words: "gateway 10.99.0.1" }),
        flow(open),
        flow({ ...open, kind: "name-server", words: "name server 8.8.8.8" })
      ]
      assert.deepStrictEqual(lines(flows), [
        "  eth0 of c1: looked at gateway 10.99.0.1",
        "  eth0 of c1: not known: the world, by up0; name server 8.8.8.8: its gateway is not this host",
        unknown
      ])
    })

    it("are not mentioned if there are none", () => {
      assert.deepStrictEqual(lines([]), [])
    })

    it("are listed for eight attachments, with a count of the others", () => {
      assert.strictEqual(lines(many(8)).length, 9)
      assert.strictEqual(lines(many(9)).at(-2), "  and 1 more: --verbose lists all")
    })

    it("are left to the list of all flows if all are asked for", () => {
      assert.deepStrictEqual(lines(many(9), true), [unknown])
    })
  })

  describe("with findings", () => {
    const lines = (flows: ReadonlyArray<Flow>, isVerbose = false) => DoctorLines.flowLines(flows, wide, isVerbose)
    const lost = { status: "dropped", reason: "a rule of FORWARD drops it", check: "forward-rules" } as const

    it("are listed for an attachment that loses some, with the check that says so", () => {
      const c1 = attachment("c1")
      const flows = [
        flow({ attachment: c1, words: "gateway 10.99.0.1" }),
        flow({ attachment: c1, ...lost }),
        flow({
          attachment: c1,
          words: "name server 8.8.8.8",
          status: "unknown",
          reason: "its gateway is not this host"
        })
      ]
      assert.deepStrictEqual(lines(flows), [
        "",
        "eth0 of c1 on n, 10.99.0.2",
        "  ✓ gateway 10.99.0.1",
        "  ✗ the world, by up0                         check forward-rules",
        "  ? name server 8.8.8.8                       its gateway is not this host"
      ])
    })

    it("are not listed for an attachment that loses none, unless all are asked for", () => {
      assert.deepStrictEqual(lines([flow()]), [])
      assert.deepStrictEqual(lines([flow()], true), ["", "eth0 of c1 on n, 10.99.0.2", "  ✓ the world, by up0"])
    })

    it("are listed for two attachments, with a count of the others", () => {
      assert.deepStrictEqual(lines(many(3, lost)).slice(-2), [
        "",
        "and 1 attachment more with lost flows: --verbose lists all"
      ])
      assert.notInclude(lines(many(3, lost), true).join("\n"), "more")
    })

    it("are cut to twelve for one attachment, with the lost ones first", () => {
      const c1 = attachment("c1")
      const all = [...Array.from({ length: 12 }, () => flow({ attachment: c1 })), flow({ attachment: c1, ...lost })]
      const listed = lines(all)
      assert.match(listed[2] ?? "", /^ {2}✗/)
      assert.strictEqual(listed.at(-1), "  and 1 more: --verbose lists all")
      assert.strictEqual(lines(all, true).length, 15)
    })

    it("have coloured marks on a terminal", () => {
      const [, , line] = DoctorLines.flowLines([flow(lost)], Style.make({ ...style, width: 80 }, true), false)
      assert.match(line ?? "", /^\u001b\[31m {2}✗\u001b\[0m the world/)
    })
  })

  it("say how each is known where packets were sent over some of them", () => {
    const own = attachment("c1")
    const lines = DoctorLines.flowLines(
      [
        flow({ attachment: own, verified: true }),
        flow({
          attachment: own,
          kind: "name-server",
          words: "name server 1.1.1.1",
          verified: true,
          status: "dropped",
          reason: "name server 1.1.1.1: the packet was dropped"
        }),
        flow({ attachment: own, kind: "port-world", words: "port 80/tcp from the world" })
      ],
      wide,
      false
    )
    assert.deepStrictEqual(lines.slice(2), [
      `  ✓ ${"the world, by up0".padEnd(40)}  sent`,
      `  ✗ ${"name server 1.1.1.1".padEnd(40)}  sent: the packet was dropped`,
      `  ✓ ${"port 80/tcp from the world".padEnd(40)}  predicted`
    ])
  })

  it("go on below their own column on a screen of 80 columns", () => {
    const lines = DoctorLines.flowLines(
      [flow({ status: "dropped", verified: true, reason: "the packet was dropped by ip filter FORWARD in host" })],
      Style.make({ ...style, width: 80 }, false),
      false
    )
    assert.deepStrictEqual(lines.slice(2), [
      `  ✗ ${"the world, by up0".padEnd(40)}  sent: the packet was dropped by ip`,
      `${"".padEnd(46)}filter FORWARD in host`
    ])
  })

  it("begin with those of a trial, however many containers lose flows too", () => {
    const lost = ["c1", "c2", "c3"].map((id) => flow({ attachment: attachment(id), status: "dropped" }))
    const tried = flow({ attachment: attachment("t"), status: "dropped", verified: true })
    const lines = DoctorLines.flowLines([...lost, tried], wide, false)
    assert.match(lines[1] ?? "", /^eth0 of t /)
  })

  it("say nothing of that where only the gateway was asked", () => {
    const own = attachment("c1")
    const lines = DoctorLines.flowLines(
      [
        flow({ attachment: own, kind: "gateway", words: "gateway 10.99.0.1", verified: true }),
        flow({ attachment: own, status: "dropped", check: "masquerade" })
      ],
      wide,
      false
    )
    assert.deepStrictEqual(lines[2], "  ✓ gateway 10.99.0.1")
  })

  it("are part of the document for scripts", () => {
    const { flows } = JSON.parse(DoctorLines.json({ findings: [], checks: [] }, [flow()]))
    assert.deepStrictEqual(flows, [{
      attachment: { network: "n", containerId: "c1", ifname: "eth0" },
      from: "10.99.0.2",
      to: "world",
      family: 4,
      protocol: "tcp",
      port: 443,
      size: 84,
      status: "arrives",
      verified: false,
      reason: "",
      path: ["eth0", "cni0", "up0"]
    }])
  })
})

describe("the legend of checks", () => {
  const outcome = (check: string, status: "ok" | "failed" | "skipped") => ({ check, status, reason: "" })
  const legend = (checks: ReadonlyArray<ReturnType<typeof outcome>>, ...findings: ReadonlyArray<Finding>) =>
    DoctorLines.legend({ checks, findings }, style).map((line) => line.trim())

  it("has the marks that are there, but for the one that all is well", () => {
    assert.deepStrictEqual(legend([outcome("a", "ok")]), [])
    assert.deepStrictEqual(legend([outcome("a", "ok"), outcome("b", "skipped")]), [
      "– nothing to check here, or not possible"
    ])
    assert.deepStrictEqual(legend([outcome("a", "failed"), outcome("b", "failed")], finding("error", "a")), [
      "✗ error   ! warning or note"
    ])
    assert.deepStrictEqual(legend([outcome("a", "failed")], finding("error", "a")), ["✗ error"])
    assert.deepStrictEqual(legend([outcome("a", "failed")], finding("note", "a")), ["! warning or note"])
  })
})
