import { assert, describe, it } from "@effect/vitest"
import * as Masking from "../../src/report/Masking.ts"

const masked = "[redacted]"

/** The configuration of a record after masking. */
const configOf = (config: object) =>
  JSON.parse(Masking.record(JSON.stringify({ event: "request", config }))).config as unknown

describe("a name looks like that of a secret", () => {
  for (
    const name of [
      "password",
      "dbPassword",
      "PASSWD",
      "passphrase",
      "token",
      "k8s_auth_token",
      "secret",
      "clientSecret",
      "credentials",
      "psk",
      "key",
      "apiKey",
      "apikey",
      "private-key",
      "tls_auth",
      "AUTH"
    ]
  ) {
    it(`as ${name}`, () => assert.isTrue(Masking.looksSecret(name)))
  }

  for (
    const name of [
      "monkey",
      "keyboard",
      "author",
      "passthrough",
      "bypass",
      "compass",
      "secretName",
      "tokenFile",
      "key_path",
      "K8S_POD_NAME",
      "spinning",
      "pinned",
      "type"
    ]
  ) {
    it(`not as ${name}`, () => assert.isFalse(Masking.looksSecret(name)))
  }
})

describe("a record that is given away", () => {
  it("has nothing of the values of secrets, whatever they are", () => {
    assert.deepStrictEqual(
      configOf({ password: "a", token: 1, secret: { a: [1] }, credentials: ["a", "b"], ipam: { psk: "c" } }),
      { password: masked, token: masked, secret: masked, credentials: masked, ipam: { psk: masked } }
    )
  })

  it("has what is on, off, empty or not there as it was", () => {
    const config = { useToken: true, password: "", key: null, secret: false }
    assert.deepStrictEqual(configOf(config), config)
  })

  it("has every other byte as it was", () => {
    const text =
      `{"event":"request", "config" : {"big":12345678901234567890,"token" : "a","f":1.0,"b":1,"1":"\\u00e9","s":"\\/"} }`
    assert.strictEqual(Masking.record(text), text.replace("\"a\"", `"${masked}"`))
  })

  it("is not changed at all where it has no secret", () => {
    const text = `{"event":"request","config":{"key_path":"/k","args":"A=1;B=2","big":12345678901234567890}}`
    assert.strictEqual(Masking.record(text), text)
  })

  it("has nothing of secrets in arguments", () => {
    const text = JSON.stringify({ event: "request", args: "IgnoreUnknown=1;API_TOKEN=abc;K8S_POD_NAME=web" })
    assert.strictEqual(JSON.parse(Masking.record(text)).args, `IgnoreUnknown=1;API_TOKEN=${masked};K8S_POD_NAME=web`)
  })

  it("has nothing of secrets in JSON that a plugin or a hook wrote", () => {
    const plugin = { stdout: `{"msg":"no","password":"a"}`, stderr: `log\n{"level":"info","token":"b"}\nend` }
    const shown = JSON.parse(Masking.record(JSON.stringify({ event: "plugin", plugin }))).plugin
    assert.deepStrictEqual(shown, {
      stdout: `{"msg":"no","password":"${masked}"}`,
      stderr: `log\n{"level":"info","token":"${masked}"}\nend`
    })
  })

  it("has nothing of secrets in JSON inside JSON", () => {
    const inner = JSON.stringify({ deeper: JSON.stringify({ secret: "a", b: 1 }) })
    assert.deepStrictEqual(configOf({ annotation: inner }), {
      annotation: JSON.stringify({ deeper: JSON.stringify({ secret: masked, b: 1 }) })
    })
  })

  it("has nothing of secrets in what env prints", () => {
    const hook = { stdout: "HOME=/root\nDB_PASSWORD=abc\nPATH=/bin\n" }
    const text = JSON.stringify({ event: "hook", hook })
    assert.strictEqual(
      JSON.parse(Masking.record(text)).hook.stdout,
      `HOME=/root\nDB_PASSWORD=${masked}\nPATH=/bin\n`
    )
  })

  it("has nothing of a secret whose name is written with escapes", () => {
    assert.notInclude(Masking.record(`{"event":"request","config":{"to\\u006ben":"abc"}}`), "abc")
  })

  it("has its own members, whatever they are called", () => {
    const text = `{"event":"request","token":"abc","config":{"token":"x"}}`
    assert.include(Masking.record(text), `"token":"abc"`)
  })

  it("has nothing of what somebody named", () => {
    const text = `{"event":"request","config":{"bridge":"b","ipam":{"subnet":"s"}}}`
    const isNamed: Masking.IsSecret = (path) => path.join("/") === "config/ipam/subnet"
    assert.strictEqual(Masking.record(text, isNamed), text.replace("\"s\"", `"${masked}"`))
  })
})
