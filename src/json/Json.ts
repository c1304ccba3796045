/** Values that were parsed from JSON. */

/** A JSON object. */
export type JsonObject = { readonly [key: string]: unknown }

/** Whether a parsed value is a JSON object, and not null or an array. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Parses a text. Returns undefined if the text is not JSON. */
export const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Describes a value for an error message: short and on one line, however large or deep the value is. */
export const describe = (value: unknown): string => {
  if (value === undefined) return "nothing"
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list"
  if (typeof value === "object" && value !== null) return "an object"
  const shown = JSON.stringify(value)
  return shown.length > 200 ? `${shown.slice(0, 200)}…` : shown
}
