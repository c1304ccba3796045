/** What identifies an attachment. */
import { assert, describe, it } from "@effect/vitest"
import * as Attachments from "../../src/runtime/Attachments.ts"

const identity = { network: "n", containerId: "c1", ifname: "eth0" }

describe("the names of an attachment", () => {
  it("are fine where runtimes take them", () => {
    assert.deepStrictEqual(Attachments.problems(identity), [])
    assert.deepStrictEqual(Attachments.problems({ network: "a_b.c-1", containerId: "0", ifname: "a".repeat(15) }), [])
  })

  const expected = "expected a letter or digit, then letters, digits, '_', '.' or '-'"
  const refused: ReadonlyArray<readonly [why: string, fields: Partial<Attachments.Identity>, problem: string]> = [
    [
      "an ID that leads out of the folder of results",
      { containerId: "../../../../run/esc" },
      `container ID: found "../../../../run/esc", ${expected}`
    ],
    ["an empty ID", { containerId: "" }, `container ID: found "", ${expected}`],
    ["an ID that begins with a dash", { containerId: "-a" }, `container ID: found "-a", ${expected}`],
    ["an ID with a line end after it", { containerId: "a\n" }, `container ID: found "a\\n", ${expected}`],
    ["a network with a slash", { network: "a/b" }, `network: found "a/b", ${expected}`],
    ["an interface with a slash", { ifname: "a/b" }, "interface name: found \"a/b\", which contains \"/\""],
    ["an interface called ..", { ifname: ".." }, "interface name: found \"..\", which is the name of a folder"],
    ["an interface without a name", { ifname: "" }, "interface name: found \"\", which is empty"],
    [
      "an interface of 16 characters",
      { ifname: "a".repeat(16) },
      `interface name: found "${"a".repeat(16)}", which is longer than 15 bytes`
    ],
    ["an interface with a space", { ifname: "a b" }, "interface name: found \"a b\", which contains \" \""]
  ]
  for (const [why, fields, problem] of refused) {
    it(`cannot be ${why}`, () => {
      assert.deepStrictEqual(Attachments.problems({ ...identity, ...fields }), [problem])
    })
  }

  it("are told with all that is wrong, a line each", () => {
    assert.strictEqual(new Attachments.InvalidAttachment({ problems: ["one", "two"] }).message, "one\ntwo")
  })
})

describe("an invalid attachment", () => {
  it("is told with each of its problems in a line", () => {
    assert.strictEqual(new Attachments.InvalidAttachment({ problems: ["one", "two"] }).message, "one\ntwo")
  })

  it("has problems in the order of network, container ID and interface", () => {
    const found = Attachments.problems({ network: "/", containerId: "/", ifname: "/" })
    assert.deepStrictEqual(found.map((problem) => problem.split(":")[0]), ["network", "container ID", "interface name"])
  })
})

describe("the container ID of a namespace", () => {
  it("is the one that cnitool derives", () => {
    assert.strictEqual(Attachments.containerIdOf("/run/netns/x"), "cnitool-55e2cecc95014b0f7fc4")
  })
})

describe("CNI_ARGS", () => {
  it("are pairs", () => {
    const pairs = [["IgnoreUnknown", "1"], ["K8S_POD_NAME", "web"]] as const
    assert.deepStrictEqual(Attachments.parseArguments("IgnoreUnknown=1;K8S_POD_NAME=web"), pairs)
    assert.strictEqual(Attachments.formatArguments(pairs), "IgnoreUnknown=1;K8S_POD_NAME=web")
    assert.deepStrictEqual(Attachments.parseArguments(""), [])
  })

  for (const wrong of ["a", "a=", "=b", "a=b=c", "a=b;", ";"]) {
    it(`cannot be ${wrong}`, () => {
      assert.throws(() => Attachments.parseArguments(wrong), /found the pair ".*", expected KEY=VALUE/)
    })
  }
})

describe("the arguments of capabilities", () => {
  it("are an object", () => {
    assert.deepStrictEqual(Attachments.parseCapabilityArguments(`{"ips":["10.0.0.5/8"]}`), { ips: ["10.0.0.5/8"] })
    const long = "x".repeat(200_000)
    assert.deepStrictEqual(Attachments.parseCapabilityArguments(`{"mac":"${long}"}`), { mac: long })
  })

  it("are none where they are null", () => {
    assert.deepStrictEqual(Attachments.parseCapabilityArguments("null"), {})
    assert.deepStrictEqual(Attachments.parseCapabilityArguments(" null\n"), {})
  })

  for (const [wrong, found] of [["[]", "an empty list"], ["1", "1"], ["\"a\"", "\"a\""]] as const) {
    it(`cannot be ${wrong}`, () => {
      assert.throws(() => Attachments.parseCapabilityArguments(wrong), `found ${found}, expected an object such as {"`)
    })
  }

  it("cannot be something else than JSON", () => {
    assert.throws(() => Attachments.parseCapabilityArguments("{a:1}"), "found \"{a:1}\", expected JSON")
  })
})
