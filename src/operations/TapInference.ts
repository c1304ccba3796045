/** Infers the plugin between two taps from their labels: `after-bridge` and `before-portmap`. */
import type { Step } from "./Operation.ts"

/** The part of a step that is needed here. */
export type Neighbour = Pick<Step, "title" | "isTap">

/**
 * Verbs in which a runtime stops at the first failure, so that a reached tap proves that the plugin before it
 * succeeded.
 */
const inTurn = new Set<string | undefined>(["ADD", "CHECK", "DEL", "STATUS"])

/** Whether taps show the plugins between them in operations of this verb. */
export const isTold = (verb: string | undefined): boolean => inTurn.has(verb)

/** The plugin that a tap is named after, if the tap stands on this side of it. */
const named = (step: Neighbour | undefined, side: "before" | "after"): ReadonlyArray<string> => {
  const prefix = `${side}-`
  return step?.isTap === true && step.title.startsWith(prefix) ? [step.title.slice(prefix.length)] : []
}

/** Whether a tap is named after a plugin. */
export const isNamed = (step: Neighbour): boolean => named(step, "before").length + named(step, "after").length > 0

/** Whether a step is the plugin of that name itself. Labels have a hyphen in place of a space. */
const isPlugin = (step: Neighbour | undefined, name: string): boolean => {
  if (step === undefined || step.isTap) return false
  const title = step.title.replaceAll(" ", "-")
  return name === title || (name.startsWith(`${title}-`) && /^-\d+$/.test(name.slice(title.length)))
}

/**
 * The plugin that ran between two consecutive steps and is neither of them; undefined if no label shows it. At either
 * end of an operation, one of the steps is undefined.
 */
export const plugin = (
  verb: string | undefined,
  left: Neighbour | undefined,
  right: Neighbour | undefined
): string | undefined => {
  // DEL goes through the chain backwards.
  const names = verb === "DEL"
    ? [...named(left, "after"), ...named(right, "before")]
    : [...named(left, "before"), ...named(right, "after")]
  const others = [...new Set(names)].filter((name) => !isPlugin(left, name) && !isPlugin(right, name))
  return others.length === 0 ? undefined : others.join(" … ")
}

/** The plugin between two steps, described by its position if no label names it. */
export const words = (verb: string, left: Neighbour | undefined, right: Neighbour): string =>
  plugin(verb, left, right) ??
    (left === undefined ? `the plugin before ${right.title}` : `the plugin after ${left.title}`)
