/** What a plugin says of its failure that the plugins inside it did not say already, for it hands their words on. */
import type { Excerpt } from "./Excerpt.ts"
import { isBad } from "./RootCause.ts"
import type { Step } from "./ViewStep.ts"

/** What a step says of its failure. */
export type Words = Pick<Step, "failure" | "plugin">

/** The failed runs inside a step. */
const failedInside = ({ nested }: Step): ReadonlyArray<Step> =>
  nested.flatMap((step) => isBad(step) ? [step, ...failedInside(step)] : failedInside(step))

/** The message without its code. */
const messageOf = (failure: string): string => failure.replace(/^code \d+: /, "")

/** A text with `…` in the place of what was said inside; nothing where that is all of it. */
const shortened = (text: string, said: ReadonlyArray<string>): ReadonlyArray<string> => {
  const rest = said.reduce((left, words) => words === "" ? left : left.replaceAll(words, "…"), text)
  return /^(?:code \d+: )?…$/.test(rest) ? [] : [rest]
}

const without = (excerpt: Excerpt, said: ReadonlySet<string>): Excerpt => {
  const lines = excerpt.lines.filter((line) => !said.has(line))
  return lines.length === excerpt.lines.length ? excerpt : { lines, linesBefore: 0, charactersAfter: 0 }
}

/** The words of a step without those that stand at the runs inside it. */
export const removed = (step: Step): Words => {
  const inside = failedInside(step)
  const { failure, plugin } = step
  if (inside.length === 0) return { failure, plugin }
  // The longest first, as a shorter one may be a part of it.
  const said = inside.flatMap((inner) => inner.failure.map(messageOf)).sort((left, right) => right.length - left.length)
  const lines = new Set(inside.flatMap((inner) => [
    ...(inner.plugin?.stderr.lines ?? []),
    ...(inner.plugin?.stdout.lines ?? [])
  ]))
  return {
    failure: failure.flatMap((text) => shortened(text, said)),
    plugin: plugin && { ...plugin, stderr: without(plugin.stderr, lines), stdout: without(plugin.stdout, lines) }
  }
}
