/** Findings as people see them. */
import { assert, describe, it } from "@effect/vitest"
import * as Findings from "../../src/cli/Findings.ts"
import type { Finding, Level } from "../../src/doctor/Finding.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import * as Host from "../doctor/host.ts"

const style = Style.make({ isTerminal: true, width: 80, minutesEast: () => 0 }, false)

const fix = { text: "do", commands: [] }
const finding = (level: Level, check = "mtu"): Finding => ({ level, check, message: "it is", evidence: [], fix })

describe("a finding", () => {
  it("begins with a mark of its level", () => {
    const heads = (["error", "warning", "note"] as const).map((level) => Findings.lines(finding(level), style)[0])
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
    assert.deepStrictEqual(Findings.lines(whole, style), [
      "! the MTU is wrong",
      "  warning of the plugin bridge, found by bridge-mtu",
      "  at /etc/cni/net.d/n.conflist:3:7",
      "  │ 1450 in the configuration",
      "  │ 1500 on the link",
      "  fix: set it"
    ])
    const { column: _column, line: _line, plugin: _plugin, ...file } = whole
    assert.deepStrictEqual(Findings.lines({ ...file, evidence: [] }, style), [
      "! the MTU is wrong",
      "  warning of the host, found by bridge-mtu",
      "  at /etc/cni/net.d/n.conflist",
      "  fix: set it"
    ])
  })

  it("has the colour of its level in its head, and is dim but for that and for what to do", () => {
    const coloured = Style.make(style, true)
    const [dim, end] = ["\u001b[2m", "\u001b[0m"]
    const head = (level: Level) => Findings.lines(finding(level), coloured)[0]
    assert.strictEqual(head("error"), `\u001b[1m\u001b[31m✗ it is${end}${end}`)
    assert.strictEqual(head("warning"), `\u001b[1m\u001b[33m! it is${end}${end}`)
    assert.strictEqual(head("note"), `\u001b[1m${dim}– it is${end}${end}`)
    assert.deepStrictEqual(Findings.lines({ ...whole, evidence: ["one"] }, coloured).slice(1), [
      `${dim}  warning of the plugin bridge, found by bridge-mtu${end}`,
      `${dim}  at /etc/cni/net.d/n.conflist:3:7${end}`,
      `${dim}  │ one${end}`,
      "  fix: set it"
    ])
  })

  it("breaks each of its lines between words, and goes on below them", () => {
    const narrow = Findings.lines(
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
      "  warning of the",
      "    plugin bridge,",
      "    found by",
      "    bridge-mtu",
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
      Findings.lines({ ...whole, evidence: Array.from({ length: count }, (_, index) => `${index}`) }, style)
        .filter((line) => line.includes("│"))
    assert.strictEqual(shown(10).at(-1), "  │ 9")
    assert.deepStrictEqual(shown(11).slice(-2), ["  │ 9", "  │ and 1 lines more"])
  })

  it("is cut where a text of it is long, and has nothing in it that a terminal obeys", () => {
    assert.strictEqual(Findings.bounded("x".repeat(500)), "x".repeat(500))
    assert.strictEqual(Findings.bounded("x".repeat(501)), `${"x".repeat(500)}…`)
    const hostile = "\u001b[2J\n"
    const lines = Findings.lines(
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
      "  warning of the plugin \\u001b[2J\\u000a, found by bridge-mtu",
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
      Findings.json({
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
    assert.deepStrictEqual((["error", "warning", "note"] as const).map((level) => Findings.has(report, level)), [
      false,
      true,
      true
    ])
  })
})

describe("the fix of a finding", () => {
  const commands = [["ip", "link", "set", "it's", "up"], ["sysctl", "-w", `a=${"x".repeat(100)}`]]
  const linesOf = (fix: Finding["fix"]) => Findings.lines({ ...finding("error"), fix }, style).slice(2)

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
      Findings.json({ findings: [{ ...finding("note"), fix: { text: "x", commands } }], checks: [] })
    )
    assert.deepStrictEqual(findings[0].fix, { text: "x", commands })
  })

  it("has its commands as lines on the page of a report", () => {
    const { fix } = Findings.onPage({ ...finding("note"), fix: { text: "x", commands, cuts: "y" } })
    assert.deepStrictEqual(fix, {
      text: "x",
      commands: ["ip link set 'it'\\''s' up", `sysctl -w a=${"x".repeat(100)}`],
      cuts: "y"
    })
  })
})

describe("all findings", () => {
  const many = Array.from({ length: 40 }, (_, index) => finding("error", `c${index}`))
  const checksIn = (lines: ReadonlyArray<string>) => lines.flatMap((line) => /found by (c\d+)/.exec(line)?.[1] ?? [])

  it("have an empty line between them", () => {
    const lines = Findings.all(many.slice(0, 2), style, false)
    assert.strictEqual(lines.map((line) => line === "" ? "-" : "x").join(""), "xxx-xxx")
    assert.deepStrictEqual(Findings.all([], style, false), [])
  })

  it("are the first ones on a screen, and how many there are besides", () => {
    const lines = Findings.all(many, style, false)
    assert.isAtMost(lines.length, 60)
    const shown = checksIn(lines)
    assert.deepStrictEqual(shown, many.slice(0, shown.length).map(({ check }) => check))
    assert.strictEqual(lines.at(-1), `and ${40 - shown.length} findings more: --verbose prints all`)
    assert.strictEqual(
      Findings.all(many.slice(0, shown.length + 1), style, false).at(-1),
      "and 1 finding more: --verbose prints all"
    )
  })

  it("are all of them where that is asked for, with all that proves them", () => {
    assert.lengthOf(checksIn(Findings.all(many, style, true)), 40)
    const proved = { ...finding("error"), evidence: Array.from({ length: 30 }, (_, index) => `line ${index}`) }
    const proofs = (isVerbose: boolean) => Findings.all([proved], style, isVerbose).filter((line) => line.includes("│"))
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
    assert.lengthOf(Findings.all([...full, withEvidence(5)], style, false), 50)
    assert.strictEqual(
      Findings.all([...full, withEvidence(6)], style, false).at(-1),
      "and 1 finding more: --verbose prints all"
    )
    const dim = Findings.all([...full, withEvidence(6)], Style.make(style, true), false)
    assert.deepStrictEqual(dim.slice(-2), ["", "\u001b[2mand 1 finding more: --verbose prints all\u001b[0m"])
  })

  it("are never none, however long the first one is", () => {
    const long = {
      ...finding("error", "long"),
      message: "word ".repeat(100),
      evidence: Array<string>(10).fill("word ".repeat(100))
    }
    const lines = Findings.all([long, finding("note", "short")], style, false)
    assert.isAbove(lines.length, 50)
    assert.include(lines.join("\n"), "found by long")
    assert.notInclude(lines.join("\n"), "found by short")
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
    assert.deepStrictEqual(Findings.checkLines("host", outcomes, findings, style), [
      "host           ✓ c0 ! c1 ✗ c2 – c3"
    ])
    assert.deepStrictEqual(Findings.checkLines("host", outcomes, findings, { ...style, width: 30 }), [
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
    const lines = Findings.checkLines("host", outcomes, [finding("error", "c2")], Style.make(style, true))
    assert.deepStrictEqual(lines, [
      "host           \u001b[32m✓ c0\u001b[0m \u001b[33m! c1\u001b[0m \u001b[31m✗ c2\u001b[0m \u001b[2m– c3\u001b[0m"
    ])
  })

  it("have ten columns at least, however narrow the screen is", () => {
    const outcomes = ["check-1", "check-2"].map((check) => ({ check, status: "ok" as const, reason: "" }))
    assert.deepStrictEqual(Findings.checkLines("host", outcomes, [], { ...style, width: 12 }), [
      "host           ✓ check-1",
      "               ✓ check-2"
    ])
    assert.deepStrictEqual(
      Findings.checkLines("host", ["abcdefg", "x"].map((check) => ({ check, status: "ok" as const, reason: "" })), [], {
        ...style,
        width: 25
      }),
      [
        "host           ✓ abcdefg",
        "               ✓ x"
      ]
    )
  })
})

describe("what was looked at", () => {
  const wide = { ...style, width: 1000 }
  /** A host on which so many attachments can be looked into. */
  const attached = (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `c${index + 1}`)
    const attachments = names.map((containerId) =>
      Host.attachment({ containerId, netns: `/run/netns/${containerId}` }, Host.inside)
    )
    return Host.facts({ facts: { attachments, all: attachments } })
  }
  const unknown =
    "  not known without sending packets: whether programs answer; what filters of tc and other eBPF programs do; " +
    "what is beyond the links of the host"

  it("is told of each attachment, with what cannot be known by looking", () => {
    const [first, ...rest] = Findings.walked(attached(1), wide, false)
    assert.match(first ?? "", /^ {2}eth0 of c1: looked at \S.*; /)
    assert.deepStrictEqual(rest, [unknown])
  })

  it("is nothing where no attachment can be looked into", () => {
    assert.deepStrictEqual(Findings.walked(attached(0), wide, false), [])
  })

  it("is told of eight attachments, and how many there are besides, unless all are asked for", () => {
    const titles = (count: number, isVerbose: boolean) =>
      Findings.walked(attached(count), wide, isVerbose).slice(0, -1).map((line) => line.split(": looked")[0])
    const eight = Array.from({ length: 8 }, (_, index) => `  eth0 of c${index + 1}`)
    assert.deepStrictEqual(titles(8, false), eight)
    assert.deepStrictEqual(titles(9, false), [...eight, "  and 1 more: --verbose lists all"])
    assert.deepStrictEqual(titles(9, true), [...eight, "  eth0 of c9"])
  })

  it("is told also of attachments that were made with an earlier configuration", () => {
    const facts = attached(2)
    const [one, two] = facts.attachments
    assert.isTrue(one !== undefined && two !== undefined)
    const earlier = { ...facts, attachments: [two] } as never
    const lines = Findings.walked({ ...facts, attachments: [one!], earlier: [earlier] }, wide, false)
    assert.deepStrictEqual(lines.map((line) => line.split(": looked")[0]), ["  eth0 of c1", "  eth0 of c2", unknown])
  })

  it("is dim, and broken between words", () => {
    const lines = Findings.walked(attached(1), Style.make({ ...style, width: 40 }, true), false)
    for (const line of lines) assert.match(line, /^\u001b\[2m {2}.{1,38}\u001b\[0m$/)
  })
})

describe("the legend of checks", () => {
  const outcome = (check: string, status: "ok" | "failed" | "skipped") => ({ check, status, reason: "" })
  const legend = (checks: ReadonlyArray<ReturnType<typeof outcome>>, ...findings: ReadonlyArray<Finding>) =>
    Findings.legend({ checks, findings }, style).map((line) => line.trim())

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
