/** Secrets that are found by their shape, and what stays around them. */
import { assert, describe, it } from "@effect/vitest"
import * as SecretShapes from "../../src/record/SecretShapes.ts"

const letters = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
const base64 = (text: string): string => Buffer.from(text).toString("base64")

const check = (mask: (text: string) => string, cases: ReadonlyArray<readonly [text: string, shown: string]>): void => {
  for (const [text, shown] of cases) it(text, () => assert.strictEqual(mask(text), shown))
}

describe("a token", () => {
  const tokens = [
    `eyJ${letters}.${letters}`,
    "AKIA0123456789ABCDEF",
    `ghp_${letters}`,
    `github_pat_${letters}`,
    `glpat-${letters}`,
    `npm_${letters}`,
    `dckr_pat_${letters}`,
    `xoxb-${letters}`,
    `hooks.slack.com/services/T0/B0/${letters}`,
    `AIza${letters.slice(0, 35)}`,
    `ya29.${letters}`,
    `sk_live_${letters}`,
    `sk-${letters}`,
    `hvs.${letters}`,
    `AGE-SECRET-KEY-1${letters}`,
    `SG.${letters}.${letters}`,
    `dop_v1_${"0123456789abcdef".repeat(2)}`,
    `sha256~${letters}`,
    `$2y$10$${letters}`
  ]
  for (const token of tokens) {
    it(`is masked wherever it stands, and as often: ${token}`, () => {
      assert.strictEqual(
        SecretShapes.withoutTokens(`a ${token} b,${token}\n${token}`),
        "a [redacted] b,[redacted]\n[redacted]"
      )
      assert.isTrue(SecretShapes.hint.test(token))
    })
  }

  for (const [before, after] of [["enc cbc(aes) ", " 96"], ["auth-trunc 'hmac(sha256)' ", ""], ["aead x ", " 128"]]) {
    it(`is the key after ${before}`, () => {
      const key = "0x0123456789abcdef"
      assert.strictEqual(SecretShapes.withoutTokens(`${before}${key}${after}`), `${before}[redacted]${after}`)
      assert.strictEqual(SecretShapes.withoutTokens(`other ${key}`), `other ${key}`)
    })
  }
})

describe("the quick check", () => {
  for (const signature of ["?sig=x", "&X-Amz-Signature=x"]) {
    it(`stops at ${signature}`, () => assert.isTrue(SecretShapes.hint.test(signature)))
  }

  it("passes over what each record of a plugin has", () => {
    assert.isFalse(SecretShapes.hint.test(`{"exitCode":0,"signal":null,"stderr":"","truncated":false}`))
  })
})

describe("PEM in Base64", () => {
  const [key, certificate] = ["PRIVATE KEY", "CERTIFICATE"].map((kind) =>
    base64(`-----BEGIN ${kind}-----\n${letters}\n-----END ${kind}-----`)
  )
  check(SecretShapes.withoutTokens, [
    [`a ${key} b ${key}`, "a [redacted] b [redacted]"],
    [`a ${certificate} b`, `a ${certificate} b`]
  ])
})

describe("a login in a URL", () => {
  check(SecretShapes.withoutTokens, [
    ["a https://user:pass@host/b c", "a https://user:[redacted]@host/b c"],
    ["https://user:p:a/s@host/b", "https://user:[redacted]@host/b"],
    ["https://user:12@host/b", "https://user:[redacted]@host/b"],
    ["https://host:8080/a@b", "https://host:8080/a@b"],
    [`https://${letters}1@host/a`, "https://[redacted]@host/a"],
    [`https://${letters}@host/a`, `https://${letters}@host/a`],
    ["https://abc:x-oauth-basic@host/a", "https://[redacted]:x-oauth-basic@host/a"],
    ["user:pass@tcp(host:3306)/db", "user:[redacted]@tcp(host:3306)/db"],
    ["user:pass@unix(/run/db)/db", "user:[redacted]@unix(/run/db)/db"],
    ["user:pass@host", "user:pass@host"]
  ])
})

describe("what follows Bearer or Basic", () => {
  const credentials = base64("user:pass")
  check(SecretShapes.withoutTokens, [
    ["a Bearer abcdefghijklmnopqrst b", "a Bearer [redacted] b"],
    ["a Bearer abcdefghijklmnopqrs b", "a Bearer abcdefghijklmnopqrs b"],
    ["a bearer  abcdefg1 b", "a bearer  [redacted] b"],
    ["a Bearer abcdef1 b", "a Bearer abcdef1 b"],
    ["a Bearer abcdefgh b", "a Bearer abcdefgh b"],
    [`a Basic ${credentials} b`, "a Basic [redacted] b"],
    [`a BASIC ${credentials} b`, "a BASIC [redacted] b"],
    ["a Basic abcdefghijklmnopqrstuvw1 b", "a Basic abcdefghijklmnopqrstuvw1 b"],
    [`a Bearer ${credentials.slice(0, 7)} b`, `a Bearer ${credentials.slice(0, 7)} b`]
  ])
})

describe("a password where a program expects one", () => {
  check(SecretShapes.without, [
    ["curl -u user:pass -U other:word", "curl -u user:[redacted] -U other:[redacted]"],
    ["curl --proxy-user 'user:pass' https://host", "curl --proxy-user 'user:[redacted]' https://host"],
    ["run -u 1000:1000 image", "run -u 1000:1000 image"],
    ["sshpass -p word ssh", "sshpass -p [redacted] ssh"],
    ["mysqldump -u root -pword db", "mysqldump -u root -p[redacted] db"],
    ["machine host login user password word", "machine host login user password [redacted]"],
    ["requirepass word12 b", "requirepass [redacted] b"],
    ["the password is not set", "the password is not set"],
    ["https://host/?sig=a%2Fb&b=c&X-Amz-Signature=d", "https://host/?sig=[redacted]&b=c&X-Amz-Signature=[redacted]"],
    [`ghp_${letters}`, "[redacted]"]
  ])
})

describe("a private key", () => {
  const key = `-----BEGIN RSA PRIVATE KEY-----\n${letters}\n-----END RSA PRIVATE KEY-----`
  check(SecretShapes.withoutKeys, [
    [`a ${key} b ${key}`, "a [redacted] b [redacted]"],
    [`a ${key.slice(0, -20)}\nb`, "a [redacted]"],
    [key.replaceAll("PRIVATE", "PUBLIC"), key.replaceAll("PRIVATE", "PUBLIC")]
  ])
})
