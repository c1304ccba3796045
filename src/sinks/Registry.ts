/** All kinds of sinks that a network configuration can name. */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Environment } from "../cni/Environment.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as FileSink from "./FileSink.ts"
import * as JournaldSink from "./JournaldSink.ts"
import type { Writer } from "./LogSink.ts"
import type { SinkTarget } from "./SinkTarget.ts"
import * as StderrSink from "./StderrSink.ts"
import * as SyslogSink from "./SyslogSink.ts"

const kinds = {
  file: FileSink.kind,
  syslog: SyslogSink.kind,
  journald: JournaldSink.kind,
  stderr: StderrSink.kind
}

type Type = keyof typeof kinds

/** The types of all kinds. */
export const types = Object.keys(kinds) as ReadonlyArray<Type>

/** The schema of a sink in a network configuration: the fields of its type, and no others. */
export const fields = () =>
  Schema.Union(types.map((type) => kinds[type].fields())).annotate({
    identifier: "an object with \"type\"",
    tag: { key: "type", expected: types.map((type) => JSON.stringify(type)).join(" or ") }
  })

/** The fields of a sink. */
export type Fields = ReturnType<typeof fields>["Type"]

/** Returns the field names of a type of sink, or undefined if there is no such type. */
export const fieldNames = (type: unknown): ReadonlyArray<string> | undefined => {
  const known = types.find((each) => each === type)
  return known === undefined ? undefined : Object.keys(kinds[known].fields().fields)
}

/** Fills in the defaults of a sink. */
export const complete = (fields: Fields): SinkTarget => kinds[fields.type].complete(fields as never) as SinkTarget

/**
 * Opens the writer of a sink for one run. `logTimeout` limits all its waiting together, in milliseconds; 0 means no
 * limit.
 */
export const open = (
  target: SinkTarget,
  environment: Environment,
  logTimeout: number
): Effect.Effect<Writer, never, ProcessRunner> => kinds[target.type].open(target as never, environment, logTimeout)
