/** Renders a record as lines for people, in the layout of the shell script that this plugin replaces. */
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "./Escape.ts"
import type {
  ChangesRecord,
  Differences,
  ErrorDocument,
  Hook,
  Plugin,
  Record,
  RemovalRecord,
  RequestRecord
} from "./Record.ts"
import * as Rfc5322Date from "./Rfc5322Date.ts"

/** Indents output by two spaces, so that none of its lines looks like one of ours. */
const block = (text: string): ReadonlyArray<string> =>
  text === "" ? [] : [Escape.inLines(text.replace(/\n$/, "")).replace(/^/gm, "  ")]

/**
 * The maximum size of a document to break into lines, in characters. Nobody reads a larger one, and breaking it would
 * take long.
 */
const largestReadable = 65_536

const readable = (json: string): string =>
  json.length > largestReadable ? JsonText.onOneLine(json) : JsonText.indented(json)

const stdinLines = ({ config, stdin, stdinBase64 }: RequestRecord): ReadonlyArray<string> => {
  if (config !== undefined) return [Escape.inJson(readable(config))]
  if (stdin !== undefined) return ["STDIN (not a JSON object):", ...block(stdin)]
  if (stdinBase64 !== undefined) return ["STDIN (not UTF-8):", ...block(Buffer.from(stdinBase64, "base64").toString())]
  return ["STDIN: nothing"]
}

const hooksLines = ({ command, hooks }: RequestRecord): ReadonlyArray<string> => {
  if (hooks === undefined) return []
  return [hooks > 0 ? `Executing hook ${command} commands:` : `No ${command} hook`]
}

const requestLines = (record: RequestRecord, minutesEast: (time: number) => number): ReadonlyArray<string> => {
  const { args, command, containerId, ifname, label, netns, path, time, warnings = [] } = record
  const moment = Date.parse(time)
  const values = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: containerId,
    CNI_IFNAME: ifname,
    CNI_NETNS: netns,
    CNI_ARGS: args,
    CNI_PATH: path,
    ...(label === undefined ? {} : { LABEL: label })
  }
  return [
    "",
    Rfc5322Date.render(moment, minutesEast(moment)),
    ...Object.entries(values).map(([name, value = ""]) => `${name}: ${Escape.inLine(value)}`),
    ...stdinLines(record),
    ...warnings.map((warning) => `WARNING: ${Escape.inLine(warning)}`),
    ...hooksLines(record)
  ]
}

const outcome = ({ durationMs, exitCode, signal, timedOut }: Hook | Plugin): string => {
  if (timedOut === true) return `KILLED: out of time after ${durationMs} ms`
  if (signal !== null) return `KILLED: ${signal}`
  return exitCode === null ? "NOT STARTED" : `EXIT STATUS: ${exitCode}`
}

const processLines = (title: string, process: Hook | Plugin): ReadonlyArray<string> => [
  title,
  ...block(process.stdout ?? ""),
  ...block(process.stderr),
  ...(process.truncated ? ["OUTPUT TRUNCATED: only its first MiB is kept"] : []),
  outcome(process)
]

const differenceLines = (where: string, kinds: Differences = {}): ReadonlyArray<string> =>
  Object.entries(kinds).flatMap(([kind, { added, removed }]) => [
    ...removed.map((fact) => `  - ${where} ${kind}: ${Escape.inLine(fact)}`),
    ...added.map((fact) => `  + ${where} ${kind}: ${Escape.inLine(fact)}`)
  ])

const changesLines = ({ changes, notes = [] }: ChangesRecord): ReadonlyArray<string> => {
  const lines = [...differenceLines("host", changes.host), ...differenceLines("container", changes.container)]
  return [
    lines.length === 0 ? "CHANGES: none" : "CHANGES:",
    ...lines,
    ...notes.map((note) => `  ${Escape.inLine(note)}`)
  ]
}

const errorLine = ({ code, details, msg }: ErrorDocument): string =>
  `ERROR${code === undefined ? "" : ` ${code}`}: ${Escape.inLine(details === undefined ? msg : `${msg}; ${details}`)}`

const removalLines = (record: RemovalRecord, minutesEast: (time: number) => number): ReadonlyArray<string> => {
  const { containerId = "", network = "", removal: { kind, reason, text }, time } = record
  const moment = Date.parse(time)
  return [
    "",
    Rfc5322Date.render(moment, minutesEast(moment)),
    `CNI_CONTAINERID: ${Escape.inLine(containerId)}`,
    `NETWORK: ${Escape.inLine(network)}`,
    `REMOVED: ${Escape.inLine(`${kind} ${text} (${reason})`)}`
  ]
}

const lines = (record: Record, minutesEast: (time: number) => number): ReadonlyArray<string> => {
  switch (record.event) {
    case "request":
      return requestLines(record, minutesEast)
    case "hook": {
      const { command } = record.hook
      const shown = typeof command === "string" ? command : JSON.stringify(command)
      return processLines(`COMMAND: ${Escape.inLine(shown)}`, record.hook)
    }
    case "plugin":
      return processLines(`PLUGIN: ${Escape.inLine(record.plugin.file ?? record.plugin.type)}`, record.plugin)
    case "changes":
      return changesLines(record)
    case "result":
      return record.result === undefined
        ? ["RESULT: nothing, as it should be"]
        : [`RESULT: ${Escape.inJson(JsonText.onOneLine(record.result))}`]
    case "error":
      return [errorLine(record.error)]
    case "removal":
      return removalLines(record, minutesEast)
  }
}

/**
 * Renders a record and a line break. `minutesEast` returns the time zone at a time (milliseconds since 1970) in minutes
 * east of UTC.
 */
export const render = (record: Record, minutesEast: (time: number) => number): string =>
  [...lines(record, minutesEast), ""].join("\n")
