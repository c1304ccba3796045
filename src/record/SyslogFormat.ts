/** Renders a record as syslog messages. Sources: RFC 5424; RFC 3164 for the format of `syslog(3)`. */
import * as Escape from "./Escape.ts"
import type { Record } from "./Record.ts"
import * as Rfc5322Date from "./Rfc5322Date.ts"
import * as Summary from "./Summary.ts"

/** The codes of the facilities for programs. Source: RFC 5424, section 6.2.1. */
export const facilities = {
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23
}

/** A message without its header. */
export interface SyslogMessage {
  readonly severity: "info" | "err"
  /** The parameters of the structured data, rendered: `name="value"`. */
  readonly parameters: ReadonlyArray<string>
  /**
   * The parameters that identify the record and the part of it that this message carries. Empty if it carries a whole
   * record.
   */
  readonly part: ReadonlyArray<string>
  readonly text: string
}

/** The format of the header: RFC 5424 has structured data, RFC 3164 is the format of `syslog(3)`. */
export type Protocol = "rfc3164" | "rfc5424"

/** The ID of our structured data. 32473 is the enterprise number that RFC 5612 reserves for examples. */
export const dataId = "cni-passthrough@32473"

/**
 * The maximum text of a message, in bytes. With its header, a message stays below 8 KiB, the default limit of rsyslog.
 */
export const largestText = 6000

/** The maximum length of a value in structured data, in characters. The record itself has the whole value. */
const longestValue = 200

const parameter = (name: string, value: string): string =>
  `${name}="${Escape.inLine(value).slice(0, longestValue).replace(/["\\\]]/g, "\\$&")}"`

/** Splits text into parts without splitting a character. */
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

/** Replaces line breaks like rsyslog, which escapes received ones as `#012`. */
const onOneLine = (text: string): string => text.trim().replaceAll("\n", "#012")

/**
 * Splits a rendered record into messages. A short record is one message. Joined in order, the texts of the messages
 * with the same `invocation` and `sequence` are the record.
 */
export const messages = (record: Record, text: string, sequence: number): ReadonlyArray<SyslogMessage> => {
  const parts = split(onOneLine(text))
  const values = {
    command: record.command,
    container: record.containerId,
    interface: record.ifname,
    network: record.network,
    label: record.label
  }
  const parameters = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : parameter(name, value)
  )
  const ids = [parameter("invocation", record.invocation), parameter("sequence", String(sequence))]
  return parts.map((text, index) => {
    const part = parts.length === 1 ? [] : [...ids, parameter("part", `${index + 1}/${parts.length}`)]
    return {
      severity: Summary.isAlarming(record) ? "err" : "info",
      parameters: [...parameters, ...(part.length === 0 ? ids : part)],
      part,
      text
    }
  })
}

/** Returns the text of a message. Without structured data, a partial record starts with its part parameters. */
export const content = ({ part, text }: SyslogMessage, protocol: Protocol): string =>
  protocol === "rfc5424" || part.length === 0 ? text : `[${dataId} ${part.join(" ")}] ${text}`

const codes = { info: 6, err: 3 }

/** The values for the headers. */
export interface Sender {
  readonly protocol: Protocol
  readonly facility: keyof typeof facilities
  readonly tag: string
  readonly hostname: string
  readonly pid: number
  /**
   * Returns the time zone at a time (milliseconds since 1970) in minutes east of UTC, because RFC 3164 uses local time.
   */
  readonly minutesEast: (time: number) => number
}

/** Renders a message with its header for the network. */
export const render = (record: Record, message: SyslogMessage, sender: Sender): string => {
  const { facility, hostname, minutesEast, pid, protocol, tag } = sender
  const priority = `<${facilities[facility] * 8 + codes[message.severity]}>`
  const text = content(message, protocol)
  if (protocol === "rfc3164") {
    const time = Date.parse(record.time)
    return `${priority}${Rfc5322Date.renderShort(time, minutesEast(time))} ${hostname} ${tag}[${pid}]: ${text}`
  }
  const header = [`${priority}1`, record.time, hostname, tag, pid, record.event]
  return `${header.join(" ")} [${dataId} ${message.parameters.join(" ")}] ${text}`
}
