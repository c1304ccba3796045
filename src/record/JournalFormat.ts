/**
 * Renders a record as fields of the systemd journal. Source: systemd, "Native Journal Protocol" and
 * systemd.journal-fields(7).
 */
import * as Escape from "./Escape.ts"
import * as JsonFormat from "./JsonFormat.ts"
import type { Record } from "./Record.ts"
import * as Summary from "./Summary.ts"

/** The program that logs: its name in the journal and its process ID. */
export interface Sender {
  readonly identifier: string
  readonly pid: number
}

/** Renders one line `NAME=value` for each field. Fields without a value are left out. */
export const render = (record: Record, { identifier, pid }: Sender): ReadonlyArray<string> => {
  const fields = {
    MESSAGE: Summary.render(record),
    PRIORITY: Summary.isAlarming(record) ? "3" : "6",
    SYSLOG_IDENTIFIER: identifier,
    SYSLOG_PID: String(pid),
    CNI_EVENT: record.event,
    CNI_COMMAND: record.command,
    CNI_CONTAINERID: record.containerId,
    CNI_IFNAME: record.ifname,
    CNI_NETNS: record.netns,
    CNI_NETWORK: record.network,
    CNI_LABEL: record.label,
    CNI_INVOCATION: record.invocation,
    CNI_RECORD: JsonFormat.render(record)
  }
  // A line break in a value could inject fields.
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${Escape.inLine(value.trimEnd())}`]
  )
}
