/** Parts of the commands that mend something: people paste them, and what they are made of is what others wrote. */
import * as CommandLine from "effect/process/CommandLine"
import * as Result from "effect/Result"

/** What no shell takes for anything but itself. */
const plain = /^[\w@%+=:,./-]+$/

/** A text as one word for a shell, in quotes where it needs them. */
export const word = (text: string): string =>
  plain.test(text) ? text : Result.getOrElse(CommandLine.join([text]), () => CommandLine.display([text]))
