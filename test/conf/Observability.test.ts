/** The collector's configuration and the dashboard in `conf/` fit what is exported. */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Yaml from "yaml"
import { wrap } from "../../src/cli/commands/Wrap.ts"
import * as Config from "../../src/cli/commands/wrap/Config.ts"
import * as Export from "../../src/export/Export.ts"
import * as JournalFormat from "../../src/record/JournalFormat.ts"
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import * as JournaldSink from "../../src/sinks/JournaldSink.ts"
import { read, section } from "../docs/markdown.ts"
import { failingIpam, read as recordsOf } from "../export/records.ts"
import * as Manifests from "../support/manifests.ts"
import { repository } from "../support/plugin.ts"
import * as Prometheus from "../support/prometheus.ts"

const fileOf = (name: string) => Fs.readFileSync(Path.join(repository, "conf", name), "utf8")

const page = "docs/observability.md"
const [record] = recordsOf(failingIpam())
assert.isDefined(record)

/** A time as Go's layouts write it. */
const goTime = (layout: string): RegExp => new RegExp(`^${layout.replaceAll(/\d/g, "\\d").replace(".", "\\.")}$`)

describe("conf/otel-collector.yaml", () => {
  const { exporters, receivers, service } = Yaml.parse(fileOf("otel-collector.yaml"), { strict: true })

  it("is in the page as it is", () => {
    assert.include(read(page), `\`\`\`yaml\n${fileOf("otel-collector.yaml")}\`\`\`\n`)
  })

  it("uses each of its receivers and exporters", () => {
    const pipelines: ReadonlyArray<{ readonly receivers: Array<string>; readonly exporters: Array<string> }> = Object
      .values(service.pipelines)
    assert.sameMembers(pipelines.flatMap((pipeline) => pipeline.receivers), Object.keys(receivers))
    assert.sameMembers([...new Set(pipelines.flatMap((pipeline) => pipeline.exporters))], Object.keys(exporters))
  })

  it("listens where the page sends spans, and asks where it gives metrics", () => {
    assert.include(read(page), `--otlp http://${receivers.otlp.protocols.http.endpoint}`)
    const [{ static_configs: [{ targets: [target] }] }] = receivers.prometheus.config.scrape_configs
    assert.include(read(page), `--prometheus :${target.split(":")[1]}`)
  })

  it("reads the log of wrapped plugins, with the times of the records", () => {
    const asked = { log: Option.none(), sink: Option.none(), changes: [], redact: [] }
    const { logFile } = JSON.parse(Config.text(asked))
    const { include: [pattern], operators: [{ timestamp }] } = receivers.filelog
    assert.isTrue(Path.matchesGlob(logFile, pattern))
    assert.match(JSON.parse(JsonFormat.render(record))[timestamp.parse_from.split(".")[1]], goTime(timestamp.layout))
  })

  it("reads records of the journal out of the field that has them", () => {
    const { identifier } = JournaldSink.kind.complete({})
    const fields = JournalFormat.render(record, { identifier, pid: 1 })
    const { matches: [match], operators: [operator] } = receivers.journald
    assert.include(fields, Object.entries(match).map((pair) => pair.join("=")).join())
    assert.include(fields, `${operator.parse_from.replace("body.", "")}=${JsonFormat.render(record).trim()}`)
  })
})

/** The metrics that the page lists, with their labels. */
const metrics = new Map(
  [...section(page, "## Metrics").matchAll(/^- `(cni_\w+)`:([^]*?)(?=\n- |\n\n)/gm)].map(([, name = "", text = ""]) => {
    const labels = text.slice(text.indexOf("Labels:")).replaceAll(/\([^)]*\)/g, "")
    return [name, [...labels.matchAll(/`(\w+)`/g)].map(([, label = ""]) => label)] as const
  })
)

describe("the metrics in docs/observability.md", () => {
  it("have the labels that are exported", () => {
    const { seriesOf } = Prometheus.parse(Export.metrics(recordsOf(failingIpam())))
    for (
      const [name, suffix] of [["plugin_operations_total", ""], ["plugin_duration_seconds", "_sum"], [
        "operation_duration_seconds",
        "_sum"
      ]]
    ) {
      const [series] = seriesOf(`cni_${name}${suffix}`)
      assert.sameMembers(Object.keys(series?.labels ?? {}), [...metrics.get(`cni_${name}`) ?? []])
    }
    assert.lengthOf([...metrics], 7)
  })
})

describe("conf/grafana-dashboard.json", () => {
  const dashboard = JSON.parse(fileOf("grafana-dashboard.json"))
  const panels: ReadonlyArray<{
    readonly id: number
    readonly title: string
    readonly targets: ReadonlyArray<{ readonly expr: string }>
  }> = dashboard.panels
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

  it("shows each metric, and no other", () => {
    const names = expressions.flatMap((text) => text.match(/\bcni_\w+/g) ?? []).map((name) =>
      name.replace(/_bucket$/, "")
    )
    assert.sameMembers([...new Set(names)], [...metrics.keys()])
  })

  it("uses labels that the metrics have, and variables that it has", () => {
    for (const text of expressions) {
      const [name = ""] = /\bcni_\w+/.exec(text) ?? []
      const known = [...metrics.get(name.replace(/_bucket$/, "")) ?? [], ...(name.endsWith("_bucket") ? ["le"] : [])]
      const grouped = /by \(([^)]*)\)/.exec(text)?.[1]?.split(", ") ?? []
      const matched = [...text.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label = ""]) => label)
      for (const label of [...grouped, ...matched]) assert.include(known, label, text)
    }
    const variables = dashboard.templating.list.map(({ name }: { readonly name: string }) => name)
    for (const [, name = ""] of fileOf("grafana-dashboard.json").matchAll(/\$\{?(\w+)\}?/g)) {
      if (!name.startsWith("__")) assert.include(variables, name)
    }
  })

  it("has panels that are told apart", () => {
    assert.strictEqual(new Set(panels.map(({ id }) => id)).size, panels.length)
    assert.strictEqual(new Set(panels.map(({ title }) => title)).size, panels.length)
  })
})

describe("conf/kubernetes/daemonset.yaml", () => {
  it("has both flags as comments, which wrap knows", () => {
    const text = fileOf("kubernetes/daemonset.yaml").replaceAll(/^( *)# (- --(?:otlp|prometheus)=)/gm, "$1$2")
    const { args } = Yaml.parse(text).spec.template.spec.containers[0]
    const added = args.filter((arg: string) => !Manifests.pod().container.args.includes(arg))
    assert.deepStrictEqual(added, ["--otlp=http://127.0.0.1:4318", "--prometheus=:9808"])
    assert.include(args, "--follow")
    assert.strictEqual(wrap.name, args[0])
  })
})
