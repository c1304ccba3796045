/** Sends one packet, or opens one connection, and says what came of it. Runs in the namespace of the sender. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Dgram from "node:dgram"
import * as Net from "node:net"

/** The first line of a sender, when it can send. */
export const ready = "ready"

/** What to send. */
export const Question = Schema.Struct({
  protocol: Schema.Literals(["tcp", "udp"]),
  /** The address to send from; left out to let the kernel choose. */
  from: Schema.optionalKey(Schema.String),
  sourcePort: Schema.Finite,
  to: Schema.String,
  port: Schema.Finite,
  /** How many bytes to send. */
  size: Schema.Finite,
  /** How long to wait for an answer, in milliseconds. */
  timeout: Schema.Finite
})
export type Question = typeof Question.Type

/** What came of it. */
export const Answer = Schema.Struct({
  /**
   * `answered`: the receiver sent something, or accepted the connection. `refused`: it, or something on the way,
   * refused. `failed`: the kernel could not send. `silent`: nothing came back in time. `stalled`: a connection was
   * accepted, and nothing came back for what was sent over it.
   */
  outcome: Schema.Literals(["answered", "refused", "failed", "silent", "stalled"]),
  /** The error of the kernel, such as `EHOSTUNREACH`. */
  code: Schema.optionalKey(Schema.String)
})
export type Answer = typeof Answer.Type

/** A question about the name servers of the root, which all name servers understand. */
const dnsQuestion = Buffer.from("1d0e010000010000000000000000020001", "hex")

/** The port where a server answers only to a question that it understands. */
const dnsPort = 53

const payloadOf = ({ port, protocol, size }: Question): Buffer =>
  protocol === "udp" && port === dnsPort && size <= dnsQuestion.length
    ? dnsQuestion
    : Buffer.alloc(size, "cni-passthrough ")

const answerTo = (error: NodeJS.ErrnoException): Answer =>
  error.code === "ECONNREFUSED" || error.code === "ECONNRESET"
    ? { outcome: "refused", code: error.code }
    : { outcome: "failed", code: error.code ?? error.message }

/** Calls back once, at the latest when the time is over. */
const within = (
  timeout: number,
  begin: (done: (answer: Answer) => void) => () => void,
  late: () => Answer = () => ({ outcome: "silent" })
): Effect.Effect<Answer> =>
  Effect.callback((resume) => {
    let isDone = false
    const done = (answer: Answer) => {
      if (isDone) return
      isDone = true
      clearTimeout(timer)
      close()
      resume(Effect.succeed(answer))
    }
    const timer = setTimeout(() => done(late()), timeout)
    const close = begin((answer) => setImmediate(done, answer))
    return Effect.sync(() => {
      clearTimeout(timer)
      close()
    })
  })

const sendDatagram = (question: Question) =>
  within(question.timeout, (done) => {
    const socket = Dgram.createSocket(question.to.includes(":") ? "udp6" : "udp4")
    const failed = (error: Error | null) => error !== null && done(answerTo(error))
    socket.on("error", failed).on("message", () => done({ outcome: "answered" }))
    socket.bind(
      { port: question.sourcePort, ...(question.from === undefined ? {} : { address: question.from }) },
      () => {
        socket.connect(question.port, question.to, () => socket.send(payloadOf(question), failed))
      }
    )
    return () => {
      socket.removeAllListeners().on("error", () => {})
      try {
        socket.close()
      } catch { /* it was never opened */ }
    }
  })

const connect = (question: Question) => {
  let isConnected = false
  return within(question.timeout, (done) => {
    const { from, port, size, sourcePort, to } = question
    const socket = Net.connect({
      host: to,
      port,
      localPort: sourcePort,
      ...(from === undefined ? {} : { localAddress: from })
    })
    socket.on("error", (error) => done(answerTo(error))).on("connect", () => {
      isConnected = true
      if (size === 0) return done({ outcome: "answered" })
      socket.on("data", () => done({ outcome: "answered" })).on("end", () => done({ outcome: "answered" }))
      socket.end(payloadOf(question))
    })
    return () => void socket.removeAllListeners().on("error", () => {}).destroy()
  }, () => ({ outcome: isConnected ? "stalled" : "silent" }))
}

/** Asks. Never fails: the answer says what failed. */
export const ask = (question: Question): Effect.Effect<Answer> =>
  question.protocol === "udp" ? sendDatagram(question) : connect(question)
