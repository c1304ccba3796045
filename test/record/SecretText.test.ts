/** Where the value of a secret begins and ends in a text, and what stays around it. */
import { assert, describe, it } from "@effect/vitest"
import * as SecretNames from "../../src/record/SecretNames.ts"
import * as SecretText from "../../src/record/SecretText.ts"

const mask = (text: string): string => SecretText.mask(text, SecretNames.looksSecret)

/** Texts, and the same ones after masking. */
type Cases = ReadonlyArray<readonly [text: string, shown: string]>

const check = (cases: Cases): void => {
  for (const [text, shown] of cases) it(JSON.stringify(text), () => assert.strictEqual(mask(text), shown))
}

const checkUnchanged = (texts: ReadonlyArray<string>): void => check(texts.map((text) => [text, text]))

describe("a quoted value ends at the quote that closes it", () => {
  check([
    [String.raw`password="a" b "c"`, String.raw`password="[redacted]" b "c"`],
    [String.raw`password="a \"b\" c" d`, String.raw`password="[redacted]" d`],
    [String.raw`password="a \"b\"" c`, String.raw`password="[redacted]" c`],
    [String.raw`password="a\\" b "c"`, String.raw`password="[redacted]" b "c"`],
    [String.raw`password="a\\\" b" c`, String.raw`password="[redacted]" c`],
    [String.raw`password='a "b" c' d`, String.raw`password='[redacted]' d`],
    ["password=`a b` c", "password=`[redacted]` c"],
    [String.raw`{\"password\":\"a b\",\"c\":1}`, String.raw`{\"password\":\"[redacted]\",\"c\":1}`],
    [String.raw`{\"password\":\"a \\\"b\\\" c\",\"d\":1}`, String.raw`{\"password\":\"[redacted]\",\"d\":1}`],
    [
      String.raw`{\\\"password\\\":\\\"a\\\",\\\"b\\\":1}`,
      String.raw`{\\\"password\\\":\\\"[redacted]\\\",\\\"b\\\":1}`
    ],
    [String.raw`password="" b`, String.raw`password="" b`],
    [String.raw`password="a`, String.raw`password="[redacted]`]
  ])
})

describe("a quoted value that is cut off ends with its line, or at the quote around it", () => {
  check([
    ["password=\"a b\nc", "password=\"[redacted]\nc"],
    ["password=\"a b\r\nc", "password=\"[redacted]\r\nc"],
    [String.raw`"{\"password\":\"a b" c`, String.raw`"{\"password\":\"[redacted]" c`]
  ])
})

describe("a value in JSON is masked as a whole, with all that is in it", () => {
  check([
    [`{"secret":{"a":["b",{"c":"d"}],"e":{}},"f":1}`, `{"secret":[redacted],"f":1}`],
    [`{"secret":[[1],[2,{}]],"f":1}`, `{"secret":[redacted],"f":1}`],
    [`{"secret":{"a":"}]","b":"\\"}"},"f":1}`, `{"secret":[redacted],"f":1}`],
    [String.raw`{\"secret\":{\"a\":\"}\"},\"f\":1}`, String.raw`{\"secret\":[redacted],\"f\":1}`],
    [`{"secret":{"a":{}`, `{"secret":[redacted]`],
    [`{"secret":{"a":"b`, `{"secret":[redacted]`],
    [`{"secret":[redacted],"f":1}`, `{"secret":[redacted],"f":1}`],
    [`{"secret":12,"f":1}`, `{"secret":[redacted],"f":1}`],
    [`{"secret":12}`, `{"secret":[redacted]}`],
    [`{ "secret" : "a" , "f" : 1 }`, `{ "secret" : "[redacted]" , "f" : 1 }`],
    [`{"secret":`, `{"secret":`],
    [`plugin --secret {"a":1} b`, `plugin --secret [redacted] b`]
  ])
})

describe("a word ends before what delimits it", () => {
  check([
    ["password=a b", "password=[redacted] b"],
    ["password=a;b", "password=[redacted];b"],
    ["password=a\tb", "password=[redacted]\tb"],
    ["password=a, b", "password=[redacted], b"],
    ["password=a,b c", "password=[redacted] c"],
    ["password=a,b=c", "password=[redacted],b=c"],
    ["password=a&b=c", "password=[redacted]&b=c"],
    ["password=a&b", "password=[redacted]"],
    ["password=a,", "password=[redacted],"],
    ["password=a\"b", "password=[redacted]\"b"],
    [String.raw`password=a\b c`, "password=[redacted] c"],
    [String.raw`password=a\nb`, String.raw`password=[redacted]\nb`],
    [String.raw`password=a\"b`, String.raw`password=[redacted]\"b`],
    ["password=Bearer a b", "password=[redacted] b"]
  ])
})

describe("brackets and full stops after a word are not part of it", () => {
  check([
    ["(with password=a).", "(with password=[redacted])."],
    ["(with password=a), then", "(with password=[redacted]), then"],
    ["{Password:a Token:b}", "{Password:[redacted] Token:[redacted]}"],
    ["<a password=b>", "<a password=[redacted]>"],
    ["password=a.b.", "password=[redacted]."],
    ["password=).", "password=[redacted]"]
  ])
})

describe("a value that is masked stays as it is", () => {
  checkUnchanged([
    "password=[redacted]",
    "password=[redacted] a",
    "(password=[redacted])",
    "password: [redacted]",
    "password=\"[redacted]\"",
    "Args:[[TOKEN [redacted]] [K8S_POD_NAME web]]"
  ])
})

describe("a value that needs no masking stays as it is, and others after it do not", () => {
  check([
    ["password=true token=a", "password=true token=[redacted]"],
    ["token=/etc/token,password=a", "token=/etc/token,password=[redacted]"],
    ["password= b", "password= [redacted]"],
    ["<password>none</password><token>a</token>", "<password>none</password><token>[redacted]</token>"]
  ])
})

describe("a value on a line of its own goes up to the end of the line", () => {
  check([
    ["A=b\nPASSWORD=two words\nC=d", "A=b\nPASSWORD=[redacted]\nC=d"],
    ["PASSWORD=two words  \nC=d", "PASSWORD=[redacted]  \nC=d"],
    ["PASSWORD=two words\r\nC=d", "PASSWORD=[redacted]\r\nC=d"],
    ["export PASSWORD=two words\n", "export PASSWORD=[redacted]\n"],
    ["password: two words", "password: [redacted]"],
    ["a: b\n  password: two words  \nc: d", "a: b\n  password: [redacted]  \nc: d"],
    ["- password: two words", "- password: [redacted]"],
    ["# password: two words", "# password: [redacted]"],
    ["12:00 main.go:1] password: two words", "12:00 main.go:1] password: [redacted]"]
  ])
})

describe("a value is one word", () => {
  describe("on the only line, where it may be the start of a command", () => {
    check([["PASSWORD=a psql -h b", "PASSWORD=[redacted] psql -h b"]])
  })
  describe("within a line", () => {
    check([
      ["connect with PASSWORD=a b\nc", "connect with PASSWORD=[redacted] b\nc"],
      ["plugin --password=a b\nc", "plugin --password=[redacted] b\nc"],
      ["--password=a b\nc", "--password=[redacted] b\nc"],
      ["password a, token: b1 c2", "password a, token: [redacted] c2"]
    ])
  })
  describe("in quotes on a line of its own", () => {
    check([
      ["PASSWORD=\"two words\" b\nc", "PASSWORD=\"[redacted]\" b\nc"],
      ["password: \"two words\" b\nc", "password: \"[redacted]\" b\nc"],
      [`{\n  "password": "two words",\n  "b": 1\n}`, `{\n  "password": "[redacted]",\n  "b": 1\n}`]
    ])
  })
})

describe("quotes around a whole pair end its value", () => {
  check([
    ["curl -H \"X-Token: a b\" c", "curl -H \"X-Token: [redacted]\" c"],
    ["run \"PASSWORD=a b\" c", "run \"PASSWORD=[redacted]\" c"],
    ["run 'PASSWORD:=a b' c", "run 'PASSWORD:=[redacted]' c"],
    [String.raw`run \"PASSWORD=a b\" c`, String.raw`run \"PASSWORD=[redacted]\" c`],
    ["run \"--password=a b\" c", "run \"--password=[redacted]\" c"]
  ])
})

describe("a block of YAML goes on while its lines are indented further", () => {
  check([
    ["tokens:\n  - a\n  - b\nc: d", "tokens:\n  [redacted]\nc: d"],
    ["password: |\n  a\n  b\nc: d", "password: |\n  [redacted]\nc: d"],
    ["password: >-\n    a\n  b\nc: d", "password: >-\n    [redacted]\nc: d"],
    ["a:\n  password:\n    b\n    c\n  d: e", "a:\n  password:\n    [redacted]\n  d: e"],
    ["tokens:\n  a\n\n  b\n \n\n  c\n\nd: e", "tokens:\n  [redacted]\n\nd: e"],
    ["tokens: |\n\n  a\nb: c", "tokens: |\n\n  [redacted]\nb: c"],
    ["tokens:\r\n  a\r\n\r\n  b\r\nc: d", "tokens:\r\n  [redacted]\r\nc: d"],
    ["tokens:\n\ta\n\tb", "tokens:\n\t[redacted]"],
    ["  tokens:\n  a: b", "  tokens:\n  a: b"],
    ["tokens:\na: b", "tokens:\na: b"],
    ["tokens:\n  \na: b", "tokens:\n  \na: b"],
    ["tokens:\n", "tokens:\n"]
  ])
})

describe("a header goes up to the end of its line or the quote around it", () => {
  check([
    ["sent Authorization: Digest a=\"b\", c=\"d\"", "sent Authorization: [redacted]"],
    ["sent Authorization: a b, c  \nd", "sent Authorization: [redacted]  \nd"],
    ["sent 'X: 1, Cookie: a=1; b=2' d", "sent 'X: 1, Cookie: [redacted]' d"],
    ["sent Set-Cookie: a=b; Path=/", "sent Set-Cookie: [redacted]"]
  ])
})

describe("a name in a sentence is followed by no value", () => {
  checkUnchanged([
    "the password: not set",
    "the password: not, set",
    "unknown key: ranges",
    "an unexpected token: }",
    "plugin secret-agent: q1",
    "call secret-agent: failed at 3",
    "call token-bucket: q1",
    "image team/auth:v1.2",
    "see token://a",
    "use pass::auth",
    "\"secret-agent: failed\""
  ])
})

describe("a name in a log is followed by a value", () => {
  check([
    ["the password: a1 is set", "the password: [redacted] is set"],
    ["the password:not set", "the password:[redacted] set"],
    ["unknown key:ranges", "unknown key:[redacted]"],
    ["level=info token=two words", "level=info token=[redacted] words"],
    ["secret-key=a secret-agent=b", "secret-key=[redacted] secret-agent=b"],
    ["token := a", "token := [redacted]"],
    ["{:token => a}", "{:token => [redacted]}"]
  ])
})

describe("an argument is followed by its value", () => {
  check([
    ["plugin --password a b", "plugin --password [redacted] b"],
    ["plugin -password a b", "plugin -password [redacted] b"],
    ["plugin --password \"a b\" c", "plugin --password \"[redacted]\" c"],
    ["[\"--password\", \"a\", \"b\"]", "[\"--password\", \"[redacted]\", \"b\"]"],
    [String.raw`[\"--password\",\"a\",\"b\"]`, String.raw`[\"--password\",\"[redacted]\",\"b\"]`],
    ["plugin --password --verbose a", "plugin --password --verbose a"],
    ["plugin --name a", "plugin --name a"],
    ["plugin a--password b", "plugin a--password b"]
  ])
})

describe("pairs in a list of Go have their values masked", () => {
  check([
    ["[[TOKEN a] [K8S_POD_NAME web] [PASSWORD b]]", "[[TOKEN [redacted]] [K8S_POD_NAME web] [PASSWORD [redacted]]]"],
    ["[TOKEN a b]", "[TOKEN a b]"]
  ])
})

describe("a name in one member is followed by its value in the next", () => {
  check([
    ["name: TOKEN, value: a, b: 1", "name: TOKEN, value: [redacted], b: 1"],
    ["- name: TOKEN\n  value: a\n- b", "- name: TOKEN\n  value: [redacted]\n- b"],
    ["{Name=TOKEN Value=a b=1}", "{Name=TOKEN Value=[redacted] b=1}"],
    [`{"name": "TOKEN", "value": {"a":"b"}, "c": 1`, `{"name": "TOKEN", "value": [redacted], "c": 1`],
    [`{"key": "token", "value": "a", "c": 1`, `{"key": "token", "value": "[redacted]", "c": 1`],
    [`{"name": "K8S_POD_NAME", "value": "web"`, `{"name": "K8S_POD_NAME", "value": "web"`]
  ])
})

describe("a key with a value or an operator beside it is only a name", () => {
  check([
    [`{"key": "zone", "operator": "In"`, `{"key": "zone", "operator": "In"`],
    [`{"Key": "zone", "values": ["a"]`, `{"Key": "zone", "values": ["a"]`],
    ["key: zone\nvalue: a", "key: zone\nvalue: a"],
    [`{"key": "zone", "other": "In"`, `{"key": "[redacted]", "other": "In"`],
    [`{"token": "zone", "operator": "In"`, `{"token": "[redacted]", "operator": "In"`]
  ])
})

describe("an element has its text masked", () => {
  check([
    [
      "<password>a b</password><b>c</b><token>d</token>",
      "<password>[redacted]</password><b>c</b><token>[redacted]</token>"
    ],
    ["<password><b>a</b></password>", "<password><b>a</b></password>"],
    ["<password></password>", "<password></password>"],
    ["<password>a</other>", "<password>a</other>"]
  ])
})

describe("text without a secret stays as it is", () => {
  checkUnchanged([
    "",
    "a",
    "a=b",
    "=",
    ":",
    "\n",
    "\"",
    "password",
    "password=",
    "password:",
    "--password",
    "\\\"",
    "key "
  ])
})

it("only the chosen names are masked", () => {
  const isChosen = (name: string) => name === "bridge"
  assert.strictEqual(
    SecretText.mask("bridge=a password=b bridge: c", isChosen),
    "bridge=[redacted] password=b bridge: [redacted]"
  )
})
