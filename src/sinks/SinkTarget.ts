/** The sinks that a network configuration can name, with their defaults filled in. */
import type * as SyslogFormat from "../record/SyslogFormat.ts"
import type * as RecordText from "./RecordText.ts"

/** The fields of a file sink. */
export interface FileTarget {
  readonly path: string
  readonly format: RecordText.Format
  readonly mode: string
}

/** The fields of a syslog sink. */
export interface SyslogTarget {
  readonly address: string
  readonly facility: keyof typeof SyslogFormat.facilities
  readonly tag: string
  readonly format: RecordText.Format
  readonly protocol: "rfc3164" | "rfc5424"
}

/** The fields of a journald sink. */
export interface JournaldTarget {
  readonly identifier: string
}

/** The fields of a stderr sink. */
export interface StderrTarget {
  readonly format: RecordText.Format
}

/** A sink. */
export type SinkTarget =
  | { readonly type: "file" } & FileTarget
  | { readonly type: "syslog" } & SyslogTarget
  | { readonly type: "journald" } & JournaldTarget
  | { readonly type: "stderr" } & StderrTarget
