/** Sends records to a syslog daemon over its local socket, TCP or UDP. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as Field from "../json/Field.ts"
import type { Record } from "../record/Record.ts"
import * as SyslogFormat from "../record/SyslogFormat.ts"
import { type LogSink, SinkFailed } from "./LogSink.ts"
import * as RecordText from "./RecordText.ts"
import * as SinkKind from "./SinkKind.ts"
import type { SyslogTarget } from "./SinkTarget.ts"
import * as TimeZone from "./TimeZone.ts"
import * as UtilLinuxLogger from "./UtilLinuxLogger.ts"

const addressPattern =
  /^(?:\/.*|(?<transport>tcp|udp):\/\/(?<host>\[[\da-fA-F:.]+\]|[^\s/:[\]]+)(?::(?<port>\d{1,5}))?)$/u

/** The fields of a syslog sink. */
export const fields = () =>
  Schema.Struct({
    type: Schema.Literal("syslog"),
    /** The address of the daemon. */
    address: Schema.optionalKey(
      Field.matching(addressPattern, "a path such as \"/dev/log\", \"tcp://host:601\" or \"udp://host:514\"")
    ),
    facility: Schema.optionalKey(
      Field.oneOf(Object.keys(SyslogFormat.facilities) as Array<keyof typeof SyslogFormat.facilities>)
    ),
    /** The program name for the daemon. */
    tag: Schema.optionalKey(Field.identifier()),
    format: Schema.optionalKey(RecordText.format()),
    /** The format of the header. Default: RFC 3164 on a local socket, as `syslog(3)` writes it, else RFC 5424. */
    protocol: Schema.optionalKey(Field.oneOf(["rfc3164", "rfc5424"]))
  })

type Fields = Omit<ReturnType<typeof fields>["Type"], "type">

type Messages = ReadonlyArray<SyslogFormat.SyslogMessage>

/**
 * Sends over the local socket. If the daemon is slow, the kernel keeps messages until the queue of the socket is full.
 * There, daemons treat an RFC 5424 header as text unless they are configured for it.
 */
const sendLocally = Effect.fnUntraced(function*(target: SyslogTarget, record: Record, messages: Messages) {
  for (const message of messages) {
    const header = target.protocol === "rfc3164" ? [] : [
      "--rfc5424=notq",
      `--msgid=${record.event}`,
      `--sd-id=${SyslogFormat.dataId}`,
      ...message.parameters.map((parameter) => `--sd-param=${parameter}`)
    ]
    const options = [
      `--socket=${target.address}`,
      "--socket-errors=on",
      "--size=64KiB",
      `--tag=${target.tag}`,
      `--id=${process.pid}`,
      `--priority=${target.facility}.${message.severity}`,
      ...header
    ]
    yield* UtilLinuxLogger.send(options, `${SyslogFormat.content(message, target.protocol)}\n`)
  }
})

/**
 * Sends over TCP with octet counting (RFC 6587). The protocol has no acknowledgement, but a daemon closes its end after
 * it has read everything. A record counts as written only then.
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

/** Sends over UDP, one datagram for each message (RFC 5426). Delivery is not confirmed. */
const sendByUdp = (host: string, port: number, lines: ReadonlyArray<Buffer>): Effect.Effect<void, Error> =>
  Effect.callback((resume) => {
    const socket = process.getBuiltinModule("node:dgram").createSocket(host.includes(":") ? "udp6" : "udp4")
    socket.on("error", (error) => resume(Effect.fail(error)))
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

/** Returns the function that sends the messages of a record to a target. */
const makeSend = (target: SyslogTarget) => {
  const { host = "", port, transport } = addressPattern.exec(target.address)?.groups ?? {}
  const address = host.replace(/^\[|\]$/g, "")
  return (record: Record, messages: Messages) => {
    if (transport === undefined) return sendLocally(target, record, messages)
    const hostname = process.getBuiltinModule("node:os").hostname()
    const sender = { ...target, hostname, pid: process.pid, minutesEast: TimeZone.minutesEast }
    const lines = messages.map((message) => Buffer.from(SyslogFormat.render(record, message, sender)))
    return transport === "tcp"
      ? sendByTcp(address, Number(port ?? 601), lines)
      : sendByUdp(address, Number(port ?? 514), lines)
  }
}

/** The sink `syslog`. */
export const kind = {
  fields,
  complete: ({ address = "/dev/log", ...fields }: Fields): SyslogTarget => ({
    address,
    facility: "daemon",
    tag: "cni-passthrough",
    format: "json",
    protocol: address.startsWith("/") ? "rfc3164" : "rfc5424",
    ...fields
  }),
  open: (target: SyslogTarget) =>
    Effect.map(ProcessRunner, (runner) => {
      const name = `syslog ${target.address}`
      const send = makeSend(target)
      let sequence = 0
      return {
        name,
        write: (record: Record) =>
          Effect.suspend(() => {
            sequence++
            return send(record, SyslogFormat.messages(record, RecordText.render(record, target.format), sequence))
          }).pipe(
            Effect.mapError((cause) => new SinkFailed({ sink: name, reason: cause.message, cause })),
            Effect.provideService(ProcessRunner, runner)
          )
      }
    })
}

/** A {@link LogSink} that sends all records to a syslog daemon. */
export const layer = (target: Fields = {}): Layer.Layer<LogSink, never, ProcessRunner> => SinkKind.layer(kind, target)
