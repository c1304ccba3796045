/** `cni-passthrough run`, with plugins that are shell scripts. */
import { assert, describe, it } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import { run } from "../../src/cli/commands/Run.ts"
import { undo } from "../../src/cli/commands/run/Add.ts"
import { nodeProcessRunner } from "../../src/exec/NodeProcessRunner.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import * as EmbeddedRecords from "../../src/log/EmbeddedRecords.ts"
import * as Style from "../../src/render/terminal/Style.ts"
import { host, printed } from "../support/command.ts"
import { findIp } from "../support/hostTools.ts"
import { temporary } from "../support/plugin.ts"
import * as Quiet from "../support/quiet.ts"
import { describeWith, itAsRoot } from "../support/requirements.ts"
import { script } from "../support/scripts.ts"
import { withinLimit } from "../support/until.ts"

/** Answers every operation, and appends it to the file `calls`. */
findIp()

const good = `stdin=$(cat)
echo "$CNI_COMMAND $(basename $0) $CNI_CONTAINERID $CNI_IFNAME $CNI_NETNS $CNI_ARGS $stdin" >> $(dirname $0)/calls
[ $CNI_COMMAND != ADD ] || echo '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.5/8"}]}'`

const failing = (document: string) =>
  `cat >/dev/null
echo "$CNI_COMMAND $(basename $0)" >> $(dirname $0)/calls
echo '${document}'; exit 1`

/** A folder with plugins, a network of them, and an empty cache; and the command on it. */
const sandbox = (
  plugins: { readonly [type: string]: string },
  list: object = {},
  runner: Layer.Layer<ProcessRunner> = Layer.succeed(ProcessRunner, nodeProcessRunner)
) => {
  const folder = temporary()
  const { path } = folder
  const write = (fields: object = {}) =>
    Fs.writeFileSync(
      `${path}/n.conflist`,
      JSON.stringify({
        cniVersion: "1.0.0",
        name: "n",
        plugins: Object.keys(plugins).map((type) => ({ type })),
        ...list,
        ...fields
      })
    )
  write()
  for (const [type, text] of Object.entries(plugins)) script(`${path}/${type}`, text)
  Fs.writeFileSync(`${path}/netns`, "")
  Fs.writeFileSync(`${path}/calls`, "")
  const shared = ["--cni-path", path]
  const own = [...shared, "--cache-dir", `${path}/cache`]
  const invoke = (...words: ReadonlyArray<string>) => Effect.provide(printed(run, ...words), Layer.merge(host, runner))
  return {
    path,
    write,
    invoke,
    /** Runs an operation on the network. */
    run: (operation: string, ...flags: ReadonlyArray<string>) =>
      invoke(
        operation,
        `${path}/n.conflist`,
        ...(operation === "status" || operation === "version" ? shared : own),
        ...flags
      ),
    /** Runs an operation on the attachment c1 of a namespace that is there. */
    of: (operation: string, ...flags: ReadonlyArray<string>) =>
      invoke(operation, `${path}/n.conflist`, ...own, "--netns", `${path}/netns`, "--container-id", "c1", ...flags),
    /** The operations that plugins were asked for, without what they were given. */
    calls: () =>
      Fs.readFileSync(`${path}/calls`, "utf8").split("\n").slice(0, -1).map((line) =>
        line.split(" ").slice(0, 2).join(" ")
      ),
    log: () => Fs.readFileSync(`${path}/calls`, "utf8"),
    results: () => Fs.existsSync(`${path}/cache/results`) ? Fs.readdirSync(`${path}/cache/results`) : [],
    [Symbol.dispose]: () => folder[Symbol.dispose]()
  }
}

describe("an attachment", () => {
  it.live("is made, checked and taken away", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, b: good })
      const added = yield* host.of("add")
      assert.deepStrictEqual([added.status, added.stderr], [0, ""])
      assert.deepStrictEqual(JSON.parse(added.stdout), { cniVersion: "1.0.0", ips: [{ address: "10.0.0.5/8" }] })
      assert.deepStrictEqual(host.results(), ["n-c1-eth0"])
      assert.strictEqual((yield* host.of("check")).status, 0)
      assert.strictEqual((yield* host.of("del")).status, 0)
      assert.deepStrictEqual(host.calls(), ["ADD a", "ADD b", "CHECK a", "CHECK b", "DEL b", "DEL a"])
      assert.deepStrictEqual(host.results(), [])
    }))

  it.live("that is not known is taken away all the same, with a word about those that are", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      yield* host.of("add")
      const { status, stderr } = yield* host.run("del", "--container-id", "c2")
      assert.deepStrictEqual([status, stderr], [
        0,
        "the cache has no result of eth0 of c2 on n, as after an ADD that failed: going on without it (attached: eth0 of c1)\n"
      ])
      assert.deepStrictEqual(host.calls(), ["ADD a", "DEL a"])
    }))

  const names: ReadonlyArray<readonly [flag: string, value: string, message: RegExp]> = [
    ["--container-id", "../../../../run/esc", /^container ID: found "\.\.\/\.\.\/\.\.\/\.\.\/run\/esc", expected/],
    ["--ifname", "a/b", /^interface name: found "a\/b", which contains "\/"/],
    ["--ifname", "..", /^interface name: found "\.\.", which is the name of a folder/],
    ["--ifname", "sixteen-letters-", /^interface name: found "sixteen-letters-", which is longer than 15 bytes/]
  ]
  for (const [flag, value, message] of names) {
    for (const operation of ["add", "check", "del"]) {
      it.live(`with ${flag} ${value} is refused by ${operation} before anything runs`, () =>
        Effect.gen(function*() {
          using host = sandbox({ a: good })
          const flags = [
            "--netns",
            `${host.path}/netns`,
            ...(flag === "--container-id" ? [] : ["--container-id", "c1"])
          ]
          const { status, stderr } = yield* host.run(operation, ...flags, flag, value)
          assert.strictEqual(status, 2)
          assert.match(stderr.replace(/\s*ERROR\s*/, "").trim(), message)
          assert.deepStrictEqual(host.calls(), [])
        }))
    }
  }

  it.live("is the same one, however the path of its namespace is written", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      yield* host.run("add", "--netns", `${host.path}//./x/../netns`)
      yield* host.run("del", "--netns", `${host.path}/netns/`)
      assert.deepStrictEqual(host.results(), [])
      const ids = host.log().split("\n").slice(0, -1).map((line) => line.split(" ").slice(2, 5).join(" "))
      assert.strictEqual(ids[0], ids[1])
      assert.match(ids[0] ?? "", new RegExp(`^cnitool-[0-9a-f]{20} eth0 ${host.path}/netns$`))
    }))

  it.live("keeps its arguments for what comes after the add", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good }, { plugins: [{ type: "a", capabilities: { ips: true } }] })
      yield* host.of("add", "--args", "K8S_POD_NAME=web", "--capability-args", `{"ips":["10.0.0.5/8"]}`)
      yield* host.of("del")
      const [, del = ""] = host.log().split("\n")
      assert.match(del, /^DEL a c1 eth0 \S+ K8S_POD_NAME=web \{.*"runtimeConfig":\{"ips":\["10\.0\.0\.5\/8"\]\}/)
    }))

  it.live("is found by its ID alone once it is made", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      yield* host.of("add")
      yield* host.run("del", "--container-id", "c1")
      assert.include(host.log(), `DEL a c1 eth0 ${host.path}/netns`)
    }))

  it.live("is checked and taken away in the version that the network has now", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      yield* host.of("add")
      host.write({ cniVersion: "0.4.0" })
      assert.strictEqual((yield* host.of("check")).status, 0)
      assert.strictEqual((yield* host.of("del")).status, 0)
      const [, check = "", del = ""] = host.log().split("\n")
      for (const line of [check, del]) {
        assert.include(line, `"prevResult":{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.5/8"}]}`)
      }
    }))

  it.live("is taken away without its result where that is broken, and not checked", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      yield* host.of("add")
      const file = `${host.path}/cache/results/n-c1-eth0`
      Fs.writeFileSync(file, Fs.readFileSync(file, "utf8").replace("10.0.0.5/8", "here"))
      const check = yield* host.of("check")
      assert.strictEqual(check.status, 2)
      assert.match(
        check.stderr,
        /the result of ADD cannot be used in version 1\.0\.0: ips\[0\]\.address: found "here"/
      )
      const del = yield* host.of("del")
      assert.strictEqual(del.status, 0)
      assert.match(del.stderr, /^going on without a result: /)
      assert.notInclude(host.log(), "prevResult")
      assert.deepStrictEqual(host.results(), [])
    }))

  const pipe = (path: string) => {
    Fs.mkdirSync(`${path}/cache/results`, { recursive: true })
    ChildProcess.execFileSync("mkfifo", [`${path}/cache/results/n-c1-eth0`])
  }

  it.live("whose result is a named pipe is taken away without it, and is not checked", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      pipe(host.path)
      const reason = `${host.path}/cache/results/n-c1-eth0 cannot be used: found a named pipe, expected a regular file`
      const check = yield* host.of("check")
      assert.strictEqual(check.status, 2)
      assert.include(check.stderr, reason)
      const del = yield* host.of("del")
      assert.deepStrictEqual([del.status, del.stderr], [0, `going on without a result: ${reason}\n`])
      assert.deepStrictEqual(host.calls(), ["DEL a"])
      assert.deepStrictEqual(host.results(), [])
    }))

  it.live("whose result is to be kept where a named pipe is gets a file there", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      pipe(host.path)
      assert.strictEqual((yield* host.of("add")).status, 0)
      assert.isTrue(Fs.statSync(`${host.path}/cache/results/n-c1-eth0`).isFile())
    }))

  /** The attachment c of the network n-b, whose file has the same name as that of the attachment b-c of n. */
  const withAnother = Effect.fnUntraced(function*() {
    const host = sandbox({ a: good })
    host.write({ name: "n-b" })
    yield* host.run("add", "--netns", `${host.path}/netns`, "--container-id", "c")
    host.write()
    Fs.writeFileSync(`${host.path}/calls`, "")
    return {
      ...host,
      run: (operation: string) => host.run(operation, "--netns", `${host.path}/netns`, "--container-id", "b-c")
    }
  })

  it.live("does not get the result of another one whose file libcni calls the same, nor removes it", () =>
    Effect.gen(function*() {
      using host = yield* withAnother()
      const reason = `${host.path}/cache/results/n-b-c-eth0 belongs to eth0 of c on n-b`
      const check = yield* host.run("check")
      assert.strictEqual(check.status, 2)
      assert.include(check.stderr, reason)
      const del = yield* host.run("del")
      assert.deepStrictEqual([del.status, del.stderr], [0, `going on without a result: ${reason}\n`])
      assert.deepStrictEqual(host.calls(), ["DEL a"])
      assert.notInclude(host.log(), "prevResult")
      assert.deepStrictEqual(host.results(), ["n-b-c-eth0"])
    }))

  it.live("is not made where its result would take the place of another one's", () =>
    Effect.gen(function*() {
      using host = yield* withAnother()
      const { status, stderr } = yield* host.run("add")
      assert.strictEqual(status, 2)
      assert.include(
        stderr,
        `the result would overwrite ${host.path}/cache/results/n-b-c-eth0, which belongs to eth0 of c on n-b: ` +
          "choose another --container-id or --cache-dir"
      )
      assert.deepStrictEqual(host.calls(), [])
    }))

  it.live("that is not known cannot be checked", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const { status, stderr } = yield* host.of("check")
      assert.strictEqual(status, 2)
      assert.include(stderr, `no result of an add of c1 eth0 on n in ${host.path}/cache`)
    }))

  it.live("of a namespace that is not there cannot be checked", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const { status, stderr } = yield* host.run("check", "--netns", `${host.path}/nope`)
      assert.strictEqual(status, 2)
      assert.include(stderr, `there is no network namespace ${host.path}/nope`)
    }))

  it.live("whose result cannot be kept is told so, with the command that undoes it", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      Fs.mkdirSync(`${host.path}/cache`)
      Fs.writeFileSync(`${host.path}/cache/results`, "")
      const { status, stdout, stderr } = yield* host.of("add")
      assert.strictEqual(status, 1)
      assert.include(stdout, "10.0.0.5/8")
      assert.match(
        stderr,
        /the attachment is made, but its result could not be kept for check and del: .*\n *To undo it:/
      )
    }))

  it.live("needs a namespace or an ID", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      assert.include((yield* host.run("del")).stderr, "which attachment? Give --netns or --container-id")
      assert.include((yield* host.run("add", "--container-id", "c1")).stderr, "add needs --netns or --new-netns")
    }))
})

describe("a flag", () => {
  const wrong: ReadonlyArray<readonly [flag: string, value: string, message: RegExp]> = [
    ["--timeout", "soon", /found "soon", expected a duration such as 30s, 500ms or 1m30s/],
    ["--args", "a", /found the pair "a", expected KEY=VALUE/],
    ["--args", "a=", /found the pair "a=", expected KEY=VALUE/],
    ["--args", "a=b=c", /found the pair "a=b=c", expected KEY=VALUE/],
    ["--capability-args", "[]", /found an empty list, expected an object/],
    ["--capability-args", "1", /found 1, expected an object/],
    ["--capability-args", "{", /found "\{", expected JSON/],
    ["--new-netns", "a/b", /found "a\/b", expected a name without "\/"/],
    ["--netns", "", /found nothing, expected a path or a name/],
    ["--cni-path", ":", /found no folder, expected at least one/]
  ]
  for (const [flag, value, message] of wrong) {
    it.live(`says what is wrong with ${flag} '${value}'`, () =>
      Effect.gen(function*() {
        using host = sandbox({ a: good })
        const { status, stderr } = yield* host.invoke("add", `${host.path}/n.conflist`, flag, value)
        assert.notStrictEqual(status, 0)
        assert.match(stderr, message)
        assert.deepStrictEqual(host.calls(), [])
      }))
  }

  it.live("that is left out has the value of its variable", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const env = { NETCONFPATH: host.path, CNI_PATH: `/none:${host.path}`, CNI_ARGS: "K=v", CNI_IFNAME: "net7" }
      const flags = ["--netns", `${host.path}/netns`, "--container-id", "c1", "--cache-dir", `${host.path}/cache`]
      const { status } = yield* Effect.provideService(
        host.invoke("add", "n", ...flags),
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromEnv({ env })
      )
      assert.strictEqual(status, 0)
      assert.include(host.log(), `ADD a c1 net7 ${host.path}/netns K=v `)
    }))

  it.live("that give arguments for capabilities that no plugin declares, or none as true, say so", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good }, { plugins: [{ type: "a", capabilities: { ips: false } }, { type: "a" }] })
      const { status, stderr } = yield* host.of("add", "--capability-args", `{"ips":[],"bandwidth\\u001b":{}}`)
      assert.deepStrictEqual([status, stderr], [
        0,
        "no plugin of n has the capability ips, so none gets its argument\n" +
        "no plugin of n has the capability bandwidth\\u001b, so none gets its argument\n"
      ])
    }))

  it.live("for the arguments of capabilities may be null", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      assert.strictEqual((yield* host.of("add", "--capability-args", "null")).status, 0)
    }))

  it.live("that give an argument for a capability that no plugin has say so, and which was probably meant", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good }, { plugins: [{ type: "a", capabilities: { portMappings: true } }] })
      const { status, stderr } = yield* host.of("add", "--capability-args", `{"portMapings":[],"portMappings":[]}`)
      assert.deepStrictEqual([status, stderr], [
        0,
        "no plugin of n has the capability portMapings, so none gets its argument: did you mean portMappings?\n"
      ])
    }))

  const unused = { gc: "--netns", status: "--cache-dir", version: "--tap", check: "--new-netns" }
  for (const [operation, flag] of Object.entries(unused)) {
    it.live(`that ${operation} does not use, such as ${flag}, is refused`, () =>
      Effect.gen(function*() {
        using host = sandbox({ a: good })
        const { status, stderr } = yield* host.run(operation, flag, "x")
        assert.notStrictEqual(status, 0)
        assert.include(stderr, flag)
      }))
  }
})

describe("the command that undoes an add", () => {
  const flags = {
    network: "pods",
    netns: Option.none<string>(),
    newNetns: Option.none<string>(),
    containerId: Option.none<string>(),
    ifname: "eth0",
    args: Option.none(),
    capabilityArgs: Option.none(),
    cniPath: ["/a", "/b"],
    confDir: "/etc/cni/net.d",
    cacheDir: "/var/lib/cni",
    timeout: 1,
    changes: []
  }
  const attachment = { network: "n", containerId: "c", ifname: "eth0", netns: "/ns", args: [], capabilityArgs: {} }

  it("says no more than it has to", () => {
    assert.strictEqual(undo(flags, attachment), "cni-passthrough run del pods --netns /ns --cni-path /a:/b")
  })

  it("says all that is not as it is by default", () => {
    const others = {
      ...flags,
      newNetns: Option.some("web"),
      containerId: Option.some("c1"),
      ifname: "net1",
      confDir: "/conf",
      cacheDir: "/cache"
    }
    assert.strictEqual(
      undo(others, { ...attachment, args: [["A", "1"]], capabilityArgs: { ips: [] } }, true),
      "cni-passthrough run del pods --new-netns web --container-id c1 --cni-path /a:/b --ifname net1 --conf-dir /conf " +
        `--cache-dir /cache --args 'A=1' --capability-args '{"ips":[]}' --keep-going`
    )
  })
})

describe("an add that fails", () => {
  it.live("of what was attached before says so, and otherwise does not", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, b: good })
      const no = failing(`{"cniVersion":"1.0.0","code":7,"msg":"no"}`)
      script(`${host.path}/b`, no)
      const first = yield* host.of("add")
      assert.include(first.stderr, "What plugins did so far may still be there. To undo it:\n")
      assert.notInclude(first.stderr, "before")
      script(`${host.path}/b`, good)
      yield* host.of("add")
      script(`${host.path}/b`, no)
      const second = yield* host.of("add")
      assert.include(
        second.stderr,
        "It was attached before, and may still be. To undo that:\n    cni-passthrough run del "
      )
      assert.notInclude(second.stderr, "To undo it")
    }))

  it.live("as its only plugin is not there says that nothing is attached", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      Fs.rmSync(`${host.path}/a`)
      const { stderr } = yield* host.of("add")
      assert.match(stderr, /\n {2}No plugin was started: nothing is attached\n$/)
    }))

  it.live("as a plugin is not there says which one was probably meant", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, portmap: good }, { plugins: [{ type: "a" }, { type: "portmpa" }] })
      const { stderr } = yield* host.of("add")
      assert.include(
        stderr,
        `ADD failed in portmpa: not found in ${host.path}\n  portmpa: did you mean portmap?\n  What plugins did`
      )
    }))

  const document = `{"cniVersion":"1.0.0","code":11,"msg":"no addresses","details":"full"}`

  it.live("is told with its error, and with a command that undoes it, which works", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, b: failing(document) }, {
        plugins: [{ type: "a", capabilities: { ips: true } }, { type: "b" }]
      })
      const flags = ["--ifname", "net1", "--args", "K=a b", "--capability-args", `{"ips":["it's"]}`, "--timeout", "5s"]
      const { status, stderr, stdout } = yield* host.of("add", ...flags)
      assert.strictEqual(status, 1)
      assert.strictEqual(stdout, "")
      assert.match(
        stderr,
        /ADD failed in b: code 11: no addresses, exit status 1, after [\d.]+ ms\n {2,}details: full\n/
      )
      const undo = stderr.split("\n").find((line) => line.includes("cni-passthrough run del"))?.trim() ?? ""
      // As a shell takes it apart.
      script(
        `${host.path}/words`,
        `for word in ${undo.replace("cni-passthrough run ", "")}; do printf '%s\\0' "$word"; done`
      )
      script(`${host.path}/b`, good)
      const { execFileSync } = process.getBuiltinModule("node:child_process")
      const words = execFileSync(`${host.path}/words`, { encoding: "utf8" }).split("\0").slice(0, -1)
      assert.strictEqual((yield* host.invoke(...words)).status, 0)
      assert.deepStrictEqual(host.calls(), ["ADD a", "ADD b", "DEL b", "DEL a"])
      const [add = "", , , del = ""] = host.log().split("\n")
      assert.strictEqual(del.replace("DEL", "ADD"), add)
      assert.include(del, `c1 net1 ${host.path}/netns K=a b `)
      assert.include(del, `"runtimeConfig":{"ips":["it's"]}`)
    }))

  it.live("is not made where the first plugin failed, which may have left something", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: failing(document), b: good })
      const { stderr } = yield* host.of("add")
      assert.match(
        stderr,
        /The first plugin failed: nothing is attached, but it may have left .*\n +cni-passthrough run del/
      )
    }))

  it.live("in a plugin that is missing is undone all the same", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, b: good })
      Fs.rmSync(`${host.path}/b`)
      const { stderr } = yield* host.of("add")
      assert.match(stderr, /cni-passthrough run del .* --keep-going\n/)
      assert.strictEqual((yield* host.of("del")).status, 1)
      assert.deepStrictEqual(host.calls(), ["ADD a"])
      const { status, stderr: told } = yield* host.of("del", "--keep-going")
      assert.strictEqual(status, 1)
      assert.include(told, "DEL failed in b: not found in")
      assert.deepStrictEqual(host.calls(), ["ADD a", "DEL a"])
    }))

  it.live("keeps what a plugin wrote before it was killed", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: "echo so far; echo why >&2; kill -9 $$" })
      const { stderr } = yield* host.of("add")
      assert.match(
        stderr,
        /ADD failed in a: was killed by SIGKILL, and its stdout is not an error document, after [\d.]+ ms\n {2,}stdout: so far\n {2,}stderr: why/
      )
    }))

  it.live("says how to undo what a first plugin may have done that was broken off", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: "[ $CNI_COMMAND = VERSION ] || sleep 60" })
      const { stderr } = yield* host.of("add", "--timeout", "300ms")
      assert.match(stderr, /What plugins did so far may still be there\. To undo it:\n +cni-passthrough run del /)
    }))

  it.live("keeps what a plugin wrote before its time was up, and tells the time that it had", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: "echo so far; sleep 60" })
      const { limit, result: { stderr } } = yield* withinLimit(
        (timeout) => host.of("add", "--timeout", `${timeout}ms`),
        ({ stderr }) => stderr.includes("so far")
      )
      const [, time, after, unit] =
        /did not end within (\S+), and was killed, after ([\d.]+) (m?s)\n {2,}stdout: so far/.exec(stderr) ?? []
      assert.strictEqual(time, limit < 1000 ? `${limit}ms` : `${limit / 1000}s`)
      assert.isAtLeast(Number(after) * (unit === "s" ? 1000 : 1), limit - 5)
    }))

  const starts: ReadonlyArray<readonly [why: string, mode: number, text: string, message: string]> = [
    ["has no execute bit", 0o644, "#!/bin/sh\n", "cannot be started: permission denied"],
    ["has no first line", 0o755, "echo {}", "cannot be started: exec format error"],
    ["has a missing interpreter", 0o755, "#!/no/such\n", "cannot be started: its interpreter /no/such is missing"]
  ]
  for (const [why, mode, text, message] of starts) {
    it.live(`says that a plugin ${why}`, () =>
      Effect.gen(function*() {
        using host = sandbox({ a: good })
        Fs.writeFileSync(`${host.path}/a`, text)
        Fs.chmodSync(`${host.path}/a`, mode)
        assert.include((yield* host.of("add")).stderr, `ADD failed in a: ${host.path}/a ${message}`)
      }))
  }
})

describe("a namespace that is made for an attachment", () => {
  /** A host where `ip` does nothing but to keep what it was asked for, or fails. */
  const withIp = (plugins: { readonly [type: string]: string }, failsOn = "never") => {
    const asked: Array<string> = []
    const runner = Layer.succeed(
      ProcessRunner,
      ProcessRunner.of({
        run: (invocation) => {
          if (!/(?:^|\/)ip$/.test(invocation.argv[0])) return nodeProcessRunner.run(invocation)
          const words = invocation.argv.slice(1).join(" ")
          if (words.startsWith("netns")) asked.push(words)
          return Effect.succeed({
            argv: invocation.argv,
            stdin: "",
            exitCode: words.includes(failsOn) ? 1 : 0,
            signal: null,
            timedOut: false,
            truncated: false,
            durationMs: 1,
            stdout: new Uint8Array(),
            stderr: new TextEncoder().encode(words.includes(failsOn) ? "ip may not\n" : "")
          })
        }
      })
    )
    const host = sandbox(plugins, {}, runner)
    return {
      ...host,
      asked,
      run: (operation: string, ...flags: ReadonlyArray<string>) =>
        host.run(operation, "--new-netns", "test-5f3a", ...flags)
    }
  }

  it.live("comes before the plugins and goes after them, and is part of what undoes the add", () =>
    Effect.gen(function*() {
      using host = withIp({ a: good })
      assert.strictEqual((yield* host.run("add")).status, 0)
      assert.deepStrictEqual(host.asked, ["netns add test-5f3a"])
      assert.match(host.log(), /^ADD a cnitool-[0-9a-f]{20} eth0 \/run\/netns\/test-5f3a /)
      const del = yield* host.run("del")
      assert.deepStrictEqual([del.status, del.stderr], [0, ""])
      assert.deepStrictEqual(host.asked, ["netns add test-5f3a", "netns del test-5f3a"])
      script(`${host.path}/a`, failing(`{"cniVersion":"1.0.0","code":7,"msg":"no"}`))
      const failed = yield* host.run("add")
      assert.include(failed.stderr, `cni-passthrough run del ${host.path}/n.conflist --new-netns test-5f3a --cni-path `)
    }))

  it.live("stays where a plugin was not started, and it is said how to remove it", () =>
    Effect.gen(function*() {
      using host = withIp({ a: good })
      Fs.rmSync(`${host.path}/a`)
      const { stderr } = yield* host.run("add")
      assert.match(
        stderr,
        /\n {2}No plugin was started: nothing is attached\. The namespace is there: ip netns del test-5f3a\n$/
      )
    }))

  it.live("is not there where it cannot be made, and no plugin is called", () =>
    Effect.gen(function*() {
      using host = withIp({ a: good }, "netns add")
      const { status, stderr } = yield* host.run("add")
      assert.strictEqual(status, 2)
      assert.include(stderr, "ip netns add test-5f3a: ip may not\n")
      assert.deepStrictEqual(host.calls(), [])
    }))

  it.live("stays with a result that another del needs, and goes even so with --keep-going", () =>
    Effect.gen(function*() {
      using host = withIp({ a: good })
      yield* host.run("add")
      script(`${host.path}/a`, failing(`{"cniVersion":"1.0.0","code":7,"msg":"no"}`))
      const stopped = yield* host.run("del")
      assert.strictEqual(stopped.status, 1)
      assert.deepStrictEqual([host.asked.slice(1), host.results().length], [[], 1])
      const kept = yield* host.run("del", "--keep-going")
      assert.strictEqual(kept.status, 1)
      assert.deepStrictEqual([host.asked.slice(1), host.results().length], [["netns del test-5f3a"], 1])
    }))

  it.live("is not said to be gone where it cannot be removed", () =>
    Effect.gen(function*() {
      using host = withIp({ a: good }, "netns del")
      yield* host.run("add")
      const { status, stderr } = yield* host.run("del")
      assert.strictEqual(status, 2)
      assert.include(stderr, "ip netns del test-5f3a: ip may not\n")
      assert.deepStrictEqual(host.results(), [])
    }))
})

describe("a del of what is not known", () => {
  it.live("names at most five attachments that are", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const said = Effect.fnUntraced(function*() {
        const { status, stderr } = yield* host.run("del", "--container-id", "x")
        assert.strictEqual(status, 0)
        return stderr
      })
      const words = (others: string) =>
        `the cache has no result of eth0 of x on n, as after an ADD that failed: going on without it (attached: ${others})\n`
      assert.strictEqual(yield* said(), words("none"))
      const ids = ["c1", "c2", "c3", "c4", "c5", "c6", "c7"]
      const known = (count: number) => ids.slice(0, count).map((id) => `eth0 of ${id}`).join(", ")
      for (const id of ids) {
        yield* host.run("add", "--netns", `${host.path}/netns`, "--container-id", id)
        if (id === "c5") assert.strictEqual(yield* said(), words(known(5)))
      }
      assert.strictEqual(yield* said(), words(`${known(5)}, 2 more`))
    }))
})

describe("what is shown", () => {
  const screen = { isTerminal: true, width: 80, minutesEast: () => 0 }

  it.live("is every plugin on a terminal, and the result alone with --no-tap", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: `echo careful >&2; ${good}` })
      const onTerminal = (...flags: ReadonlyArray<string>) =>
        Effect.provideService(host.of("add", ...flags), Style.CurrentScreen, screen)
      const tap = yield* onTerminal()
      assert.match(tap.stdout, /^ADD eth0 of c1 on n\b/)
      assert.strictEqual(tap.stderr, "")
      const result = `{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.5/8"}]}\n`
      assert.deepStrictEqual(yield* onTerminal("--no-tap"), { status: 0, stdout: result, stderr: "careful\n" })
      const json = yield* onTerminal("--json")
      assert.match(json.stdout, /^\{"time":/)
      assert.notInclude(json.stdout, "ADD eth0 of")
    }))

  it.live("is nothing on stdout of operations without a result, but what plugins write to stderr", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: `echo careful >&2; ${good}` }, { cniVersion: "1.1.0" })
      const outcome = { status: 0, stdout: "", stderr: "careful\n" }
      assert.deepStrictEqual(yield* host.run("status"), outcome)
      assert.strictEqual((yield* host.of("add")).status, 0)
      assert.deepStrictEqual(yield* host.of("check"), outcome)
      assert.deepStrictEqual(yield* host.of("del"), outcome)
    }))

  it.live("is of a plugin that fails its error alone", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: `echo careful >&2; ${failing(`{"cniVersion":"1.0.0","code":7,"msg":"no"}`)}` })
      const { stderr } = yield* host.of("add")
      assert.strictEqual(stderr.split("careful").length, 2)
      assert.match(
        stderr,
        /^\nERROR\n {2}ADD failed in a: code 7: no, exit status 1, after [\d.]+ ms\n {2,}stderr: careful\n/
      )
    }))

  it.live("names each plugin that is missing once, and asks which one was meant", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, portmap: good }, { plugins: [{ type: "portmpa" }, { type: "portmpa" }] })
      const { stderr } = yield* host.of("del", "--keep-going")
      assert.strictEqual(stderr.match(/portmpa: did you mean portmap\?/g)?.length, 1)
      assert.isTrue(stderr.endsWith("\n  portmpa: did you mean portmap?\n"), stderr)
    }))

  it.live("is logged to a file that its owner alone can read", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const log = `${host.path}/log.jsonl`
      const { stdout } = yield* host.of("add", "--log", log)
      assert.include(stdout, "10.0.0.5/8")
      assert.strictEqual(Fs.statSync(log).mode & 0o777, 0o600)
      assert.lengthOf(Fs.readFileSync(log, "utf8").trimEnd().split("\n"), 3)
    }))

  itAsRoot("is not logged to a file of another user, and nothing runs", () =>
    Effect.runPromise(Effect.gen(function*() {
      using host = sandbox({ a: good })
      const log = `${host.path}/log.jsonl`
      Fs.writeFileSync(log, "")
      Fs.chownSync(log, 65_533, 0)
      const { status, stderr } = yield* host.of("add", "--log", log)
      assert.deepStrictEqual([status, stderr], [
        2,
        `\nERROR\n  cannot write ${log}: it belongs to another user (65533)\n`
      ])
      assert.deepStrictEqual(host.calls(), [])
    })))

  it.live("is in a report what it is in a log", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const [log, report] = [`${host.path}/log.jsonl`, `${host.path}/report.html`]
      yield* host.of("add", "--log", log, "--report", report)
      assert.deepStrictEqual(
        EmbeddedRecords.recordsOf(Fs.readFileSync(report, "utf8")),
        Fs.readFileSync(log, "utf8").trimEnd().split("\n")
      )
    }))

  it.live("is said to be missing from a report that cannot be written, after all is done", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const { status, stderr } = yield* host.of("add", "--report", "/none/report.html")
      assert.deepStrictEqual([status, stderr], [
        1,
        "\nERROR\n  all is done, but not all of it is logged: cannot write /none/report.html: there is no such file or " +
        "folder\n"
      ])
      assert.deepStrictEqual(host.results(), ["n-c1-eth0"])
    }))

  it.live("is what plugins that succeed write to stderr, escaped", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: `printf 'careful\\033[2J\\n' >&2; ${good}` })
      assert.strictEqual((yield* host.of("add")).stderr, "careful\\u001b[2J\n")
    }))

  it.live("is every plugin where that is asked for", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, b: good })
      const { stdout } = yield* host.of("add", "--tap", "--full")
      assert.match(stdout, /^ADD eth0 of c1 on n\n[^]*├─ ✓ a [^]*\+ address 10\.0\.0\.5\/8[^]*├─ ✓ b [^]*exit status 0/)
    }))

  it.live("is the records of all plugins as JSON, which are appended to a log too", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const log = `${host.path}/log.jsonl`
      Fs.writeFileSync(log, "{}\n")
      const { stdout } = yield* host.of("add", "--json", "--log", log)
      const events = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).event)
      assert.deepStrictEqual(events, ["request", "plugin", "result"])
      assert.strictEqual(Fs.readFileSync(log, "utf8"), `{}\n${stdout}`)
    }))

  it.live("is told to be missing from a log that fails on the way, after all is done", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good, b: good })
      const { status, stderr, stdout } = yield* host.of("add", "--log", "/dev/full")
      assert.strictEqual(status, 1)
      assert.match(stderr, /all is done, but not all of it is logged: cannot write \/dev\/full: no space left/)
      assert.include(stdout, "10.0.0.5/8")
      assert.deepStrictEqual(host.calls(), ["ADD a", "ADD b"])
      assert.deepStrictEqual(host.results(), ["n-c1-eth0"])
    }))

  it.live("is not what plugins change, where nothing shows that, and it is said so", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const told = "what plugins change is not shown in a pipe without --tap, --json or --log"
      assert.include((yield* host.of("add", "--changes=sysctls")).stderr, told)
      const log = `${host.path}/log.jsonl`
      for (const flags of [["--tap"], ["--json"], ["--log", log], ["--report", `${host.path}/report.html`]]) {
        assert.notInclude((yield* host.of("add", "--changes=sysctls", ...flags)).stderr, told)
      }
      assert.include(Fs.readFileSync(log, "utf8"), "\"event\":\"changes\"")
    }))

  it.live("needs a log that can be written, before anything runs", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good })
      const { status, stderr } = yield* host.of("add", "--log", "/none/log")
      assert.strictEqual(status, 2)
      assert.match(stderr, /cannot write \/none\/log: there is no such file or folder/)
      assert.deepStrictEqual(host.calls(), [])
    }))
})

describeWith([], "a garbage collection", () => {
  /** An ID that no process of the host speaks of: such a container counts as alive. */
  const mark = process.pid.toString(36)
  const idOf = (what: string) => `web-${what}-${mark}`

  const withTwo = (plugins: { readonly [type: string]: string }, list: object = {}, isBlind = false) =>
    Effect.gen(function*() {
      const host = sandbox(plugins, list, Quiet.layer(() => isBlind))
      for (const id of ["gone", "there", "unknown"].map(idOf)) {
        Fs.writeFileSync(`${host.path}/ns-${id}`, "")
        yield* host.run("add", "--netns", `${host.path}/ns-${id}`, "--container-id", id)
      }
      Fs.rmSync(`${host.path}/ns-web-gone-${mark}`)
      // As libcni before 1.2 writes it.
      const file = `${host.path}/cache/results/n-web-unknown-${mark}-eth0`
      const { netns: _, ...rest } = JSON.parse(Fs.readFileSync(file, "utf8"))
      Fs.writeFileSync(file, JSON.stringify(rest))
      Fs.writeFileSync(`${host.path}/calls`, "")
      return host
    })

  const decisions = (path: string) => [
    `remove  web-gone-${mark} eth0  (${path}/ns-web-gone-${mark} does not exist)`,
    `keep    web-there-${mark} eth0  (${path}/ns-web-there-${mark} is there)`,
    `keep    web-unknown-${mark} eth0  (the cache does not have its network namespace)`
  ]

  it.live("takes away what is gone, keeps what is not known to be, and says why", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good, b: good })
      const { status, stdout } = yield* host.run("gc")
      assert.strictEqual(status, 0)
      assert.deepStrictEqual(stdout.trimEnd().split("\n"), decisions(host.path))
      assert.deepStrictEqual(host.calls(), ["DEL b", "DEL a"])
      assert.deepStrictEqual(host.results(), [`n-web-there-${mark}-eth0`, `n-web-unknown-${mark}-eth0`])
    }))

  it.live("only says so where it is a dry run", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0" })
      const { stdout } = yield* host.run("gc", "--dry-run")
      assert.deepStrictEqual(stdout.trimEnd().split("\n"), [
        ...decisions(host.path),
        "GC of a: each removes what it has besides the attachments that are kept"
      ])
      assert.deepStrictEqual(host.calls(), [])
      assert.strictEqual(host.results().length, 3)
    }))

  it.live("says so as one document, too", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0" })
      const { stdout } = yield* host.run("gc", "--dry-run", "--json")
      const { attachments, gc, reservations } = JSON.parse(stdout)
      assert.deepStrictEqual(
        attachments.map(({ containerId, ifname, reason, remove }: { readonly [name: string]: unknown }) =>
          `${remove ? "remove" : "keep  "}  ${containerId} ${ifname}  (${reason})`
        ),
        decisions(host.path)
      )
      assert.deepStrictEqual([gc, reservations], [["a"], []])
      assert.deepStrictEqual(host.calls(), [])
    }))

  it.live("names all that is kept to the plugins of 1.1.0, a file that it cannot read included", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0" })
      Fs.writeFileSync(`${host.path}/cache/results/n-broken-eth0`, "{")
      yield* host.run("gc")
      const [, gc = ""] = host.log().split("\n")
      const { "cni.dev/valid-attachments": valid } = JSON.parse(gc.slice(gc.indexOf("{")))
      // Other namespaces of this host come after them.
      assert.deepStrictEqual(valid.slice(0, 3), [
        { containerID: "broken", ifname: "eth0" },
        { containerID: idOf("there"), ifname: "eth0" },
        { containerID: idOf("unknown"), ifname: "eth0" }
      ])
      assert.notInclude(gc, idOf("gone"))
    }))

  /** Reservations of host-local in a folder of the test's own. */
  const withReservations = (host: { readonly path: string; readonly write: (fields: object) => void }) => {
    const ipam = { type: "host-local", dataDir: `${host.path}/networks`, subnet: "10.83.0.0/24" }
    host.write({ plugins: [{ type: "a", ipam }] })
    Fs.mkdirSync(`${host.path}/networks/n`, { recursive: true })
    const reserve = (address: string, id: string) =>
      Fs.writeFileSync(`${host.path}/networks/n/${address}`, `${id}\r\neth0`)
    reserve("10.83.0.2", idOf("gone"))
    reserve("10.83.0.3", idOf("there"))
    reserve("10.83.0.4", idOf("left"))
    const left = (address: string) => Fs.existsSync(`${host.path}/networks/n/${address}`)
    return ["10.83.0.2", "10.83.0.3", "10.83.0.4"].map((address) => () => left(address))
  }

  const leftover = (path: string) =>
    `remove  web-left-${mark} 10.83.0.4 in ${path}/networks/n/10.83.0.4  (no result of it is in the cache)`

  it.live("takes away addresses of containers that are gone, and have no result", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good })
      const [isGone, isThere, isLeft] = withReservations(host)
      const dry = yield* host.run("gc", "--dry-run")
      assert.deepStrictEqual(dry.stdout.trimEnd().split("\n").slice(0, 3), decisions(host.path))
      assert.match(dry.stdout.replaceAll(mark, "MARK"), /\nremove {2}web-left-MARK 10\.83\.0\.4 in \S+ {2}\(.+\)\n$/)
      assert.notInclude(dry.stdout, "10.83.0.2")
      assert.deepStrictEqual([isGone?.(), isThere?.(), isLeft?.()], [true, true, true])
      const { status, stdout } = yield* host.run("gc")
      assert.strictEqual(status, 0)
      assert.include(stdout, leftover(host.path).replace(/ {2}\(.*/, "  ("))
      assert.deepStrictEqual([isThere?.(), isLeft?.()], [true, false])
    }))

  it.live("keeps all addresses where a file of the cache cannot be understood: it may be of any container", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good })
      const [, , isLeft] = withReservations(host)
      Fs.writeFileSync(`${host.path}/cache/results/n-broken-eth0`, "{")
      const { stdout } = yield* host.run("gc")
      assert.notInclude(stdout, "10.83.0.4")
      assert.isTrue(isLeft?.())
    }))

  it.live("says on stderr what it decides where stdout has the records as JSON", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good })
      withReservations(host)
      const { status, stderr, stdout } = yield* host.run("gc", "--json")
      assert.strictEqual(status, 0)
      assert.deepStrictEqual(stderr.split("\n").slice(0, 3), decisions(host.path))
      assert.include(stderr, `\nremove  web-left-${mark} 10.83.0.4 in `)
      for (const line of stdout.trimEnd().split("\n")) assert.hasAnyKeys(JSON.parse(line), ["event"])
    }))

  it.live("goes on without a result that cannot be used, and says so", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good })
      const file = `${host.path}/cache/results/n-web-gone-${mark}-eth0`
      Fs.writeFileSync(file, Fs.readFileSync(file, "utf8").replace("10.0.0.5/8", "here"))
      const { status, stderr } = yield* host.run("gc")
      assert.strictEqual(status, 0)
      assert.match(
        stderr.replaceAll(mark, "MARK"),
        /^web-gone-MARK: going on without a result: the result of ADD cannot be used in version 1\.0\.0: /
      )
      assert.notInclude(host.log(), "prevResult")
      assert.isFalse(Fs.existsSync(file))
    }))

  it.live("promises no GC in a dry run of a network before 1.1.0", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good })
      const { status, stdout } = yield* host.run("gc", "--dry-run")
      assert.deepStrictEqual([status, stdout], [0, `${decisions(host.path).join("\n")}\n`])
    }))

  it.live("gives no result to DEL before 0.4.0", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "0.3.1" })
      yield* host.run("gc")
      assert.include(host.log(), `DEL a web-gone-${mark}`)
      assert.notInclude(host.log(), "prevResult")
    }))

  it.live("goes on after a failure, and tells all of them", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0" })
      script(`${host.path}/a`, failing(`{"cniVersion":"1.0.0","code":7,"msg":"no"}`))
      Fs.rmSync(`${host.path}/ns-web-there-${mark}`)
      const { status, stderr } = yield* host.run("gc")
      assert.strictEqual(status, 1)
      assert.deepStrictEqual(stderr.match(/(?:DEL of \S+ eth0|GC) failed in a: code 7: no/g), [
        `DEL of web-gone-${mark} eth0 failed in a: code 7: no`,
        `DEL of web-there-${mark} eth0 failed in a: code 7: no`,
        "GC failed in a: code 7: no"
      ])
      assert.strictEqual(host.results().length, 3)
    }))

  it.live("keeps all, and says why, where it cannot see what lives", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0" }, true)
      for (const flags of [["--dry-run"], []]) {
        const { status, stderr, stdout } = yield* host.run("gc", ...flags)
        assert.strictEqual(status, 2)
        assert.match(
          stdout.replaceAll(mark, "MARK"),
          /^keep {4}web-gone-MARK eth0 {2}\(\S+\/ns-web-gone-MARK does not exist, but .*may not\)\nkeep {4}web-there-MARK /
        )
        assert.match(
          stderr,
          /cannot tell which attachments are valid, so only those known to be gone are removed: .*may not/
        )
      }
      assert.deepStrictEqual(host.calls(), [])
      assert.strictEqual(host.results().length, 3)
    }))

  it.live("names to the plugins what was attached while others were taken away", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0" })
      const results = `${host.path}/cache/results`
      const there = Fs.readFileSync(`${results}/n-web-there-${mark}-eth0`, "utf8")
      const id = idOf("added")
      Fs.writeFileSync(`${host.path}/added`, there.replaceAll(idOf("there"), id))
      const attach = `cp '${host.path}/added' '${results}/n-${id}-eth0'; : > '${host.path}/ns-${id}'`
      script(`${host.path}/a`, `[ "$CNI_COMMAND" != DEL ] || { ${attach}; }\n${good}`)
      yield* host.run("gc")
      const gc = host.log().split("\n").find((line) => line.startsWith("GC ")) ?? ""
      const { "cni.dev/valid-attachments": valid } = JSON.parse(gc.slice(gc.indexOf("{")))
      assert.deepInclude(valid, { containerID: idOf("there"), ifname: "eth0" })
      assert.deepInclude(valid, { containerID: id, ifname: "eth0" })
    }))

  it.live("names what the files of other attachments may hide", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0" })
      host.write({ name: "n-m" })
      yield* host.run("add", "--netns", `${host.path}/netns`, "--container-id", "c")
      host.write()
      Fs.writeFileSync(`${host.path}/calls`, "")
      const { stdout } = yield* host.run("gc")
      assert.notInclude(stdout, "n-m")
      const gc = host.log().split("\n").find((line) => line.startsWith("GC ")) ?? ""
      const { "cni.dev/valid-attachments": valid } = JSON.parse(gc.slice(gc.indexOf("{")))
      assert.deepInclude(valid, { containerID: "m-c", ifname: "eth0" })
    }))

  it.live("does nothing where the network says so", () =>
    Effect.gen(function*() {
      using host = yield* withTwo({ a: good }, { cniVersion: "1.1.0", disableGC: "true" })
      const { status, stderr } = yield* host.run("gc")
      const nothing = "disableGC is set in the configuration: nothing to do\n"
      assert.deepStrictEqual([status, stderr], [0, nothing])
      assert.deepStrictEqual(host.calls(), [])
      const dry = yield* host.run("gc", "--dry-run", "--json")
      assert.deepStrictEqual([dry.status, dry.stderr], [0, nothing])
      assert.deepStrictEqual(JSON.parse(dry.stdout), { attachments: [], reservations: [], gc: [] })
    }))
})

describe("plugins", () => {
  it.live("say whether they are ready, up to the first that is not", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: failing(`{"cniVersion":"1.1.0","code":50,"msg":"not yet"}`), b: good }, {
        cniVersion: "1.1.0"
      })
      const { status, stderr } = yield* host.run("status")
      assert.strictEqual(status, 1)
      assert.include(stderr, "STATUS failed in a: code 50: not yet, exit status 1")
      assert.deepStrictEqual(host.calls(), ["STATUS a"])
    }))

  it.live("are asked only for what the version of the network has", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good }, { cniVersion: "0.3.1" })
      // As with libcni, a network that cannot be asked is ready.
      assert.deepStrictEqual(yield* host.run("status"), {
        status: 0,
        stdout: "",
        stderr: "no plugin was called: version 0.3.1 has no STATUS: it needs 1.1.0 or newer\n"
      })
      const check = yield* host.of("check")
      assert.strictEqual(check.status, 2)
      assert.include(check.stderr, "version 0.3.1 has no CHECK: it needs 0.4.0 or newer")
      assert.deepStrictEqual(host.calls(), [])
    }))

  it.live("are not checked where the network says so", () =>
    Effect.gen(function*() {
      using host = sandbox({ a: good }, { disableCheck: true })
      assert.deepInclude(yield* host.of("check"), {
        status: 0,
        stderr: "disableCheck is set in the configuration: nothing to check\n"
      })
    }))

  it.live("say which versions they speak", () =>
    Effect.gen(function*() {
      using host = sandbox({
        short: `echo '{"cniVersion":"1.1.0","supportedVersions":["0.4.0","1.0.0"]}'`,
        longer: failing(`{"code":100,"msg":"unknown CNI_COMMAND: VERSION"}`),
        broken: "echo 1.0.0"
      })
      const { status, stdout } = yield* host.run("version")
      assert.strictEqual(
        stdout,
        `short   0.4.0, 1.0.0
longer  0.1.0
broken  exited with status 0, but did not say which versions it supports
`
      )
      assert.strictEqual(status, 1)
    }))
})
