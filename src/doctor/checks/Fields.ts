/** Fields of plugins: what they reject, and what they ignore because it is misspelt. */
import * as MisspelledField from "../../plugin/MisspelledField.ts"
import * as Settings from "../../plugin/Settings.ts"
import type { Check } from "../Check.ts"
import { foundAt, type Placed, valueAt } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as NearMiss from "../NearMiss.ts"
import * as PluginFields from "../PluginFields.ts"
import * as Roles from "../Roles.ts"

const isOurs = ({ type }: Placed): boolean => type === "passthrough"

const byPlace = (left: Found, right: Found): number =>
  (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0)

/** Invalid fields of our own plugin. */
const ourProblems = ({ at, config, file, type }: Placed): ReadonlyArray<Found> =>
  Settings.read(config).problems.map(({ message, path }) =>
    foundAt(file, [...at, ...path], { level: "error", plugin: type, message, fix: "correct the value" })
  )

const doesNotKnow = ({ at, file, type }: Placed, name: string, similar: ReadonlyArray<string>): Found =>
  foundAt(file, [...at, name], {
    level: "warning",
    plugin: type,
    message: `the plugin does not know this field: did you mean ${similar.join(" or ")}?`,
    fix: `rename "${name}" to "${similar[0]}"`
  })

/** Fields whose spelling differs from the one that the plugin knows, so that it ignores them. */
const misspelt = (plugin: Placed): ReadonlyArray<Found> => {
  const keys = Object.keys(plugin.config)
  if (isOurs(plugin)) {
    return keys.flatMap((name) => {
      const similar = MisspelledField.similar(name, Settings.names)
      return similar.length === 0 ? [] : [doesNotKnow(plugin, name, similar)]
    })
  }
  const names = PluginFields.namesOf(plugin.type)
  if (names === undefined) return []
  const isKnown = (key: string) => names.some((name) => name.toLowerCase() === key.toLowerCase())
  return keys.filter((key) => key.length > 3 && !isKnown(key)).flatMap((key) => {
    const name = NearMiss.nearest(key, names.filter((name) => !keys.includes(name)))
    return name === undefined ? [] : [doesNotKnow(plugin, key, [name])]
  })
}

const theirProblems = (plugin: Placed): ReadonlyArray<Found> => {
  const { at, config, file, type } = plugin
  return PluginFields.problems(type, config)
    .filter(({ path }) => !Roles.isPodCidr(plugin, valueAt(config, path)))
    .map(({ isHarmless = false, message, path }) =>
      foundAt(file, [...at, ...path], {
        level: isHarmless ? "warning" : "error",
        plugin: type,
        message,
        fix: "correct the value"
      })
    )
}

/** The plugins that receive their fields exactly as in the file. */
const readAsWritten = ({ chain, delegates }: Facts): ReadonlyArray<Placed> =>
  [...chain, ...delegates].filter(Roles.isAsWritten)

export const pluginFields: Check = {
  id: "plugin-fields",
  phase: "configuration",
  find: (facts) =>
    readAsWritten(facts).flatMap((plugin) =>
      isOurs(plugin) ? ourProblems(plugin).toSorted(byPlace) : theirProblems(plugin)
    )
}

export const fieldNames: Check = {
  id: "field-names",
  phase: "configuration",
  find: (facts) => readAsWritten(facts).flatMap(misspelt)
}
