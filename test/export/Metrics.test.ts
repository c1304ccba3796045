/** Operations as metrics, read by another library's parser. */
import { assert, describe, it } from "@effect/vitest"
import * as Export from "../../src/export/Export.ts"
import { Metrics, mostSets } from "../../src/export/Metrics.ts"
import { called, chained, wrapped } from "../operations/records.ts"
import { parse } from "../support/prometheus.ts"
import { failingIpam, read } from "./records.ts"

const metricsOf = (records: ReadonlyArray<object>) => parse(Export.metrics(read(records)))

describe("the metrics of operations", () => {
  const { seriesOf, typeOf, value } = metricsOf(failingIpam())

  it("count calls of plugins by plugin, its starter, operation, network and outcome", () => {
    const labels = { command: "ADD", network: "podman", outcome: "failed" }
    const counter = "cni_plugin_operations_total"
    assert.strictEqual(typeOf(counter), "COUNTER")
    assert.strictEqual(value(counter, { ...labels, plugin: "multus", parent: "" }), 1)
    assert.strictEqual(value(counter, { ...labels, plugin: "bridge", parent: "multus" }), 1)
    assert.strictEqual(value(counter, { ...labels, plugin: "host-local", parent: "bridge" }), 1)
    assert.lengthOf(seriesOf(counter), 3)
  })

  it("have how long plugins took, from 1 ms to 60 s", () => {
    const histogram = "cni_plugin_duration_seconds"
    const labels = { plugin: "bridge", parent: "multus", command: "ADD" }
    assert.strictEqual(typeOf(histogram), "HISTOGRAM")
    const bucket = (le: string) => value(`${histogram}_bucket`, { ...labels, le })
    assert.deepStrictEqual(["0.001", "0.05", "0.1", "60", "+Inf"].map(bucket), [0, 0, 1, 1, 1])
    assert.deepStrictEqual([value(`${histogram}_sum`, labels), value(`${histogram}_count`, labels)], [0.08, 1])
  })

  it("have how long operations took", () => {
    const histogram = "cni_operation_duration_seconds"
    const labels = { command: "ADD", network: "podman" }
    assert.strictEqual(typeOf(histogram), "HISTOGRAM")
    assert.deepStrictEqual([value(`${histogram}_sum`, labels), value(`${histogram}_count`, labels)], [0.1, 1])
  })

  it("tell plugins that succeeded, and that were killed, from those that failed", () => {
    const outcomeOf = (records: ReadonlyArray<object>) =>
      metricsOf(records).seriesOf("cni_plugin_operations_total").map(({ labels }) => labels?.["outcome"])
    const end = { event: "error", error: { msg: "was killed by SIGKILL" } }
    assert.deepStrictEqual(outcomeOf(called({}, { event: "result" })), ["ok"])
    assert.deepStrictEqual(outcomeOf(called({ exitCode: null, signal: "SIGKILL" }, end)), ["killed"])
    assert.deepStrictEqual(outcomeOf(called({}, { event: "result" }).slice(0, 1)), ["killed"])
  })

  it("count all taps as one plugin", () => {
    const plugins = metricsOf(chained).seriesOf("cni_plugin_operations_total").map(({ labels }) => labels?.["plugin"])
    assert.deepStrictEqual([...new Set(plugins)], ["passthrough"])
  })
})

describe("labels", () => {
  /** The names and values of all labels of metrics of operations. */
  const labelsOf = (records: ReadonlyArray<object>) => {
    const { families } = metricsOf(records)
    const all = families.flatMap(({ metrics }) => metrics.flatMap(({ labels = {} }) => Object.entries(labels)))
    return {
      names: new Set(all.map(([name]) => name).filter((name) => name !== "le")),
      values: new Set(all.filter(([name]) => name !== "le").map(([, value]) => value))
    }
  }

  it("are these, and none is a container, a pod or the text of an error", () => {
    const { names, values } = labelsOf(failingIpam())
    assert.sameMembers([...names], ["plugin", "parent", "command", "network", "outcome"])
    assert.sameMembers([...values], ["", "ADD", "podman", "failed", "multus", "bridge", "host-local"])
  })

  const hostile: { readonly [what: string]: string } = {
    "the text of an error": "failed to allocate for range 0: no addresses",
    "lines": "pods\ncni_leftovers 1",
    "quotes": "pods\"} 1",
    "a path": "../../etc",
    "no text": "\ud800",
    "very long": "x".repeat(65)
  }
  for (const [what, text] of Object.entries(hostile)) {
    it(`that a log fills with what is no name count as other: ${what}`, () => {
      const records = called({ type: text }, { event: "result" })
        .map((record) => ({ ...record, network: text, command: text }))
      assert.sameMembers([...labelsOf(records).values], ["", "ok", "other"])
    })
  }

  it("are no more than a limit, however many networks and plugins a log names", () => {
    const records = Array.from(
      { length: 2 * mostSets },
      (_, index) =>
        wrapped((index + 1).toString(16).padStart(16, "0"), {
          type: `plugin-${index}`,
          start: index,
          took: 1,
          members: { network: `network-${index}`, containerId: `container-${index}` }
        })
    ).flat()
    const { families, value } = metricsOf(records)
    for (const { metrics, name } of families) {
      const buckets = name.endsWith("_bucket") ? 16 : 1
      assert.isAtMost(metrics.length, (mostSets + 1) * buckets, name)
    }
    const others = { plugin: "other", parent: "other", network: "other", command: "ADD", outcome: "ok" }
    assert.strictEqual(value("cni_plugin_operations_total", others), mostSets)
  })
})

describe("the metrics of a host", () => {
  it("are replaced by what is there now", () => {
    const metrics = new Metrics()
    const leftover = (kind: string, value: number) =>
      ({ name: "cni_leftovers", labels: { network: "podman", kind }, value }) as const
    metrics.setHost("cni_leftovers", [leftover("rule", 2), leftover("link", 1)])
    metrics.setHost("cni_leftovers", [leftover("link", 3)])
    const { seriesOf, typeOf } = parse(metrics.text())
    assert.strictEqual(typeOf("cni_leftovers"), "GAUGE")
    assert.deepStrictEqual(seriesOf("cni_leftovers"), [{ labels: { network: "podman", kind: "link" }, value: "3" }])
  })
})
