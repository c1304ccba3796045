import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Environment } from "../cni/Environment.ts"
import type { Record } from "../record/Record.ts"
import type { SinkTarget } from "./Registry.ts"

/** A sink could not take a record. */
export class SinkFailed extends Data.TaggedError("SinkFailed")<{
  readonly sink: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.sink}: ${this.reason}`
}

/**
 * Takes the records of a run, one after the other. It fails with an error of its own, whose `message` should name the
 * sink and say what to do, for it is what a runtime shows.
 */
export interface Writer {
  /** Takes one record. What it succeeds with is of no interest; when it does, the record is there for others to see. */
  readonly write: (record: Record) => Effect.Effect<unknown, unknown>
  /** What to call it where it runs out of time. Default: "a log sink". */
  readonly name?: string
  /** Whether it is certain that `write` never waits for anything: then it needs no time limit. Default: false. */
  readonly neverWaits?: boolean
}

/** The run of the plugin whose records a sink takes. */
export interface Run {
  readonly environment: Environment
  /** The sinks that the network configuration names. */
  readonly sinks: ReadonlyArray<SinkTarget>
  /** How long all records of the run together may wait for each sink, in milliseconds; 0 where there is no limit. */
  readonly logTimeout: number
}

/** A sink that has to know the run before its first record, or has something to close after its last. */
export interface Opener {
  /** Opens the sink for the records of one run. What it acquires is released when the run has its answer. */
  readonly open: (run: Run) => Effect.Effect<Writer, unknown, Scope.Scope>
  /** Whether it is certain that `open` never waits for anything: then it needs no time limit. Default: false. */
  readonly neverWaits?: boolean
}

/** Where the records of runs go: a writer for all of them, or one that is opened for each. */
export class LogSink extends Context.Service<LogSink, Writer | Opener>()("cni-passthrough/LogSink") {}
