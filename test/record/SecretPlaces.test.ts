/** Where in the JSON of a record secrets are looked for, and all other bytes as they were. */
import { assert, describe, it } from "@effect/vitest"
import * as Secrets from "../../src/record/Secrets.ts"

const masked = "[redacted]"

const base64 = (text: string, encoding: "latin1" | "utf8" = "utf8"): string =>
  Buffer.from(text, encoding).toString("base64")

/** Values, and the same ones after masking. */
type Cases = ReadonlyArray<readonly [before: unknown, after: unknown]>

const check = (cases: Cases, mask: (text: string) => string = (text) => Secrets.inJson(text)): void => {
  for (const [before, after] of cases) {
    const text = JSON.stringify(before)
    it(text, () => assert.strictEqual(mask(text), JSON.stringify(after)))
  }
}

const checkUnchanged = (values: ReadonlyArray<unknown>): void => check(values.map((value) => [value, value]))

describe("a member with the name of a secret is masked, whatever its value is", () => {
  check([
    [{ a: { token: "b", c: "d" } }, { a: { token: masked, c: "d" } }],
    [{ a: { token: { b: [{ token: "c" }] }, d: 1 } }, { a: { token: masked, d: 1 } }],
    [{ a: { token: ["b", "token=c"], d: "token=e" } }, { a: { token: masked, d: `token=${masked}` } }],
    [{ a: { pin: 12_345 }, b: { token: "c" } }, { a: { pin: masked }, b: { token: masked } }],
    [[{ token: "a" }], [{ token: masked }]]
  ])
})

describe("a member stays as it is", () => {
  checkUnchanged([
    { token: "a" }, // one of the record itself
    { a: { token: true, password: null, secret: "", psk: masked } },
    { a: { key: 5, cookie: "0x1f", credentials: "/etc/credentials" } }
  ])
})

describe("a value is that of the name beside it", () => {
  check([
    [{ a: { name: "TOKEN", value: "b" }, c: 1 }, { a: { name: "TOKEN", value: masked }, c: 1 }],
    [{ a: { value: "b", name: "TOKEN" } }, { a: { value: masked, name: "TOKEN" } }],
    [{ a: { Name: "TOKEN", Values: ["b"] } }, { a: { Name: "TOKEN", Values: masked } }],
    [{ a: { key: "token", operator: "In" } }, { a: { key: "token", operator: masked } }],
    [{ a: { name: "TOKEN", value: { b: 1 } } }, { a: { name: "TOKEN", value: masked } }],
    [{ a: { name: "B", value: "token=c" } }, { a: { name: "B", value: `token=${masked}` } }],
    [
      { a: [{ name: "B", value: "c" }, { name: "TOKEN", value: "d" }, { name: "E", value: "f" }] },
      { a: [{ name: "B", value: "c" }, { name: "TOKEN", value: masked }, { name: "E", value: "f" }] }
    ],
    [{ a: { key: "token", b: "c" } }, { a: { key: masked, b: "c" } }],
    [{ a: { key: "token" }, b: { value: "c" } }, { a: { key: masked }, b: { value: "c" } }],
    [{ a: { key: { b: 1 }, value: "c" } }, { a: { key: masked, value: "c" } }]
  ])
  describe("and of no other", () => {
    checkUnchanged([
      { a: { key: "zone", value: "token" } },
      { a: { name: "TOKEN" }, b: { value: "c" } },
      { a: { name: "TOKEN", b: { value: "c" } } },
      { a: { b: { name: "TOKEN" }, value: "c" } },
      { a: { name: 5, value: "b", token: "" } },
      { a: { name: ["TOKEN"], value: "b" } },
      { a: { name: "TOKEN", values2: "b" } },
      { a: [["name", "TOKEN"], ["value", "b"]] }
    ])
  })
})

describe("the pairs of CNI_ARGS end at a semicolon", () => {
  check([
    [{ args: "TOKEN=a b, c=d;B=c" }, { args: `TOKEN=${masked};B=c` }],
    [{ a: { CNI_ARGS: "A=b; TOKEN =a b;PASSWORD=true" } }, { a: { CNI_ARGS: `A=b; TOKEN =${masked};PASSWORD=true` } }],
    [{ args: "A=token=b;token" }, { args: `A=token=${masked};token` }],
    [{ args: ";=;TOKEN=a" }, { args: `;=;TOKEN=${masked}` }],
    [{ a: { args: "TOKEN=a b;B=c" } }, { a: { args: `TOKEN=${masked} b;B=c` } }],
    [{ other: "TOKEN=a b;B=c" }, { other: `TOKEN=${masked} b;B=c` }]
  ])
})

describe("stdin in Base64 is searched as bytes", () => {
  const [before, after] = [`\xff token=a \xfe`, `\xff token=${masked} \xfe`]
  check([
    [{ stdinBase64: base64(before, "latin1") }, { stdinBase64: base64(after, "latin1") }],
    [{ a: { stdinBase64: base64("token=a") } }, { a: { stdinBase64: base64("token=a") } }],
    [{ stdinBase64: "Yf8" }, { stdinBase64: "Yf8" }] // without the padding of another encoder
  ])
})

describe("an element of a list is an argument or a variable, up to its end", () => {
  check([
    [{ a: ["TOKEN=a b, c", "d"] }, { a: [`TOKEN=${masked}`, "d"] }],
    [{ a: ["--token=a b", "-token=c d"] }, { a: [`--token=${masked}`, `-token=${masked}`] }],
    [{ a: ["x", "--token", "a b", "c"] }, { a: ["x", "--token", masked, "c"] }],
    [{ a: ["--token", "a b"] }, { a: ["--token", masked] }],
    [{ a: ["x", "-token", "a b"] }, { a: ["x", "-token", masked] }],
    [{ a: ["mysql", "-u", "root", "-pa"] }, { a: ["mysql", "-u", "root", `-p${masked}`] }],
    [{ a: ["sshpass", "-p", "a", "ssh"] }, { a: ["sshpass", "-p", masked, "ssh"] }],
    [["mysql", "-pa"], ["mysql", `-p${masked}`]],
    [{ a: ["curl", "-u", "user:a"] }, { a: ["curl", "-u", `user:${masked}`] }],
    [{ a: ["x", "token=a"], b: ["--token", "c"] }, { a: ["x", `token=${masked}`], b: ["--token", masked] }],
    [{ a: "token=b c", d: ["e token=f g"] }, { a: `token=${masked} c`, d: [`e token=${masked} g`] }]
  ])
  describe("and stays as it is where it is neither", () => {
    checkUnchanged([
      { a: ["TOKEN=true", "--token=/etc/token"] },
      { a: ["x", "--token", "--other", "b"] },
      { a: ["x", "--token", "none"] },
      { a: ["x", "-", "--token"] },
      { a: ["other", "-pa"] },
      { a: ["mysql", "b"], c: ["-pd"] },
      { a: [["mysql"], ["-pb"]] },
      { a: [["x", "--token"], ["b"]] },
      { a: [["--token", ["b"]]] },
      { a: ["--token"], b: ["x", "c"] },
      { a: { b: ["--token"] }, ab: ["x"] },
      { a: ["the", "password", "abc123"] },
      ["--tokens", "none"]
    ])
  })
})

describe("JSON is searched within lines, and text in quotes", () => {
  check([
    [{ a: "b [1] {\"token\":[2]} c" }, { a: "b [1] {\"token\":[redacted]} c" }],
    [{ a: "b {\"token\":[2]} c" }, { a: "b {\"token\":\"[redacted]\"} c" }],
    [{ a: "b [{\"token\":[2]}] c" }, { a: "b [{\"token\":\"[redacted]\"}] c" }],
    [{ a: "b {\"token\":[2]}c" }, { a: "b {\"token\":\"[redacted]\"}c" }],
    [{ a: "{\n  \"token\": [\n    2\n  ]\n}" }, { a: "{\n  \"token\": \"[redacted]\"\n}" }],
    [{ a: "b \"\\x token=c d\" e" }, { a: "b \"\\x token=[redacted] d\" e" }],
    [{ a: " {\"token\":[2]}" }, { a: " {\"token\":\"[redacted]\"}" }],
    [{ a: "b\n{\"token\":[2]}\nc" }, { a: "b\n{\"token\":\"[redacted]\"}\nc" }],
    [{ a: "} token=b {" }, { a: "} token=[redacted] {" }],
    [{ a: "b \"c token=d e\" f" }, { a: "b \"c token=[redacted] e\" f" }],
    [{ a: "b \"c \\\"token=d e\\\"\" f" }, { a: "b \"c \\\"token=[redacted]\\\"\" f" }],
    [{ a: "b \"c token=d e" }, { a: "b \"c token=[redacted] e" }],
    [{ a: "b \"\\u0074oken=c d\" e" }, { a: "b \"token=[redacted]\" e" }],
    [{ a: "b \"\\u0065\" token=c" }, { a: "b \"\\u0065\" token=[redacted]" }],
    [{ a: "1", token: "b", c: { "d": "\u202e token=e" } }, {
      a: "1",
      token: "b",
      c: { "d": "\u202e token=[redacted]" }
    }]
  ], (text) => Secrets.inJson(text).replace("\\u202e", "\u202e"))
})

describe("JSON within strings is parsed seven strings deep, and searched as text below", () => {
  /** A document in so many strings around each other. */
  const inStrings = (count: number): string => {
    const document = count === 1 ? { token: ["a"] } : { a: inStrings(count - 1) }
    return JSON.stringify(document)
  }
  const places: { readonly [place: string]: readonly [put: (text: string) => unknown, levels: number] } = {
    "in a member": [(text) => ({ a: text }), 7],
    "in a list": [(text) => ({ a: [text] }), 7],
    "in an argument after another": [(text) => ({ a: ["b", "-c", text] }), 7],
    "in CNI_ARGS": [(text) => ({ args: `A=b;${text}` }), 7],
    "in a line": [(text) => ({ a: `b ${text} c` }), 7],
    "in quotes, which are a level too": [(text) => ({ a: `b ${JSON.stringify(text)} c` }), 6]
  }
  const isParsed = (text: string): boolean => {
    const shown = Secrets.inJson(text)
    assert.include(shown, masked)
    return new RegExp(String.raw`\\*"\[redacted\]\\*"`).test(shown)
  }
  for (const [place, [put, levels]] of Object.entries(places)) {
    it(place, () => {
      for (let count = 1; count <= 9; count++) {
        assert.strictEqual(isParsed(JSON.stringify(put(inStrings(count)))), count <= levels, String(count))
      }
    })
  }

  it("in stdin in Base64", () => {
    for (let count = 1; count <= 9; count++) {
      const { stdinBase64 } = JSON.parse(Secrets.inJson(JSON.stringify({ stdinBase64: base64(inStrings(count)) })))
      const shown = Buffer.from(stdinBase64, "base64").toString()
      assert.include(shown, masked)
      assert.strictEqual(new RegExp(String.raw`\\*"\[redacted\]\\*"`).test(shown), count <= 7, String(count))
    }
  })
})

describe("secrets are found by their shape", () => {
  const key = "-----BEGIN PRIVATE KEY-----\nabc\ndef\n-----END PRIVATE KEY-----"
  check([
    [{ a: `b\n${key}\nc` }, { a: `b\n${masked}\nc` }],
    [{ a: "https://user:b@c/d" }, { a: `https://user:${masked}@c/d` }],
    [{ "https://user:b@c": 1 }, { [`https://user:${masked}@c`]: 1 }],
    [{ a: "sshpass -p b c" }, { a: `sshpass -p ${masked} c` }]
  ])
})

describe("the values that the user named", () => {
  const isNamed: Secrets.IsSecret = (path) => path.at(-1) === "bridge"
  const secrets = { b: "token=c", d: "https://user:e@f", g: "-----BEGIN PRIVATE KEY-----" }

  describe("are masked, and nothing else", () => {
    check(
      [
        [{ a: { bridge: "b", ...secrets } }, { a: { bridge: masked, ...secrets } }],
        [{ a: "the bridge=b c\nsshpass -p d" }, { a: `the bridge=${masked} c\nsshpass -p d` }],
        [{ bridge: "a" }, { bridge: "a" }],
        [{ args: "bridge=a b;C=d" }, { args: `bridge=${masked};C=d` }],
        [{ a: secrets }, { a: secrets }]
      ],
      (text) => Secrets.namedInJson(text, isNamed)
    )
  })

  describe("are masked beside what looks like a secret", () => {
    check(
      [
        [{ a: { bridge: "b", token: "c" } }, { a: { bridge: masked, token: masked } }],
        [{ a: { bridge: "b", c: "d" } }, { a: { bridge: masked, c: "d" } }],
        [{ a: "https://user:b@c" }, { a: `https://user:${masked}@c` }]
      ],
      (text) => Secrets.inJson(text, isNamed)
    )
  })
})

describe("a record that is masked before it is rendered", () => {
  const common = { time: "2026-11-24T10:00:00.000Z", invocation: "1", token: "own" }

  it("has its documents masked as the members that they are", () => {
    for (const member of ["config", "result"]) {
      const before = { ...common, event: "result", durationMs: 1, [member]: `{"token":"a","args":"TOKEN=b c;D=e"}` }
      assert.deepStrictEqual(Secrets.inRecord(before as never) as unknown, {
        ...before,
        [member]: `{"token":"${masked}","args":"TOKEN=${masked} c;D=e"}`
      })
    }
  })

  it("has only the members that it had", () => {
    const bare = { ...common, event: "result", durationMs: 1 }
    assert.deepStrictEqual(Secrets.inRecord(bare as never) as unknown, bare)
  })
})
