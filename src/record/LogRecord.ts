/** What is logged: what happened, and the request that it happened to. */
import type { ErrorDocument } from "../cni/CniError.ts"
import type { Request } from "../cni/Request.ts"
import type { HookCommand, Netns } from "../cni/Settings.ts"

/** How one command went. */
export interface HookReport {
  readonly command: HookCommand["command"]
  readonly netns: Netns
  /** Null where the command was killed, or could not be started: then `stderr` says why. */
  readonly exitCode: number | null
  /** The signal that ended the command, such as `SIGKILL`; null where none did. */
  readonly signal: string | null
  readonly timedOut: boolean
  readonly durationMs: number
  /** What the command wrote, the first MiB of it. Bytes that are no UTF-8 are U+FFFD. */
  readonly stdout: string
  readonly stderr: string
  /** Whether the command wrote more than is kept. */
  readonly truncated: boolean
}

/** Whether a command did what it should. */
export const succeeded = (report: HookReport): boolean => report.exitCode === 0

interface Happened {
  readonly request: Request
  /** Milliseconds since 1970. */
  readonly time: number
  /** The place of the record in its run, from 1. */
  readonly sequence: number
}

/** A request came in. The first record of a run. */
export interface RequestRecord extends Happened {
  readonly event: "request"
}

/** A hook command ended. */
export interface HookRecord extends Happened {
  readonly event: "hook"
  readonly hook: HookReport
}

/** The request is done. The last record of a run that succeeds, written just before its answer. */
export interface ResultRecord extends Happened {
  readonly event: "result"
  /** The JSON document that goes to stdout; undefined where nothing does. */
  readonly result: string | undefined
  readonly durationMs: number
}

/** The request failed. The last record of a run that fails. */
export interface ErrorRecord extends Happened {
  readonly event: "error"
  readonly error: ErrorDocument
  readonly durationMs: number
}

/** One record of the log. */
export type LogRecord = RequestRecord | HookRecord | ResultRecord | ErrorRecord
