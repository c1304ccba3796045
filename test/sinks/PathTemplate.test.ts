import { assert, describe, it } from "@effect/vitest"
import * as Environment from "../../src/cni/Environment.ts"
import * as PathTemplate from "../../src/sinks/PathTemplate.ts"

const expand = (template: string, variables: { readonly [name: string]: string } = {}) =>
  PathTemplate.expand(template, Environment.make(variables))

describe("a path", () => {
  it("has variables filled in, with and without braces", () => {
    assert.strictEqual(expand("/a/${X}_$Y.log", { X: "1", Y: "2" }), "/a/1_2.log")
  })

  it("has keys of CNI_ARGS filled in where the environment has no such name", () => {
    const CNI_ARGS = "IgnoreUnknown=1;K8S_POD_NAME=web-0;HOME=/nowhere"
    assert.strictEqual(expand("$HOME/${K8S_POD_NAME}", { CNI_ARGS, HOME: "/root" }), "/root/web-0")
  })

  it("has unknown names empty, those of JavaScript's objects too", () => {
    assert.strictEqual(expand("/a${NO}/$toString${constructor}b"), "/a/b")
  })

  it("has nothing else filled in", () => {
    for (const text of ["$(touch x)", "`id`", "/*/?", "~", "${a-b}", "${}", "$", "$1", "\\$"]) {
      assert.strictEqual(expand(text), text)
    }
  })

  it("is filled in only once", () => {
    assert.strictEqual(expand("$A", { A: "$B", B: "2" }), "$B")
  })

  const names = {
    "../../etc": ".._.._etc",
    "a/b": "a_b",
    "a\nb": "a_b",
    "a\0b": "a_b",
    "a\u001f\u007f\u009fb": "a___b",
    "a b\u00a0é~": "a b\u00a0é~"
  }
  for (const [value, name] of Object.entries(names)) {
    it(`keeps to its folder with ${JSON.stringify(value)} in the request: ${name}`, () => {
      assert.strictEqual(expand("/log/${CNI_IFNAME}.txt", { CNI_IFNAME: value }), `/log/${name}.txt`)
      assert.strictEqual(expand("/log/${KEY}.txt", { CNI_ARGS: `KEY=${value}` }), `/log/${name}.txt`)
    })
  }

  it("has no folder names from the request", () => {
    for (const value of [".", ".."]) {
      assert.strictEqual(expand("${CNI_IFNAME}/$KEY", { CNI_IFNAME: value, CNI_ARGS: `KEY=${value}` }), "_/_")
    }
    for (const value of ["...", ".a", "a.", "..a"]) {
      assert.strictEqual(
        expand("${CNI_IFNAME}/$KEY", { CNI_IFNAME: value, CNI_ARGS: `KEY=${value}` }),
        `${value}/${value}`
      )
    }
  })

  it("has variables of the runtime's own as they are", () => {
    assert.strictEqual(expand("$LOG_DIR/x", { LOG_DIR: "/var/log/cni" }), "/var/log/cni/x")
  })
})
