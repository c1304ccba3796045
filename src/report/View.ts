/** An operation as a person sees it: plain data, without colour and width. */
import * as Json from "../json/Json.ts"
import * as Summary from "../record/Summary.ts"
import type { Excerpt } from "./Excerpt.ts"
import * as Operation from "./Operation.ts"
import * as ResultDiff from "./ResultDiff.ts"

/** How a run ended: well, badly, or nobody knows. */
export type State = "done" | "failed" | "unfinished"

/** A hook command that ran. */
export interface Hook {
  readonly command: string
  /** How it failed: `exit status 1`, `SIGKILL`; undefined where it succeeded. */
  readonly failure: string | undefined
  /** In milliseconds. */
  readonly durationMs: number
  readonly stdout: Excerpt
  readonly stderr: Excerpt
}

/** The program that a plugin is, as it ran. */
export interface Plugin {
  /** `exit status 0`, `SIGKILL`, `out of time`. */
  readonly ending: string
  /** What it wrote to stdout where that is not its answer. */
  readonly stdout: Excerpt
  readonly stderr: Excerpt
  readonly truncated: boolean
}

/** One run of one plugin. */
export interface Step {
  readonly title: string
  readonly state: State
  /** In milliseconds. */
  readonly durationMs: number | undefined
  /** What changed between the step before it and this one, by plugins that left no records. */
  readonly changesBefore: ReadonlyArray<ResultDiff.Change>
  /** What it did to the result. */
  readonly changes: ReadonlyArray<ResultDiff.Change>
  readonly hooks: ReadonlyArray<Hook>
  readonly plugin: Plugin | undefined
  /** Why it failed: `code 11: no addresses`; the details after it, if there are any. */
  readonly failure: ReadonlyArray<string>
  readonly args: string | undefined
  readonly path: string | undefined
  /** JSON text. */
  readonly config: string | undefined
  /** JSON text. */
  readonly result: string | undefined
}

/** One operation on an attachment. */
export interface View {
  readonly command: string | undefined
  readonly ifname: string | undefined
  readonly containerId: string | undefined
  readonly network: string | undefined
  readonly netns: string | undefined
  /** When it began: RFC 3339, as in the record. */
  readonly time: string
  readonly hasFailed: boolean
  /** From its beginning to its end, in milliseconds; undefined where the end is not known. */
  readonly durationMs: number | undefined
  readonly steps: ReadonlyArray<Step>
}

const changes = (before: string | undefined, after: string | undefined): ReadonlyArray<ResultDiff.Change> =>
  before === after
    ? []
    : ResultDiff.between(
      before === undefined ? undefined : Json.parse(before),
      after === undefined ? undefined : Json.parse(after)
    )

const hookOf = (hook: Operation.Program): Hook => ({
  command: hook.name,
  failure: hook.exitCode === 0 ? undefined : Summary.ending(hook),
  durationMs: hook.durationMs,
  stdout: hook.stdout,
  stderr: hook.stderr
})

const pluginOf = (plugin: Operation.Program): Plugin => ({
  ending: Summary.ending(plugin),
  stdout: plugin.stdout,
  stderr: plugin.stderr,
  truncated: plugin.truncated
})

const failureOf = ({ end }: Operation.Step): ReadonlyArray<string> => {
  if (end?.error === undefined) return []
  const { details } = end.error
  return [Summary.failure(end.error), ...(details === undefined || details === "" ? [] : [details])]
}

/** The result that was there after a run. */
const afterOf = ({ before, result }: Operation.Step): string | undefined => result ?? before

/**
 * What changed between one run and the next. Before the first run of an ADD all was done in the same operation; other
 * operations begin with the result of an ADD.
 */
const changesBefore = (
  step: Operation.Step,
  previous: Operation.Step | undefined
): ReadonlyArray<ResultDiff.Change> => {
  if (previous !== undefined) return changes(afterOf(previous), step.before ?? afterOf(previous))
  return step.request.command === "ADD" ? changes(undefined, step.before) : []
}

/** One run, after the one before it. */
const stepOf = (step: Operation.Step, previous: Operation.Step | undefined): Step => ({
  title: step.title,
  state: step.end === undefined ? "unfinished" : step.end.error === undefined ? "done" : "failed",
  durationMs: step.plugin?.durationMs ?? step.end?.durationMs,
  changesBefore: changesBefore(step, previous),
  changes: changes(step.before, afterOf(step)),
  hooks: step.hooks.map(hookOf),
  plugin: step.plugin === undefined ? undefined : pluginOf(step.plugin),
  failure: failureOf(step),
  args: step.request.args,
  path: step.request.path,
  config: step.config,
  result: step.result
})

const durationOf = ({ steps, time }: Operation.Operation): number | undefined => {
  const end = steps.at(-1)?.end
  const duration = end === undefined ? Number.NaN : end.time - Date.parse(time)
  return Number.isNaN(duration) ? undefined : duration
}

/** What a person sees of an operation. */
export const make = (operation: Operation.Operation): View => {
  const { command, containerId, ifname, netns, network } = operation.request
  return {
    command,
    ifname,
    containerId,
    network,
    netns,
    time: operation.time,
    hasFailed: Operation.hasFailed(operation),
    durationMs: durationOf(operation),
    steps: operation.steps.map((step, index) => stepOf(step, operation.steps[index - 1]))
  }
}
