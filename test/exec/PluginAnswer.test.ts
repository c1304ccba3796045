/** What stdout and exit status of a plugin mean. */
import { assert, describe, it } from "@effect/vitest"
import type { Verb } from "../../src/cni/Verb.ts"
import * as PluginAnswer from "../../src/exec/PluginAnswer.ts"

interface Ended {
  readonly stdout?: string | Uint8Array
  readonly stderr?: string
  readonly exitCode?: number | null
  readonly signal?: string | null
  readonly timedOut?: boolean
}

const answer = (verb: Verb, { exitCode = 0, signal = null, stderr = "", stdout = "", timedOut = false }: Ended) =>
  PluginAnswer.of(verb, {
    exitCode,
    signal,
    timedOut,
    stderr: new TextEncoder().encode(stderr),
    stdout: typeof stdout === "string" ? new TextEncoder().encode(stdout) : stdout
  }, { cniVersion: "1.0.0", timeout: 500 })

const success = (document?: string): PluginAnswer.PluginAnswer => ({ _tag: "Success", document })

describe("the result of an ADD", () => {
  it("is the document on stdout, on one line and without loss", () => {
    assert.deepStrictEqual(
      answer("ADD", { stdout: `{\n  "cniVersion": "1.0.0",\n  "big": 12345678901234567890 }\n` }),
      success(`{"cniVersion": "1.0.0","big": 12345678901234567890 }`)
    )
  })

  const named: ReadonlyArray<readonly [why: string, stdout: string, document: string]> = [
    ["that names no version", `{"ips":[]}`, `{"ips":[],"cniVersion":"1.0.0"}`],
    ["whose version is empty", `{"cniVersion":"","ips":[]}`, `{"cniVersion":"1.0.0","ips":[]}`],
    ["whose version is a number", `{"cniVersion":1}`, `{"cniVersion":"1.0.0"}`],
    ["that is null", "null\n", `{"cniVersion":"1.0.0"}`],
    ["that is an empty object", "{}", `{"cniVersion":"1.0.0"}`]
  ]
  for (const [why, stdout, document] of named) {
    it(`${why} has the version of the configuration`, () => {
      assert.deepStrictEqual(answer("ADD", { stdout }), success(document))
    })
  }

  it("may have strings of any length", () => {
    const stdout = `{"cniVersion":"1.0.0","note":"${"x".repeat(1_000_000)}"}`
    assert.deepStrictEqual(answer("ADD", { stdout }), success(stdout))
  })

  it("may be in another version than the configuration", () => {
    const stdout = `{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.1/8"}}`
    assert.deepStrictEqual(answer("ADD", { stdout }), success(stdout))
  })

  it("is an error document where the exit status is 0 nevertheless, as it is for libcni", () => {
    const stdout = `{"cniVersion":"1.0.0","code":11,"msg":"later"}`
    assert.deepStrictEqual(answer("ADD", { stdout }), success(stdout))
  })

  const refused: ReadonlyArray<readonly [why: string, stdout: string, msg: string]> = [
    ["empty", "", "exited with status 0, but its result is not a JSON object"],
    ["text", "done\n", "exited with status 0, but its result is not a JSON object"],
    ["a list", "[]", "exited with status 0, but its result is not a JSON object"],
    [
      "two documents",
      "{} {}",
      "exited with status 0, and its stdout has 2 JSON documents, expected one JSON object"
    ],
    [
      "after log lines",
      "level=info msg=started\n{\"cniVersion\":\"1.0.0\"}",
      "exited with status 0, and its stdout has 1 JSON document and other text, expected one JSON object"
    ],
    ["begun by a byte-order mark", "\uFEFF{}", "exited with status 0, but its result is not a JSON object"],
    [
      "of an unknown version",
      `{"cniVersion":"7.0.0"}`,
      "gave a result that runtimes do not accept: cniVersion: found \"7.0.0\", " +
      "expected one of 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
    ],
    [
      "with addresses that are a string",
      `{"ips":"10.0.0.1/8"}`,
      "gave a result that runtimes do not accept: ips: found \"10.0.0.1/8\", expected a list of addresses"
    ]
  ]
  for (const [why, stdout, msg] of refused) {
    it(`is a failure where it is ${why}`, () => {
      assert.deepStrictEqual(answer("ADD", { stdout }), PluginAnswer.failed(msg))
    })
  }
})

describe("an operation without a result", () => {
  for (const verb of ["DEL", "CHECK", "GC", "STATUS"] as const) {
    it(`succeeds for ${verb} with exit status 0, whatever is on stdout`, () => {
      assert.deepStrictEqual(answer(verb, { stdout: "whatever" }), success())
      assert.deepInclude(answer(verb, { stdout: "whatever", exitCode: 1 }), { _tag: "Failure", code: undefined })
    })
  }
})

describe("a plugin that fails", () => {
  it("is told by its error document", () => {
    const stdout = `{"cniVersion":"1.0.0","code":11,"msg":"no addresses","details":"10/8 is full"}`
    assert.deepStrictEqual(answer("ADD", { stdout, exitCode: 1 }), {
      _tag: "Failure",
      hasDocument: true,
      code: 11,
      msg: "no addresses",
      details: "10/8 is full"
    })
  })

  it("has no code where its document has none", () => {
    assert.deepStrictEqual(answer("DEL", { stdout: `{"msg":"no","code":"x"}`, exitCode: 1 }), {
      _tag: "Failure",
      hasDocument: true,
      code: undefined,
      msg: "no",
      details: "its code is \"x\", which runtimes cannot read as a number"
    })
  })

  const document = `{"code":104,"msg":"the pool is used up"}`
  const mixed: ReadonlyArray<readonly [what: string, stdout: string, found: string]> = [
    ["after a result", `{"cniVersion":"1.0.0"}${document}`, "2 JSON documents"],
    ["after log lines", `started\nlevel=info {\n${document}\n`, "1 JSON document and other text"],
    ["before other text", `${document}\ndone\n`, "1 JSON document and other text"],
    ["after another one", `{"code":1,"msg":"later"}\n${document}`, "2 JSON documents"]
  ]
  for (const [what, stdout, found] of mixed) {
    it(`is told by its last error document, ${what}, with what stdout has`, () => {
      assert.deepStrictEqual(answer("ADD", { stdout, exitCode: 1 }), {
        _tag: "Failure",
        hasDocument: false,
        code: 104,
        msg: "the pool is used up",
        details: `exited with status 1; stdout has ${found}`
      })
    })
  }

  it("is told by the last words of the Go runtime, on stderr or on stdout", () => {
    const panic = "goroutine 7\npanic: index out of range\n\nmain.main()\n"
    const told = PluginAnswer.failed("panic: index out of range; exited with status 2")
    assert.deepStrictEqual(answer("ADD", { stderr: panic, exitCode: 2 }), told)
    assert.deepStrictEqual(answer("ADD", { stdout: panic, exitCode: 2 }), told)
    assert.deepStrictEqual(
      answer("ADD", { stderr: "fatal error: all goroutines are asleep - deadlock!\n", exitCode: 2 }),
      PluginAnswer.failed("fatal error: all goroutines are asleep - deadlock!; exited with status 2")
    )
  })

  const ends: ReadonlyArray<readonly [how: string, ended: Ended, msg: string]> = [
    ["without a word", { exitCode: 3 }, "exited with status 3, without an error document"],
    ["with text", { exitCode: 1, stdout: "panic" }, "exited with status 1, and its stdout is not an error document"],
    [
      "with another object",
      { exitCode: 1, stdout: "{}" },
      "exited with status 1, and its stdout is not an error document"
    ],
    ["by a signal", { exitCode: null, signal: "SIGKILL" }, "was killed by SIGKILL, without an error document"],
    [
      "by a signal in the middle of its answer",
      { exitCode: null, signal: "SIGSEGV", stdout: "{\"cniVer" },
      "was killed by SIGSEGV, and its stdout is not an error document"
    ],
    [
      "because its time was up",
      { exitCode: null, signal: "SIGKILL", timedOut: true, stdout: "{}" },
      "did not end within 500ms, and was killed"
    ]
  ]
  for (const [how, ended, msg] of ends) {
    it(`${how} is told so, and no code is invented`, () => {
      assert.deepStrictEqual(answer("ADD", ended), PluginAnswer.failed(msg))
    })
  }
})

describe("the answer to VERSION", () => {
  it("has the versions", () => {
    const stdout = `{"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0.0"]}`
    assert.deepStrictEqual(answer("VERSION", { stdout }), success(stdout))
    assert.deepStrictEqual(PluginAnswer.versions(stdout), ["0.4.0", "1.0.0"])
  })

  it("may leave them out in 0.2.0 alone", () => {
    assert.deepStrictEqual(PluginAnswer.versions(`{"cniVersion":"0.2.0"}`), ["0.1.0", "0.2.0"])
    assert.isUndefined(PluginAnswer.versions(`{"cniVersion":"1.0.0"}`))
    assert.isUndefined(PluginAnswer.versions(`{"cniVersion":"1.0.0","supportedVersions":[1]}`))
    assert.isUndefined(PluginAnswer.versions(`{"supportedVersions":["1.0.0"]}`))
  })

  it("of a plugin that does not know VERSION is 0.1.0", () => {
    assert.deepStrictEqual(
      answer("VERSION", { exitCode: 1, stdout: `{"code":100,"msg":"unknown CNI_COMMAND: VERSION"}` }),
      success(`{"cniVersion":"0.1.0","supportedVersions":["0.1.0"]}`)
    )
  })

  it("has versions that are texts, all of them, beside a version of its own", () => {
    assert.deepStrictEqual(PluginAnswer.versions(`{"cniVersion":"1.0.0","supportedVersions":["1.0.0"]}`), ["1.0.0"])
    for (
      const document of [
        `{"cniVersion":"1.0.0","supportedVersions":["1.0.0",1]}`,
        `{"cniVersion":"","supportedVersions":["1.0.0"]}`,
        `{"cniVersion":"1.0.0","supportedVersions":[]}`,
        `{"cniVersion":"1.0.0","supportedVersions":"1.0.0"}`
      ]
    ) assert.isUndefined(PluginAnswer.versions(document), document)
  })

  it("is a failure where it is something else", () => {
    assert.deepStrictEqual(
      answer("VERSION", { stdout: "1.0.0" }),
      PluginAnswer.failed("exited with status 0, but did not say which versions it supports")
    )
  })
})

describe("what a plugin claims, before its result is looked at", () => {
  const claimed = (verb: string, { exitCode = 0, signal = null, stderr = "", stdout = "", timedOut = false }: Ended) =>
    PluginAnswer.withoutValidation(verb, {
      exitCode,
      signal,
      timedOut,
      stderr: new TextEncoder().encode(stderr),
      stdout: typeof stdout === "string" ? new TextEncoder().encode(stdout) : stdout
    })

  it("is any object that it prints for ADD and VERSION, on one line", () => {
    for (const verb of ["ADD", "VERSION"]) {
      assert.deepStrictEqual(claimed(verb, { stdout: "{\n \"ips\": 1}\n" }), success("{\"ips\": 1}"))
      assert.deepStrictEqual(claimed(verb, { stdout: " null\n" }), success("null"))
    }
  })

  it("is a success without a result for all other operations", () => {
    for (const verb of ["DEL", "CHECK", "GC", "STATUS", "ODD"]) {
      assert.deepStrictEqual(claimed(verb, { stdout: "{}" }), success())
    }
  })

  it("is a failure where it prints no object", () => {
    assert.deepStrictEqual(
      claimed("ADD", { stdout: "done" }),
      PluginAnswer.failed("exited with status 0, but its result is not a JSON object")
    )
    assert.deepStrictEqual(
      claimed("VERSION", { stdout: "1.0.0" }),
      PluginAnswer.failed("exited with status 0, but its output is not a JSON object")
    )
  })

  it("is its error document, or how it ended", () => {
    assert.deepInclude(claimed("ADD", { exitCode: 1, stdout: `{"code":7,"msg":"no"}` }), {
      hasDocument: true,
      code: 7,
      msg: "no"
    })
    assert.deepStrictEqual(
      claimed("DEL", { exitCode: null, signal: "SIGKILL", timedOut: true }),
      PluginAnswer.failed("was killed by SIGKILL, without an error document")
    )
  })
})

describe("an error document", () => {
  const errorOf = (document: object) => answer("ADD", { exitCode: 1, stdout: JSON.stringify(document) })

  it("needs a code or a message", () => {
    assert.deepInclude(errorOf({ code: 7 }), { hasDocument: true, code: 7, msg: "the plugin did not say why" })
    assert.deepInclude(errorOf({ msg: "no" }), { hasDocument: true, code: undefined, msg: "no", details: "" })
    assert.deepInclude(errorOf({ details: "no" }), { hasDocument: false })
  })

  it("has a code that is no negative and no broken number", () => {
    assert.deepInclude(errorOf({ code: 0, msg: "no" }), { code: 0, details: "" })
    for (const code of [-1, 1.5]) {
      assert.deepInclude(errorOf({ code, msg: "no", details: "why" }), {
        code: undefined,
        details: `why; its code is ${code}, which runtimes cannot read as a number`
      })
    }
  })

  it("has texts only where they are texts", () => {
    assert.deepInclude(errorOf({ code: 7, msg: 5, details: 6 }), { msg: "the plugin did not say why", details: "" })
    assert.deepInclude(errorOf({ code: 7, msg: "", details: "" }), { msg: "the plugin did not say why", details: "" })
  })

  it("among several needs both", () => {
    const stdout = `{"code":7,"msg":"first"}{"msg":"second"}{"code":9}`
    assert.deepInclude(answer("ADD", { exitCode: 1, stdout }), { code: 7, msg: "first" })
    assert.deepStrictEqual(
      answer("ADD", { exitCode: 1, stdout: `{"msg":"second"}{"code":9}` }),
      PluginAnswer.failed("exited with status 1, and its stdout has 2 JSON documents, none of them an error document")
    )
  })

  it("comes before the last words of the Go runtime, which come before anything else", () => {
    const panic = "panic: nil map\n"
    const document = `log\n{"code":7,"msg":"no"}`
    assert.deepInclude(answer("ADD", { exitCode: 2, stderr: panic, stdout: document }), { code: 7, msg: "no" })
    assert.deepStrictEqual(
      answer("ADD", { exitCode: 2, stderr: panic, stdout: "log" }),
      PluginAnswer.failed("panic: nil map; exited with status 2")
    )
  })
})
