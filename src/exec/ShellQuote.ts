/** Texts as words for a shell. */
import * as CommandLine from "effect/process/CommandLine"
import * as Result from "effect/Result"

/** A text in quotes, as one word that a shell takes literally. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Text that no shell interprets. */
const plain = /^[\w@%+=:,./-]+$/

/** A text as one word of a command that people paste, quoted if necessary. Some of these texts come from others. */
export const word = (text: string): string =>
  plain.test(text) ? text : Result.getOrElse(CommandLine.join([text]), () => CommandLine.display([text]))
