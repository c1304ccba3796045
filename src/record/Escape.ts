/** Keeps text from doing anything else than being read. */

/** Escapes `character` the way JSON does. */
const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

// Besides the C0 and C1 control characters: what ends a line for some readers, and what turns the direction of text.
const afterC0 = "\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069"
const afterJson = new RegExp(`[${afterC0}]`, "g")
const everywhere = new RegExp(`[\\0-\\u001f${afterC0}]`, "g")
const exceptLines = new RegExp(`[\\0-\\u0008\\u000b-\\u001f${afterC0}]`, "g")

/**
 * Escapes what JSON allows inside strings but a terminal obeys. The document stays the same: such characters can
 * only be inside its strings.
 */
export const inJson = (json: string): string => json.replace(afterJson, escaped)

/** Escapes all control characters of a value, so that it stays on its line. */
export const inLine = (value: string): string => value.replace(everywhere, escaped)

/** Escapes all control characters but tabs and line ends. */
export const inLines = (value: string): string => value.replace(exceptLines, escaped)
