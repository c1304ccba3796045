/** Two operations compared: of the same network on two hosts, for instance, of which one works. */
import * as Json from "../json/Json.ts"
import * as Alike from "./Alike.ts"
import * as JsonDiff from "./JsonDiff.ts"
import * as Marks from "./Marks.ts"
import type * as Operation from "./Operation.ts"
import * as ResultDiff from "./ResultDiff.ts"
import type * as StateChanges from "./StateChanges.ts"
import * as View from "./View.ts"

/** What can be different, in the order in which it is told. */
export const sections = ["configuration", "plugins", "results", "changes", "times"] as const

/** What is different: `removed` is only in the first operation, `added` only in the second. */
export type Comparison = { readonly [section in (typeof sections)[number]]: ReadonlyArray<ResultDiff.Change> } & {
  /** What there is to know about the differences, and what could not be compared. */
  readonly notes: ReadonlyArray<string>
}

/** Times are told where one is at least so many times the other, and so many milliseconds longer. */
const slow = { factor: 2, milliseconds: 20 }

/** A run with its name in the operation: `bridge`, `bridge › host-local`, and `tuning (2)` for the second one. */
interface Named {
  readonly name: string
  readonly step: View.Step
  readonly isNested: boolean
}

const named = (steps: ReadonlyArray<View.Step>, around = ""): ReadonlyArray<Named> => {
  const counts = new Map<string, number>()
  return steps.flatMap((step) => {
    const words = [step.title, step.command].filter(Boolean).join(" ")
    const count = (counts.get(words) ?? 0) + 1
    counts.set(words, count)
    const name = `${around}${words}${count === 1 ? "" : ` (${count})`}`
    return [{ name, step, isNested: around !== "" }, ...named(step.nested, `${name} › `)]
  })
}

/** One of the two operations. */
interface Side {
  readonly operation: Operation.Operation
  readonly runs: ReadonlyMap<string, Named>
  /** Writes a text so that it can be compared. */
  readonly alike: (text: string) => string
}

const side = (operation: Operation.Operation, own: Marks.Marks, other: Marks.Marks): Side => ({
  operation,
  runs: new Map(named(View.make(operation).steps).map((run) => [run.name, run])),
  alike: Alike.writer(own, other)
})

/** What both have, and how it differs. */
const ofBoth = (
  left: Side,
  right: Side,
  compare: (left: Named, right: Named) => ReadonlyArray<ResultDiff.Change>
): ReadonlyArray<ResultDiff.Change> =>
  [...left.runs.values()].flatMap((run) => {
    const other = right.runs.get(run.name)
    return other === undefined ? [] : compare(run, other)
  })

/** Lines of which one side has more than the other. */
const lines = (left: ReadonlyArray<string>, right: ReadonlyArray<string>): ReadonlyArray<ResultDiff.Change> => {
  const without = (list: ReadonlyArray<string>, others: ReadonlyArray<string>) => {
    const rest = new Map<string, number>()
    for (const line of others) rest.set(line, (rest.get(line) ?? 0) + 1)
    return list.filter((line) => {
      const count = rest.get(line) ?? 0
      rest.set(line, count - 1)
      return count <= 0
    })
  }
  return [
    ...without(left, right).map((what): ResultDiff.Change => ({ kind: "removed", what })),
    ...without(right, left).map((what): ResultDiff.Change => ({ kind: "added", what }))
  ]
}

const configuration = (left: Side, right: Side): ReadonlyArray<ResultDiff.Change> => {
  const [ours, theirs] = [left.operation.request, right.operation.request]
  const path = JsonDiff.between(ours.path, theirs.path, "CNI_PATH")
  const parsed = ({ config }: View.Step, { alike }: Side): unknown => {
    const document = config === undefined ? undefined : Json.parse(config)
    if (!Json.isObject(document)) return undefined
    const { prevResult: _, ...members } = document
    return Json.parse(alike(JSON.stringify(members)))
  }
  const told = new Set<string>()
  return [
    ...path,
    ...ofBoth(
      left,
      right,
      (run, other) =>
        JsonDiff.between(parsed(run.step, left), parsed(other.step, right)).flatMap((change) => {
          // A plugin mostly gets the configuration of the one that starts it.
          if (run.isNested && told.has(change.what)) return []
          told.add(change.what)
          return [{ ...change, what: `${run.name}: ${change.what}` }]
        })
    )
  ]
}

const outcome = ({ failure, plugin, state }: View.Step): string => {
  if (state !== "failed") return state
  return `failed: ${failure[0] ?? plugin?.ending ?? ""}`
}

const plugins = (left: Side, right: Side): ReadonlyArray<ResultDiff.Change> => {
  const names = ({ runs }: Side, others: Side) => [...runs.keys()].filter((name) => others.runs.has(name))
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

const results = (left: Side, right: Side): ReadonlyArray<ResultDiff.Change> => {
  const result = ({ alike, operation: { steps } }: Side): unknown => {
    const last = steps.at(-1)
    const text = last?.result ?? last?.before
    return text === undefined ? undefined : Json.parse(alike(JSON.stringify(Json.parse(text))))
  }
  return ResultDiff.between(result(left), result(right))
}

const verbs = { added: "added", removed: "removed", changed: "changed" }

/** The first attachment makes what all share, so that a host that had one before differs from one that had none. */
const shared = " (shared)"

const changes = (left: Side, right: Side): ReadonlyArray<ResultDiff.Change> =>
  ofBoth(left, right, ({ name, step }, other) => {
    if (step.stateChanges === undefined || other.step.stateChanges === undefined) return []
    const words = (list: ReadonlyArray<StateChanges.StateChange>, { alike }: Side) =>
      list.filter(({ whose }) => whose !== "others").map(({ kind, what, whose }) =>
        `${name} ${verbs[kind]} ${alike(what)}${whose === "host" ? shared : ""}`
      )
    return lines(words(step.stateChanges, left), words(other.step.stateChanges, right))
  })

const sharedNote = "(shared): all attachments have it, and the first one on a host makes it"

/** Runs of which the changes are logged in one operation only. */
const notCompared = (left: Side, right: Side): ReadonlyArray<string> =>
  [...left.runs.values()].flatMap(({ name, step }) => {
    const other = right.runs.get(name)?.step
    if (other === undefined || (step.stateChanges === undefined) === (other.stateChanges === undefined)) return []
    const which = step.stateChanges === undefined ? "second" : "first"
    return [`${name}: what it changed is logged for the ${which} operation only, and not compared`]
  })

const milliseconds = (value: number): string => `${Math.round(value * 10) / 10} ms`

const times = (left: Side, right: Side): ReadonlyArray<ResultDiff.Change> =>
  ofBoth(left, right, ({ name, step }, other) => {
    const [was = Number.NaN, is = Number.NaN] = [step.durationMs, other.step.durationMs]
    const [less, more] = [Math.min(was, is), Math.max(was, is)]
    return more >= slow.factor * less && more - less >= slow.milliseconds
      ? [{ kind: "changed", what: `${name}: ${milliseconds(was)} → ${milliseconds(is)}` }]
      : []
  })

/** Compares two operations, which have to be read with their configurations. */
export const make = (first: Operation.Operation, second: Operation.Operation): Comparison => {
  const [own, other] = [Marks.of(first.steps), Marks.of(second.steps)]
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

/** Whether something is different. */
export const isDifferent = (comparison: Comparison): boolean =>
  sections.some((section) => comparison[section].length > 0)
