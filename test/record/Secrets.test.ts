import { assert, describe, it } from "@effect/vitest"
import * as SecretNames from "../../src/record/SecretNames.ts"
import * as Secrets from "../../src/record/Secrets.ts"
import * as CpuTime from "../support/cpuTime.ts"
import { harmless, secrets } from "./secretSamples.ts"

const masked = "[redacted]"

/** The configuration of a record after masking. */
const configOf = (config: object) =>
  JSON.parse(Secrets.inJson(JSON.stringify({ event: "request", config }))).config as unknown

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
    it(`as ${name}`, () => assert.isTrue(SecretNames.looksSecret(name)))
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
    it(`not as ${name}`, () => assert.isFalse(SecretNames.looksSecret(name)))
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
    assert.strictEqual(Secrets.inJson(text), text.replace("\"a\"", `"${masked}"`))
  })

  it("is not changed at all where it has no secret", () => {
    const text = `{"event":"request","config":{"key_path":"/k","args":"A=1;B=2","big":12345678901234567890}}`
    assert.strictEqual(Secrets.inJson(text), text)
  })

  it("has nothing of secrets in arguments", () => {
    const text = JSON.stringify({ event: "request", args: "IgnoreUnknown=1;API_TOKEN=abc;K8S_POD_NAME=web" })
    assert.strictEqual(JSON.parse(Secrets.inJson(text)).args, `IgnoreUnknown=1;API_TOKEN=${masked};K8S_POD_NAME=web`)
  })

  it("has nothing of secrets in JSON that a plugin or a hook wrote", () => {
    const plugin = { stdout: `{"msg":"no","password":"a"}`, stderr: `log\n{"level":"info","token":"b"}\nend` }
    const shown = JSON.parse(Secrets.inJson(JSON.stringify({ event: "plugin", plugin }))).plugin
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
      JSON.parse(Secrets.inJson(text)).hook.stdout,
      `HOME=/root\nDB_PASSWORD=${masked}\nPATH=/bin\n`
    )
  })

  it("has nothing of a secret whose name is written with escapes", () => {
    assert.notInclude(Secrets.inJson(`{"event":"request","config":{"to\\u006ben":"abc"}}`), "abc")
  })

  it("has its own members, whatever they are called", () => {
    const text = `{"event":"request","token":"abc","config":{"token":"x"}}`
    assert.include(Secrets.inJson(text), `"token":"abc"`)
  })

  it("has nothing of what somebody named", () => {
    const text = `{"event":"request","config":{"bridge":"b","ipam":{"subnet":"s"}}}`
    const isNamed: Secrets.IsSecret = (path) => path.join("/") === "config/ipam/subnet"
    assert.strictEqual(Secrets.inJson(text, isNamed), text.replace("\"s\"", `"${masked}"`))
  })
})

/** Where a text may stand that a program wrote. */
const places: { readonly [name: string]: (text: string) => string } = {
  "by itself": (text) => text,
  "between other lines": (text) => `first line\n${text}\nlast line`,
  "after the beginning of a line": (text) => text.includes("\n") ? text : `I1124 10:00:00.000 plugin.go:12] ${text}`,
  "in a member of JSON": (text) => JSON.stringify({ a: text }),
  "in JSON in JSON in JSON": (text) => JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ c: text }) }) }),
  "in quotes on a line": (text) => `level=debug msg=${JSON.stringify(text)}`,
  "in JSON in quotes on a line": (text) => `level=debug msg=${JSON.stringify(JSON.stringify({ a: text }))} x`,
  "in JSON that is cut off": (text) => JSON.stringify({ z: 1, a: text }).slice(0, -1)
}

const recordOf = (stderr: string): string => JSON.stringify({ event: "plugin", plugin: { stderr } })

for (const [place, put] of Object.entries(places)) {
  describe(`a text ${place}`, () => {
    it("has nothing of a secret", () => {
      for (const [text, ...parts] of secrets) {
        const { stderr } = JSON.parse(Secrets.inJson(recordOf(put(text)))).plugin
        const halves = parts.flatMap((part) => [part, part.slice(0, 6), part.slice(-6)])
        assert.deepStrictEqual(halves.filter((half) => stderr.includes(half)), [], `${text} → ${stderr}`)
        assert.include(stderr, masked)
      }
    })

    it("is as it was where it has none", () => {
      for (const text of harmless) assert.strictEqual(Secrets.inJson(recordOf(put(text))), recordOf(put(text)))
    })

    it("is not masked any further the second time", () => {
      for (const [text] of secrets) {
        const once = Secrets.inJson(recordOf(put(text)))
        assert.strictEqual(Secrets.inJson(once), once, text)
      }
    })
  })
}

describe("what stays beside a secret", () => {
  const kept: { readonly [text: string]: string } = {
    "https://user:hunter2@host/path?a=1": `https://user:${masked}@host/path?a=1`,
    "curl -u user:hunter2 https://host/": `curl -u user:${masked} https://host/`,
    "PGPASSWORD=hunter2 psql -h db": `PGPASSWORD=${masked} psql -h db`,
    "plugin --password=hunter2 --verbose": `plugin --password=${masked} --verbose`,
    "plugin --password hunter2 --verbose": `plugin --password ${masked} --verbose`,
    "/path?token=hunter2&b=2": `/path?token=${masked}&b=2`,
    "{Name:x Password:hunter2 Token:abc}": `{Name:x Password:${masked} Token:${masked}}`,
    "level=info token=\"a b\" msg=done": `level=info token="${masked}" msg=done`,
    "curl -H \"Authorization: Bearer hunter2\" https://host/": `curl -H "Authorization: ${masked}" https://host/`,
    "tokens:\n  - a\n  - b\nc: d": `tokens:\n  ${masked}\nc: d`,
    "[\"plugin\",\"--password\",\"a\",\"b\"]": `["plugin","--password","${masked}","b"]`,
    "{\"env\":[{\"name\":\"TOKEN\",\"value\":\"a\"},{\"name\":\"B\",\"value\":\"b\"}]}":
      `{"env":[{"name":"TOKEN","value":"${masked}"},{"name":"B","value":"b"}]}`,
    "config {\"password\":\"a\",\"b\":1} is wrong": `config {"password":"${masked}","b":1} is wrong`,
    "<a><password>x</password><b>y</b></a>": `<a><password>${masked}</password><b>y</b></a>`
  }
  for (const [text, shown] of Object.entries(kept)) {
    it(`in ${text}`, () => assert.strictEqual(JSON.parse(Secrets.inJson(recordOf(text))).plugin.stderr, shown))
  }
})

describe("a record that is logged", () => {
  const origin = { time: "2026-11-24T10:00:00.000Z", invocation: "1" }

  it("has its documents without loss, and nothing of the secrets in them", () => {
    const config = `{"big":12345678901234567890, "token" : "a","f":1.0}`
    const request = Secrets.inRecord({ ...origin, event: "request", config, args: "TOKEN=a b,c;K8S_POD_NAME=web" })
    assert.deepStrictEqual(request, {
      ...origin,
      event: "request",
      config: config.replace(`"a"`, `"${masked}"`),
      args: `TOKEN=${masked};K8S_POD_NAME=web`
    })
    const result = Secrets.inRecord({ ...origin, event: "result", durationMs: 1.5, result: `{"token":"a","f":1.0}` })
    assert.deepStrictEqual(result, {
      ...origin,
      event: "result",
      durationMs: 1.5,
      result: `{"token":"${masked}","f":1.0}`
    })
  })

  it("has nothing of secrets in bytes that are no UTF-8, and all others", () => {
    const bytes = (text: string) => Buffer.from(text, "latin1").toString("base64")
    const stdinBase64 = (text: string) => JSON.parse(Secrets.inJson(JSON.stringify({ stdinBase64: bytes(text) })))
    assert.deepStrictEqual(stdinBase64("\xff password=hunter2 \xfe"), {
      stdinBase64: bytes(`\xff password=${masked} \xfe`)
    })
    assert.deepStrictEqual(stdinBase64("\xff a=b \xfe"), { stdinBase64: bytes("\xff a=b \xfe") })
  })

  it("is read in time that grows with its length, also where it is cut off within an escape", () => {
    for (const end of ["\\", "\\\r"]) {
      const stderr = `key "password=hunter2${"\\\"".repeat(50_000)}${end}`
      let shown = ""
      const record = JSON.stringify({ event: "plugin", plugin: { stderr } })
      assert.isBelow(CpuTime.of(() => shown = Secrets.inJson(record)), 5000)
      assert.notInclude(JSON.parse(shown).plugin.stderr, "hunter2")
    }
  })

  it("is JSON, however a secret in it is written", () => {
    for (const [text] of secrets) {
      for (let end = 1; end <= text.length; end += 3) {
        const raw = JSON.stringify({ event: "plugin", plugin: { stderr: text.slice(0, end), [text.slice(end)]: 1 } })
        assert.doesNotThrow(() => JSON.parse(Secrets.inJson(raw)), raw)
      }
    }
  })
})
