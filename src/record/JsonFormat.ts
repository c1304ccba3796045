/** A record as one JSON object on one line, for machines. */
import * as JsonText from "../cni/JsonText.ts"
import type { Request } from "../cni/Request.ts"
import * as escape from "./escape.ts"
import type { LogRecord } from "./LogRecord.ts"

/** Members that are left out where they are empty. */
export const filled = (members: { readonly [name: string]: string }) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== ""))

const requestMembers = ({ document, environment, warnings }: Request) => ({
  ...filled({ args: environment.args, path: environment.path, traceparent: environment.traceparent }),
  ...(document._tag === "Text" ? { stdin: document.text } : {}),
  ...(document._tag === "Bytes" ? { stdinBase64: Buffer.from(document.bytes).toString("base64") } : {}),
  ...(warnings.length > 0 ? { warnings } : {})
})

const eventMembers = (record: LogRecord): object => {
  switch (record.event) {
    case "request":
      return requestMembers(record.request)
    case "hook":
      return { hook: record.hook, durationMs: record.hook.durationMs }
    case "result":
      return { durationMs: record.durationMs }
    case "error": {
      const { code, details, msg } = record.error
      return { error: { code, msg, ...filled({ details }) }, durationMs: record.durationMs }
    }
  }
}

/** The members whose value is JSON text already, and must not be parsed on its way into the record. */
const verbatimMembers = (record: LogRecord): string => {
  if (record.event === "request" && record.request.document._tag === "Config") {
    return `,"config":${JsonText.onOneLine(record.request.document.text)}`
  }
  return record.event === "result" && record.result !== undefined
    ? `,"result":${JsonText.onOneLine(record.result)}`
    : ""
}

/** Renders a record, with a line end behind it. */
export const render = (record: LogRecord): string => {
  const { environment, invocation, ...request } = record.request
  const members = JSON.stringify({
    time: new Date(record.time).toISOString(),
    event: record.event,
    invocation,
    ...filled({
      command: environment.command,
      containerId: environment.containerId,
      ifname: environment.ifname,
      netns: environment.netns,
      network: request.network,
      cniVersion: request.cniVersion,
      label: request.settings.label
    }),
    ...eventMembers(record)
  })
  return escape.inJson(`${members.slice(0, -1)}${verbatimMembers(record)}}\n`)
}
