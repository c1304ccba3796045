/** A JSON object. */
export type JsonObject = { readonly [key: string]: unknown }

/** Whether a value that was parsed from JSON is an object. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)
