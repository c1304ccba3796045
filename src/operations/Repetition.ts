/** Removes from a plugin's failure what the plugins inside it said already: a plugin passes their words on. */
import type { Excerpt } from "./Excerpt.ts"
import { isBad } from "./RootCause.ts"
import type { Step } from "./ViewStep.ts"

/** The words of a step about its failure. */
export type Words = Pick<Step, "failure" | "plugin">

/** The failed runs inside a step. */
const failedInside = ({ nested }: Step): ReadonlyArray<Step> =>
  nested.flatMap((step) => isBad(step) ? [step, ...failedInside(step)] : failedInside(step))

/** The message without its code. */
const messageOf = (failure: string): string => failure.replace(/^code \d+: /, "")

/** A text with `…` in place of what was said inside; empty if nothing else remains. */
const shortened = (text: string, said: ReadonlyArray<string>): ReadonlyArray<string> => {
  const rest = said.reduce((left, words) => words === "" ? left : left.replaceAll(words, "…"), text)
  return /^(?:code \d+: )?…$/.test(rest) ? [] : [rest]
}

const without = (excerpt: Excerpt, said: ReadonlySet<string>): Excerpt => {
  const lines = excerpt.lines.filter((line) => !said.has(line))
  return lines.length === excerpt.lines.length ? excerpt : { lines, linesBefore: 0, charactersAfter: 0 }
}

/** The words of a step without those of the runs inside it. */
export const removed = (step: Step): Words => {
  const inside = failedInside(step)
  const { failure, plugin } = step
  if (inside.length === 0) return { failure, plugin }
  // The longest first, since a shorter one may be a part of it.
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
