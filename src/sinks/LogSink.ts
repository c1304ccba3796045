/** The service that writes records, and what a kind of sink has to provide. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Environment } from "../cni/Environment.ts"
import type { Record } from "../record/Record.ts"
import type { SinkTarget } from "./SinkTarget.ts"

/** A sink failed to write a record. */
export class SinkFailed extends Data.TaggedError("SinkFailed")<{
  readonly sink: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.sink}: ${this.reason}`
}

/**
 * Writes the records of a run, one after the other. Its errors should name the sink and the fix in their `message`,
 * because runtimes show that message.
 */
export interface Writer {
  /** Writes one record. When it succeeds, others can read the record. Its value is ignored. */
  readonly write: (record: Record) => Effect.Effect<unknown, unknown>
  /** The display name for timeout errors. Default: "a log sink". */
  readonly name?: string
  /** Whether `write` never waits, so that it needs no timeout. Default: false. */
  readonly neverWaits?: boolean
}

/** The run whose records a sink receives. */
export interface Run {
  readonly environment: Environment
  /** The sinks in the network configuration. */
  readonly sinks: ReadonlyArray<SinkTarget>
  /** Milliseconds that all records of the run together may wait for each sink. 0 means no limit. */
  readonly logTimeout: number
}

/** A sink that needs the run before its first record, or must close something after the last. */
export interface Opener {
  /** Opens the sink for one run. Its resources are released after the run has answered. */
  readonly open: (run: Run) => Effect.Effect<Writer, unknown, Scope.Scope>
  /** Whether `open` never waits, so that it needs no timeout. Default: false. */
  readonly neverWaits?: boolean
}

/** Where records go: one writer for all runs, or an opener that makes a writer for each run. */
export class LogSink extends Context.Service<LogSink, Writer | Opener>()("cni-passthrough/LogSink") {}
