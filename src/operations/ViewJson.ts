/** An operation as one JSON object, for scripts. */
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "../record/Escape.ts"
import type { Excerpt } from "./Excerpt.ts"
import type { View } from "./View.ts"
import type { Step } from "./ViewStep.ts"

const textOf = ({ lines }: Excerpt): string | undefined => lines.length === 0 ? undefined : lines.join("\n")

/** The JSON text of an object, with further members whose values are JSON text already. */
const withTexts = (members: object, texts: { readonly [name: string]: string | undefined }): string => {
  const more = Object.entries(texts).flatMap(([name, text]) => text === undefined ? [] : [`,"${name}":${text}`])
  return `${JSON.stringify(members).slice(0, -1)}${more.join("")}}`
}

const programOf = <Each extends { readonly stdout: Excerpt; readonly stderr: Excerpt }>(program: Each) => ({
  ...program,
  stdout: textOf(program.stdout),
  stderr: textOf(program.stderr)
})

const list = (steps: ReadonlyArray<Step>): string => `[${steps.map(stepOf).join(",")}]`

const stepOf = (step: Step): string => {
  const { changes, changesBefore, config, failure, hooks, nested, notes, plugin, result, ...rest } = step
  const { invocation: _, isQuiet: __, ...members } = rest
  return withTexts({
    ...members,
    ...(failure.length === 0 ? {} : { failure: failure.join("; ") }),
    ...(changesBefore.length === 0 ? {} : { changesBefore }),
    changes,
    ...(notes.length === 0 ? {} : { notes }),
    ...(plugin === undefined ? {} : { plugin: programOf(plugin) }),
    hooks: hooks.map(programOf)
  }, {
    config: config === undefined ? undefined : JsonText.onOneLine(config),
    result: result === undefined ? undefined : JsonText.onOneLine(result),
    nested: list(nested)
  })
}

/** Renders an operation on one line, without a line end. */
export const render = ({ hasFailed, leftovers, steps, ...operation }: View): string =>
  Escape.inJson(
    withTexts({ ...operation, failed: hasFailed, ...(leftovers.length === 0 ? {} : { leftovers }) }, {
      steps: list(steps)
    })
  )
