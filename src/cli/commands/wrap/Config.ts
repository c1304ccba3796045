/** The flags that choose what is logged and where, and the text of the configuration that they make. */
import * as Flag from "effect/cli/Flag"
import * as Data from "effect/Data"
import * as Option from "effect/Option"
import * as Json from "../../../json/Json.ts"
import * as JsonText from "../../../json/JsonText.ts"
import { type Kind, kinds } from "../../../network/StateKind.ts"
import * as Settings from "../../../plugin/Settings.ts"
import * as Flags from "../../Flags.ts"

/** The default log of wrapped plugins. */
export const defaultLog = "/var/log/cni/passthrough.jsonl"

/** The flags that choose what to log, and where. */
export const flags = {
  log: Flags.file("log").pipe(
    Flag.withDescription(`The log, with one JSON record a line (default: ${defaultLog})`),
    Flag.optional
  ),
  sink: Flag.Literals("sink", ["file", "journald", "syslog"]).pipe(
    Flag.withDescription("Where wrapped plugins log to (default: file)"),
    Flag.optional
  ),
  changes: Flags.changes,
  redact: Flag.String("redact").pipe(
    Flag.withDescription(
      "A key or JSON Pointer whose values are not logged, or \"secrets\" for everything that looks like a secret; " +
        "may be given several times"
    ),
    Flag.withMetavar("key"),
    Flag.atLeast(0)
  )
}

/** The values of {@link flags}. */
export interface Asked {
  readonly log: Option.Option<string>
  readonly sink: Option.Option<"file" | "journald" | "syslog">
  readonly changes: ReadonlyArray<Kind>
  readonly redact: ReadonlyArray<string>
}

/** The command line names both a log file and a sink without one. */
export class NotAFile extends Data.TaggedError("NotAFile")<{ readonly sink: string }> {
  override readonly message = `--log names a file, and --sink ${this.sink} has none: give one of them`
}

/** Whether any of these flags is set. */
export const isAsked = ({ changes, log, redact, sink }: Asked): boolean =>
  Option.isSome(log) || Option.isSome(sink) || changes.length > 0 || redact.length > 0

const logFieldNames: ReadonlySet<string> = new Set(["logFile", "logFormat", "logSinks"])

/** The fields of a document that say where to log, or the others. */
const partOf = (document: Json.JsonObject, isAboutLogs: boolean): Json.JsonObject =>
  Object.fromEntries(Object.entries(document).filter(([name]) => logFieldNames.has(name) === isAboutLogs))

/** The fields that say where to log. A plain log file is read in half the time of a list of sinks. */
const logFields = ({ log, sink }: Asked, old: Json.JsonObject): Json.JsonObject => {
  const { logFile, logSinks } = old
  const isNamed = Option.isSome(log) || Option.isSome(sink)
  if (!isNamed && (logFile !== undefined || logSinks !== undefined)) return partOf(old, true)
  const type = Option.getOrElse(sink, () => "file" as const)
  if (type !== "file") return { logSinks: [{ type }] }
  return { logFile: Option.getOrElse(log, () => typeof logFile === "string" ? logFile : defaultLog), logFormat: "json" }
}

/** The new text of the configuration. Fields that no flag sets stay as in the earlier text. */
export const text = (asked: Asked, before = ""): string => {
  const { changes, redact } = asked
  const document = Json.parse(before)
  const old = Json.isObject(document) ? document : {}
  const fields = {
    ...logFields(asked, old),
    onLogFailure: "ignore",
    ...partOf(old, false),
    ...(redact.length === 0 ? {} : { redact }),
    ...(changes.length === 0 ? {} : { changes: changes.length === kinds.length ? true : changes })
  }
  return `${JSON.stringify(fields, null, 2)}\n`
}

/** A log that a configuration names. */
export type Sink = Settings.Settings["sinks"][number]

/** The content of a configuration. */
export interface Reading {
  readonly sinks: ReadonlyArray<Sink>
  /** Its problems, one a line. */
  readonly problems: ReadonlyArray<string>
}

/** Reads the text of a configuration, as the wrapped plugins do. */
export const read = (text: string): Reading => {
  const document = Json.parse(text)
  if (!Json.isObject(document)) return { sinks: [], problems: ["found no JSON object, expected one"] }
  const { problems, settings } = Settings.read(document)
  return {
    sinks: settings.sinks,
    problems: problems.map(({ message, path }) => `${JsonText.pathText(path)}: ${message}`)
  }
}

/** Where a sink writes to, in one word. */
export const place = (sink: Sink): string => sink.type === "file" ? sink.path : sink.type

/** A pattern that matches the files of a log whose path has variables in it. */
export const patternOf = ({ path }: Sink & { readonly type: "file" }): string => path.replace(/\$(?:\{\w+\}|\w+)/g, "*")
