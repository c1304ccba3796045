/** `cni-passthrough trace`: what the kernel does with a packet of a container, rule by rule. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Net from "node:net"
import * as LogFiles from "../../log/LogFiles.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as Outcome from "../../trace/Outcome.ts"
import type { Request, Step } from "../../trace/Request.ts"
import * as Subject from "../../trace/Subject.ts"
import * as Trace from "../../trace/Trace.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as Logs from "../Logs.ts"
import * as OwnCommand from "../OwnCommand.ts"
import * as ReportFile from "../ReportFile.ts"
import * as TraceLines from "../TraceLines.ts"
import { sendPackets } from "./SendPackets.ts"

/** An address with a port and a protocol: `10.96.0.10:53/udp`, `[fd00::1]:80`. */
const target = /^(?:\[([\da-fA-F:.]+)\]|([\d.]+)):(\d{1,5})(?:\/(tcp|udp))?$/

const parseTarget = (value: string) => {
  const [, v6, v4, port, protocol] = target.exec(value) ?? []
  const address = v6 ?? v4 ?? ""
  const isValid = Net.isIP(address) !== 0 && Number(port) > 0 && Number(port) < 65_536
  return isValid ? { address, port: Number(port), protocol: protocol as "tcp" | "udp" | undefined } : undefined
}

/** A port with a protocol: `8080`, `53/udp`. */
const parsePort = (value: string) => {
  const [, port, protocol] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(value) ?? []
  return Number(port) > 0 && Number(port) < 65_536
    ? { port: Number(port), protocol: protocol as "tcp" | "udp" | undefined }
    : undefined
}

const number = (name: string, description: string, least: number, most: number) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar("number"),
    Flag.filter(
      (value) => value >= least && value <= most,
      (value) => `found ${value}, expected a number from ${least} to ${most}`
    )
  )

const input = {
  container: Argument.String("container").pipe(
    Argument.withDescription("The pod, the beginning of the container ID, or a network namespace in /run/netns"),
    Argument.optional
  ),
  to: Flag.String("to").pipe(
    Flag.withDescription("Send to this address and port: 10.96.0.10:53/udp, [fd00::1]:443"),
    Flag.withMetavar("address:port"),
    Flag.filter(
      (value) => parseTarget(value) !== undefined,
      (value) =>
        `found ${JSON.stringify(value)}, expected an address and a port such as 192.0.2.1:80 or 10.96.0.10:53/udp`
    ),
    Flag.optional
  ),
  port: Flag.String("port").pipe(
    Flag.withDescription(
      "Wait for packets to this port of the container, or of the host if published; with --from host, send to it"
    ),
    Flag.withMetavar("port"),
    Flag.filter(
      (value) => parsePort(value) !== undefined,
      (value) => `found ${JSON.stringify(value)}, expected a port such as 8080 or 53/udp`
    ),
    Flag.optional
  ),
  from: Flag.String("from").pipe(
    Flag.withDescription(
      "Send from the host (host) or from this address; with --port, wait for packets from this address"
    ),
    Flag.withMetavar("host|address"),
    Flag.filter(
      (value) => value === "host" || Net.isIP(value) !== 0,
      (value) => `found ${JSON.stringify(value)}, expected host or an address`
    ),
    Flag.optional
  ),
  udp: Flags.toggle("udp", "UDP instead of TCP"),
  size: number("size", "How many bytes to send (default: none with TCP, 17 with UDP)", 0, 65_000).pipe(Flag.optional),
  count: number("count", "How many packets or connections to trace, one after another (default: 1)", 1, 100).pipe(
    Flag.withDefault(1)
  ),
  pod: Flags.text("pod", "The container of this pod: NAME or NAMESPACE/NAME, as in CNI_ARGS"),
  containerId: Flags.text("container-id", "The container: its ID, or the beginning of it"),
  netns: Flags.text("netns", "The network namespace of the container: a path, or a name in /run/netns"),
  cacheDir: Flags.cacheDir,
  log: Flags.file("log").pipe(
    Flag.withDescription(
      `Find who wrote a rule in this log of wrap --changes: a file, or a pattern; may be repeated (default: ${LogFiles.defaultPattern})`
    ),
    Flag.atLeast(0)
  ),
  timeout: Flags.optionalDuration(
    "timeout",
    "How long to wait for an answer (default: 5s), or with --port for packets (default: 1m)"
  ),
  json: Flags.toggle("json", "Print one JSON document at the end"),
  report: ReportFile.flag
}

type Input = Command.Command.Config.Infer<typeof input>

/** The flags contradict each other, or say too little. */
class Contradiction extends Data.TaggedError("Contradiction")<{ readonly message: string }> {}

/** How long to wait, in milliseconds. */
const patience = { answer: 5000, packets: 60_000 } as const

/** The default size of a datagram in bytes: that of the smallest DNS query. */
const datagram = 17

const requestOf = Effect.fnUntraced(function*(flags: Input) {
  const { cacheDir, container, containerId, count, log, netns, pod, size, timeout, udp } = flags
  const to = Option.isSome(flags.to) ? parseTarget(flags.to.value) : undefined
  const port = Option.isSome(flags.port) ? parsePort(flags.port.value) : undefined
  const from = Option.getOrUndefined(flags.from)
  if (to !== undefined && port !== undefined) {
    return yield* new Contradiction({ message: "--to sends and --port waits: give only one of them" })
  }
  const given = to ?? port
  if (given === undefined) {
    return yield* new Contradiction({ message: "name what to trace: --to 192.0.2.1:80 sends, --port 8080 waits" })
  }
  if (udp && given.protocol === "tcp") {
    return yield* new Contradiction({ message: "--udp contradicts /tcp" })
  }
  // Without the cache, receivers on this host are unknown, but the host or a named namespace can still be traced.
  const needsCache = [container, pod, containerId].some(Option.isSome)
  const attachments = yield* Effect.catchTag(
    Subject.attachments(cacheDir),
    "CacheUnreadable",
    (error) => needsCache ? Effect.fail(error) : Effect.succeed([])
  )
  const subject = yield* Subject.find(
    {
      name: Option.getOrUndefined(container),
      pod: Option.getOrUndefined(pod),
      containerId: Option.getOrUndefined(containerId),
      netns: Option.getOrUndefined(netns)
    },
    attachments,
    cacheDir
  )
  if (subject === undefined && from !== "host") {
    return yield* new Contradiction({
      message: "name a container: --pod NAMESPACE/NAME, --container-id, --netns; or give --from host"
    })
  }
  const protocol = given.protocol ?? (udp ? "udp" as const : "tcp" as const)
  const isWaiting = to === undefined && from !== "host"
  return {
    subject,
    to: to === undefined ? undefined : { address: to.address, port: to.port },
    port: given.port,
    protocol,
    fromHost: from === "host",
    from: from === "host" ? undefined : from,
    size: Option.getOrElse(size, () => protocol === "udp" ? datagram : 0),
    count,
    timeout: Option.getOrElse(timeout, () => isWaiting ? patience.packets : patience.answer),
    logs: log.length > 0 ? log : [LogFiles.defaultPattern],
    attachments,
    executable: OwnCommand.withArguments(sendPackets.name)
  } satisfies Request
})

/** `trace [CONTAINER] --to ADDRESS:PORT | --port PORT` */
export const trace = Command.make(
  "trace",
  input,
  Effect.fnUntraced(function*(flags) {
    const style = yield* Style.current()
    const request = yield* requestOf(flags)
    const steps: Array<Step> = []
    let drawing = new TraceLines.Drawing(style, [])
    const draw = (step: Step): ReadonlyArray<string> => {
      if (step._tag === "Tables") drawing = new TraceLines.Drawing(style, step.places)
      if (step._tag === "Sending" || step._tag === "Waiting") drawing.reset()
      if (step._tag === "Hops") return drawing.lines(step.hops)
      if (step._tag === "End") return TraceLines.end(step.outcome, style)
      return TraceLines.head(step, request.protocol, style)
    }
    const tell = Effect.fnUntraced(function*(step: Step) {
      steps.push(step)
      if (!flags.json) { for (const line of draw(step)) yield* Console.log(line) }
    })
    const outcomes = yield* Trace.run(request, tell)
    const statuses = new Set(outcomes.map(Outcome.statusOf))
    if (statuses.has(1) && !flags.json) {
      for (const line of TraceLines.next(request.subject?.attachments[0]?.containerId, style)) yield* Console.log(line)
    }
    if (flags.json) yield* Console.log(TraceLines.json(steps))
    if (Option.isSome(flags.report)) {
      const networks = request.subject?.attachments.map(({ network }) => network) ?? []
      yield* ReportFile.make(flags.report.value, yield* Logs.ofNetworks(flags.log, networks), {
        traces: TraceLines.onPage(steps, request.protocol, style)
      })
    }
    if (statuses.has(1)) return yield* new Errors.Unsuccessful()
    if (statuses.has(2)) return yield* new Errors.Incomplete()
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Follow a packet through the rules of the host"),
  Command.withDescription(
    "Follow a container's packet through its network namespace and the host: each link, hook, chain and rule, how nat " +
      "changes it, and what drops it. --to sends a packet from the container's network namespace; --port waits for " +
      "one. In each namespace it adds an nftables table that marks only this flow, and is removed when the command " +
      "ends. Exit status 0: it arrived, or left the host, 1: it was dropped, 2: it could not be traced."
  ),
  Command.withExamples([
    { command: "cni-passthrough trace --pod shop/web --to 10.96.0.10:53/udp", description: "Send a packet from a pod" },
    {
      command: "cni-passthrough trace --pod shop/web --port 8080",
      description: "Wait for packets to a port of the pod"
    },
    { command: "cni-passthrough trace web --from host --port 80", description: "Send a packet from the host to a pod" },
    {
      command: "cni-passthrough trace web --to 10.96.0.10:53/udp --report trace.html",
      description: "Also write a page to send to a colleague"
    },
    {
      command: "cni-passthrough trace --netns web --to 198.51.100.10:443 --json",
      description: "Send a packet from a network namespace, for a script"
    }
  ])
)
