/**
 * Sends and answers packets in the network namespace that it runs in. It answers on the ports of its arguments, and sends
 * what it reads from stdin, one question a line. An answer to each goes to stdout.
 */
import * as ChildProcess from "node:child_process"
import * as Dgram from "node:dgram"
import * as Net from "node:net"
import * as ReadLine from "node:readline"

/** A packet to send. */
export interface Question {
  readonly id: number
  readonly protocol: string
  readonly from?: string
  readonly to: string
  readonly port: number | undefined
  /** How long to wait for an answer, in milliseconds. */
  readonly timeout: number
}

/** Whether an answer came. */
export interface Answer {
  readonly id: number
  readonly hasArrived: boolean
}

const connects = ({ from, port = 0, timeout, to }: Question): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = Net.connect({ host: to, port, ...(from === undefined ? {} : { localAddress: from }) })
    const end = (hasArrived: boolean) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(hasArrived)
    }
    const timer = setTimeout(() => end(false), timeout)
    socket.on("connect", () => socket.write("question")).on("data", () => end(true)).on("error", () => end(false))
  })

const isAnswered = ({ port = 0, timeout, to }: Question): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = Dgram.createSocket(Net.isIPv6(to) ? "udp6" : "udp4")
    let isOver = false
    const end = (hasArrived: boolean) => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      socket.close()
      resolve(hasArrived)
    }
    const timer = setTimeout(() => end(false), timeout)
    socket.on("message", () => end(true)).on("error", () => end(false))
    // The callback gets the error of a connect that failed.
    socket.connect(
      port,
      to,
      ((error?: Error) => error === undefined ? socket.send("question") : end(false)) as () => void
    )
  })

const pings = ({ timeout, to }: Question): Promise<boolean> =>
  new Promise((resolve) => {
    const seconds = String(Math.ceil(timeout / 1000))
    ChildProcess.spawn("busybox", ["ping", "-c", "1", "-W", seconds, to], { stdio: "ignore" })
      .on("exit", (status) => resolve(status === 0))
  })

const ask = (question: Question): Promise<boolean> =>
  question.protocol === "tcp"
    ? connects(question)
    : question.protocol === "udp"
    ? isAnswered(question)
    : pings(question)

for (const port of process.argv.slice(2).map(Number)) {
  Net.createServer((socket) => void socket.on("error", () => {}).on("data", () => socket.end("answer")))
    .listen(port, "::")
  const socket = Dgram.createSocket("udp6")
  socket.on("message", (_, { address, port }) => socket.send("answer", port, address)).on("error", () => {})
  socket.bind(port, "::")
}
ReadLine.createInterface(process.stdin).on("line", (line) => {
  const question = JSON.parse(line) as Question
  void ask(question).then((hasArrived) => {
    process.stdout.write(`${JSON.stringify({ id: question.id, hasArrived } satisfies Answer)}\n`)
  })
}).on("close", () => process.exit())
process.stdout.write("ready\n")
