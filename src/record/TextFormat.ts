/** A record as lines for people, in the layout of the shell script that this plugin descends from. */
import * as JsonText from "../cni/JsonText.ts"
import type { Request } from "../cni/Request.ts"
import { isVerb } from "../cni/Verb.ts"
import * as DateR from "./DateR.ts"
import * as escape from "./escape.ts"
import type { HookReport, LogRecord } from "./LogRecord.ts"

/** Indented by two, so that no line of it can be taken for one of ours. */
const block = (text: string): ReadonlyArray<string> =>
  text === "" ? [] : [escape.inLines(text.replace(/\n$/, "")).replace(/^/gm, "  ")]

/** Above this size, in characters, nobody reads a document line by line, and breaking it into lines would take long. */
const largestReadable = 65_536

const readable = (json: string): string =>
  json.length > largestReadable ? JsonText.onOneLine(json) : JsonText.indented(json.trim())

const stdinLines = ({ document }: Request): ReadonlyArray<string> => {
  switch (document._tag) {
    case "Config":
      return [escape.inJson(readable(document.text))]
    case "Text":
      return ["STDIN (no JSON object):", ...block(document.text)]
    case "Bytes":
      return ["STDIN (no UTF-8):", ...block(Buffer.from(document.bytes).toString())]
    case "Unread":
      return ["STDIN: nothing"]
  }
}

const requestLines = (time: number, request: Request): ReadonlyArray<string> => {
  const { environment, settings } = request
  const { command } = environment
  const lines = ["", DateR.render(time)]
  const values = [
    ["CNI_COMMAND", command],
    ["CNI_CONTAINERID", environment.containerId],
    ["CNI_IFNAME", environment.ifname],
    ["CNI_NETNS", environment.netns],
    ["CNI_ARGS", environment.args],
    ["CNI_PATH", environment.path]
  ] as const
  for (const [name, value] of values) lines.push(`${name}: ${escape.inLine(value)}`)
  if (settings.label !== "") lines.push(`LABEL: ${escape.inLine(settings.label)}`)
  lines.push(...stdinLines(request))
  for (const warning of request.warnings) lines.push(`WARNING: ${escape.inLine(warning)}`)
  if (request.refusal === undefined && isVerb(command)) {
    lines.push(settings.hooks[command].length > 0 ? `Executing hook ${command} commands:` : `No ${command} hook`)
  }
  return lines
}

const outcome = (hook: HookReport): string => {
  if (hook.timedOut) return `KILLED: out of time after ${hook.durationMs} ms`
  if (hook.signal !== null) return `KILLED: ${hook.signal}`
  return hook.exitCode === null ? "NOT STARTED" : `EXIT STATUS: ${hook.exitCode}`
}

const hookLines = (hook: HookReport): ReadonlyArray<string> => {
  const command = typeof hook.command === "string" ? hook.command : JSON.stringify(hook.command)
  return [
    `COMMAND: ${escape.inLine(command)}`,
    ...block(hook.stdout),
    ...block(hook.stderr),
    ...(hook.truncated ? ["OUTPUT TRUNCATED: only its first MiB is kept"] : []),
    outcome(hook)
  ]
}

const lines = (record: LogRecord): ReadonlyArray<string> => {
  switch (record.event) {
    case "request":
      return requestLines(record.time, record.request)
    case "hook":
      return hookLines(record.hook)
    case "result":
      return record.result === undefined
        ? ["RESULT: nothing, as it should be"]
        : [`RESULT: ${escape.inJson(JsonText.onOneLine(record.result))}`]
    case "error": {
      const { code, details, msg } = record.error
      return [`ERROR ${code}: ${escape.inLine(details === "" ? msg : `${msg}; ${details}`)}`]
    }
  }
}

/** Renders a record, with a line end behind it. */
export const render = (record: LogRecord): string => [...lines(record), ""].join("\n")
