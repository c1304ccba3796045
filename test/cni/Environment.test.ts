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
      assert.match(problems("ADD", { CNI_CONTAINERID: id }), /^CNI_CONTAINERID is ".+", expected/)
    })
  }

  for (const name of [".", "..", "a/b", "a:b", "a b", "a\tb", "sixteen-letters-", "éééééééé"]) {
    it(`have an interface name that is not ${JSON.stringify(name)}`, () => {
      assert.match(problems("ADD", { CNI_IFNAME: name }), /^CNI_IFNAME is /)
    })
  }

  it("are not validated where the operation does not require them", () => {
    assert.strictEqual(problems("GC", { CNI_CONTAINERID: "/", CNI_IFNAME: "a/b" }), "")
  })

  it("are all named when several are wrong", () => {
    assert.strictEqual(problems("ADD", { CNI_NETNS: "", CNI_CONTAINERID: "/", CNI_IFNAME: ":" }).split("\n").length, 3)
  })
})
