/** What the log tells of a request. */
import { isVerb } from "../cni/Verb.ts"
import type { RequestRecord } from "../record/Record.ts"
import * as RunContext from "../record/RunContext.ts"
import * as Redaction from "./Redaction.ts"
import type { Request } from "./Request.ts"

/** What all records of a request have in common. */
export const originOf = ({ cniVersion, environment, invocation, network, settings }: Request): RunContext.RunContext =>
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

/** Stdin as the log shows it: without its secrets, and without loss. */
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

/** The record of a request. */
export const make = (request: Request, origin = originOf(request)): RequestRecord => {
  const { environment, refusal, settings, warnings } = request
  const { args, command, path, traceparent } = environment
  return {
    time: RunContext.timestamp(request.received),
    event: "request",
    ...origin,
    ...RunContext.filled({ args, path, traceparent }),
    ...stdinOf(request),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(refusal === undefined && isVerb(command) ? { hooks: settings.hooks[command].length } : {})
  }
}
