/** A run of a plugin, as far as known: which plugin, what it was asked to do, and for which attachment. */
import * as Schema from "effect/Schema"

const text = Schema.optionalKey(Schema.String)

export const PluginRun = Schema.Struct({
  plugin: text,
  command: text,
  network: text,
  containerId: text,
  ifname: text,
  pod: text
})

export type PluginRun = typeof PluginRun.Type

/** A run without the members that are not known. */
export const make = (
  members: { readonly [name in keyof PluginRun]-?: PluginRun[name] | undefined }
): PluginRun => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== ""))

/** Whether both are the same request of one attachment. */
export const isSame = (left: PluginRun, right: PluginRun): boolean =>
  left.command === right.command && left.containerId === right.containerId && left.ifname === right.ifname
