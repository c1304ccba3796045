/** The settings of a run around a plugin: our fields, which stand in a file beside the plugins. */
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Settings from "./Settings.ts"

/** Our fields, and what is wrong with the file that they stand in. */
export interface ShimSettings extends Settings.Settings {
  /** One text for each field that is passed over because it is wrong. */
  readonly warnings: ReadonlyArray<string>
}

/** Nothing of ours may change what a plugin does, unless somebody says so. */
const defaults = { onLogFailure: "ignore" }

/** Reads the settings out of the text of a file, as far as they can be used: this never fails. `name` is the plugin. */
export const read = (text: string | undefined, name: string): ShimSettings => {
  const document = Json.parse(text ?? "{}")
  const warnings = Json.isObject(document) ? [] : ["the configuration of the shim is not a JSON object"]
  const { problems, settings } = Settings.read({ ...defaults, ...(Json.isObject(document) ? document : {}) })
  return {
    ...settings,
    label: settings.label === "" ? name : settings.label,
    warnings: [...warnings, ...problems.map(({ message, path }) => `${JsonText.pathText(path)}: ${message}`)]
  }
}
