import { assert, describe, it } from "@effect/vitest"
import * as JsonText from "../../src/json/JsonText.ts"
import * as Settings from "../../src/plugin/Settings.ts"

const problems = (fields: object) =>
  Settings.read(fields).problems.map(({ message, path }) => `${JsonText.pathText(path)}: ${message}`)

describe("the settings", () => {
  it("of the ancestor mean what they meant", () => {
    const { problems, settings } = Settings.read({ logFile: "/tmp/$X.log", hookADD: ["a", "b"], hookDEL: [] })
    assert.deepStrictEqual(problems, [])
    assert.deepStrictEqual(settings.sinks, [{ type: "file", path: "/tmp/$X.log", format: "text", mode: "0600" }])
    assert.deepStrictEqual(settings.hooks.ADD.map(({ command }) => command), ["a", "b"])
  })

  it("have the documented defaults", () => {
    const { settings } = Settings.read({ hookADD: ["a"] })
    assert.deepStrictEqual(settings.hooks.ADD, [{ command: "a", netns: "host", timeout: 30_000 }])
    assert.deepStrictEqual(
      [settings.sinks, settings.label, settings.onLogFailure, settings.onHookFailure],
      [[], "", "fail", "ignore"]
    )
  })

  it("of a command go before those of all commands", () => {
    const hookADD = [{ command: ["a", "b"], netns: "host", timeout: "5s" }, "c"]
    const { settings } = Settings.read({ hookADD, hookNetns: "container", hookTimeout: 0 })
    assert.deepStrictEqual(settings.hooks.ADD, [
      { command: ["a", "b"], netns: "host", timeout: 5000 },
      { command: "c", netns: "container", timeout: 0 }
    ])
  })

  it("may name several logs", () => {
    const { settings } = Settings.read({
      logFile: "/a",
      logFormat: "json",
      logSinks: [{ type: "file", path: "/b", mode: "0640" }, { type: "file", path: "/c", format: "json" }]
    })
    assert.deepStrictEqual(settings.sinks, [
      { type: "file", path: "/a", format: "json", mode: "0600" },
      { type: "file", path: "/b", format: "text", mode: "0640" },
      { type: "file", path: "/c", format: "json", mode: "0600" }
    ])
  })

  it("of sinks have the documented defaults", () => {
    const { settings } = Settings.read({ logSinks: [{ type: "syslog" }, { type: "journald" }, { type: "stderr" }] })
    assert.deepStrictEqual(settings.sinks, [
      {
        type: "syslog",
        address: "/dev/log",
        facility: "daemon",
        tag: "cni-passthrough",
        format: "json",
        protocol: "rfc3164"
      },
      { type: "journald", identifier: "cni-passthrough" },
      { type: "stderr", format: "text" }
    ])
    assert.strictEqual(settings.logTimeout, 2000)
  })

  it("are not looked for in other fields", () => {
    assert.deepStrictEqual(problems({ hookadd: 3, capabilities: {}, prevResult: 5, ipam: [] }), [])
  })

  it("of a command may name its network namespace, and leave it to all commands", () => {
    const netns = (hookADD: ReadonlyArray<object>, hookNetns?: string) =>
      Settings.read({ hookADD, ...(hookNetns === undefined ? {} : { hookNetns }) }).settings.hooks.ADD
        .map(({ netns }) => netns)
    const hooks = [{ command: "a", netns: "container" }, { command: "b", netns: "host" }, { command: "c" }]
    assert.deepStrictEqual(netns(hooks), ["container", "host", "host"])
    assert.deepStrictEqual(netns(hooks, "container"), ["container", "host", "container"])
  })
})

describe("a wrong field", () => {
  const cases: ReadonlyArray<readonly [field: object, message: string]> = [
    [{ logFile: null }, "logFile: found null, expected a string that is not empty"],
    [{ logFile: "" }, "logFile: found \"\", expected a string that is not empty"],
    [{ logFormat: "xml" }, "logFormat: found \"xml\", expected \"text\" or \"json\""],
    [{ logSinks: {} }, "logSinks: found an object, expected a list of sinks"],
    [{ logSinks: [null] }, "logSinks[0]: found null, expected an object with \"type\""],
    [{ logSinks: ["x"] }, "logSinks[0]: found \"x\", expected an object with \"type\""],
    [{ logSinks: [{ type: "file" }] }, "logSinks[0].path: found nothing, expected the path of a file"],
    [
      { logSinks: [{}] },
      "logSinks[0].type: found nothing, expected \"file\" or \"syslog\" or \"journald\" or \"stderr\""
    ],
    [
      { logSinks: [{ type: "journald", path: "/x" }] },
      "logSinks[0].path: found \"/x\", expected no field besides \"type\", \"identifier\""
    ],
    [
      { logSinks: [{ type: "syslog", address: "loghost:514" }] },
      "logSinks[0].address: found \"loghost:514\", " +
      "expected a path such as \"/dev/log\", \"tcp://host:601\" or \"udp://host:514\""
    ],
    [
      { logSinks: [{ type: "journald", identifier: "a b" }] },
      "logSinks[0].identifier: found \"a b\", " +
      "expected 1 to 48 visible ASCII characters"
    ],
    [
      { logTimeout: "2" },
      "logTimeout: found \"2\", expected a duration such as \"30s\", \"500ms\" or \"1m30s\"; 0 turns it off"
    ],
    [
      { logSinks: [{ type: "carrier pigeon", path: "/x" }] },
      "logSinks[0].type: found \"carrier pigeon\", expected \"file\" or \"syslog\" or \"journald\" or \"stderr\""
    ],
    [
      { logSinks: [{ type: "file", path: "/x", mode: "9" }] },
      "logSinks[0].mode: found \"9\", expected an octal mode such as \"0640\""
    ],
    [{ hookGC: "x" }, "hookGC: found \"x\", expected a list of commands"],
    [{ hookADD: [5] }, "hookADD[0]: found 5, expected a string for \"sh -c\", or an object with \"command\""],
    [
      { hookADD: ["a", { command: "x", netns: "moon" }] },
      "hookADD[1].netns: found \"moon\", expected \"host\" or \"container\""
    ],
    [{ hookADD: [{}] }, "hookADD[0].command: found nothing, expected a value"],
    [
      { hookADD: ["echo a\u0000b"] },
      "hookADD[0]: found \"echo a\\u0000b\", expected a string for \"sh -c\", or an object with \"command\""
    ],
    [{ hookADD: [{ command: ["", "x"] }] }, "hookADD[0].command[0]: found \"\", expected a string that is not empty"],
    [{ logFile: "/a\u0000b" }, "logFile: found \"/a\\u0000b\", expected a string that is not empty"],
    [{ label: 3 }, "label: found 3, expected a string"],
    [{ onLogFailure: "shrug" }, "onLogFailure: found \"shrug\", expected \"fail\" or \"ignore\""],
    [
      { hookTimeout: 5 },
      "hookTimeout: found 5, expected a duration such as \"30s\", \"500ms\" or \"1m30s\"; 0 turns it off"
    ]
  ]
  for (const [field, message] of cases) {
    it(`is named with what was found and what was expected: ${JSON.stringify(field)}`, () => {
      assert.deepStrictEqual(problems(field), [message])
    })
  }

  it("is named together with all the others", () => {
    assert.strictEqual(problems({ logFile: 1, label: 2, hookADD: [3, "a", 4] }).length, 4)
  })

  it("leaves the others in force", () => {
    const { settings } = Settings.read({
      logSinks: [{ type: "file", path: "/a" }, { type: "nowhere" }],
      label: "tap",
      hookADD: 3,
      hookDEL: ["x"]
    })
    assert.deepStrictEqual(settings.sinks, [{ type: "file", path: "/a", format: "text", mode: "0600" }])
    assert.strictEqual(settings.label, "tap")
    assert.deepStrictEqual([settings.hooks.ADD.length, settings.hooks.DEL.length], [0, 1])
  })

  it("is described shortly, however large and deep it is", () => {
    const deep = JSON.parse("[".repeat(10_000) + "]".repeat(10_000))
    assert.deepStrictEqual(problems({ logFile: deep }), ["logFile: found a list, expected a string that is not empty"])
    assert.isBelow(problems({ logFormat: "x".repeat(100_000) })[0]?.length ?? 0, 300)
  })
})
