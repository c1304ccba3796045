/** Names the innermost plugin that failed, in one line. */
import type { Step } from "./ViewStep.ts"

/** How many characters of each part of the line are shown. */
const longest = 300

const short = (text: string): string => text.length <= longest ? text : `${text.slice(0, longest)}…`

/** Whether a step itself did not end well. */
export const isBad = ({ state }: Pick<Step, "state">): boolean => state !== "done" && state !== "unseen"

/** The innermost step of the first match, followed by the steps around it, from the inside out. */
const find = (steps: ReadonlyArray<Step>, holds: (step: Step) => boolean): ReadonlyArray<Step> => {
  for (const step of steps) {
    const inner = find(step.nested, holds)
    if (inner.length > 0) return [...inner, step]
    if (holds(step)) return [step]
  }
  return []
}

const hasFailedHook = ({ hooks }: Step): boolean => hooks.some(({ failure }) => failure !== undefined)

/**
 * The path to the culprit. A failure that made its callers fail comes first, then one that its caller tolerated, then
 * one of a hook.
 */
export const way = (steps: ReadonlyArray<Step>): ReadonlyArray<Step> => {
  const own = find(steps.filter(isBad), isBad)
  if (own.length > 0) return own
  const tolerated = find(steps, isBad)
  return tolerated.length > 0 ? tolerated : find(steps, hasFailedHook)
}

/**
 * What a plugin without an error document wrote: the last line of stderr, or the first line of stdout, which the end of
 * a document may follow.
 */
const ownWords = ({ code, plugin }: Step): string => {
  const words = code === undefined ? plugin?.stderr.lines.at(-1) ?? plugin?.stdout.lines[0] : undefined
  return words === undefined ? "" : `: ${short(words.trim())}`
}

/** Display name of a step, with what differs from its operation. */
export const nameOf = ({ command, ifname, network, title }: Step): string =>
  [title, command, ifname, network === undefined ? undefined : `on ${network}`].filter(Boolean).join(" ")

/** What can be said about a step that was not seen to end. */
export const stopped = ({ command }: Step): string =>
  command === undefined ? "failed, or the runtime stopped" : `failed in the ${command} before, or the runtime stopped`

const reason = (step: Step): string => {
  switch (step.state) {
    case "failed":
      return `: ${short(step.failure[0]?.split("\n")[0] ?? step.plugin?.ending ?? "failed")}${ownWords(step)}`
    case "unfinished":
      return " was killed, or is still running"
    case "stopped":
      return ` ${stopped(step)}`
    default: {
      const hook = step.hooks.find(({ failure }) => failure !== undefined)
      return `: hook ${short(hook?.command ?? "")}: ${hook?.failure ?? "failed"}`
    }
  }
}

/** `host-local in bridge: code 11: no addresses`; undefined if nothing failed. */
export const words = (steps: ReadonlyArray<Step>): string | undefined => {
  const [culprit, ...around] = way(steps)
  if (culprit === undefined) return undefined
  const name = culprit.state === "stopped" ? culprit.title : nameOf(culprit)
  return `${[name, ...around.map(nameOf)].join(" in ")}${reason(culprit)}`
}
