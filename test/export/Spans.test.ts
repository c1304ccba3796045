/** Operations as spans. */
import { assert, describe, it } from "@effect/vitest"
import * as Export from "../../src/export/Export.ts"
import type { Span } from "../../src/export/Spans.ts"
import { called, chained, common, hook, tapped, wrapped } from "../operations/records.ts"
import { failingIpam, read, runs, runtimeSpan, time, traced, traceId } from "./records.ts"

const spansOf = (records: ReadonlyArray<object>) => Export.spans(read(records))

const attributesOf = ({ attributes }: Pick<Span, "attributes">) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue ?? value.arrayValue]))

const named = (spans: ReadonlyArray<Span>, name: string): Span => {
  const span = spans.find((each) => each.name === name)
  assert.isDefined(span, `${name} is not among ${spans.map((each) => each.name).join(", ")}`)
  return span
}

const nanoseconds = (milliseconds: number) => `${time(milliseconds)}000000`

describe("the spans of an operation", () => {
  const spans = spansOf(failingIpam())

  it("are one for the operation, and one for each plugin, below the one that started it", () => {
    const [operation, ...plugins] = spans
    assert.isDefined(operation)
    assert.strictEqual(operation.name, "ADD eth0 on podman")
    assert.isUndefined(operation.parentSpanId)
    assert.deepStrictEqual(plugins.map(({ name, parentSpanId, spanId }) => [name, spanId, parentSpanId]), [
      ["multus", runs.multus, operation.spanId],
      ["bridge", runs.bridge, runs.multus],
      ["host-local", runs.hostLocal, runs.bridge]
    ])
    assert.match(operation.spanId, /^[\da-f]{16}$/)
    assert.strictEqual(new Set(spans.map((span) => span.traceId)).size, 1)
    assert.match(operation.traceId, /^[\da-f]{32}$/)
  })

  it("have the times of the records", () => {
    const times = (name: string) => {
      const { endTimeUnixNano, startTimeUnixNano } = named(spans, name)
      return [startTimeUnixNano, endTimeUnixNano]
    }
    assert.deepStrictEqual(times("ADD eth0 on podman"), [nanoseconds(0), nanoseconds(100)])
    assert.deepStrictEqual(times("bridge"), [nanoseconds(10), nanoseconds(90)])
    assert.deepStrictEqual(times("host-local"), [nanoseconds(20), nanoseconds(50)])
  })

  it("say what they are about, by OpenTelemetry's names where it has any", () => {
    const request = {
      "container.id": "5c01f03d8d6d",
      "k8s.namespace.name": "shop",
      "k8s.pod.name": "web",
      "k8s.pod.uid": "6f1c",
      "cni.command": "ADD",
      "cni.network": "podman",
      "cni.ifname": "eth0",
      "cni.version": "1.0.0",
      "error.type": "11"
    }
    assert.deepStrictEqual(attributesOf(named(spans, "ADD eth0 on podman")), request)
    assert.deepStrictEqual(attributesOf(named(spans, "host-local")), {
      ...request,
      "cni.plugin": "host-local",
      "process.executable.path": "/opt/cni/bin/.passthrough/plugins/host-local",
      "process.exit.code": 1
    })
  })

  it("say in the plugin's own words why it failed, and for the operation which plugin it was", () => {
    assert.deepStrictEqual(named(spans, "host-local").status, { code: 2, message: "no addresses" })
    assert.deepStrictEqual(named(spans, "bridge").status, { code: 2, message: "failed to allocate: no addresses" })
    const { message } = named(spans, "ADD eth0 on podman").status
    assert.strictEqual(message, "host-local in bridge in multus: code 11: no addresses")
  })

  it("have hooks and changes as events, at their times", () => {
    const { events } = named(spans, "bridge")
    assert.deepStrictEqual(events.map(({ name, timeUnixNano }) => [name, timeUnixNano]), [
      ["changes", nanoseconds(92)],
      ["hook", nanoseconds(91)]
    ])
    const [changes = { attributes: [] }, hook = { attributes: [] }] = events
    const lines = attributesOf(changes)["cni.changes"]
    assert.include(JSON.stringify(lines), "+ host link cni-podman0")
    assert.deepInclude(attributesOf(hook), { "process.command_line": "ip link", "process.exit.code": 0 })
  })

  it("are the same each time", () => {
    assert.deepStrictEqual(spansOf(failingIpam()), spans)
  })
})

describe("the trace of an operation", () => {
  const traceOf = (members: object) => {
    const [span] = spansOf(failingIpam().map((record) => ({ ...record, ...members })))
    return span?.traceId
  }

  it("is that of the runtime where it sends one, and the operation is below the runtime's span", () => {
    const spans = spansOf(failingIpam(traced))
    assert.deepStrictEqual([...new Set(spans.map((span) => span.traceId))], [traceId])
    assert.strictEqual(spans[0]?.parentSpanId, runtimeSpan)
    assert.deepStrictEqual([...new Set(spans.map((span) => span.traceState))], ["vendor=1"])
  })

  for (
    const [name, member] of Object.entries({ containerId: "other", network: "other", command: "DEL", ifname: "net1" })
  ) {
    it(`is another one for another ${name}`, () => {
      assert.notStrictEqual(traceOf({ [name]: member }), traceOf({}))
    })
  }

  it("does not come from a text that is no trace context", () => {
    assert.strictEqual(spansOf(failingIpam({ traceparent: "00-1-2-01" }))[0]?.traceId, traceOf({}))
  })

  it("is its own for each operation that has no container", () => {
    const of = (invocation: string) =>
      spansOf([
        { time: common("", 0).time, invocation, event: "request", command: "GC", network: "podman", config: {} },
        { time: common("", 1).time, invocation, event: "result", command: "GC", network: "podman", durationMs: 1 }
      ])[0]?.traceId
    assert.notStrictEqual(of("00000000000000b1"), of("00000000000000b2"))
  })
})

describe("a span", () => {
  it("has an identifier also where its run has another kind of invocation", () => {
    const spans = spansOf(called({}, { event: "result" }))
    for (const { spanId } of spans) assert.match(spanId, /^(?!0{16})[\da-f]{16}$/)
    assert.strictEqual(new Set(spans.map(({ spanId }) => spanId)).size, spans.length)
  })

  it("has no error where the plugin succeeded", () => {
    const [operation, plugin] = spansOf(called({}, { event: "result" }))
    assert.deepStrictEqual([operation?.status, plugin?.status], [{ code: 0 }, { code: 0 }])
    assert.notProperty(attributesOf(plugin ?? { attributes: [] }), "error.type")
  })

  it("of a plugin that a signal killed has the signal for its type of error", () => {
    const outcome = { exitCode: null, signal: "SIGKILL", stderr: "" }
    const spans = spansOf(called(outcome, { event: "error", error: { msg: "was killed by SIGKILL" } }))
    const plugin = named(spans, "portmap")
    assert.deepInclude(attributesOf(plugin), { "error.type": "SIGKILL" })
    assert.notProperty(attributesOf(plugin), "process.exit.code")
    assert.deepStrictEqual(plugin.status, { code: 2, message: "was killed by SIGKILL" })
  })

  it("is internal, and its operation begins with its first plugin", () => {
    const spans = spansOf(called({}, { event: "result" }))
    assert.deepStrictEqual(spans.map(({ kind }) => kind), [1, 1])
    for (const { droppedAttributesCount, droppedEventsCount, droppedLinksCount } of spans) {
      assert.deepStrictEqual([droppedAttributesCount, droppedEventsCount, droppedLinksCount], [0, 0, 0])
    }
    const operation = (run: string) => spansOf(wrapped(run, { type: "multus", start: 0, took: 1 }))[0]?.spanId
    assert.notStrictEqual(operation(runs.multus), operation(runs.bridge))
  })

  it("has no pod where the request names none", () => {
    const records = called({}, { event: "result" }).map((record) => ({ ...record, args: undefined }))
    for (const span of spansOf(records)) assert.notMatch(Object.keys(attributesOf(span)).join(), /k8s/)
  })

  it("has texts of at most 4096 characters", () => {
    const status = (length: number) => {
      const end = { event: "error", error: { code: 7, msg: "x".repeat(length) } }
      return named(spansOf(called({ exitCode: 1 }, end)), "portmap").status.message
    }
    assert.strictEqual(status(4096), "x".repeat(4096))
    assert.strictEqual(status(4097), `${"x".repeat(4096)}…`)
  })

  it("has events for its hooks, with how one failed", () => {
    const failureOf = (members: object) => {
      const records = wrapped(runs.multus, { type: "multus", start: 0, took: 40 })
      const event = {
        ...common(runs.multus, 41, "multus"),
        event: "hook",
        hook: { ...hook, ...members },
        durationMs: 1
      }
      const [found] = named(spansOf([...records, event]), "multus").events
      return found && attributesOf(found)["cni.hook.failure"]
    }
    assert.isUndefined(failureOf({ exitCode: 0 }))
    assert.strictEqual(failureOf({ exitCode: 3 }), "exit status 3")
  })

  it("that failed without a word has no message", () => {
    const spans = spansOf(called({ exitCode: 1 }, { event: "error", error: { code: 7, msg: "" } }))
    assert.deepStrictEqual(named(spans, "portmap").status, { code: 2 })
  })

  it("of a VERSION inside another plugin is left out where it went well", () => {
    const records = (end: object) => [
      ...wrapped(runs.multus, { type: "multus", start: 0, took: 100 }),
      ...wrapped(runs.bridge, {
        type: "bridge",
        start: 10,
        took: 80,
        members: { parent: runs.multus, command: "VERSION" },
        end
      })
    ]
    const names = (end: object) => spansOf(records(end)).map(({ name }) => name)
    assert.notInclude(names({ event: "result" }), "bridge")
    assert.include(names({ event: "error", error: { code: 5, msg: "broken" } }), "bridge")
  })

  it("has at most 100 changes, and says how many more there were", () => {
    const changesOf = (count: number) => {
      const added = Array.from({ length: count }, (_, index) => `link${index} bridge up`)
      const changes = { host: { links: { added, removed: [] } } }
      const records = wrapped(runs.multus, { type: "multus", start: 0, took: 40 })
      const span = named(
        spansOf([...records, { ...common(runs.multus, 41, "multus"), event: "changes", changes, durationMs: 1 }]),
        "multus"
      )
      const found = span.events[0]?.attributes.find(({ key }) => key === "cni.changes")?.value.arrayValue?.values ?? []
      return found.map(({ stringValue }) => stringValue)
    }
    assert.lengthOf(changesOf(100), 100)
    const many = changesOf(103)
    assert.lengthOf(many, 101)
    assert.strictEqual(many.at(-1), "and 3 more")
  })

  it("of a plugin that failed without a code has _OTHER for its type of error, and its last words", () => {
    const outcome = { exitCode: 2, stderr: "first\n panic: broken \n" }
    const plugin = named(spansOf(called(outcome, { event: "error", error: { msg: "exit status 2" } })), "portmap")
    assert.deepInclude(attributesOf(plugin), { "error.type": "_OTHER" })
    assert.strictEqual(plugin.status.message, "exit status 2; panic: broken")
  })

  it("of a run without an end reaches to the last that is known of it", () => {
    const records = wrapped(runs.multus, { type: "multus", start: 0, took: 40 })
    const span = named(spansOf(records.filter((record) => (record as { event: string }).event !== "result")), "multus")
    assert.strictEqual(span.endTimeUnixNano, nanoseconds(40))
    assert.deepStrictEqual(span.status, { code: 2, message: "was killed, or is still running" })
  })

  it("has a time that OTLP can hold, whatever date a record has", () => {
    for (const date of ["yesterday", "+275000-01-01T00:00:00Z", "-000001-01-01T00:00:00Z"]) {
      const spans = spansOf(called({}, { event: "result" }).map((record) => ({ ...record, time: date })))
      for (const { endTimeUnixNano, startTimeUnixNano } of spans) {
        for (const each of [startTimeUnixNano, endTimeUnixNano]) {
          assert.isTrue(BigInt(each) >= 0n && BigInt(each) < 2n ** 63n, each)
        }
      }
    }
  })

  it("masks what looks like a secret, as reports do", () => {
    const end = { event: "error", error: { code: 7, msg: "cannot log in with password=hunter2" } }
    const text = JSON.stringify(spansOf(called({ exitCode: 1 }, end)))
    assert.notInclude(text, "hunter2")
    assert.include(text, "cannot log in with password=")
  })
})

describe("taps", () => {
  it("are spans, and so is a plugin that stands between two of them, from one to the next", () => {
    const spans = spansOf(tapped("5c01f03d8d6d", "ADD", 0, ["before-bridge", "after-bridge"]))
    const { endTimeUnixNano, startTimeUnixNano } = named(spans, "bridge")
    assert.deepStrictEqual(spans.map(({ name }) => name), [
      "ADD eth0 on podman",
      "before-bridge",
      "bridge",
      "after-bridge"
    ])
    assert.deepStrictEqual([startTimeUnixNano, endTimeUnixNano], [nanoseconds(5), nanoseconds(25)])
  })

  it("show a plugin between them that failed, so that the runtime stopped", () => {
    const labels = ["before-bridge", "after-bridge"]
    const spans = spansOf([
      ...tapped("5c01f03d8d6d", "ADD", 0, labels.slice(0, 1)),
      ...tapped("5c01f03d8d6d", "DEL", 1000, labels.toReversed())
    ])
    const bridge = named(spans, "bridge")
    assert.deepStrictEqual(bridge.status, { code: 2, message: "failed, or the runtime stopped" })
    assert.deepInclude(attributesOf(bridge), { "cni.plugin": "bridge", "error.type": "_OTHER" })
    assert.strictEqual(bridge.endTimeUnixNano, bridge.startTimeUnixNano)
    const done = named(spansOf(tapped("5c01f03d8d6d", "ADD", 0, labels)), "bridge")
    assert.deepStrictEqual(done.status, { code: 0 })
    assert.notProperty(attributesOf(done), "error.type")
  })

  it("have their hooks as events", () => {
    const spans = spansOf(chained)
    assert.deepStrictEqual(named(spans, "before-portmap").events.map(({ name }) => name), ["hook"])
    assert.strictEqual(named(spans, "after-portmap").status.code, 2)
  })
})

describe("VERSION, which runtimes ask for all the time,", () => {
  const asked = (members: object) => called({}, members).map((record) => ({ ...record, command: "VERSION" }))

  it("has no spans where it went well", () => {
    assert.deepStrictEqual(spansOf(asked({ event: "result" })), [])
  })

  it("has spans where it failed", () => {
    assert.isNotEmpty(spansOf(asked({ event: "error", error: { code: 5, msg: "broken" } })))
  })
})
