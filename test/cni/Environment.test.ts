import { assert, describe, it } from "@effect/vitest"
import * as Environment from "../../src/cni/Environment.ts"
import { attachment } from "../support/plugin.ts"

const problems = (command: string, variables: { readonly [name: string]: string } = {}) =>
  Environment.problems(Environment.make({ ...attachment, CNI_COMMAND: command, ...variables })).join("\n")

describe("the variables of a request", () => {
  const required = {
    ADD: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
    DEL: ["CNI_CONTAINERID", "CNI_IFNAME", "CNI_PATH"],
    CHECK: ["CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME", "CNI_PATH"],
    GC: ["CNI_PATH"],
    STATUS: ["CNI_PATH"]
  }
  for (const [command, names] of Object.entries(required)) {
    it(`of ${command} are missing all at once`, () => {
      const found = Environment.problems(Environment.make({ CNI_COMMAND: command }))
      assert.deepStrictEqual(found, [`required env variables [${names.join(",")}] missing for ${command}`])
    })
  }

  it("of VERSION are CNI_COMMAND alone, whatever the others are", () => {
    assert.strictEqual(problems("VERSION", { CNI_CONTAINERID: "/", CNI_IFNAME: "a/b", CNI_PATH: "" }), "")
  })

  it("name an operation, in capitals", () => {
    assert.match(problems("add"), /CNI_COMMAND is "add", expected one of ADD, DEL, CHECK, GC, STATUS, VERSION/)
    assert.match(problems("toString"), /CNI_COMMAND is "toString"/)
  })

  for (const id of ["-a", "a b", "a/b", "é", ".a", "a\n"]) {
    it(`have a container ID that is not ${JSON.stringify(id)}`, () => {
      assert.strictEqual(
        problems("ADD", { CNI_CONTAINERID: id }),
        `CNI_CONTAINERID is ${JSON.stringify(id)}, expected a letter or digit, then letters, digits, '_', '.' or '-'`
      )
    })
  }

  for (const id of ["a", "A", "0", "Zz9_.-", "a".repeat(300)]) {
    it(`may have the container ID ${id.slice(0, 10)}`, () => {
      assert.strictEqual(problems("ADD", { CNI_CONTAINERID: id }), "")
    })
  }

  const interfaceNames = {
    ".": "is the name of a folder",
    "..": "is the name of a folder",
    "a/b": "contains \"/\"",
    "a:b": "contains \":\"",
    "a b": "contains \" \"",
    "a\tb": "contains \"\\t\"",
    "sixteen-letters-": "is longer than 15 bytes",
    "éééééééé": "is longer than 15 bytes"
  }
  for (const [name, problem] of Object.entries(interfaceNames)) {
    it(`have an interface name that is not ${JSON.stringify(name)}`, () => {
      const text = `CNI_IFNAME is ${JSON.stringify(name)}, which ${problem}`
      assert.strictEqual(problems("ADD", { CNI_IFNAME: name }), text)
    })
  }

  for (const name of ["a", "...", "fifteen-letters", "ééééééé"]) {
    it(`may have the interface name ${name}`, () => assert.strictEqual(problems("ADD", { CNI_IFNAME: name }), ""))
  }

  it("are not validated where the operation does not require them", () => {
    assert.strictEqual(problems("GC", { CNI_CONTAINERID: "/", CNI_IFNAME: "a/b" }), "")
  })

  it("are all named when several are wrong", () => {
    assert.strictEqual(problems("ADD", { CNI_NETNS: "", CNI_CONTAINERID: "/", CNI_IFNAME: ":" }).split("\n").length, 3)
  })
})

describe("the environment", () => {
  const variables = {
    CNI_COMMAND: "ADD",
    CNI_CONTAINERID: "id",
    CNI_NETNS: "/ns",
    CNI_IFNAME: "eth0",
    CNI_ARGS: "A=1;AB=2=3;A=4;C",
    CNI_PATH: "/bin",
    CNI_NETNS_OVERRIDE: "1",
    TRACEPARENT: "00-1-2-01",
    TRACESTATE: "vendor=1",
    BAGGAGE: "tenant=shop",
    CNI_PASSTHROUGH_PARENT: "abc"
  }

  it("has each variable at its place", () => {
    assert.deepStrictEqual(Environment.make(variables), {
      command: "ADD",
      containerId: "id",
      netns: "/ns",
      ifname: "eth0",
      args: "A=1;AB=2=3;A=4;C",
      path: "/bin",
      netnsOverride: "1",
      traceparent: "00-1-2-01",
      tracestate: "vendor=1",
      baggage: "tenant=shop",
      parent: "abc",
      variables
    })
  })

  it("is empty where a variable is missing, or only inherited", () => {
    const inherited = Object.assign(Object.create({ CNI_IFNAME: "eth0" }), { CNI_NETNS: undefined })
    const { variables: _, ...rest } = Environment.make(inherited)
    for (const [name, value] of Object.entries(rest)) assert.strictEqual(value, "", name)
  })

  it("has the first value of a key of CNI_ARGS", () => {
    const environment = Environment.make(variables)
    assert.strictEqual(Environment.argument(environment, "A"), "1")
    assert.strictEqual(Environment.argument(environment, "AB"), "2=3")
    for (const key of ["C", "B", "a", ""]) assert.isUndefined(Environment.argument(environment, key))
  })

  it("has a PATH for commands, without one too", () => {
    const usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert.strictEqual(Environment.searchPath({ variables: { PATH: "/x" } }), "/x")
    assert.strictEqual(Environment.searchPath({ variables: { PATH: "" } }), usual)
    assert.strictEqual(Environment.searchPath({ variables: {} }), usual)
  })
})
