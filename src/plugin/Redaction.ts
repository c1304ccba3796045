/** Keeps secrets of network configurations out of all logs. What goes to stdout and to hooks is not touched. */
import * as JsonPointer from "effect/JsonPointer"
import * as JsonText from "../json/JsonText.ts"

/** The entry of `redact` that masks everything that looks like a secret. */
const secrets = "secrets"

/** Whether these entries mask everything that looks like a secret. */
export const masksSecrets = (names: ReadonlyArray<string>): boolean => names.includes(secrets)

const replacement = "\"[redacted]\""

/** The keys and indices of a JSON Pointer. Source: RFC 6901. */
const segmentsOf = (pointer: string): ReadonlyArray<string> =>
  pointer.split("/").slice(1).map(JsonPointer.unescapeToken)

/** Whether a value is one of those that `names` stand for, by its key or by its JSON Pointer. */
const isSecret = (names: ReadonlyArray<string>): (path: JsonText.Path) => boolean => {
  const pointers = names.filter((name) => /^(?:\/|$)/.test(name)).map(segmentsOf)
  return (path) =>
    names.some((name) => name === path.at(-1)) ||
    pointers.some((segments) =>
      segments.length === path.length && segments.every((segment, index) => segment === String(path[index]))
    )
}

/** Whether the value at a path, or one that it is in, may not be shown. */
export const hides = (path: JsonText.Path, names: ReadonlyArray<string>): boolean => {
  const isChosen = isSecret(names)
  return [[], ...path.map((_, index) => path.slice(0, index + 1))].some(isChosen)
}

/** What may be shown of a network configuration, `names` being the keys and JSON Pointers of its secrets. */
export const config = (text: string, names: ReadonlyArray<string>): string =>
  names.length === 0 ? text : JsonText.replace(text, replacement, isSecret(names))

/** What may be shown of a result. That is a prevResult, so pointers lead into it by that name. */
export const result = (text: string, names: ReadonlyArray<string>): string => {
  if (names.length === 0) return text
  const isChosen = isSecret(names)
  return JsonText.replace(text, replacement, (path) => isChosen([]) || isChosen(["prevResult", ...path]))
}
