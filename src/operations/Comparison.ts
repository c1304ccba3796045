/** Compares two operations: for instance, of the same network on two hosts, of which only one works. */
import * as Json from "../json/Json.ts"
import * as AttachmentIdentity from "./AttachmentIdentity.ts"
import { type ComparisonSide, lines, type Named, ofBoth, side } from "./ComparisonSide.ts"
import * as JsonDiff from "./JsonDiff.ts"
import * as Operation from "./Operation.ts"
import * as ResultDiff from "./ResultDiff.ts"
import type * as StateChanges from "./StateChanges.ts"
import type * as ViewStep from "./ViewStep.ts"

/** What can differ, in the order in which it is shown. */
export const sections = ["configuration", "plugins", "results", "changes", "times"] as const

/** The differences: `removed` is only in the first operation, `added` only in the second. */
export type Comparison = { readonly [section in (typeof sections)[number]]: ReadonlyArray<ResultDiff.Change> } & {
  /** Explanations of the differences, and what could not be compared. */
  readonly notes: ReadonlyArray<string>
}

/** A difference in time is shown if one is at least this many times the other, and this many milliseconds longer. */
const slow = { factor: 2, milliseconds: 20 }

const configuration = (left: ComparisonSide, right: ComparisonSide): ReadonlyArray<ResultDiff.Change> => {
  const [ours, theirs] = [left.operation.request, right.operation.request]
  const path = JsonDiff.between(ours.path, theirs.path, "CNI_PATH")
  const parsed = ({ config }: ViewStep.Step, { alike }: ComparisonSide): unknown => {
    // The configuration is as the sender wrote it, so it may be nested to any depth.
    const document = config === undefined ? undefined : Json.parse(alike(config))
    if (!Json.isObject(document)) return undefined
    const { prevResult: _, ...members } = document
    return members
  }
  const told = new Set<string>()
  return [
    ...path,
    ...ofBoth(
      left,
      right,
      (run, other) =>
        JsonDiff.between(parsed(run.step, left), parsed(other.step, right)).flatMap((change) => {
          // A nested plugin mostly gets the configuration of its starter, whose differences are already listed.
          if (run.isNested && told.has(change.what)) return []
          told.add(change.what)
          return [{ ...change, what: `${run.name}: ${change.what}` }]
        })
    )
  ]
}

const outcome = ({ failure, plugin, state }: ViewStep.Step): string => {
  if (state !== "failed") return state
  return `failed: ${failure[0] ?? plugin?.ending ?? ""}`
}

const plugins = (left: ComparisonSide, right: ComparisonSide): ReadonlyArray<ResultDiff.Change> => {
  const names = ({ runs }: ComparisonSide, others: ComparisonSide) =>
    [...runs.keys()].filter((name) => others.runs.has(name))
  const [order, otherOrder] = [names(left, right).join(", "), names(right, left).join(", ")]
  return [
    ...lines([...left.runs.keys()], [...right.runs.keys()]),
    ...(order === otherOrder ? [] : [{ kind: "changed", what: `order: ${order} → ${otherOrder}` } as const]),
    ...ofBoth(left, right, ({ name, step }, other) => {
      const [was, is] = [outcome(step), outcome(other.step)]
      return left.alike(was) === right.alike(is) ? [] : [{ kind: "changed", what: `${name}: ${was} → ${is}` }]
    })
  ]
}

const results = (left: ComparisonSide, right: ComparisonSide): ReadonlyArray<ResultDiff.Change> => {
  const result = ({ alike, operation: { steps } }: ComparisonSide): unknown => {
    const last = steps.at(-1)
    const text = last === undefined || Operation.hasEndedBadly(last) ? undefined : last.result ?? last.before
    return text === undefined ? undefined : Json.parse(alike(text))
  }
  const [was, is] = [result(left), result(right)]
  if (was !== undefined && is === undefined) return [{ kind: "removed", what: "a result" }]
  if (was === undefined && is !== undefined) return [{ kind: "added", what: "a result" }]
  return ResultDiff.between(was, is)
}

/** Whether just one of two runs failed: it changed less, or undid its changes. */
const isHalf = (run: Named, other: Named): boolean => (run.step.state === "done") !== (other.step.state === "done")

const verbs = { added: "added", removed: "removed", changed: "changed" }

/** The first attachment creates what all share, so a host that already had one differs from a host that had none. */
const shared = " (shared)"

const changes = (left: ComparisonSide, right: ComparisonSide): ReadonlyArray<ResultDiff.Change> =>
  ofBoth(left, right, (run, other) => {
    const { name, step } = run
    if (step.stateChanges === undefined || other.step.stateChanges === undefined || isHalf(run, other)) return []
    const words = (list: ReadonlyArray<StateChanges.StateChange>, { alike }: ComparisonSide) =>
      list.filter(({ whose }) => whose !== "others").map(({ kind, what, whose }) =>
        `${name} ${verbs[kind]} ${alike(what)}${whose === "shared" ? shared : ""}`
      )
    return lines(words(step.stateChanges, left), words(other.step.stateChanges, right))
  })

const sharedNote = "(shared): all attachments have it, and the first one on a host makes it"

/** The runs whose changes are not compared. */
const notCompared = (left: ComparisonSide, right: ComparisonSide): ReadonlyArray<string> =>
  [...left.runs.values()].flatMap((run) => {
    const other = right.runs.get(run.name)
    const [one, two] = [run.step.stateChanges, other?.step.stateChanges]
    if (other === undefined || (one === undefined && two === undefined)) return []
    const why = one === undefined
      ? "cannot be compared, as it is not logged for the first operation"
      : two === undefined
      ? "cannot be compared, as it is not logged for the second operation"
      : isHalf(run, other)
      ? `cannot be compared, as it failed in the ${run.step.state === "done" ? "second" : "first"} operation`
      : undefined
    return why === undefined ? [] : [`what ${run.name} changed ${why}`]
  })

const milliseconds = (value: number): string => `${Math.round(value * 10) / 10} ms`

const times = (left: ComparisonSide, right: ComparisonSide): ReadonlyArray<ResultDiff.Change> =>
  ofBoth(left, right, ({ name, step }, other) => {
    const [was = Number.NaN, is = Number.NaN] = [step.durationMs, other.step.durationMs]
    const [less, more] = [Math.min(was, is), Math.max(was, is)]
    return more >= slow.factor * less && more - less >= slow.milliseconds
      ? [{ kind: "changed", what: `${name}: ${milliseconds(was)} → ${milliseconds(is)}` }]
      : []
  })

/** Compares two operations. Both must have been read with their configurations. */
export const make = (first: Operation.Operation, second: Operation.Operation): Comparison => {
  const [own, other] = [AttachmentIdentity.of(first.steps), AttachmentIdentity.of(second.steps)]
  const left = side(first, own, other)
  const right = side(second, other, own)
  const changed = changes(left, right)
  return {
    configuration: configuration(left, right),
    plugins: plugins(left, right),
    results: results(left, right),
    changes: changed,
    times: times(left, right),
    notes: [
      ...(changed.some(({ what }) => what.endsWith(shared)) ? [sharedNote] : []),
      ...notCompared(left, right)
    ]
  }
}

/** Whether the two operations differ. */
export const isDifferent = (comparison: Comparison): boolean =>
  sections.some((section) => comparison[section].length > 0)
