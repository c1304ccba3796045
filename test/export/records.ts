/** The records of a failing IPAM inside bridge inside multus, and others to export. */
import * as JsonFormat from "../../src/record/JsonFormat.ts"
import type { Record } from "../../src/record/Record.ts"
import { at, common, hook, wrapped } from "../operations/records.ts"

/** The context that a runtime sends. */
export const traceId = "0af7651916cd43dd8448eb211c80319c"
export const runtimeSpan = "b7ad6b7169203331"
export const traced = { traceparent: `00-${traceId}-${runtimeSpan}-01`, tracestate: "vendor=1" }

export const runs = { multus: "00000000000000a1", bridge: "00000000000000a2", hostLocal: "00000000000000a3" }

const args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_UID=6f1c"

const failing = (msg: string) => ({
  outcome: { exitCode: 1 },
  end: { event: "error", error: { code: 11, msg } }
})

/** Records as objects, as records. */
export const read = (records: ReadonlyArray<object>): ReadonlyArray<Record> =>
  records.map((record) => {
    const text = JSON.stringify(record)
    const found = JsonFormat.read(text)
    if (found === undefined) throw new Error(`not a record: ${text}`)
    return found
  })

/** Puts members into the request of each run. */
const requesting = (members: object, records: ReadonlyArray<object>): ReadonlyArray<object> =>
  records.map((record) =>
    (record as { readonly event: string }).event === "request" ? { ...record, ...members } : record
  )

/** The records of the failing IPAM. `context` is what the runtime sent besides. */
export const failingIpam = (context: object = {}): ReadonlyArray<object> =>
  requesting({ args, ...context }, [
    ...wrapped(runs.multus, { type: "multus", start: 0, took: 100, ...failing("delegateAdd: no addresses") }),
    ...wrapped(runs.bridge, {
      type: "bridge",
      start: 10,
      took: 80,
      members: { parent: runs.multus },
      ...failing("failed to allocate: no addresses")
    }),
    {
      ...common(runs.bridge, 91, "bridge"),
      parent: runs.multus,
      event: "hook",
      hook: { ...hook, command: "ip link" },
      durationMs: 1
    },
    {
      ...common(runs.bridge, 92, "bridge"),
      parent: runs.multus,
      event: "changes",
      changes: { host: { links: { added: ["cni-podman0 bridge up mtu 1500"], removed: [] } } },
      durationMs: 3
    },
    ...wrapped(runs.hostLocal, {
      type: "host-local",
      start: 20,
      took: 30,
      members: { parent: runs.bridge },
      ...failing("no addresses")
    })
  ])

/** When something happened, in milliseconds since 1970. */
export const time = (milliseconds: number): number => Date.parse(at(milliseconds))

/** A text of lines of records. */
export const lines = (records: ReadonlyArray<object>): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join("")
