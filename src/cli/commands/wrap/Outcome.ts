/** Prints the outcome of wrapping or unwrapping a folder of plugins. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Escape from "../../../record/Escape.ts"
import * as Style from "../../../render/terminal/Style.ts"
import * as Table from "../../../render/terminal/Table.ts"
import type * as Stub from "../../../wrap/Stub.ts"
import type * as Survey from "../../../wrap/Survey.ts"
import type * as Unwrapping from "../../../wrap/Unwrapping.ts"
import type * as Wrapping from "../../../wrap/Wrapping.ts"

/** Names on one line. */
export const listed = (names: ReadonlyArray<string>): string => names.map(Escape.inLine).join(", ")

/** The files that were passed over, on one line, grouped by reason. */
export const reasons = (all: ReadonlyArray<Survey.PassedOver>): string =>
  [...new Set(all.map(({ reason }) => reason))]
    .map((reason) => `${listed(all.filter((each) => each.reason === reason).map(({ name }) => name))} (${reason})`)
    .join("; ")

/** Prints the rows that have names. */
const printRows = Effect.fnUntraced(
  function*(rows: ReadonlyArray<readonly [what: string, names: ReadonlyArray<string>, why?: string]>) {
    const { width } = yield* Style.current()
    const shown = rows.filter(([, names]) => names.length > 0)
    const lines = Table.lines(shown.map(([what, names, why = ""]) => [`  ${what}`, `${listed(names)}${why}`]), width)
    for (const line of lines) yield* Console.log(line)
  }
)

/** Prints which plugins stay as they were, and why. */
export const refused = Effect.fnUntraced(
  function*({ folder }: Stub.Places, what: string, all: ReadonlyArray<Wrapping.Refused>) {
    const style = yield* Style.current()
    for (const { name, reason } of all) {
      yield* Console.error(`${style.red(what)}: ${Escape.inLine(`${folder}/${name}: ${reason}`)}`)
    }
  }
)

/** The requested plugins that are not wrapped. One that another program rewrites may be wrapped later. */
export const makeRefusals = () => {
  const open = new Set<string>()
  return {
    take: ({ folder }: Stub.Places, { already, refused, wrapped }: Wrapping.Outcome): void => {
      for (const { name } of refused) open.add(`${folder}/${name}`)
      for (const name of [...wrapped, ...already]) open.delete(`${folder}/${name}`)
    },
    isEmpty: (): boolean => open.size === 0
  }
}

/** The collection that {@link makeRefusals} returns. */
export type Refusals = ReturnType<typeof makeRefusals>

/** Prints what `wrap` did. False if a requested plugin was passed over. */
export const wrapped = Effect.fnUntraced(
  function*(at: Stub.Places, outcome: Wrapping.Outcome, names: ReadonlyArray<string> | undefined) {
    const style = yield* Style.current()
    const passedOver = outcome.passedOver.filter(({ name }) => names?.includes(name) ?? true)
    yield* Console.log(style.bold(Escape.inLine(at.folder)))
    yield* printRows([
      ["wrapped", outcome.wrapped],
      ["already wrapped", outcome.already],
      ["passed over", passedOver.length === 0 ? [] : [reasons(passedOver)]]
    ])
    yield* refused(at, "not wrapped", outcome.refused)
    return names === undefined || passedOver.length === 0
  }
)

/** Prints what `unwrap` did. */
export const unwrapped = Effect.fnUntraced(function*(at: Stub.Places, outcome: Unwrapping.Outcome) {
  const style = yield* Style.current()
  yield* Console.log(style.bold(Escape.inLine(at.folder)))
  yield* printRows([
    ["unwrapped", outcome.unwrapped],
    ["left alone", outcome.writtenOver, " (written over since it was wrapped)"],
    ["kept", outcome.kept, ` in ${Escape.inLine(at.plugins)} (unwrap NAME restores a plugin whose stub is gone)`]
  ])
  yield* refused(at, "not unwrapped", outcome.refused)
  if (outcome.running.length > 0) {
    const processes = outcome.running.join(", ")
    yield* Console.error(
      Escape.inLine(`${at.own} stays, as process ${processes} still runs it: the next unwrap removes it`)
    )
  }
})
