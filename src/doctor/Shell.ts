/** Quoting for the commands that fix a problem. People paste these, and some of their parts come from others. */
import * as CommandLine from "effect/process/CommandLine"
import * as Result from "effect/Result"

/** Text that no shell interprets. */
const plain = /^[\w@%+=:,./-]+$/

/** A text as one word for a shell, quoted if necessary. */
export const word = (text: string): string =>
  plain.test(text) ? text : Result.getOrElse(CommandLine.join([text]), () => CommandLine.display([text]))
