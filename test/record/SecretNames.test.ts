/** Which names are those of secrets, and which values need no masking. */
import { assert, describe, it } from "@effect/vitest"
import * as SecretNames from "../../src/record/SecretNames.ts"

describe("a name does not look like that of a secret", () => {
  const ends = (
    "file files filename path paths dir directory folder mount name names namespace ref refs id ids type types version " +
    "kind url uri endpoint host hostname address addr port issuer audience realm scope scopes server servers service ttl " +
    "timeout expiry expires expiration expired age lifetime duration interval period at time date seconds length len size " +
    "bits count limit min max policy mode modes method methods algorithm alg format encoding usage usages required enabled " +
    "disabled optional allowed valid agent manager provider providers store operator controller driver plugin proxy rotator " +
    "rotation webhook helper stdin prompt only ring space board mgmt management rate second minute hour day"
  ).split(" ")
  for (const end of ends) {
    it(`that ends with ${end}`, () => {
      assert.isFalse(SecretNames.looksSecret(`secret_${end}`))
      assert.isFalse(SecretNames.looksSecret(`secret${end[0]!.toUpperCase()}${end.slice(1)}`))
      assert.isTrue(SecretNames.looksSecret(`${end}_secret`) || /^(?:max|min)$/.test(end))
    })
  }

  for (const start of ["max", "min", "num", "total", "public", "pub", "primary", "foreign"]) {
    it(`that begins with ${start}`, () => {
      assert.isFalse(SecretNames.looksSecret(`${start}Key`))
      assert.isTrue(SecretNames.looksSecret(`my-${start}-key`))
    })
  }

  it("that refers to a secret of Kubernetes", () => {
    for (const name of ["imagePullSecrets", "image-pull-secret"]) assert.isFalse(SecretNames.looksSecret(name), name)
    assert.isTrue(SecretNames.looksSecret("myImagePullSecret"))
  })

  it("where it has no words", () => {
    for (const name of ["", "-", "_._"]) assert.isFalse(SecretNames.looksSecret(name), name)
  })
})

describe("the words of a name", () => {
  const cases: { readonly [name: string]: boolean } = {
    myKeyA: true,
    MYKey: true,
    HTTPKey: true,
    "my key": true,
    "--key--": true,
    key1: false,
    KEY: true,
    mykey: false,
    "key.name": false,
    "name.key": true,
    "secret-name-": false,
    _max_key: false
  }
  for (const [name, expected] of Object.entries(cases)) {
    it(`are those of ${name}`, () => {
      assert.strictEqual(SecretNames.looksSecret(name), expected)
      assert.strictEqual(SecretNames.looksSecret(name), expected) // a name that was seen before
    })
  }
})

describe("a name ends with the word of a secret", () => {
  for (const name of ["token", "clientSecret", "tls-auth", "client-key-data", "token_v2", "passwordHashBase64"]) {
    it(`as ${name}`, () => assert.isTrue(SecretNames.endsSecret(name)))
  }
  for (const name of ["secret-agent", "token-bucket", "keyring", "data", "", "bridge"]) {
    it(`not as ${name}`, () => assert.isFalse(SecretNames.endsSecret(name)))
  }
})

describe("a value needs no masking", () => {
  const cases: ReadonlyArray<readonly [name: string, value: string, isHarmless: boolean]> = [
    ...["true", "FALSE", "null", "nil", "<nil>", "none", "undefined", "yes", "no", "on", "off", "[redacted]", ""]
      .map((value) => ["token", value, true] as const),
    ["token", "truely", false],
    ["token", "/etc/token", true],
    ["token", "file:///var/run/secrets/token", true],
    ["token", "/secret/my_token@1.txt", true],
    ["token", "/etcetera/token", false],
    ["token", "see /etc/token", false],
    ["token", "/etc/to ken", false],
    ["cookie", "0x1f", true],
    ["cookie", "0x1f,duration=1", true],
    ["cookie", "0x1fz", false],
    ["cookie", "1f", false],
    ["token", "0x1f", false],
    ["key", "1234567890", true],
    ["Keys", "5", true],
    ["key", "12345678901", false],
    ["key", "5a", false],
    ["pin", "1234", false]
  ]
  for (const [name, value, isHarmless] of cases) {
    it(`${isHarmless ? "as" : "not as"} ${JSON.stringify(value)} of ${name}`, () => {
      assert.strictEqual(SecretNames.isHarmless(name, value), isHarmless)
    })
  }
})
