/** What this host's policies forbid the taps of a network to do. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Environment from "../../cni/Environment.ts"
import * as Policy from "../../plugin/Policy.ts"
import { policiesOf } from "../../plugin/PolicyFiles.ts"
import * as Settings from "../../plugin/Settings.ts"
import type { Placed } from "../ConfigFile.ts"
import type { PluginFact } from "./Plugins.ts"

/** A tap, and what a policy forbids it to do. */
export interface PolicyRefusal {
  readonly tap: Placed
  readonly message: string
}

/** Placeholders for values that only a runtime knows. They have no separator, so a path keeps its folders. */
const anyRequest = Environment.make({
  CNI_COMMAND: "ADD",
  CNI_CONTAINERID: "container",
  CNI_NETNS: "netns",
  CNI_IFNAME: "eth0"
})

/** Applies the policies beside the installed plugin to each tap of a chain. */
export const find = Effect.fnUntraced(function*(
  chain: ReadonlyArray<Placed>,
  plugins: ReadonlyMap<string, PluginFact>
) {
  const file = plugins.get("passthrough")?.file
  const taps = chain.filter(({ type }) => type === "passthrough")
  if (file === undefined || taps.length === 0) return [] as ReadonlyArray<PolicyRefusal>
  const policies = policiesOf(() => Fs.realpathSync(file))
  const found = yield* policies.read
  return taps.flatMap((tap): ReadonlyArray<PolicyRefusal> => {
    const { settings } = Settings.read(tap.config)
    const applied = Policy.apply(settings, {
      environment: anyRequest,
      found,
      logFile: tap.config["logFile"],
      policies
    })
    return applied.forbidden.map((message) => ({ tap, message }))
  })
})
