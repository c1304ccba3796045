/** Masks the secrets of network configurations in all logs. Stdout and the stdin of hooks stay unchanged. */
import * as JsonPointer from "effect/JsonPointer"
import * as JsonText from "../json/JsonText.ts"

/** The entry of `redact` that masks everything that looks like a secret. */
const secrets = "secrets"

/** Whether these entries of `redact` mask everything that looks like a secret. */
export const masksSecrets = (names: ReadonlyArray<string>): boolean => names.includes(secrets)

const replacement = "\"[redacted]\""

/** Splits a JSON Pointer into keys and indices. Source: RFC 6901. */
const segmentsOf = (pointer: string): ReadonlyArray<string> =>
  pointer.split("/").slice(1).map(JsonPointer.unescapeToken)

/** Returns whether the value at a path matches one of these keys and JSON Pointers. */
const isSecret = (names: ReadonlyArray<string>): (path: JsonText.Path) => boolean => {
  const pointers = names.filter((name) => /^(?:\/|$)/.test(name)).map(segmentsOf)
  return (path) =>
    names.some((name) => name === path.at(-1)) ||
    pointers.some((segments) =>
      segments.length === path.length && segments.every((segment, index) => segment === String(path[index]))
    )
}

/** Whether the value at a path, or a value around it, must be masked. */
export const hides = (path: JsonText.Path, names: ReadonlyArray<string>): boolean => {
  const isChosen = isSecret(names)
  return [[], ...path.map((_, index) => path.slice(0, index + 1))].some(isChosen)
}

/** Masks a network configuration. `names` are the keys and JSON Pointers of its secrets. */
export const config = (text: string, names: ReadonlyArray<string>): string =>
  names.length === 0 ? text : JsonText.replace(text, replacement, isSecret(names))

/** Masks a result. The result is a prevResult, so pointers into it start with that name. */
export const result = (text: string, names: ReadonlyArray<string>): string => {
  if (names.length === 0) return text
  const isChosen = isSecret(names)
  return JsonText.replace(text, replacement, (path) => isChosen([]) || isChosen(["prevResult", ...path]))
}
