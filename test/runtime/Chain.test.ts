/** How a runtime calls the plugins of a network. Sources: CNI specification, section 3; libcni. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as NetworkConfigList from "../../src/cni/NetworkConfigList.ts"
import type { Verb } from "../../src/cni/Verb.ts"
import { NotStarted } from "../../src/exec/ProcessRunner.ts"
import type { Attachment } from "../../src/runtime/Attachments.ts"
import * as Chain from "../../src/runtime/Chain.ts"
import { type Asked, type Ended, host } from "../support/plugins.ts"

const attachment: Attachment = {
  network: "n",
  containerId: "c1",
  ifname: "eth0",
  netns: "/run/netns/x",
  args: [["IgnoreUnknown", "1"], ["K8S_POD_NAME", "web"]],
  capabilityArgs: { portMappings: [{ hostPort: 80 }], ips: ["10.0.0.5/8"] }
}

const chainOf = (document: object | string, timeout = 0): Chain.Chain => {
  const text = typeof document === "string" ? document : JSON.stringify(document)
  return {
    list: NetworkConfigList.make(JSON.parse(text), { text }),
    cniPath: ["/none", "/plugins"],
    timeout,
    variables: { HOME: "/root", CNI_COMMAND: "old", CNI_IFNAME: "old" }
  }
}

const two = { cniVersion: "1.0.0", name: "n", plugins: [{ type: "a", mtu: 1400 }, { type: "b" }] }

/** An ADD that adds its type to the names of the interfaces. */
const adds = ({ config, type }: Asked): Ended => ({
  stdout: JSON.stringify({
    cniVersion: config.cniVersion,
    interfaces: [...config.prevResult?.interfaces ?? [], { name: type }]
  })
})
const fails = (code: number) => (): Ended => ({
  exitCode: 1,
  stdout: JSON.stringify({ cniVersion: "1.0.0", code, msg: "no" })
})
const quiet = (): Ended => ({})

const run = (calls: Chain.Calls, plugins: Parameters<typeof host>[0]) => {
  const { asked, layer } = host(plugins)
  return Effect.map(Effect.provide(Stream.runCollect(calls), layer), (made) => ({ asked, made, last: made.at(-1) }))
}

const types = (asked: ReadonlyArray<Asked>) => asked.map(({ command, type }) => `${command} ${type}`)

describe("an ADD", () => {
  it.effect("gives each plugin its own configuration with the name and the version of the list", () =>
    Effect.gen(function*() {
      const { asked } = yield* run(Chain.add(chainOf(two), attachment), { a: adds, b: adds })
      assert.deepStrictEqual(asked[0]?.config, { type: "a", mtu: 1400, name: "n", cniVersion: "1.0.0" })
      assert.deepStrictEqual(types(asked), ["ADD a", "ADD b"])
    }))

  it.effect("hands the result of each plugin to the next, and has the last one as its own", () =>
    Effect.gen(function*() {
      const { asked, last } = yield* run(Chain.add(chainOf(two), attachment), { a: adds, b: adds })
      assert.isUndefined(asked[0]?.config.prevResult)
      assert.deepStrictEqual(asked[1]?.config.prevResult, { cniVersion: "1.0.0", interfaces: [{ name: "a" }] })
      assert.deepStrictEqual(JSON.parse(last === undefined ? "" : Chain.resultOf(last) ?? "").interfaces.length, 2)
    }))

  it.effect("sets the variables of the protocol over those that it has itself", () =>
    Effect.gen(function*() {
      const { asked } = yield* run(Chain.add(chainOf(two), attachment), { a: adds, b: adds })
      assert.deepStrictEqual(asked[0]?.env, {
        HOME: "/root",
        CNI_COMMAND: "ADD",
        CNI_CONTAINERID: "c1",
        CNI_NETNS: "/run/netns/x",
        CNI_IFNAME: "eth0",
        CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAME=web",
        CNI_PATH: "/none:/plugins"
      })
    }))

  it.effect("puts the run of each plugin into a trace that it is in itself, and begins none", () =>
    Effect.gen(function*() {
      const trace = "00-0af7651916cd43dd8448eb211c80319c"
      const rest = { TRACESTATE: "vendor=1", BAGGAGE: "tenant=shop" }
      const chain = { ...chainOf(two), variables: { TRACEPARENT: `${trace}-b7ad6b7169203331-01`, ...rest } }
      const { asked, made } = yield* run(Chain.add(chain, attachment), { a: adds, b: adds })
      for (const [index, { env }] of asked.entries()) {
        assert.deepInclude(env, { ...rest, TRACEPARENT: `${trace}-${made[index]?.invocation}-01` })
      }
      const outside = yield* run(Chain.add(chainOf(two), attachment), { a: adds, b: adds })
      assert.notProperty(outside.asked[0]?.env, "TRACEPARENT")
    }))

  it.effect("gives a plugin the arguments of its capabilities, and no others", () =>
    Effect.gen(function*() {
      const plugins = [
        { type: "a", capabilities: { portMappings: true, ips: false, mac: true } },
        { type: "b", capabilities: { ips: false } }
      ]
      const { asked } = yield* run(Chain.add(chainOf({ ...two, plugins }), attachment), { a: adds, b: adds })
      assert.deepStrictEqual(asked[0]?.config.runtimeConfig, { portMappings: [{ hostPort: 80 }] })
      assert.isUndefined(asked[1]?.config.runtimeConfig)
    }))

  it.effect("passes configurations and results without loss", () =>
    Effect.gen(function*() {
      const text =
        `{"cniVersion":"1.0.0","name":"n","plugins":[{"type":"a"},{"type":"b","big":12345678901234567890,"1":1.0}]}`
      const result = `{"cniVersion":"1.0.0","z":12345678901234567890,"1":1.0}`
      const { asked } = yield* run(Chain.add(chainOf(text), attachment), { a: () => ({ stdout: result }), b: adds })
      assert.strictEqual(
        asked[1]?.stdin,
        `{"type":"b","big":12345678901234567890,"1":1.0,"name":"n","cniVersion":"1.0.0","prevResult":${result}}`
      )
    }))

  const ofOtherVersions: ReadonlyArray<readonly [cniVersion: string, result: string]> = [
    ["1.0.0", `{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.5/8"}}`],
    ["1.0.0", `{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.5/8"}]}`],
    ["0.4.0", `{"cniVersion":"1.1.0","ips":[{"address":"10.0.0.5/8"}]}`],
    ["1.1.0", `{"cniVersion":"1.0.0"}`]
  ]
  for (const [cniVersion, stdout] of ofOtherVersions) {
    it.effect(`hands a result on as it is, which a plugin of ${cniVersion} may refuse: ${stdout}`, () =>
      Effect.gen(function*() {
        const { asked, last } = yield* run(Chain.add(chainOf({ ...two, cniVersion }), attachment), {
          a: () => ({ stdout }),
          b: () => ({ stdout })
        })
        assert.include(asked[1]?.stdin, `"prevResult":${stdout}`)
        assert.strictEqual(last === undefined ? "" : Chain.resultOf(last), stdout)
      }))
  }

  for (const [what, document] of [["none", { name: "n" }], ["an empty one", { name: "n", cniVersion: "" }]] as const) {
    it.effect(`gives plugins an empty version where the list names ${what}, and takes their results for 0.1.0`, () =>
      Effect.gen(function*() {
        const chain = chainOf({ ...document, plugins: [{ type: "a", cniVersion: "1.0.0" }, { type: "b" }] })
        const { asked } = yield* run(Chain.add(chain, attachment), { a: () => ({ stdout: "{}" }), b: adds })
        assert.deepStrictEqual(asked.map(({ config }) => config.cniVersion), ["", ""])
        assert.deepStrictEqual(asked[1]?.config.prevResult, { cniVersion: "0.1.0" })
      }))
  }

  it.effect("ends with the first plugin that fails", () =>
    Effect.gen(function*() {
      const { asked, last } = yield* run(Chain.add(chainOf(two), attachment), { a: fails(11), b: adds })
      assert.deepStrictEqual(types(asked), ["ADD a"])
      assert.deepStrictEqual(last?.answer, {
        _tag: "Failure",
        hasDocument: true,
        code: 11,
        msg: "no",
        details: ""
      })
    }))

  it.effect("ends with a plugin that is not there", () =>
    Effect.gen(function*() {
      const { made } = yield* run(Chain.add(chainOf(two), attachment), { b: adds })
      assert.strictEqual(made.length, 1)
      assert.isUndefined(made[0]?.file)
      assert.deepInclude(made[0]?.answer, { code: undefined, msg: "not found in /none:/plugins" })
    }))

  it.effect("tells of each plugin as soon as it has ended", () =>
    Effect.gen(function*() {
      const { asked, layer } = host({ a: adds, b: adds })
      const seen: Array<number> = []
      yield* Stream.runForEach(Chain.add(chainOf(two), attachment), () => Effect.sync(() => seen.push(asked.length)))
        .pipe(Effect.provide(layer))
      assert.deepStrictEqual(seen, [1, 2])
    }))

  it.effect("looks at what each plugin changes, where somebody asks for it", () =>
    Effect.gen(function*() {
      const plugins = { a: adds, b: fails(7) }
      const asked = yield* run(Chain.add({ ...chainOf(two), changes: ["links"] }, attachment), plugins)
      assert.deepStrictEqual(asked.made.map((call) => "changes" in call), [true, true])
      for (const changes of [[], undefined]) {
        const chain = chainOf(two)
        const { made } = yield* run(
          Chain.add(changes === undefined ? chain : { ...chain, changes }, attachment),
          plugins
        )
        assert.deepStrictEqual(made.map((call) => "changes" in call), [false, false])
      }
      const version = yield* run(Chain.version({ ...chainOf(two), changes: ["links"] }), plugins)
      assert.deepStrictEqual(version.made.map((call) => "changes" in call), [false, false])
    }))

  it.effect("sends what plugins start to the shims of this run", () =>
    Effect.gen(function*() {
      const nested = {
        variables: (invocation: string, cniPath: string) => ({ CNI_PATH: `/shims:${cniPath}`, PARENT: invocation }),
        records: () => Effect.succeed([])
      }
      const { asked, made } = yield* run(Chain.add({ ...chainOf(two), nested }, attachment), { a: adds, b: adds })
      assert.deepStrictEqual(asked.map(({ env }) => env["CNI_PATH"]), [
        "/shims:/none:/plugins",
        "/shims:/none:/plugins"
      ])
      assert.deepStrictEqual(asked.map(({ env }) => env["PARENT"]), made.map(({ invocation }) => invocation))
      // What is recorded is what the plugin was called with, but for them.
      assert.strictEqual(made[0]?.env["CNI_PATH"], "/none:/plugins")
    }))

  it.effect("tells the reason of a plugin that cannot be started, and which file it is", () =>
    Effect.gen(function*() {
      const refuses = () =>
        new NotStarted({ program: "/plugins/a", reason: "permission denied", code: "EACCES", cause: undefined })
      const { made } = yield* run(Chain.add(chainOf(two), attachment), { a: refuses, b: adds })
      assert.deepStrictEqual(made.map(({ execution, file }) => [file, execution]), [["/plugins/a", undefined]])
      assert.deepInclude(made[0]?.answer, { msg: "/plugins/a cannot be started: permission denied" })
    }))

  it.effect("knows when each plugin was called, and gives it its time", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_000)
      const { asked, made } = yield* run(Chain.add(chainOf(two, 250), attachment), { a: adds, b: adds })
      assert.strictEqual(made[0]?.time, 1_700_000_000_000)
      assert.strictEqual(asked[0]?.timeout, 250)
      assert.match(made[0]?.invocation ?? "", /^[0-9a-f]{16}$/)
      assert.notStrictEqual(made[0]?.invocation, made[1]?.invocation)
    }))

  it.effect("is told as such of each plugin", () =>
    Effect.gen(function*() {
      const { made } = yield* run(Chain.add(chainOf(two), attachment), { a: adds, b: adds })
      assert.deepStrictEqual(made.map(({ verb }) => verb), ["ADD", "ADD"])
    }))

  it.effect("has 64 random bits for each plugin, all of which are written", () =>
    Effect.gen(function*() {
      const drawn = (double: number) =>
        Effect.map(
          Effect.provideService(run(Chain.add(chainOf(two), attachment), { a: adds, b: adds }), Random.Random, {
            nextDoubleUnsafe: () => double,
            nextIntUnsafe: () => 0
          }),
          ({ made }) => made[0]?.invocation
        )
      assert.deepStrictEqual([yield* drawn(0), yield* drawn(1 - 2 ** -53)], ["0000000000000000", "ffffffffffffffff"])
    }))
})

describe("the ID of a call", () => {
  for (const [number, id] of [[0, "0000000000000000"], [1 - 2 ** -53, "ffffffffffffffff"]] as const) {
    it.effect(`has 16 digits, whatever the random numbers: ${id}`, () =>
      Effect.gen(function*() {
        const random = { nextDoubleUnsafe: () => number, nextIntUnsafe: () => 0 }
        const { made } = yield* run(Chain.status(chainOf(two)), { a: quiet, b: quiet }).pipe(
          Effect.provideService(Random.Random, random)
        )
        assert.deepStrictEqual(made.map(({ invocation }) => invocation), [id, id])
      }))
  }
})

describe("a call", () => {
  const result = `{"cniVersion":"1.1.0"}`
  const operations: { readonly [verb in Verb]: (chain: Chain.Chain) => Chain.Calls } = {
    ADD: (chain) => Chain.add(chain, attachment),
    DEL: (chain) => Chain.del(chain, attachment, result),
    CHECK: (chain) => Chain.check(chain, attachment, result),
    GC: (chain) => Chain.gc(chain, []),
    STATUS: Chain.status,
    VERSION: Chain.version
  }
  for (const [verb, calls] of Object.entries(operations)) {
    it.effect(`has the verb of its operation, as the plugin has: ${verb}`, () =>
      Effect.gen(function*() {
        const { asked, made } = yield* run(calls(chainOf({ ...two, cniVersion: "1.1.0" })), {
          a: () => ({ stdout: `{"cniVersion":"1.1.0","supportedVersions":["1.1.0"]}` }),
          b: () => ({ stdout: `{"cniVersion":"1.1.0","supportedVersions":["1.1.0"]}` })
        })
        assert.deepStrictEqual(made.map((call) => [call.verb, call.answer._tag]), [[verb, "Success"], [
          verb,
          "Success"
        ]])
        assert.deepStrictEqual(asked.map(({ command }) => command), [verb, verb])
        assert.deepStrictEqual(made.map((call) => Chain.resultOf(call) !== undefined), [
          verb === "ADD" || verb === "VERSION",
          verb === "ADD" || verb === "VERSION"
        ])
      }))
  }
})

describe("a DEL", () => {
  const result = `{"cniVersion":"1.0.0"}`

  it.effect("goes backwards, each plugin with the result of the ADD", () =>
    Effect.gen(function*() {
      const { asked } = yield* run(Chain.del(chainOf(two), attachment, result), { a: quiet, b: quiet })
      assert.deepStrictEqual(types(asked), ["DEL b", "DEL a"])
      for (const { config } of asked) assert.deepStrictEqual(config.prevResult, { cniVersion: "1.0.0" })
    }))

  it.effect("has the result of the ADD from 0.4.0 on", () =>
    Effect.gen(function*() {
      const chain = chainOf({ ...two, cniVersion: "0.4.0" })
      const { asked } = yield* run(Chain.del(chain, attachment, result), { a: quiet, b: quiet })
      for (const { config } of asked) assert.deepStrictEqual(config.prevResult, { cniVersion: "1.0.0" })
    }))

  it.effect("has no result before 0.4.0, and none where none is known", () =>
    Effect.gen(function*() {
      const old = yield* run(Chain.del(chainOf({ ...two, cniVersion: "0.3.1" }), attachment, result), {
        a: quiet,
        b: quiet
      })
      const unknown = yield* run(Chain.del(chainOf(two), attachment, undefined), { a: quiet, b: quiet })
      for (const { config } of [...old.asked, ...unknown.asked]) assert.isUndefined(config.prevResult)
    }))

  it.effect("ends with the first plugin that fails", () =>
    Effect.gen(function*() {
      const { asked } = yield* run(Chain.del(chainOf(two), attachment, result), { a: quiet, b: fails(7) })
      assert.deepStrictEqual(types(asked), ["DEL b"])
    }))

  it.effect("is told as such of each plugin", () =>
    Effect.gen(function*() {
      const { made } = yield* run(Chain.del(chainOf(two), attachment, result), { a: quiet, b: quiet })
      assert.deepStrictEqual(made.map(({ verb }) => verb), ["DEL", "DEL"])
    }))
})

describe("a DEL that is to go on", () => {
  it.effect("calls all plugins, whichever fails", () =>
    Effect.gen(function*() {
      const { asked, made } = yield* run(Chain.del(chainOf(two), attachment, "{}", "continue"), {
        a: quiet,
        b: fails(7)
      })
      assert.deepStrictEqual(types(asked), ["DEL b", "DEL a"])
      assert.deepStrictEqual(made.map(Chain.hasFailed), [true, false])
    }))
})

describe("a CHECK", () => {
  it.effect("calls every plugin where none fails", () =>
    Effect.gen(function*() {
      const { asked } = yield* run(Chain.check(chainOf(two), attachment, "{}"), { a: quiet, b: quiet })
      assert.deepStrictEqual(types(asked), ["CHECK a", "CHECK b"])
    }))

  it.effect("goes forwards with the result of the ADD, up to the first plugin that fails", () =>
    Effect.gen(function*() {
      const { asked } = yield* run(Chain.check(chainOf(two), attachment, `{"cniVersion":"1.0.0"}`), {
        a: fails(7),
        b: quiet
      })
      assert.deepStrictEqual(types(asked), ["CHECK a"])
      assert.deepStrictEqual(asked[0]?.config.prevResult, { cniVersion: "1.0.0" })
    }))

  it.effect("is told as such of each plugin", () =>
    Effect.gen(function*() {
      const { made } = yield* run(Chain.check(chainOf(two), attachment, "{}"), { a: quiet, b: quiet })
      assert.deepStrictEqual(made.map(({ verb }) => verb), ["CHECK", "CHECK"])
    }))
})

const capable = { ...two, cniVersion: "1.1.0", plugins: [{ type: "a", capabilities: { ips: true } }, { type: "b" }] }

const ofNoAttachment = {
  CNI_CONTAINERID: "",
  CNI_NETNS: "",
  CNI_IFNAME: "",
  CNI_ARGS: "",
  CNI_PATH: "/none:/plugins"
}

describe("a GC", () => {
  it.effect("names the valid attachments to every plugin, whichever fails, and nothing of an attachment", () =>
    Effect.gen(function*() {
      const valid = [{ containerID: "c1", ifname: "eth0" }]
      const { asked, made } = yield* run(Chain.gc(chainOf(capable), valid), { a: fails(7), b: fails(8) })
      assert.deepStrictEqual(types(asked), ["GC a", "GC b"])
      assert.strictEqual(made.filter(Chain.hasFailed).length, 2)
      assert.deepStrictEqual(asked[0]?.config, {
        type: "a",
        capabilities: { ips: true },
        name: "n",
        cniVersion: "1.1.0",
        "cni.dev/valid-attachments": valid,
        "cni.dev/attachments": valid
      })
      assert.deepInclude(asked[0]?.env, ofNoAttachment)
    }))

  it.effect("is told as such of each plugin", () =>
    Effect.gen(function*() {
      const { made } = yield* run(Chain.gc(chainOf(two), []), { a: quiet, b: quiet })
      assert.deepStrictEqual(made.map(({ verb }) => verb), ["GC", "GC"])
    }))
})

describe("a STATUS", () => {
  it.effect("asks each plugin up to the first that is not ready, without arguments of capabilities", () =>
    Effect.gen(function*() {
      const { asked } = yield* run(Chain.status(chainOf(capable)), { a: fails(50), b: quiet })
      assert.deepStrictEqual(types(asked), ["STATUS a"])
      assert.deepStrictEqual(asked[0]?.config, {
        type: "a",
        capabilities: { ips: true },
        name: "n",
        cniVersion: "1.1.0"
      })
      assert.deepInclude(asked[0]?.env, ofNoAttachment)
    }))

  it.effect("is told as such of each plugin", () =>
    Effect.gen(function*() {
      const { made } = yield* run(Chain.status(chainOf(two)), { a: quiet, b: quiet })
      assert.deepStrictEqual(made.map(({ verb }) => verb), ["STATUS", "STATUS"])
    }))
})

describe("a VERSION", () => {
  it.effect("asks every plugin as libcni does", () =>
    Effect.gen(function*() {
      const answer = () => ({ stdout: `{"cniVersion":"1.1.0","supportedVersions":["1.0.0"]}` })
      const { asked, made } = yield* run(Chain.version(chainOf(capable)), { a: fails(4), b: answer })
      assert.deepStrictEqual(types(asked), ["VERSION a", "VERSION b"])
      assert.deepStrictEqual(asked[0]?.config, { cniVersion: "1.1.0" })
      assert.deepInclude(asked[0]?.env, {
        CNI_CONTAINERID: "",
        CNI_NETNS: "dummy",
        CNI_IFNAME: "dummy",
        CNI_PATH: "dummy"
      })
      assert.deepStrictEqual(made.map(Chain.hasFailed), [true, false])
    }))

  it.effect("is told as such of each plugin", () =>
    Effect.gen(function*() {
      const { made } = yield* run(Chain.version(chainOf(two)), { a: quiet, b: quiet })
      assert.deepStrictEqual(made.map(({ verb }) => verb), ["VERSION", "VERSION"])
    }))
})
