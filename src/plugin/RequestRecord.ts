/** Makes the log record of a request. */
import { isVerb } from "../cni/Verb.ts"
import type { RequestRecord } from "../record/Record.ts"
import * as RunContext from "../record/RunContext.ts"
import * as Redaction from "./Redaction.ts"
import type { Request } from "./Request.ts"

/** Returns the members that all records of a request share. */
export const contextOf = ({ cniVersion, environment, invocation, network, settings }: Request): RunContext.RunContext =>
  RunContext.make({
    invocation,
    parent: environment.parent,
    command: environment.command,
    containerId: environment.containerId,
    ifname: environment.ifname,
    netns: environment.netns,
    network,
    cniVersion,
    label: settings.label
  })

/** Returns stdin for the log: secrets are masked, and everything else is complete. */
const stdinOf = ({ document, settings }: Request): Pick<RequestRecord, "config" | "stdin" | "stdinBase64"> => {
  switch (document._tag) {
    case "Config":
      return { config: Redaction.config(document.text, settings.redact) }
    case "Text":
      return { stdin: document.text }
    case "Bytes":
      return { stdinBase64: Buffer.from(document.bytes).toString("base64") }
    case "Unread":
      return {}
  }
}

/** Makes the `request` record. */
export const make = (request: Request, context = contextOf(request)): RequestRecord => {
  const { environment, refusal, settings, warnings } = request
  const { args, baggage, command, path, traceparent, tracestate } = environment
  return {
    time: RunContext.timestamp(request.received),
    event: "request",
    ...context,
    ...RunContext.filled({ args, path, traceparent, tracestate, baggage }),
    ...stdinOf(request),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(refusal === undefined && isVerb(command) ? { hooks: settings.hooks[command].length } : {})
  }
}
