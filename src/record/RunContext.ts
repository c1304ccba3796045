/** What the records of one run have in common, and how it gets into them. */
import type { Record } from "./Record.ts"

/** Members without those that are empty: records leave them out. */
export const filled = <Name extends string>(
  members: { readonly [name in Name]: string }
): { readonly [name in Name]?: string } => {
  const rest: { [name in Name]?: string } = {}
  for (const name in members) if (members[name] !== "") rest[name] = members[name]
  return rest
}

/** Whom a run is about. */
export type RunContext = Pick<
  Record,
  "invocation" | "parent" | "command" | "containerId" | "ifname" | "netns" | "network" | "cniVersion" | "label"
>

/** The common members of a run, out of its parameters as received, empty where there is none. */
export const make = (facts: { readonly [name in keyof RunContext]-?: string }): RunContext => ({
  invocation: facts.invocation,
  ...filled(facts)
})

/** A moment in milliseconds since 1970 as records have it. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString()
