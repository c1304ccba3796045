/** A record as syslog messages. Source: RFC 5424, and RFC 3164 for what `syslog(3)` writes. */
import * as Escape from "./Escape.ts"
import type { Record } from "./Record.ts"
import * as Rfc5322Date from "./Rfc5322Date.ts"
import * as Summary from "./Summary.ts"

/** The codes of the facilities that a program may use. Source: RFC 5424, section 6.2.1. */
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

/** One message, before a header goes in front of it. */
export interface SyslogMessage {
  readonly severity: "info" | "err"
  /** Parameters of the structured data, ready to be written: `name="value"`. */
  readonly parameters: ReadonlyArray<string>
  /** Those that tell which part of a record a message is, of which record; none where it is a whole one. */
  readonly part: ReadonlyArray<string>
  readonly text: string
}

/** The header of messages: with structured data, or as `syslog(3)` writes it. */
export type Protocol = "rfc3164" | "rfc5424"

/** The name of our structured data. 32473 is the enterprise number that RFC 5612 gives to those who have none. */
export const dataId = "cni-passthrough@32473"

/** The longest text of a message, in bytes. With its header it stays below 8 KiB, the default limit of rsyslog. */
export const largestText = 6000

/** The longest value in structured data, in characters. The record itself has the whole value. */
const longestValue = 200

const parameter = (name: string, value: string): string =>
  `${name}="${Escape.inLine(value).slice(0, longestValue).replace(/["\\\]]/g, "\\$&")}"`

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
 * The messages for a record, whose `text` is the record as it was rendered: one, or as many as its length takes. Joined
 * in their order, the texts of those that have the same `invocation` and `sequence` are the record.
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

/** The text of a message. Without structured data, the parts of a record are told in front of it. */
export const content = ({ part, text }: SyslogMessage, protocol: Protocol): string =>
  protocol === "rfc5424" || part.length === 0 ? text : `[${dataId} ${part.join(" ")}] ${text}`

const codes = { info: 6, err: 3 }

/** Who sends messages: what goes into their headers. */
export interface Sender {
  readonly protocol: Protocol
  readonly facility: keyof typeof facilities
  readonly tag: string
  readonly hostname: string
  readonly pid: number
  /** How many minutes local time is east of UTC at a moment: RFC 3164 has local time. */
  readonly minutesEast: (time: number) => number
}

/** A message with its header, as it goes over the network. */
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
