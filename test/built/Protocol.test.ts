/** What the built plugin owes a runtime, whatever it is given. */
import { assert, describe, it } from "@effect/vitest"
import * as ChildProcess from "node:child_process"
import packageJson from "../../package.json" with { type: "json" }
import { attachment, call, path, plugin, run } from "../support/plugin.ts"

const config = `{"cniVersion":"1.1.0","name":"testing-net","type":"passthrough"}`

const failure = (stdout: string) => {
  const { cniVersion, code, details, msg, ...rest } = JSON.parse(stdout)
  assert.deepStrictEqual(rest, {})
  assert.match(cniVersion, /^\d+\.\d+\.\d+$/)
  assert.isString(msg)
  if (details !== undefined) assert.isString(details)
  return { code, msg }
}

describe("called by hand", () => {
  for (const args of [[], ["--version"], ["--help"]]) {
    it(`says on stderr what it is and which versions it speaks: passthrough ${args.join(" ")}`, async () => {
      const { code, stderr, stdout } = await run({ args })
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout, "")
      assert.include(stderr, `CNI plugin passthrough v${packageJson.version}`)
      assert.include(stderr, "0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0")
    })
  }
})

describe("prevResult", () => {
  const texts = {
    "integers of 20 digits, 1.0 and exponents":
      `{"cniVersion":"1.1.0","a":12345678901234567890,"b":1.0,"c":1E400,"d":-0}`,
    "the order of keys, numeric ones too": `{"z":1,"10":2,"2":3,"a":4}`,
    "duplicate keys": `{"a":1,"a":2}`,
    "escapes and what needs none": `{"a":"\\u0041\\/\\ud83d\\ude00 é 😀 \\ud800","\\u0062":"\\\\\\""}`,
    "white space inside": `{ "a" : [ 1 ,\n\t2 ] }`,
    "text that the ancestor's shell took for commands": `{"a":"*  $(touch /tmp/x) \`id\` $HOME"}`,
    "fields that nobody knows": `{"cniVersion":"1.1.0","ips":[],"x-vendor":{"deep":[{"er":null}]}}`,
    "10,000 levels": `{"a":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
    "1 MiB": JSON.stringify({ a: "x".repeat(1_048_576) })
  }
  for (const [name, text] of Object.entries(texts)) {
    it(`comes out byte for byte: ${name}`, async () => {
      const { code, stdout } = await call("ADD", `${config.slice(0, -1)},"prevResult": ${text} ,"last":0}`)
      assert.strictEqual(code, 0)
      assert.isTrue(stdout === text, stdout.slice(0, 500))
    })
  }

  it("is an empty result of the configuration's version where there is none", async () => {
    for (const cniVersion of ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]) {
      assert.strictEqual((await call("ADD", { cniVersion })).stdout, `{"cniVersion":"${cniVersion}"}`)
    }
  })
})

describe("stdin", () => {
  it("may be a pipe, a file or a socket", async () => {
    const env = { ...attachment, PATH: path, CNI_COMMAND: "ADD" }
    const shell = (script: string) =>
      ChildProcess.execFileSync("/bin/sh", ["-c", script, plugin, config], { env, encoding: "utf8" })
    assert.strictEqual(shell(`printf %s "$1" | "$0"`), `{"cniVersion":"1.1.0"}`)
    assert.strictEqual(shell(`printf %s "$1" > /dev/null; "$0" <<EOF\n$1\nEOF`), `{"cniVersion":"1.1.0"}`)
    assert.strictEqual((await call("ADD", config)).stdout, `{"cniVersion":"1.1.0"}`)
  })

  it("may arrive slowly and in parts", () => {
    const stdout = ChildProcess.execFileSync("/bin/sh", [
      "-c",
      `(printf %s '{"cniVersion":"1.1.0",'; sleep 0.3; printf %s '"name":"n"}'; sleep 0.3) | "$0"`,
      plugin
    ], { env: { ...attachment, PATH: path, CNI_COMMAND: "ADD" }, encoding: "utf8" })
    assert.strictEqual(stdout, `{"cniVersion":"1.1.0"}`)
  })

  const undecodable: { readonly [name: string]: string | Uint8Array } = {
    "nothing": "",
    "not JSON": "{",
    "null": "null",
    "an array": "[]",
    "a string": `"a"`,
    "trailing data": `${config} {}`,
    "a byte-order mark": `\uFEFF${config}`,
    "no UTF-8": Buffer.from([0x7b, 0xff, 0x7d]),
    "a cniVersion that is not a string": `{"cniVersion":1,"name":"n"}`,
    "a cniVersion that is not a version": `{"cniVersion":"latest","name":"n"}`
  }
  for (const [name, stdin] of Object.entries(undecodable)) {
    it(`with ${name} is error 6 on ADD`, async () => {
      const { code, stdout } = await run({ env: { ...attachment, CNI_COMMAND: "ADD" }, stdin })
      assert.strictEqual(code, 1)
      assert.strictEqual(failure(stdout).code, 6)
    })

    it(`with ${name} does not keep VERSION from answering`, async () => {
      const { code, stdout } = await run({ env: { CNI_COMMAND: "VERSION" }, stdin })
      assert.strictEqual(code, 0)
      assert.strictEqual(JSON.parse(stdout).cniVersion, "1.1.0")
    })
  }

  it("that is closed does not keep VERSION from answering", () => {
    const { status, stdout } = ChildProcess.spawnSync("/bin/sh", ["-c", `"$0" <&-`, plugin], {
      env: { PATH: path, CNI_COMMAND: "VERSION" },
      encoding: "utf8"
    })
    assert.strictEqual(status, 0)
    assert.strictEqual(JSON.parse(stdout).cniVersion, "1.1.0")
  })
})

describe("a request is refused", () => {
  const expectFailure = async (
    code: number,
    message: RegExp,
    command: string,
    document: object,
    env: { readonly [name: string]: string } = {}
  ) => {
    const answer = await call(command, document, env)
    assert.strictEqual(answer.code, 1)
    const error = failure(answer.stdout)
    assert.strictEqual(error.code, code)
    assert.match(error.msg, message)
  }

  it("with code 4 where a variable is missing or wrong", async () => {
    await expectFailure(4, /\[CNI_NETNS,CNI_PATH\]/, "ADD", {}, { CNI_NETNS: "", CNI_PATH: "" })
    await expectFailure(4, /CNI_IFNAME is "a\/b"/, "ADD", {}, { CNI_IFNAME: "a/b" })
    await expectFailure(4, /CNI_COMMAND is "add"/, "add", {})
  })

  it("with code 7 where the name of the network is missing or wrong", async () => {
    await expectFailure(7, /name: found nothing/, "ADD", { name: "" })
    await expectFailure(7, /name: found "-a"/, "ADD", { name: "-a" })
  })

  it("with code 1 where the version is unknown or does not have the verb", async () => {
    await expectFailure(1, /"9\.9\.9"/, "ADD", { cniVersion: "9.9.9" })
    await expectFailure(1, /CHECK/, "CHECK", { cniVersion: "0.3.1" })
    await expectFailure(1, /GC/, "GC", { cniVersion: "1.0.0" })
    await expectFailure(1, /STATUS/, "STATUS", { cniVersion: "1.0.0" })
  })

  it("with code 7 that names all wrong fields at once", async () => {
    await expectFailure(
      7,
      /hookADD: found 3, expected a list of commands; hookTimeout: found "soon", expected a duration/,
      "ADD",
      { hookADD: 3, hookTimeout: "soon" }
    )
  })

  it("with code 8 where the namespace is the plugin's own", async () => {
    await expectFailure(8, /should not be the same/, "ADD", {}, { CNI_NETNS: "/proc/self/ns/net" })
    await expectFailure(8, /should not be the same/, "DEL", {}, { CNI_NETNS: "/proc/self/ns/net" })
    const env = { CNI_NETNS: "/proc/self/ns/net", CNI_NETNS_OVERRIDE: "TRUE" }
    assert.strictEqual((await call("ADD", {}, env)).code, 0)
  })
})

describe("verbs without a result", () => {
  for (const command of ["DEL", "CHECK", "GC", "STATUS"]) {
    it(`${command} says nothing`, async () => {
      assert.deepStrictEqual(await call(command, {}), { code: 0, stdout: "", stderr: "" })
    })
  }

  it("DEL succeeds again and again, without a namespace and with a field that made its ADD fail", async () => {
    for (let time = 0; time < 2; time++) {
      assert.strictEqual((await call("DEL", { hookDEL: 3, prevResult: [] }, { CNI_NETNS: "" })).code, 0)
    }
  })
})
