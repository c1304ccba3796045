/** An operation as shown to a person: plain data, independent of colour and width. */
import * as Json from "../json/Json.ts"
import * as Summary from "../record/Summary.ts"
import * as AttachmentIdentity from "./AttachmentIdentity.ts"
import * as Operation from "./Operation.ts"
import * as OutputDiff from "./OutputDiff.ts"
import * as Pod from "./Pod.ts"
import * as ResultDiff from "./ResultDiff.ts"
import * as RootCause from "./RootCause.ts"
import * as StateChanges from "./StateChanges.ts"
import * as TapInference from "./TapInference.ts"
import type { Hook, Plugin, State, Step } from "./ViewStep.ts"

/** One operation on an attachment. */
export interface View {
  readonly command: string | undefined
  readonly ifname: string | undefined
  readonly containerId: string | undefined
  /** The pod that it is for, if a Kubernetes runtime asked for it: `shop/web`. */
  readonly pod: string | undefined
  readonly network: string | undefined
  readonly netns: string | undefined
  /** When it began: RFC 3339, as in the record. */
  readonly time: string
  readonly hasFailed: boolean
  /** What failed, in one line: `host-local in bridge: code 11: no addresses`. */
  readonly failure: string | undefined
  /** From beginning to end, in milliseconds; undefined if the end is not known. */
  readonly durationMs: number | undefined
  /** How long our own inspections took, which is not time of the plugins; undefined if there were none. */
  readonly lookingMs: number | undefined
  readonly steps: ReadonlyArray<Step>
  /** What a DEL left of what its ADD made. */
  readonly leftovers: ReadonlyArray<string>
}

const changes = (before: string | undefined, after: string | undefined): ReadonlyArray<ResultDiff.Change> =>
  before === after
    ? []
    : ResultDiff.between(
      before === undefined ? undefined : Json.parse(before),
      after === undefined ? undefined : Json.parse(after)
    )

/** The output of each command at the previous step. */
type Outputs = Map<string, Operation.Program>

/** How an output differs from an earlier one of the same command. */
const differenceOf = (hook: Operation.Program, earlier: Operation.Program | undefined): Hook["difference"] =>
  hook.whole === undefined || earlier?.whole === undefined ? undefined : OutputDiff.between(earlier.whole, hook.whole)

/** The hooks of a step. If a command occurs several times, each is compared with the earlier one of the same number. */
const hooksOf = (hooks: ReadonlyArray<Operation.Program>, outputs: Outputs): ReadonlyArray<Hook> => {
  const counts = new Map<string, number>()
  return hooks.map((hook) => {
    const count = counts.get(hook.name) ?? 0
    counts.set(hook.name, count + 1)
    const key = `${count} ${hook.name}`
    const difference = differenceOf(hook, outputs.get(key))
    outputs.set(key, hook)
    return {
      command: hook.name,
      failure: Operation.hasProgramFailed(hook) ? Summary.ending(hook) : undefined,
      durationMs: hook.durationMs,
      stdout: hook.stdout,
      stderr: hook.stderr,
      difference
    }
  })
}

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

/** The result that holds after a run. */
const afterOf = ({ before, result }: Operation.Step): string | undefined => result ?? before

/**
 * What changed between one run and the next. Everything before the first run of an ADD happened in the same operation;
 * other operations begin with the result of an ADD.
 */
const changesBetween = (
  step: Operation.Step,
  previous: Operation.Step | undefined
): ReadonlyArray<ResultDiff.Change> => {
  if (previous !== undefined) return changes(afterOf(previous), step.before ?? afterOf(previous))
  return step.request.command === "ADD" ? changes(undefined, step.before) : []
}

/** The time between the end of one run and the beginning of the next, in milliseconds. */
const timeBetween = (step: Operation.Step, previous: Operation.Step | undefined): number | undefined => {
  const time = Date.parse(step.time) - (previous?.end?.time ?? Number.NaN)
  return time >= 0 ? time : undefined
}

/** A plugin without records. */
const unlogged = (title: string, state: State, members: Partial<Step> = {}): Step => ({
  invocation: undefined,
  title,
  kind: "between",
  command: undefined,
  ifname: undefined,
  network: undefined,
  parent: undefined,
  state,
  isQuiet: false,
  durationMs: undefined,
  changesBefore: [],
  changes: [],
  stateChanges: undefined,
  notes: [],
  hooks: [],
  plugin: undefined,
  code: undefined,
  failure: [],
  args: undefined,
  path: undefined,
  config: undefined,
  result: undefined,
  nested: [],
  ...members
})

const stateOf = (step: Operation.Step): State =>
  step.end === undefined ? "unfinished" : Operation.hasEndedBadly(step) ? "failed" : "done"

/** IPAM plugins get the configuration of their starter, and answer with a separate result. */
const resultChanges = (step: Operation.Step, isNested: boolean): ReadonlyArray<ResultDiff.Change> =>
  isNested && step.result !== undefined ? changes(undefined, step.result) : changes(step.before, afterOf(step))

/** What `leaks` removed, as a change. */
const removedBy = ({ removed }: Operation.Step): ReadonlyArray<ResultDiff.Change> =>
  removed.map(({ kind, reason, text }) => ({ kind: "removed", what: `${kind} ${text} (${reason})` }))

/** Whether this is a VERSION request inside another operation: runtimes and plugins send these all the time. */
const isSmallTalk = (step: Operation.Step, around: Operation.Request): boolean =>
  step.request.command === "VERSION" && around.command !== "VERSION" && !Operation.hasStepFailed(step)

/** What is known of an operation while its steps are built. */
interface Known {
  readonly outputs: Outputs
  /** The identity of its attachment, computed on demand, since it is slow. */
  readonly marks: () => AttachmentIdentity.AttachmentIdentity
  /** What could not be inspected. It is mostly the same for each plugin, and shown once. */
  readonly notes: Set<string>
}

const stateChangesOf = (step: Operation.Step, known: Known): Pick<Step, "stateChanges" | "notes"> => {
  if (step.changes === undefined) return { stateChanges: undefined, notes: [] }
  const inside = [...StateChanges.foundIn(step.nested)]
  const found = StateChanges.own(JSON.parse(step.changes), inside)
  const notes = (found.notes ?? []).filter((note) => !known.notes.has(note))
  for (const note of notes) known.notes.add(note)
  return { stateChanges: StateChanges.describe(found, known.marks()), notes }
}

/** One run, inside a run or an operation that has this request. */
const stepOf = (step: Operation.Step, around: Operation.Request, known: Known, isNested: boolean): Step => {
  const { command, ifname, network } = step.request
  // The runs that it started came before its hooks.
  const nested = step.nested.filter((inner) => !isSmallTalk(inner, step.request))
    .map((inner) => stepOf(inner, step.request, known, true))
  return unlogged(step.title, stateOf(step), {
    invocation: step.invocation,
    kind: step.isTap ? "tap" : "plugin",
    command: command === around.command ? undefined : command,
    ifname: ifname === around.ifname ? undefined : ifname,
    network: network === around.network ? undefined : network,
    // A command that tries a chain, such as `run`, is also a parent of its plugins. It is not a plugin and logs nothing
    // there.
    parent: isNested || step.hasOwnConfig ? undefined : step.parent,
    durationMs: step.plugin?.durationMs ?? step.end?.durationMs,
    changes: [...resultChanges(step, isNested), ...removedBy(step)],
    ...stateChangesOf(step, known),
    hooks: hooksOf(step.hooks, known.outputs),
    plugin: step.plugin === undefined ? undefined : pluginOf(step.plugin),
    code: step.end?.error?.code,
    failure: failureOf(step),
    args: step.request.args,
    path: step.request.path,
    config: step.config,
    result: step.result,
    nested
  })
}

/** Whether a tap shows nothing that the plugins beside it do not. */
const isQuiet = (
  step: Step,
  { isTap, request, title }: Operation.Step,
  beside: ReadonlyArray<Operation.Step | undefined>
): boolean =>
  isTap && step.state === "done" && step.changes.length === 0 && step.hooks.length === 0 &&
  step.nested.length === 0 && step.stateChanges === undefined &&
  ((TapInference.isTold(request.command) && TapInference.isNamed({ isTap, title })) ||
    beside.some((one) => one?.isTap === false))

/**
 * The steps of an operation: one group for each run, which is what comes before the run and the run itself, and a last
 * group for what comes after all runs.
 */
export const parts = (operation: Operation.Operation): ReadonlyArray<ReadonlyArray<Step>> => {
  const { addStoppedIn, request, steps, stoppedIn } = operation
  let marks: AttachmentIdentity.AttachmentIdentity | undefined
  const known: Known = { outputs: new Map(), marks: () => marks ??= AttachmentIdentity.of(steps), notes: new Set() }
  const between = (left: Operation.Step | undefined, right: Operation.Step | undefined) =>
    TapInference.isTold(request.command) ? TapInference.plugin(request.command, left, right) : undefined
  const runs = steps.map((step, index) => {
    const previous = steps[index - 1]
    const shown = stepOf(step, request, known, false)
    const name = between(previous, step)
    const changed = changesBetween(step, previous)
    const quiet = isQuiet(shown, step, [previous, steps[index + 1]])
    return [
      ...(index === 0 && addStoppedIn !== undefined ? [unlogged(addStoppedIn, "stopped", { command: "ADD" })] : []),
      ...(name === undefined
        ? [{ ...shown, changesBefore: changed, isQuiet: quiet && changed.length === 0 }]
        : [
          unlogged(name, "done", { durationMs: timeBetween(step, previous), changes: changed }),
          { ...shown, isQuiet: quiet }
        ])
    ]
  })
  const last = steps.at(-1)
  const next = last === undefined || Operation.hasEndedBadly(last) ? undefined : between(last, undefined)
  return [
    ...runs,
    stoppedIn !== undefined
      ? [unlogged(stoppedIn, "stopped")]
      : next !== undefined
      ? [unlogged(next, "unseen")]
      : []
  ]
}

const durationOf = ({ steps, time }: Operation.Operation): number | undefined => {
  const end = steps.at(-1)?.end
  const duration = end === undefined ? Number.NaN : end.time - Date.parse(time)
  return Number.isNaN(duration) ? undefined : duration
}

/** Makes the view of an operation. */
export const make = (operation: Operation.Operation): View => {
  const { args = "", command, containerId, ifname, netns, network } = operation.request
  const steps = parts(operation).flat()
  const hasFailed = Operation.hasFailed(operation)
  return {
    command,
    ifname,
    containerId,
    pod: Pod.of(args),
    network,
    netns,
    time: operation.time,
    hasFailed,
    failure: hasFailed ? RootCause.words(steps) : undefined,
    durationMs: durationOf(operation),
    lookingMs: StateChanges.lookingMs(Operation.runsOf(operation.steps)),
    steps,
    leftovers: operation.leftovers()
  }
}
