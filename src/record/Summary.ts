/** A record in one line, for people who scan a list. */
import * as escape from "./escape.ts"
import { type HookReport, type LogRecord, succeeded } from "./LogRecord.ts"

/** How a command ended. */
export const ending = ({ exitCode, signal, timedOut }: Pick<HookReport, "exitCode" | "signal" | "timedOut">): string =>
  timedOut ? "out of time" : signal ?? (exitCode === null ? "not started" : `exit status ${exitCode}`)

const happened = (record: LogRecord): string => {
  switch (record.event) {
    case "request":
      return "request"
    case "hook": {
      const { command, durationMs } = record.hook
      return `hook ${typeof command === "string" ? command : command.join(" ")}: ${
        ending(record.hook)
      } (${durationMs} ms)`
    }
    case "result":
      return `done in ${record.durationMs} ms`
    case "error":
      return `ERROR ${record.error.code}: ${record.error.msg}`
  }
}

/** What happened to whom: `ADD eth0 of 5c01f03… on podman [before-bridge]: done in 12 ms`. */
export const render = (record: LogRecord): string => {
  const { environment, network, settings } = record.request
  const who = [
    environment.command,
    environment.ifname,
    environment.containerId && `of ${environment.containerId}`,
    network && `on ${network}`,
    settings.label && `[${settings.label}]`
  ]
  return escape.inLine(`${who.filter((word) => word !== "").join(" ")}: ${happened(record)}`)
}

/** Whether somebody should look at it: a refused or failed request, a hook that failed. */
export const isAlarming = (record: LogRecord): boolean =>
  record.event === "error" || (record.event === "hook" && !succeeded(record.hook))
