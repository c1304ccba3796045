/** Requests for unit tests, made the way the pipeline makes them. */
import * as Environment from "../../src/cni/Environment.ts"
import * as Request from "../../src/plugin/Request.ts"
import * as RequestRecord from "../../src/plugin/RequestRecord.ts"
import type * as Record from "../../src/record/Record.ts"
import { attachment } from "./plugin.ts"

/** A request with this verb, these fields (or this text) on stdin, and these variables. */
export const make = (
  command: string,
  config: object | string | Uint8Array,
  variables: { readonly [name: string]: string } = {}
): Request.Request =>
  Request.make({
    invocation: "0123456789abcdef",
    received: Date.UTC(2026, 10, 23, 18, 58, 47, 5),
    environment: Environment.make({ ...attachment, CNI_COMMAND: command, ...variables }),
    stdin: config instanceof Uint8Array
      ? config
      : Buffer.from(
        typeof config === "string" ? config : JSON.stringify({ cniVersion: "1.1.0", name: "net", ...config })
      )
  })

/** Its record. */
export const record = (...request: Parameters<typeof make>): Record.RequestRecord =>
  RequestRecord.make(make(...request))
