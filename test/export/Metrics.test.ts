/** Operations as metrics, read by another library's parser. */
import { assert, describe, it } from "@effect/vitest"
import * as Export from "../../src/export/Export.ts"
import { Metrics, mostSets } from "../../src/export/Metrics.ts"
import { called, chained, common, wrapped } from "../operations/records.ts"
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

  it("have names of up to 64 characters, and are empty where there is no name", () => {
    const long = "x".repeat(64)
    const records = (network: string | undefined) =>
      called({}, { event: "result" }).map((each) => ({ ...each, network }))
    assert.include([...labelsOf(records(long)).values], long)
    const [{ labels } = {}] = metricsOf(records(undefined)).seriesOf("cni_operation_duration_seconds_count")
    assert.deepStrictEqual(labels, { command: "ADD", network: "" })
  })

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

describe("counters", () => {
  it("say what they count", () => {
    const text = Export.metrics(read(failingIpam()))
    assert.include(text, "# HELP cni_plugin_operations_total Calls of plugins, by how they ended\n")
    assert.include(text, "# TYPE cni_plugin_operations_total counter\n")
  })
})

describe("durations", () => {
  it("have these buckets", () => {
    const buckets = metricsOf(failingIpam()).seriesOf("cni_plugin_duration_seconds_bucket")
    const limits = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, "+Inf"]
    assert.deepStrictEqual([...new Set(buckets.map(({ labels }) => labels?.["le"]))], limits.map(String))
  })

  it("are those of the plugin, or else of the whole run", () => {
    const sum = (records: ReadonlyArray<object>) =>
      metricsOf(records).seriesOf("cni_plugin_duration_seconds_sum").map(({ value }) => Number(value))
    const records = called({}, { event: "result" })
    assert.deepStrictEqual(sum(records), [0.0125])
    assert.deepStrictEqual(sum([records[0]!, records[2]!]), [0.013])
  })

  it("of an operation without an end, or that ended before it began, are missing", () => {
    const durations = (records: ReadonlyArray<object>) =>
      metricsOf(records).seriesOf("cni_operation_duration_seconds_count").length
    const [request, ...others] = called({}, { event: "result" })
    assert.strictEqual(durations([request!, ...others]), 1)
    assert.strictEqual(durations([request!]), 0)
    assert.strictEqual(durations([{ ...request, time: common("", 60_000).time }, ...others]), 0)
  })
})

describe("the metrics of a host", () => {
  for (const name of ["cni_host_local_addresses", "cni_passthrough_wrapped_plugins"] as const) {
    it(`are ${name} too`, () => {
      const metrics = new Metrics()
      metrics.setHost(name, [{ name, labels: { network: "podman" }, value: 5 }])
      assert.deepStrictEqual(parse(metrics.text()).seriesOf(name), [{ labels: { network: "podman" }, value: "5" }])
    })
  }

  it("have at most 500 sets of labels, which stay those that they were", () => {
    const metrics = new Metrics()
    const values = Array.from({ length: 502 }, (_, index) => ({
      name: "cni_leftovers" as const,
      labels: { network: `n${index}` },
      value: 1
    }))
    metrics.setHost("cni_leftovers", [...values, { ...values[0]!, value: 2 }])
    const networks = parse(metrics.text()).seriesOf("cni_leftovers")
    assert.lengthOf(networks, 501)
    assert.deepInclude(networks, { labels: { network: "n0" }, value: "2" })
    assert.deepInclude(networks, { labels: { network: "n499" }, value: "1" })
    assert.deepInclude(networks, { labels: { network: "other" }, value: "1" })
    metrics.setHost("cni_leftovers", values.slice(501))
    assert.deepStrictEqual(parse(metrics.text()).seriesOf("cni_leftovers"), [{
      labels: { network: "n501" },
      value: "1"
    }])
  })

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
