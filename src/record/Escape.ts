/** Escapes characters that could fake lines of a log or control a terminal. */

/** Escapes `character` the way JSON does. */
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

// DEL and C1 control characters, Unicode line separators, and characters that change the direction of text.
const afterC0 = "\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
const afterJson = new RegExp(`[${afterC0}]`, "g")
const everywhere = new RegExp(`[\\0-\\u001f${afterC0}]`, "g")
const exceptLines = new RegExp(`[\\0-\\u0008\\u000b-\\u001f${afterC0}]`, "g")

/**
 * Escapes the characters that JSON allows in strings but that control a terminal. The document keeps its value, because
 * such characters occur only inside strings.
 */
export const inJson = (json: string): string => json.replace(afterJson, escaped)

/** Escapes all control characters, so that a value stays on its line. */
export const inLine = (value: string): string => value.replace(everywhere, escaped)

/** Escapes all control characters except tabs and line breaks. */
export const inLines = (value: string): string => value.replace(exceptLines, escaped)
