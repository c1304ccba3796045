/** Sends records to a syslog daemon: over its local socket, TCP or UDP. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { syslogAddress, type SyslogTarget } from "../cni/Settings.ts"
import type { LogRecord } from "../record/LogRecord.ts"
import * as SyslogFormat from "../record/SyslogFormat.ts"
import { LogSink, SinkFailed } from "../services/LogSink.ts"
import * as logger from "./logger.ts"

/** By its local socket. The kernel keeps the messages where the daemon is slow, until the queue of the socket is full. */
const sendLocally = Effect.fnUntraced(function*(target: SyslogTarget, record: LogRecord) {
  for (const { parameters, severity, text } of SyslogFormat.messages(record, target)) {
    const options = [
      `--socket=${target.address}`,
      "--socket-errors=on",
      "--rfc5424=notq",
      "--size=64KiB",
      `--tag=${target.tag}`,
      `--id=${process.pid}`,
      `--priority=${target.facility}.${severity}`,
      `--msgid=${record.event}`,
      `--sd-id=${SyslogFormat.dataId}`,
      ...parameters.map((parameter) => `--sd-param=${parameter}`)
    ]
    yield* logger.run(options, `${text}\n`, record.request.environment)
  }
})

const linesOf = (target: SyslogTarget, record: LogRecord): ReadonlyArray<Buffer> => {
  const sender = { hostname: process.getBuiltinModule("node:os").hostname(), pid: process.pid }
  return SyslogFormat.messages(record, target)
    .map((message) => Buffer.from(SyslogFormat.render(record, target, message, sender)))
}

/**
 * Over TCP, each message behind its length (RFC 6587, octet counting). The protocol has no receipt, but a daemon
 * closes its end when it has read all of ours: until then the record does not count as written.
 */
const sendByTcp = (host: string, port: number, lines: ReadonlyArray<Buffer>): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const socket = process.getBuiltinModule("node:net").connect({ host, port })
    socket.on("error", (error) => resume(Effect.fail(error)))
    socket.on("close", () => resume(Effect.void))
    socket.resume()
    socket.end(Buffer.concat(lines.flatMap((line) => [Buffer.from(`${line.length} `), line])))
    return Effect.sync(() => socket.destroy())
  })

/** Over UDP, a message each (RFC 5426). Whether they arrive, nobody can tell. */
const sendByUdp = (host: string, port: number, lines: ReadonlyArray<Buffer>): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const socket = process.getBuiltinModule("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4")
    let left = lines.length
    const sent = (error: Error | null) => {
      left--
      if (error === null && left > 0) return
      socket.close()
      resume(error === null ? Effect.void : Effect.fail(error))
    }
    for (const line of lines) socket.send(line, port, host, sent)
    return Effect.sync(() => socket.close())
  })

/** Sends records where `target` says. */
export const make = (target: SyslogTarget): LogSink["Service"] => {
  const { host = "", port, transport } = syslogAddress.exec(target.address)?.groups ?? {}
  const hostname = host.replace(/^\[|\]$/g, "")
  const send = (record: LogRecord): Effect.Effect<void, Error> => {
    switch (transport) {
      case "tcp":
        return sendByTcp(hostname, Number(port ?? 601), linesOf(target, record))
      case "udp":
        return sendByUdp(hostname, Number(port ?? 514), linesOf(target, record))
      default:
        return sendLocally(target, record)
    }
  }
  const name = `syslog ${target.address}`
  return LogSink.of({
    name,
    write: (record) =>
      Effect.mapError(
        Effect.suspend(() => send(record)),
        (error) => new SinkFailed({ sink: name, reason: error.message })
      )
  })
}

/** A syslog daemon as the sink of all records. */
export const layer = (target: Partial<Omit<SyslogTarget, "type">> = {}): Layer.Layer<LogSink> =>
  Layer.succeed(
    LogSink,
    make({
      type: "syslog",
      address: "/dev/log",
      facility: "daemon",
      tag: "cni-passthrough",
      format: "json",
      ...target
    })
  )
