/** The settings of a wrapped plugin, from a file beside the plugins. */
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import { isKind, type Kind, kinds } from "../network/StateKind.ts"
import * as Settings from "./Settings.ts"

/** Our settings, and the problems of their file. */
export interface ShimSettings extends Settings.Settings {
  /** The field `logFile`, verbatim. */
  readonly logFile: unknown
  /** The kinds of state to compare before and after the plugin. */
  readonly changes: ReadonlyArray<Kind>
  /** One message for each field that is ignored because it is invalid. */
  readonly warnings: ReadonlyArray<string>
}

/** By default, a failure of ours must not change what a plugin does. */
const defaults = { onLogFailure: "ignore" }

/** Reads the field `changes`: `true` for all kinds, or a list of some. */
const readChanges = (value: unknown) => {
  if (value === undefined || value === false) return { changes: [], problems: [] }
  if (value === true) return { changes: kinds, problems: [] }
  const isKnown = (item: unknown): item is Kind => typeof item === "string" && isKind(item)
  const wrong = Array.isArray(value) ? value.find((item) => !isKnown(item)) : value
  const problem = `changes: found ${Json.describe(wrong)}, expected true, false, or a list of ${kinds.join(", ")}`
  return {
    changes: Array.isArray(value) ? kinds.filter((kind) => value.includes(kind)) : [],
    problems: wrong === undefined ? [] : [problem]
  }
}

/** Reads the settings from the text of a file. Never fails: invalid fields are ignored. `name` is the plugin. */
export const read = (text: string | undefined, name: string): ShimSettings => {
  const document = Json.parse(text ?? "{}")
  const warnings = Json.isObject(document) ? [] : ["the configuration of the shim is not a JSON object"]
  const fields = Json.isObject(document) ? document : {}
  const { problems, settings } = Settings.read({ ...defaults, ...fields })
  const { changes, problems: problemsOfChanges } = readChanges(fields["changes"])
  return {
    ...settings,
    label: settings.label === "" ? name : settings.label,
    logFile: fields["logFile"],
    changes,
    warnings: [
      ...warnings,
      ...problemsOfChanges,
      ...problems.map(({ message, path }) => `${JsonText.pathText(path)}: ${message}`)
    ]
  }
}
