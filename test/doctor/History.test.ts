/** What doctor says of logs: from records to what it tells. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { TestClock } from "effect/testing"
import * as Fs from "node:fs"
import * as Checks from "../../src/doctor/Checks.ts"
import * as Collect from "../../src/doctor/Collect.ts"
import * as History from "../../src/doctor/facts/History.ts"
import { called, tapped, wrapped } from "../operations/records.ts"
import { temporary } from "../support/plugin.ts"
import { found, ofFile } from "./facts.ts"

const network = {
  cniVersion: "1.0.0",
  name: "podman",
  plugins: [{ type: "bridge", ipMasq: true }, { type: "portmap" }]
}
const labels = ["after-bridge", "after-portmap"]
const result = { cniVersion: "1.0.0", ips: [{ address: "10.88.0.2/16" }] }

const everyone: Collect.Selection = { netns: undefined, containerId: undefined, pod: undefined, ifname: undefined }

/** The operation of taps, whose records are changed so. */
const operation = (
  command: string,
  start: number,
  { container = "web", members = {}, only = labels }: {
    readonly container?: string
    readonly members?: object
    readonly only?: ReadonlyArray<string>
  } = {}
) => tapped(container, command, start, only, { result }).map((record) => ({ ...record, ...members }))

/** When the logs are read, in milliseconds after the first operation: an hour. */
const now = 3_600_000

/** What is known of a log with these records. */
const known = Effect.fnUntraced(function*(records: ReadonlyArray<object>, selection: Partial<Collect.Selection> = {}) {
  using folder = temporary()
  Fs.writeFileSync(`${folder.path}/a.jsonl`, records.map((record) => `${JSON.stringify(record)}\n`).join(""))
  yield* TestClock.setTime(Date.UTC(2026, 10, 24, 10) + now)
  return yield* Collect.withHistory(ofFile(network), [`${folder.path}/*.jsonl`], { ...everyone, ...selection })
}, Effect.provide(NodeServices.layer))

/** What is found in a log with these records. */
const inLog = (records: ReadonlyArray<object>, selection: Partial<Collect.Selection> = {}) =>
  Effect.map(known(records, selection), (facts) => found(Checks.history, facts))

/** An ADD that failed, of a namespace that is still there. */
const failed = called({ exitCode: 1 }, { event: "error", error: { code: 11, msg: "port taken" } })
  .map((record) => ({ ...record, netns: "/" }))
const lastAdd =
  "error last-failure portmap the last ADD of eth0 of 5c01f03d8d6d, at 2026-11-24T10:00:00.000Z, failed: " +
  "portmap: code 11: port taken"

describe("a log", () => {
  it.effect("of containers that came and went tells nothing", () =>
    Effect.gen(function*() {
      const records = [...operation("ADD", 0), ...operation("CHECK", 100), ...operation("DEL", 200)]
      assert.deepStrictEqual(yield* inLog(records), [])
    }))

  it.effect("tells an ADD that failed, with the plugin", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inLog(failed), [lastAdd])
    }))

  it.effect("tells no ADD that failed once, where another one went well after it", () =>
    Effect.gen(function*() {
      const later = [...operation("ADD", 1000), ...operation("DEL", 2000)]
      assert.deepStrictEqual(yield* inLog([...failed, ...later]), [])
      assert.deepStrictEqual(yield* inLog([...failed, ...later], { containerId: "5c01" }), [lastAdd])
    }))

  it.effect("tells where an ADD ended that reached no further tap", () =>
    Effect.gen(function*() {
      const records = [
        ...operation("ADD", 0, { container: "one" }),
        ...operation("ADD", 1000, { only: ["after-bridge"] })
      ]
      const [first] = yield* inLog(records)
      assert.match(first ?? "", /^error last-failure portmap the last ADD of eth0 of web, at .*: portmap failed/)
    }))

  it.effect("tells an operation that never ended, once it may not go on any more", () =>
    Effect.gen(function*() {
      const open = operation("ADD", 0).filter(({ event }: { event?: string }) => event !== "result")
      assert.match((yield* inLog(open)).join(), /last-failure .*after-bridge was killed, or is still running/)
      const now = open.map((record) => ({ ...record, time: "2026-11-24T10:59:50.000Z" }))
      assert.notMatch((yield* inLog(now)).join(), /last-failure/)
    }))

  it.effect("tells of hooks that failed nothing, as runtimes go on", () =>
    Effect.gen(function*() {
      const hook = {
        command: "false",
        netns: "host",
        exitCode: 1,
        signal: null,
        timedOut: false,
        truncated: false,
        durationMs: 1,
        stdout: "",
        stderr: ""
      }
      const [request = {}, ...others] = operation("ADD", 0, { members: { netns: "/proc/1/ns/net" } })
      assert.deepStrictEqual(yield* inLog([request, { ...request, event: "hook", hook }, ...others]), [])
    }))

  it.effect("tells an ADD whose namespace went without a DEL, and none whose namespace is there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* inLog(operation("ADD", 0, { members: { netns: "/run/netns/no-such-one" } })), [
        "warning add-without-del - eth0 of web had an ADD at 2026-11-24T10:00:00.000Z, and no DEL after it, and its " +
        "namespace is gone"
      ])
      assert.deepStrictEqual(yield* inLog(operation("ADD", 0, { members: { netns: "/" } })), [])
    }))

  it.effect("tells a DEL that came to fewer plugins than its ADD, or with less", () =>
    Effect.gen(function*() {
      const config = { type: "passthrough", prevResult: result, runtimeConfig: { portMappings: [] } }
      const requests = { args: "IgnoreUnknown=1;K8S_POD_NAME=web" }
      const add = operation("ADD", 0, { members: requests }).map((record) =>
        "config" in record ? { ...record, config } : record
      )
      const bare = tapped("web", "DEL", 1000, ["after-bridge"]).map((record) => ({ ...record, netns: undefined }))
      assert.deepStrictEqual(yield* inLog([...add, ...bare]), [
        "warning del-with-less - eth0 of web was detached with less than it was attached with, without the plugin " +
        "after-portmap, the capability portMappings, IgnoreUnknown of CNI_ARGS, K8S_POD_NAME of CNI_ARGS, CNI_NETNS, prevResult"
      ])
    }))

  it.effect("tells nothing of a DEL that came twice, and the second time with less, as containerd's does", () =>
    Effect.gen(function*() {
      const again = tapped("web", "DEL", 2000, labels).map((record) => ({ ...record, netns: undefined }))
      const records = [...operation("ADD", 0), ...operation("DEL", 1000), ...again]
      assert.deepStrictEqual(yield* inLog(records), [])
    }))

  it.effect("of another network, or of doctor's own trials, tells nothing", () =>
    Effect.gen(function*() {
      for (const members of [{ network: "other" }, { containerId: "cni-doctor-0a1b2c3d" }]) {
        assert.deepStrictEqual(yield* inLog(failed.map((record) => ({ ...record, ...members }))), [])
      }
    }))

  it.effect("that has no end is not read", () =>
    Effect.gen(function*() {
      const read = Collect.withHistory(ofFile(network), ["/dev/zero"], everyone)
      const { message } = yield* Effect.flip(Effect.provide(read, NodeServices.layer))
      assert.strictEqual(message, "cannot read /dev/zero: it has no end, expected a regular file")
    }))

  it.effect("is asked about one pod", () =>
    Effect.gen(function*() {
      const args = "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web"
      const records = failed.map((record) => ({ ...record, args }))
      assert.strictEqual((yield* inLog(records, { pod: "shop/web" })).length, 1)
      assert.strictEqual((yield* inLog(records, { pod: "shop/api" })).length, 0)
    }))
})

describe("an operation of a log", () => {
  type Member = { readonly label?: string; readonly event?: string }

  /** The same records without the end of the run of this tap. */
  const unended = (records: ReadonlyArray<Member>, label: string) =>
    records.filter((record) => record.label !== label || record.event === "request")

  /** How the operations in these records ended. */
  const ends = (records: ReadonlyArray<object>) =>
    Effect.map(known(records), ({ history }) => history.operations.map(({ end }) => end))

  it.effect("that began a short time ago and has no end may still go on", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ends(unended(operation("ADD", now - 29_999), "after-portmap")), ["open"])
    }))

  it.effect("that began 30 s ago and has no end has failed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ends(unended(operation("ADD", now - 30_000), "after-portmap")), ["badly"])
    }))

  it.effect("that began a short time ago and has all its ends went well", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ends(operation("ADD", now - 10_000)), ["well"])
    }))

  it.effect("has failed as soon as one of its plugins has, though another has no end", () =>
    Effect.gen(function*() {
      const records = unended(operation("ADD", now - 10_000), "after-bridge").map((record) =>
        record.event === "result" ? { ...record, event: "error", error: { code: 11, msg: "port taken" } } : record
      )
      assert.deepStrictEqual(yield* ends(records), ["badly"])
    }))
})

describe("what the plugins of an operation were given", () => {
  /** What the first operation of these records was given. */
  const given = (...records: ReadonlyArray<object>) =>
    Effect.map(known(records), ({ history }) => [...history.operations[0]?.given ?? []])
  const request = (members: object) => ({
    ...operation("ADD", 0, { only: ["after-bridge"] })[0],
    netns: "",
    ...members
  })

  it.effect("is the plugin, arguments, capabilities, the namespace and prevResult", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* given(request({
          args: "IgnoreUnknown=1;K8S_POD_NAME=a=b;rubbish",
          netns: "/run/netns/web",
          config: { type: "passthrough", runtimeConfig: { ips: [], mac: "" } }
        })),
        [
          "the plugin after-bridge",
          "the capability ips",
          "the capability mac",
          "IgnoreUnknown of CNI_ARGS",
          "K8S_POD_NAME of CNI_ARGS",
          "CNI_NETNS",
          "prevResult"
        ]
      )
    }))

  it.effect("is prevResult of a DEL only where it had one", () =>
    Effect.gen(function*() {
      const config = (members: object) => ({ command: "DEL", config: { type: "passthrough", ...members } })
      assert.deepStrictEqual(yield* given(request(config({}))), ["the plugin after-bridge"])
      assert.deepStrictEqual(yield* given(request(config({ prevResult: result }))), [
        "the plugin after-bridge",
        "prevResult"
      ])
    }))

  it.effect("are no capabilities where they are no object", () =>
    Effect.gen(function*() {
      for (const config of [{ type: "passthrough", runtimeConfig: [] }, { type: "passthrough" }]) {
        assert.deepStrictEqual(yield* given(request({ config })), ["the plugin after-bridge", "prevResult"])
      }
    }))
})

describe("the operations of logs", () => {
  const operations = (records: ReadonlyArray<object>) => Effect.map(known(records), ({ history }) => history)

  it.effect("are known by who they were for, and how they ended", () =>
    Effect.gen(function*() {
      const members = { args: "K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web", netns: "/" }
      const { gone, operations: [first, ...others] } = yield* operations(operation("ADD", 0, { members }))
      assert.deepStrictEqual([gone.size, others], [0, []])
      assert.deepStrictEqual({ ...first, given: undefined }, {
        network: "podman",
        verb: "ADD",
        time: "2026-11-24T10:00:00.000Z",
        containerId: "web",
        ifname: "eth0",
        netns: "/",
        pod: "shop/web",
        end: "well",
        failure: "",
        stderr: [],
        given: undefined
      })
    }))

  it.effect("that failed are known by why, and by the last five lines of the plugin's stderr", () =>
    Effect.gen(function*() {
      const stderr = Array.from({ length: 7 }, (_, index) => `line ${index}`).join("\n")
      const records = called({ exitCode: 1, stderr }, { event: "error", error: { code: 11, msg: "port taken" } })
      const { operations: [first] } = yield* operations(records)
      assert.deepInclude(first, {
        end: "badly",
        failure: "portmap: code 11: port taken",
        stderr: ["line 2", "line 3", "line 4", "line 5", "line 6"]
      })
    }))

  it.effect("say the stderr of the plugin inside, where that wrote some", () =>
    Effect.gen(function*() {
      const failure = { event: "error", error: { code: 11, msg: "no addresses" } }
      const inner = (stderr: string) =>
        wrapped("2", {
          type: "host-local",
          start: 2,
          took: 5,
          members: { parent: "1" },
          outcome: { exitCode: 1, stderr },
          end: failure
        })
      const outer = wrapped("1", {
        type: "bridge",
        start: 0,
        took: 10,
        outcome: { exitCode: 1, stderr: "outer" },
        end: failure
      })
      const stderrOf = Effect.fnUntraced(function*(records: ReadonlyArray<object>) {
        return (yield* operations(records)).operations.map(({ stderr }) => stderr)
      })
      assert.deepStrictEqual(yield* stderrOf([...outer, ...inner("inner")]), [["inner"]])
      assert.deepStrictEqual(yield* stderrOf([...outer, ...inner("")]), [["outer"]])
    }))

  it.effect("of VERSION are none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* operations(operation("VERSION", 0))).operations, [])
    }))

  it.effect("have namespaces that are gone, but for those of processes, whose numbers come again", () =>
    Effect.gen(function*() {
      const of = (container: string, netns: string) => operation("ADD", 0, { container, members: { netns } })
      const { gone } = yield* operations([
        ...of("a", "/run/netns/no-such-one"),
        ...of("b", "/run/netns/no-such-one"),
        ...of("c", "/"),
        ...of("d", "/proc/4194304/ns/net"),
        ...of("e", "no-such-one"),
        ...of("f", "/dev/null/below")
      ])
      assert.deepStrictEqual([...gone], ["/run/netns/no-such-one"])
    }))

  it.effect("are those of all networks where none is asked about", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const log = `${folder.path}/a.jsonl`
      const records = [
        ...operation("ADD", 0),
        ...operation("ADD", 0, { container: "b", members: { network: "other" } })
      ]
      Fs.writeFileSync(log, records.map((record) => `${JSON.stringify(record)}\n`).join(""))
      const read = (network: string | undefined) =>
        Effect.map(History.read([log], network), ({ operations }) => operations.map((each) => each.network))
      assert.deepStrictEqual([yield* read(undefined), yield* read("other"), yield* read("none")], [
        ["podman", "other"],
        ["other"],
        []
      ])
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("are not those of files of which none is a log", () =>
    Effect.gen(function*() {
      using folder = temporary()
      const [foreign, log] = [`${folder.path}/foreign`, `${folder.path}/log`]
      Fs.writeFileSync(foreign, "this is\nno log\n")
      Fs.writeFileSync(log, operation("ADD", 0).map((record) => `${JSON.stringify(record)}\n`).join(""))
      assert.lengthOf((yield* History.read([foreign, log], undefined)).operations, 1)
      const { message } = yield* Effect.flip(History.read([foreign], undefined))
      assert.include(message, foreign)
    }).pipe(Effect.provide(NodeServices.layer)))
})
