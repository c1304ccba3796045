/**
 * Operations as metrics of Prometheus. What they are counted by is bounded, whatever a log says: names that no plugin
 * and no network can have count as `other`, and so do names beyond a limit.
 */
import * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Environment from "../cni/Environment.ts"
import { isVerb } from "../cni/Verb.ts"
import * as Operation from "../operations/Operation.ts"

/** The upper limits of the buckets of durations, in seconds. */
const boundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** The metrics of operations. */
const operations = Metric.counter("cni_plugin_operations_total", {
  description: "Calls of plugins, by how they ended"
})
const pluginDuration = Metric.histogram("cni_plugin_duration_seconds", {
  description: "How long calls of plugins took",
  boundaries
})
const operationDuration = Metric.histogram("cni_operation_duration_seconds", {
  description: "How long operations on attachments took, from their first plugin to their last",
  boundaries
})

const removed = Metric.counter("cni_leftovers_removed_total", {
  description: "What leaks removed of containers that are gone"
})

/** The metrics of a host. */
const hostMetrics = {
  cni_host_local_addresses: Metric.gauge("cni_host_local_addresses", {
    description: "Addresses of host-local's ranges; those that containers left behind are stale"
  }),
  cni_leftovers: Metric.gauge("cni_leftovers", {
    description: "What containers that are gone have left behind"
  }),
  cni_passthrough_wrapped_plugins: Metric.gauge("cni_passthrough_wrapped_plugins", {
    description: "Plugins that cni-passthrough wraps"
  })
} as const

/** One value of a metric of the host. */
export interface HostValue {
  readonly name: keyof typeof hostMetrics
  readonly labels: { readonly [name: string]: string }
  readonly value: number
}

/** The value of a label that is counted together with others. */
export const other = "other"

/** How many sets of labels a metric has, besides the one of all others. */
export const mostSets = 500

/** The longest name that is a label. */
const longestName = 64

type Labels = { readonly [name: string]: string }

/** The name of a plugin or of a network. Anything else, such as the text of an error, is not a label. */
const nameOf = (name: string | undefined): string =>
  name === undefined || name === ""
    ? ""
    : name.length <= longestName && Environment.identifier.test(name)
    ? name
    : other

const commandOf = ({ command = "" }: Operation.Request): string => isVerb(command) ? command : other

const outcomeOf = (step: Operation.Step): string => {
  if (step.end === undefined || (step.plugin?.signal ?? null) !== null) return "killed"
  return Operation.hasEndedBadly(step) ? "failed" : "ok"
}

/** Collects metrics. */
export class Metrics {
  private readonly series: Metric.MetricRegistry = new Map()
  private readonly context = Context.make(Metric.MetricRegistry, this.series)
  /** The sets of labels that each metric has. */
  private readonly known = new Map<string, Set<string>>()

  /** The labels, or those of all others if the metric has too many already. */
  private bounded(metric: string, free: Labels, fixed: Labels): Labels {
    const labels = { ...free, ...fixed }
    const sets = this.known.get(metric) ?? new Set()
    this.known.set(metric, sets)
    const key = JSON.stringify(labels)
    if (sets.has(key)) return labels
    if (sets.size < mostSets) {
      sets.add(key)
      return labels
    }
    return { ...Object.fromEntries(Object.keys(free).map((name) => [name, other])), ...fixed }
  }

  private update<Input, State>(
    metric: Metric.Metric<Input, State>,
    input: Input,
    free: Labels,
    fixed: Labels
  ): void {
    Metric.withAttributes(metric, this.bounded(metric.id, free, fixed)).updateUnsafe(input, this.context)
  }

  private addStep(step: Operation.Step, parent: string): void {
    const plugin = nameOf(Operation.typeOf(step))
    const command = commandOf(step.request)
    const network = nameOf(step.request.network)
    this.update(operations, 1, { plugin, parent, network }, { command, outcome: outcomeOf(step) })
    const durationMs = step.plugin?.durationMs ?? step.end?.durationMs
    if (durationMs !== undefined) this.update(pluginDuration, durationMs / 1000, { plugin, parent }, { command })
    for (const inner of step.nested) this.addStep(inner, plugin)
  }

  /** Counts an operation. A removal of leftovers is not a call of a plugin. */
  add({ request, steps, time }: Operation.Operation): void {
    const removals = steps.flatMap((step) => step.removed)
    for (const { kind } of removals) {
      this.update(removed, 1, { network: nameOf(request.network), kind: nameOf(kind) }, {})
    }
    if (removals.length > 0) return
    for (const step of steps) this.addStep(step, "")
    const durationMs = (steps.at(-1)?.end?.time ?? Number.NaN) - Date.parse(time)
    if (durationMs >= 0) {
      const command = commandOf(request)
      this.update(operationDuration, durationMs / 1000, { network: nameOf(request.network) }, { command })
    }
  }

  /** Replaces the values of a metric of the host. */
  setHost(name: HostValue["name"], values: ReadonlyArray<HostValue>): void {
    for (const [key, { id }] of this.series) if (id === name) this.series.delete(key)
    this.known.delete(name)
    for (const { labels, value } of values) this.update(hostMetrics[name], value, labels, {})
  }

  /** All metrics in the text format of Prometheus. */
  text(): string {
    return PrometheusMetrics.formatUnsafe(this.context)
  }
}
