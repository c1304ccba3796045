/** Renders a record as one line for people. Other modules take their phrases from here. */
import type { Ending } from "../exec/Execution.ts"
import * as Escape from "./Escape.ts"
import type { Changes, ErrorDocument, Record } from "./Record.ts"

/** Joins the words of a command. */
export const command = (words: string | ReadonlyArray<string>): string =>
  typeof words === "string" ? words : words.join(" ")

/** Describes how a process ended: `exit status 3`, `SIGKILL`, `out of time` or `not started`. */
export const ending = ({ exitCode, signal, timedOut = false }: Partial<Ending>): string =>
  timedOut ? "out of time" : signal ?? (typeof exitCode === "number" ? `exit status ${exitCode}` : "not started")

/** The code that the reference plugins give every error. Source: containernetworking/cni, `types.ErrInternal`. */
const unspecified = 999

/** Describes a failure: `code 11: no addresses`, or `killed by SIGKILL` if the plugin gave no code or a generic one. */
export const failure = ({ code, msg }: ErrorDocument): string =>
  code === undefined || (code === unspecified && msg !== "") ? msg : `code ${code}: ${msg}`

/** Counts the facts that were added or removed. */
const count = ({ container = {}, host = {} }: Changes): number =>
  [...Object.values(host), ...Object.values(container)]
    .reduce((sum, { added, removed }) => sum + added.length + removed.length, 0)

const happened = (record: Record): string => {
  switch (record.event) {
    case "request":
      return "request"
    case "hook":
      return `hook ${command(record.hook.command)}: ${ending(record.hook)} (${record.durationMs} ms)`
    case "plugin":
      return `plugin ${record.plugin.type}: ${ending(record.plugin)} (${record.durationMs} ms)`
    case "changes":
      return `${count(record.changes)} changes of state`
    case "result":
      return `done in ${record.durationMs} ms`
    case "error":
      return `ERROR${record.error.code === undefined ? "" : ` ${record.error.code}`}: ${record.error.msg}`
    case "removal":
      return `removed ${record.removal.kind} ${record.removal.text} (${record.removal.reason})`
  }
}

/** Names an operation: `ADD eth0 of 5c01f03… on podman`. */
export const operation = (
  { command, containerId, ifname, network }: {
    readonly [name in "command" | "containerId" | "ifname" | "network"]?: string | undefined
  }
): string => [command, ifname, containerId && `of ${containerId}`, network && `on ${network}`].filter(Boolean).join(" ")

/** Renders a record: `ADD eth0 of 5c01f03… on podman [before-bridge]: done in 12 ms`. */
export const render = (record: Record): string => {
  const { label } = record
  const who = [operation(record), label && `[${label}]`].filter(Boolean)
  return Escape.inLine(`${who.join(" ")}: ${happened(record)}`)
}

const failed = ({ exitCode }: Pick<Ending, "exitCode">): boolean => exitCode !== 0

/** Whether a record needs attention: a request, a hook or a plugin failed. */
export const isAlarming = (record: Record): boolean =>
  record.event === "error" ||
  (record.event === "hook" && failed(record.hook)) ||
  (record.event === "plugin" && failed(record.plugin))
