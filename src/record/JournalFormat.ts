/** A record as fields of the systemd journal. Source: systemd, "Native Journal Protocol" and systemd.journal-fields(7). */
import * as escape from "./escape.ts"
import * as JsonFormat from "./JsonFormat.ts"
import type { LogRecord } from "./LogRecord.ts"
import * as Summary from "./Summary.ts"

/** The fields, each as one line `NAME=value`. Fields without a value are left out. */
export const render = (record: LogRecord, identifier: string): ReadonlyArray<string> => {
  const { environment, invocation, network, settings } = record.request
  const fields = {
    MESSAGE: Summary.render(record),
    PRIORITY: Summary.isAlarming(record) ? "3" : "6",
    SYSLOG_IDENTIFIER: identifier,
    SYSLOG_PID: String(process.pid),
    CNI_EVENT: record.event,
    CNI_COMMAND: environment.command,
    CNI_CONTAINERID: environment.containerId,
    CNI_IFNAME: environment.ifname,
    CNI_NETNS: environment.netns,
    CNI_NETWORK: network,
    CNI_LABEL: settings.label,
    CNI_INVOCATION: invocation,
    CNI_RECORD: JsonFormat.render(record)
  }
  // A value that kept its line ends could add fields of its own.
  return Object.entries(fields).flatMap(([name, value]) =>
    value === "" ? [] : [`${name}=${escape.inLine(value.trimEnd())}`]
  )
}
