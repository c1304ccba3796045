/** The members that all records of a run share. */
import type { Record } from "./Record.ts"

/** Drops empty members: records leave them out. */
export const filled = <Name extends string>(
  members: { readonly [name in Name]: string }
): { readonly [name in Name]?: string } => {
  const rest: { [name in Name]?: string } = {}
  for (const name in members) if (members[name] !== "") rest[name] = members[name]
  return rest
}

/** Identifies a run and its request. */
export type RunContext = Pick<
  Record,
  "invocation" | "parent" | "command" | "containerId" | "ifname" | "netns" | "network" | "cniVersion" | "label"
>

/** Makes the shared members from the parameters of a run. Missing parameters are empty. */
export const make = (facts: { readonly [name in keyof RunContext]-?: string }): RunContext => ({
  invocation: facts.invocation,
  ...filled(facts)
})

/** Formats milliseconds since 1970 as the `time` of a record. */
export const timestamp = (milliseconds: number): string => new Date(milliseconds).toISOString()
