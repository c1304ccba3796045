/** A record as syslog messages. Source: RFC 5424. */
import { facilities, type SyslogTarget } from "../cni/Settings.ts"
import * as escape from "./escape.ts"
import type { LogRecord } from "./LogRecord.ts"
import { render as renderRecord } from "./render.ts"
import * as Summary from "./Summary.ts"

/** One message, before a header goes in front of it. */
export interface SyslogMessage {
  readonly severity: "info" | "err"
  /** Parameters of the structured data, ready to be written: `name="value"`. */
  readonly parameters: ReadonlyArray<string>
  readonly text: string
}

/** The name of our structured data. 32473 is the enterprise number that RFC 5612 gives to those who have none. */
export const dataId = "cni-passthrough@32473"

/** The longest text of a message, in bytes. With its header it stays below 8 KiB, the default limit of rsyslog. */
export const largestText = 6000

/** The longest value in structured data, in characters. The record itself has the whole value. */
const longestValue = 200

const parameter = (name: string, value: string): string =>
  `${name}="${escape.inLine(value).slice(0, longestValue).replace(/["\\\]]/g, "\\$&")}"`

/** Cuts text into parts, never within a character. */
const split = (text: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(text)
  const parts: Array<string> = []
  for (let start = 0, end; start < bytes.length; start = end) {
    end = start + largestText
    while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--
    parts.push(bytes.subarray(start, end).toString())
  }
  return parts
}

/** Line ends are written as rsyslog itself writes them where it receives one. */
const onOneLine = (text: string): string => text.trim().replaceAll("\n", "#012")

/**
 * The messages for a record: one, or as many as its length takes. Joined in their order, the texts of those that
 * have the same `invocation` and `sequence` are the record.
 */
export const messages = (record: LogRecord, { format }: SyslogTarget): ReadonlyArray<SyslogMessage> => {
  const { environment, invocation, network, settings } = record.request
  const parts = split(onOneLine(renderRecord(record, format)))
  const values = {
    command: environment.command,
    container: environment.containerId,
    interface: environment.ifname,
    network,
    label: settings.label,
    invocation,
    sequence: String(record.sequence)
  }
  const parameters = Object.entries(values).flatMap(([name, value]) => value === "" ? [] : [parameter(name, value)])
  return parts.map((text, index) => ({
    severity: Summary.isAlarming(record) ? "err" : "info",
    parameters: parts.length === 1 ? parameters : [...parameters, parameter("part", `${index + 1}/${parts.length}`)],
    text
  }))
}

const codes = { info: 6, err: 3 }

/** A message with its header, as it goes over the network. */
export const render = (
  record: LogRecord,
  target: SyslogTarget,
  message: SyslogMessage,
  sender: { readonly hostname: string; readonly pid: number }
): string => {
  const priority = facilities[target.facility] * 8 + codes[message.severity]
  const header = [
    `<${priority}>1`,
    new Date(record.time).toISOString(),
    sender.hostname,
    target.tag,
    sender.pid,
    record.event
  ]
  return `${header.join(" ")} [${dataId} ${message.parameters.join(" ")}] ${message.text}`
}
