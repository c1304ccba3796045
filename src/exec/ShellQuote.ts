/** Texts as words for a shell. */

/** A text in quotes, as one word that a shell takes for nothing but itself. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
