/** How to fix a finding: commands to run unchanged, or what a person has to edit or decide. */
import * as ShellQuote from "../exec/ShellQuote.ts"

/** A program and its arguments, as `execve` takes them. */
export type Command = ReadonlyArray<string>

/** The fix of a finding. */
export interface Fix {
  /** One sentence: what the commands do, or what to edit or decide. */
  readonly text: string
  /** Running these in order makes the finding go away. Empty if commands alone cannot fix it. */
  readonly commands: ReadonlyArray<Command>
  /** Whose traffic the commands interrupt; absent if they interrupt none. */
  readonly cuts?: string
}

/** A fix that needs a person: `text` says what to edit or decide. */
export const byHand = (text: string): Fix => ({ text, commands: [] })

/** A fix by commands. */
export const run = (text: string, ...commands: ReadonlyArray<Command>): Fix => ({ text, commands })

/** A command. Its first words may be given as one string, as in `command("ip addr del", address)`. */
export const command = (first: string, ...rest: ReadonlyArray<string>): Command => [...first.split(" "), ...rest]

/** A command that runs in a network namespace. */
export const inside = (netns: string, first: string, ...rest: ReadonlyArray<string>): Command => [
  "nsenter",
  `--net=${netns}`,
  ...command(first, ...rest)
]

/** Sets sysctls. A dot in a link's name would count as a separator, so those names are written with slashes. */
export const sysctl = (text: string, name: string, value: string | number): Fix => {
  const settable = name.replace(/^(net)\.(ipv[46])\.(conf|neigh)\.(.*\..*)\.(\w+)$/, "$1/$2/$3/$4/$5")
  return run(`${text}; write it to /etc/sysctl.d too, or it is lost with a reboot`, [
    "sysctl",
    "-w",
    `${settable}=${value}`
  ])
}

/** A command as one line for a shell. */
export const line = (command: Command): string => command.map(ShellQuote.word).join(" ")

/** The fix of a check; a plain text is a fix by hand. */
export const of = (fix: Fix | string): Fix => typeof fix === "string" ? byHand(fix) : fix
