/** Which plugin stands between two taps: their labels say it, `after-bridge` and `before-portmap`. */
import type { Step } from "./Operation.ts"

/** What is asked of a step. */
export type Neighbour = Pick<Step, "title" | "isTap">

/** In these verbs a tap that is reached says that the plugin before it has succeeded: runtimes stop where one fails. */
const inTurn = new Set<string | undefined>(["ADD", "CHECK", "DEL", "STATUS"])

/** Whether plugins between taps can be told in operations of this verb. */
export const isTold = (verb: string | undefined): boolean => inTurn.has(verb)

/** The plugin that a tap is named after, where it stands on this side of it. */
const named = (step: Neighbour | undefined, side: "before" | "after"): ReadonlyArray<string> => {
  const prefix = `${side}-`
  return step?.isTap === true && step.title.startsWith(prefix) ? [step.title.slice(prefix.length)] : []
}

/** Whether a tap is named after a plugin. */
export const isNamed = (step: Neighbour): boolean => named(step, "before").length + named(step, "after").length > 0

/** Whether a step is the plugin of that name itself. In labels a space is a hyphen. */
const isPlugin = (step: Neighbour | undefined, name: string): boolean => {
  if (step === undefined || step.isTap) return false
  const title = step.title.replaceAll(" ", "-")
  return name === title || (name.startsWith(`${title}-`) && /^-\d+$/.test(name.slice(title.length)))
}

/**
 * The plugin that ran between two steps of an operation, which follow each other, and that is not one of them; undefined
 * where no label tells. One step is left out at the ends of the operation.
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

/** The same, in words where no label tells. */
export const words = (verb: string, left: Neighbour | undefined, right: Neighbour): string =>
  plugin(verb, left, right) ??
    (left === undefined ? `the plugin before ${right.title}` : `the plugin after ${left.title}`)
