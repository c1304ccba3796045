/** What mends a finding: commands that can be run as they stand, or what a person has to edit or decide. */
import * as Shell from "./Shell.ts"

/** A program and its arguments, as `execve` takes them. */
export type Command = ReadonlyArray<string>

/** What mends a finding. */
export interface Fix {
  /** One sentence: what the commands do, or what to edit or decide. */
  readonly text: string
  /** After these have run, in this order, the finding is gone. Empty if no command alone can mend it. */
  readonly commands: ReadonlyArray<Command>
  /** The living attachment that loses traffic by the commands; absent if none does. */
  readonly cuts?: string
}

/** A fix that needs a person: `text` says what to edit or decide. */
export const byHand = (text: string): Fix => ({ text, commands: [] })

/** A fix by commands. */
export const run = (text: string, ...commands: ReadonlyArray<Command>): Fix => ({ text, commands })

/** A command. Its first words may stand in one text, as in `command("ip addr del", address)`. */
export const command = (first: string, ...rest: ReadonlyArray<string>): Command => [...first.split(" "), ...rest]

/** A command that runs in a network namespace. */
export const inside = (netns: string, first: string, ...rest: ReadonlyArray<string>): Command => [
  "nsenter",
  `--net=${netns}`,
  ...command(first, ...rest)
]

/** Sets sysctls. A dot in a link's name would be taken for a separator, so those names are written with slashes. */
export const sysctl = (text: string, name: string, value: string | number): Fix => {
  const settable = name.replace(/^(net)\.(ipv[46])\.(conf|neigh)\.(.*\..*)\.(\w+)$/, "$1/$2/$3/$4/$5")
  return run(`${text}; write it to /etc/sysctl.d too, or it is lost with a reboot`, [
    "sysctl",
    "-w",
    `${settable}=${value}`
  ])
}

/** A command as one line for a shell. */
export const line = (command: Command): string => command.map(Shell.word).join(" ")

/** The fix that a check gives, where a text is one by hand. */
export const of = (fix: Fix | string): Fix => typeof fix === "string" ? byHand(fix) : fix
