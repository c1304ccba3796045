import { assert, describe, it, vi } from "@effect/vitest"
import { StdinUnreadable } from "../../src/cni/CniError.ts"
import * as Environment from "../../src/cni/Environment.ts"
import * as Request from "../../src/plugin/Request.ts"
import { attachment } from "../support/plugin.ts"
import { make, record } from "../support/request.ts"

const code = (request: Request.Request) => request.refusal?.code
const message = (request: Request.Request) => request.refusal?.message ?? ""

describe("a request is checked", () => {
  const broken = { cniVersion: "9.9.9", name: "-", hookADD: 3 }

  it("first for its environment", () => {
    assert.strictEqual(code(make("ADD", "{", { CNI_PATH: "" })), 4)
  })

  it("then for stdin", () => {
    const request = Request.make({
      invocation: "",
      received: 0,
      environment: Environment.make({ ...attachment, CNI_COMMAND: "ADD" }),
      stdin: new StdinUnreadable({ reason: "EIO" })
    })
    assert.deepStrictEqual([code(request), message(request)], [
      5,
      "cannot read the network configuration from stdin: EIO"
    ])
  })

  it("then for JSON", () => {
    for (const text of ["", "{", "null", "[]", "\"a\"", "5", "{} {}", "\uFEFF{}"]) {
      assert.strictEqual(code(make("ADD", text)), 6, text)
    }
    assert.match(message(make("ADD", Buffer.from([0x7b, 0xff]))), /not UTF-8/)
  })

  it("then for the name of the network", () => {
    assert.strictEqual(code(make("CHECK", broken)), 7)
    assert.match(message(make("CHECK", broken)), /name: found "-"/)
    for (const name of ["", null, 5, "a/b", "a b", "a\n"]) assert.strictEqual(code(make("ADD", { name })), 7)
  })

  it("then for a version that is one", () => {
    for (const cniVersion of [1, "abc", {}, "1.0.0.0"]) {
      assert.strictEqual(code(make("ADD", { ...broken, name: "n", cniVersion })), 6)
    }
  })

  it("then for the version that has the verb", () => {
    assert.match(message(make("CHECK", { ...broken, name: "n", cniVersion: "0.3.9" })), /does not allow CHECK/)
    assert.match(message(make("GC", { cniVersion: "1.0.0" })), /does not allow GC, which needs 1\.1\.0/)
    assert.match(message(make("STATUS", { cniVersion: "" })), /cniVersion 0\.1\.0 .* does not allow STATUS/)
  })

  it("then for the exact version", () => {
    const request = make("ADD", { ...broken, name: "n" })
    assert.deepStrictEqual([code(request), message(request)], [1, "incompatible CNI versions: config is \"9.9.9\""])
    assert.strictEqual(code(make("ADD", { cniVersion: "1.0" })), 1)
  })

  it("then for our fields and prevResult, all at once", () => {
    const request = make("ADD", { hookADD: 3, label: 4, prevResult: [] })
    assert.strictEqual(code(request), 7)
    for (const field of ["hookADD", "label", "prevResult"]) assert.include(message(request), `${field}: found`)
  })
})

describe("a request without", () => {
  it("cniVersion is one of 0.1.0", () => {
    const request = make("ADD", `{"name":"n"}`)
    assert.deepStrictEqual([code(request), request.answerVersion, request.cniVersion], [undefined, "0.1.0", ""])
  })

  it("prevResult has none", () => {
    assert.strictEqual(make("ADD", {}).prevResult, undefined)
  })
})

describe("prevResult", () => {
  it("is the text of the last of that name", () => {
    const text = `{"cniVersion":"1.1.0","name":"n","prevResult":{"a":1},"prev\\u0052esult": {"b":1.0} }`
    assert.strictEqual(make("ADD", text).prevResult, `{"b":1.0}`)
  })

  for (const command of ["ADD", "CHECK"]) {
    it(`has to be an object in ${command}`, () => {
      for (const prevResult of [null, [], "x", 5]) assert.strictEqual(code(make(command, { prevResult })), 7)
    })
  }

  for (const command of ["DEL", "GC", "STATUS", "VERSION"]) {
    it(`is passed over with a warning in ${command} where it is not an object`, () => {
      const request = make(command, { prevResult: [] })
      assert.strictEqual(code(request), undefined)
      assert.deepStrictEqual(request.warnings, ["prevResult: found an empty list, expected an object"])
    })
  }

  it("of another version is worth a warning", () => {
    assert.match(make("ADD", { prevResult: { cniVersion: "0.4.0" } }).warnings.join(), /0\.4\.0.*1\.1\.0/)
    assert.deepStrictEqual(make("ADD", { prevResult: { cniVersion: "1.1.0" } }).warnings, [])
    assert.deepStrictEqual(make("ADD", { prevResult: { cniVersion: "vendor" } }).warnings, [])
  })
})

describe("clean-up", () => {
  for (const command of ["DEL", "GC"]) {
    it(`by ${command} is not kept from its work by a wrong field, only warned`, () => {
      const request = make(command, { logSinks: 5 })
      assert.strictEqual(code(request), undefined)
      assert.deepStrictEqual(request.warnings, ["logSinks: found 5, expected a list of sinks"])
    })
  }
})

describe("VERSION", () => {
  it("is served whatever is on stdin", () => {
    for (const text of ["", "{", "null", `{"cniVersion":5}`]) assert.strictEqual(code(make("VERSION", text)), undefined)
  })
})

describe("a hostile document", () => {
  it("does not reach the prototypes of objects", () => {
    const request = make("ADD", `{"cniVersion":"1.1.0","name":"n","__proto__":{"logFile":"/x"},"constructor":1}`)
    assert.strictEqual(code(request), undefined)
    assert.deepStrictEqual(request.settings.sinks, [])
  })

  it("may be 10,000 levels deep", () => {
    const deep = "[".repeat(10_000) + "]".repeat(10_000)
    const request = make("ADD", `{"cniVersion":"1.1.0","name":"n","x":${deep},"prevResult":{"y":${deep}}}`)
    assert.strictEqual(code(request), undefined)
    assert.strictEqual(request.prevResult, `{"y":${deep}}`)
  })
})

describe("a wrong field whose value `redact` hides", () => {
  it("is named without its value", () => {
    const { refusal } = make("ADD", { redact: ["password", "/logTimeout"], logTimeout: "s3cr3t", logFile: 3 })
    assert.include(refusal?.message, "logTimeout: its value is wrong, and `redact` hides it")
    assert.include(refusal?.message, "logFile: found 3")
    const inSink = make("ADD", { redact: ["password"], logSinks: [{ type: "stderr", password: "s3cr3t" }] })
    assert.notInclude(inSink.refusal?.message ?? "", "s3cr3t")
  })
})

describe("why a document is refused", () => {
  const reasons: ReadonlyArray<readonly [document: string | Uint8Array, reason: string]> = [
    ["", "it is empty"],
    [Buffer.from([0x7b, 0xff]), "it is not UTF-8"],
    ["\uFEFF{}", "it starts with a byte-order mark, expected '{'"],
    ["null", "it is null, expected an object"],
    ["[1]", "it is an array, expected an object"],
    ["5", "it is a number, expected an object"],
    ["\"a\"", "it is a string, expected an object"],
    ["true", "it is a boolean, expected an object"]
  ]
  for (const [document, reason] of reasons) {
    it(`is that ${reason}`, () => {
      assert.strictEqual(
        message(make("ADD", document)),
        `cannot decode the network configuration on stdin: ${reason}`
      )
    })
  }

  it("is what the parser says of a text that is not JSON", () => {
    assert.match(message(make("ADD", "{")), /stdin: it is not JSON: .*JSON/)
  })

  it("is not that it has U+FFFD where that is what was written", () => {
    assert.isUndefined(code(make("ADD", { x: "\uFFFD" })))
  })

  it("is the name of the network, missing or wrong", () => {
    const missing = "invalid network configuration: name: found nothing, expected the name of the network"
    assert.strictEqual(message(make("ADD", "{}")), missing)
    assert.strictEqual(message(make("ADD", { name: "" })), missing)
    assert.strictEqual(
      message(make("ADD", { name: 5 })),
      "invalid network configuration: name: found 5, " +
        "expected a letter or digit, then letters, digits, '_', '.' or '-'"
    )
  })

  it("is its version, with those that we know", () => {
    assert.strictEqual(
      message(make("ADD", { cniVersion: 1 })),
      "cannot decode the network configuration on stdin: cniVersion: found 1, expected a version such as \"1.1.0\""
    )
    assert.deepInclude(make("ADD", { cniVersion: "9.0.0" }).refusal, {
      details: "supported versions: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0"
    })
    assert.strictEqual(
      message(make("CHECK", { cniVersion: "0.3.1" })),
      "cniVersion 0.3.1 of the network configuration does not allow CHECK, which needs 0.4.0 or newer"
    )
  })
})

describe("a run", () => {
  it("is identified by 64 random bits, all of which are written", () => {
    assert.match(Request.makeInvocation(), /^[0-9a-f]{16}$/)
    assert.notStrictEqual(Request.makeInvocation(), Request.makeInvocation())
    using _ = vi.spyOn(Math, "random").mockReturnValue(0)
    assert.strictEqual(Request.makeInvocation(), "0000000000000000")
  })
})

describe("the record of a request", () => {
  it("has the network of the document, and how many hooks are run", () => {
    assert.deepInclude(record("ADD", { hookADD: ["a", "b"], hookDEL: ["c"] }), { network: "net", hooks: 2 })
    assert.notProperty(record("ADD", { name: 5 }), "network")
  })

  it("has no hooks where the request is refused", () => {
    assert.notProperty(record("ADD", { name: 5, hookADD: ["a"] }), "hooks")
    assert.notProperty(record("ODD", { hookADD: ["a"] }), "hooks")
  })

  it("has what is no JSON object as a text, and what is no text in Base64", () => {
    assert.deepInclude(record("ADD", "[1]"), { stdin: "[1]" })
    assert.deepInclude(record("ADD", Uint8Array.of(0x7b, 0xff)), { stdinBase64: "e/8=" })
    for (const field of ["config", "stdin", "stdinBase64", "warnings"]) assert.notProperty(record("ADD", ""), field)
  })

  it("has the warnings, where there are any", () => {
    assert.deepInclude(record("ADD", { prevResult: { cniVersion: "0.4.0" } }), {
      warnings: [
        "prevResult has cniVersion 0.4.0, the network configuration 1.1.0: the next plugin may refuse that"
      ]
    })
    assert.notProperty(record("ADD", {}), "warnings")
  })
})
