/** Whether plugins answer VERSION, and support the version of the network. */
import * as Result from "effect/Result"
import * as CniVersion from "../../cni/CniVersion.ts"
import * as ShellQuote from "../../exec/ShellQuote.ts"
import type { Check } from "../Check.ts"
import { foundAt } from "../ConfigFile.ts"
import type { Found } from "../Finding.ts"
import { firstOfEach } from "./PluginFile.ts"

export const pluginVersions: Check = {
  id: "plugin-version",
  phase: "plugins",
  find: ({ chain, delegates, network, plugins }) => {
    if (plugins.size === 0 || network === undefined) return { skipped: "no plugins were looked for" }
    const { cniVersion } = network
    const found: Array<Found> = []
    const deaf: Array<Found> = []
    const speaking: Array<ReadonlyArray<string>> = []
    for (const { at, file, type } of firstOfEach([...chain, ...delegates])) {
      const fact = plugins.get(type)
      if (fact?.file === undefined || fact.versions === undefined) continue
      const place = (found: Pick<Found, "message" | "fix">) =>
        foundAt(file, [...at, "type"], { level: "error", plugin: type, ...found })
      if (Result.isFailure(fact.versions)) {
        found.push(place({
          message: `${fact.file} does not answer VERSION: ${fact.versions.failure}`,
          fix: `install the plugin ${type} again, or see what it does: CNI_COMMAND=VERSION ${
            ShellQuote.word(fact.file)
          } < /dev/null`
        }))
        continue
      }
      const versions = fact.versions.success
      speaking.push(versions)
      if (CniVersion.isSupported(cniVersion) && !versions.includes(cniVersion)) {
        deaf.push(place({
          message: `${fact.file} speaks ${versions.join(", ")}, and not ${cniVersion}`,
          fix: `install a newer ${type}`
        }))
      }
    }
    const [first, ...others] = deaf
    if (first !== undefined) {
      const common = CniVersion.supported.findLast((version) => speaking.every((each) => each.includes(version)))
      found.push({
        ...first,
        evidence: others.map(({ message }) => message),
        fix: common === undefined ? first.fix : `set "cniVersion" to "${common}", which all plugins of the chain speak`
      })
    }
    return found
  }
}
