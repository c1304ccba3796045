/**
 * A client of the Container Runtime Interface, which kubelet speaks: `node criClient.ts SOCKET METHOD JSON` calls a method of
 * the runtime service, and prints its answer. It has the fields that a pod sandbox needs. Source: cri-api, `api.proto`.
 */
import * as Http2 from "node:http2"
import * as Net from "node:net"

/** The fields of a message by their names: numbers, and the fields of those that are messages themselves. */
type Fields = { readonly [name: string]: number | readonly [number: number, fields: Fields | "map"] }

const config: Fields = {
  metadata: [1, { name: 1, uid: 2, namespace: 3, attempt: 4 }],
  hostname: 2,
  log_directory: 3,
  dns_config: [4, { servers: 1, searches: 2, options: 3 }],
  port_mappings: [5, { protocol: 1, container_port: 2, host_port: 3, host_ip: 4 }],
  labels: [6, "map"],
  annotations: [7, "map"],
  linux: [8, { cgroup_parent: 1 }]
}

const requests: { readonly [method: string]: Fields } = {
  RunPodSandbox: { config: [1, config] },
  StopPodSandbox: { pod_sandbox_id: 1 },
  RemovePodSandbox: { pod_sandbox_id: 1 },
  ListPodSandbox: {},
  Version: { version: 1 }
}

const varint = (value: number): ReadonlyArray<number> =>
  value < 128 ? [value] : [(value & 127) | 128, ...varint(Math.floor(value / 128))]

const delimited = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([...varint(number * 8 + 2), ...varint(bytes.length)]), bytes])

const encode = (value: { readonly [name: string]: unknown }, fields: Fields): Buffer =>
  Buffer.concat(
    Object.entries(value).flatMap(([name, item]) => {
      const field = fields[name]
      if (field === undefined) throw new Error(`there is no field ${name}`)
      const [number, inner] = typeof field === "number" ? [field, undefined] as const : field
      if (inner === "map") {
        return Object.entries(item as object).map(([key, text]) =>
          delimited(number, encode({ key, text }, { key: 1, text: 2 }))
        )
      }
      return (Array.isArray(item) ? item : [item]).map((each) => {
        if (typeof each === "number") return Buffer.from([...varint(number * 8), ...varint(each)])
        return delimited(number, inner === undefined ? Buffer.from(String(each)) : encode(each, inner))
      })
    })
  )

/** The values of the first field of a message, as long as it begins with them. */
const firstValues = (message: Buffer): ReadonlyArray<Buffer> => {
  if (message[0] !== 10) return []
  let [length, at, shift] = [0, 1, 0]
  for (let byte = 128; byte >= 128; shift += 7) {
    byte = message[at++] ?? 0
    length += (byte & 127) * 2 ** shift
  }
  return [message.subarray(at, at + length), ...firstValues(message.subarray(at + length))]
}

/** The first field of an answer, where it is a text. */
const firstText = (message: Buffer): string => firstValues(message)[0]?.toString() ?? ""

/** What `crictl pods --output json` prints of an answer, as far as it is read. */
const pods = (message: Buffer): string =>
  JSON.stringify({ items: firstValues(message).map((item) => ({ id: firstText(item) })) })

const [, , socket = "", method = "", json = "{}"] = process.argv
const message = encode(JSON.parse(json), requests[method] ?? {})
const head = Buffer.alloc(5)
head.writeUInt32BE(message.length, 1)
const session = Http2.connect("http://localhost", { createConnection: () => Net.connect(socket) })
const stream = session.request({
  ":method": "POST",
  ":path": `/runtime.v1.RuntimeService/${method}`,
  "content-type": "application/grpc",
  te: "trailers"
})
const chunks: Array<Buffer> = []
let status: { readonly [name: string]: unknown } = {}
const take = (headers: { readonly [name: string]: unknown }) => status = { ...status, ...headers }
stream.on("response", take)
stream.on("trailers", take)
stream.on("data", (chunk: Buffer) => chunks.push(chunk))
stream.on("close", () => {
  session.close()
  const answer = Buffer.concat(chunks).subarray(5)
  if (status["grpc-status"] === "0") {
    process.stdout.write(`${method === "ListPodSandbox" ? pods(answer) : firstText(answer)}\n`)
  } else {
    process.stderr.write(`${decodeURIComponent(String(status["grpc-message"] ?? "no answer"))}\n`)
    process.exitCode = 1
  }
})
stream.end(Buffer.concat([head, message]))
