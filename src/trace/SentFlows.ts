/** Sends packets over the flows of an attachment, to verify what is predicted about them. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Facts } from "../doctor/Facts.ts"
import type * as Attachment from "../doctor/facts/Attachment.ts"
import type { Flow } from "../doctor/flow/Flow.ts"
import * as World from "../doctor/flow/World.ts"
import * as PublishedAt from "../doctor/PublishedAt.ts"
import * as Routed from "../doctor/Routed.ts"
import * as Cidr from "../network/Cidr.ts"
import * as HopWords from "./HopWords.ts"
import type { Outcome } from "./Outcome.ts"
import type { Request, Target } from "./Request.ts"
import * as Trace from "./Trace.ts"

/** What to send over a flow. */
interface Parcel extends Pick<Request, "protocol" | "size"> {
  readonly sender: Attachment.AttachmentId | "host"
  readonly to: Target
}

/** The names of the throwaway namespaces. */
const names = { first: "the temporary container", second: "another temporary container" } as const

/** How long to wait for an answer, in milliseconds. */
const timeout = 1500

/** The most flows that packets are sent over. Each takes about a second. */
const most = 24

/** The sizes in bytes: of a small datagram, and of the headers of IP and UDP. */
const sizes = { datagram: 17, headers: { 4: 28, 6: 48 } } as const

/** The port of containers that packets are sent to. Whether a program listens there does not matter. */
const discard = 9

/** The address of the host at which a port is published. */
const publishedAt = (facts: Facts, { family, port, protocol, attachment }: Flow): string | undefined => {
  const mapping = attachment.portMappings.find((each) => each.hostPort === port && each.protocol === protocol)
  const { host } = facts
  if (mapping === undefined || host === undefined || Result.isFailure(host.network)) return undefined
  const at = PublishedAt.hostAddress(mapping)
  if (at !== undefined) return Cidr.addressText(at)
  const { links } = host.network.success
  const uplinks = new Set(Routed.uplinksOf(facts, family))
  const global = (some: typeof links) =>
    some.flatMap(({ addresses }) => addresses).filter((each) =>
      each.family === family && !Cidr.isLoopback(each) && !Cidr.isLinkLocal(each)
    )
  const [address] = [...global(links.filter(({ name }) => uplinks.has(name))), ...global(links)]
  return address && Cidr.addressText(address)
}

/** What to send over a flow; undefined if nothing can show whether it arrives. */
const parcelOf = (facts: Facts, other: Attachment.AttachmentId | undefined, flow: Flow): Parcel | undefined => {
  const { attachment, family, kind, port = discard, protocol, size, to } = flow
  // A host without an uplink is not a fault of the network.
  const world = Routed.uplinksOf(facts, family).length === 0 ? undefined : World.peers[family]
  const tcp = { protocol: "tcp", size: 0 } as const
  const ofPort = (sender: Parcel["sender"] | undefined, address: string | undefined): Parcel | undefined =>
    sender === undefined || address === undefined || (protocol !== "tcp" && protocol !== "udp")
      ? undefined
      : { sender, to: { address, port }, protocol, size: protocol === "udp" ? sizes.datagram : 0 }
  switch (kind) {
    case "world":
      return world && { ...tcp, sender: attachment, to: { address: Cidr.addressText(world), port } }
    case "world-large":
      return world && {
        sender: attachment,
        to: { address: Cidr.addressText(world), port },
        protocol: "udp",
        size: size - sizes.headers[family]
      }
    case "peer":
    case "routed-peer":
      return { ...tcp, sender: attachment, to: { address: to, port } }
    case "name-server":
    case "host-name-server":
      return { sender: attachment, to: { address: to, port }, protocol: "udp", size: sizes.datagram }
    case "port-host":
      return ofPort("host", publishedAt(facts, flow))
    case "port-loopback":
      return ofPort("host", "127.0.0.1")
    case "port-container":
      return ofPort(other, publishedAt(facts, flow))
    case "port-itself":
      return ofPort(attachment, publishedAt(facts, flow))
    case "gateway": // was asked when the attachment was inspected
    case "port-world": // comes from beyond this host
      return undefined
  }
}

/** What a flow showed. */
const shown = (flow: Flow, outcome: Outcome): Flow => {
  const dropped = (reason: string): Flow => ({ ...flow, status: "dropped", reason, verified: true })
  const arrives = (reason = ""): Flow => {
    const { check: _, ...rest } = flow
    return { ...rest, status: "arrives", reason, verified: true }
  }
  switch (outcome._tag) {
    case "Arrived":
      // A port may be published twice, or be one of a program on the host.
      return !flow.kind.startsWith("port-") || outcome.place === names.first
        ? arrives()
        : dropped(`${flow.words}: the packet came to ${outcome.place ?? "another container"} instead, and was answered`)
    case "Left": {
      const reason = `it left ${outcome.place} by ${outcome.link}, and was not answered`
      if (flow.kind === "world" || flow.kind === "world-large") return arrives(reason)
      return flow.kind === "name-server" ? { ...flow, status: "unknown", reason, verified: true } : flow
    }
    case "Dropped":
      return dropped(
        `${flow.words}: ${outcome.hop.direction === "there" ? "the packet" : "the answer"} was dropped by ${
          HopWords.drop(outcome.hop)
        }`
      )
    case "Lost": {
      // The address that stands for the world is ours, and other networks need no route to it.
      if (outcome.isRefusedBeyond && (flow.kind === "world" || flow.kind === "world-large")) {
        const reason = `it left ${outcome.place}, and a router beyond it refused it: ${
          outcome.cause?.evidence.join(", ")
        }`
        return { ...flow, status: "unknown", reason, verified: true }
      }
      const where = outcome.hook === ""
        ? `did not leave ${outcome.place}`
        : `ended in ${outcome.place} after ${outcome.hook}`
      return dropped(
        `${flow.words}: the ${outcome.isAnswer ? "answer" : "packet"} ${where}${
          outcome.cause === undefined ? "" : `, probably because ${outcome.cause.text}`
        }`
      )
    }
    case "Nothing":
    case "Unknown":
      return flow
  }
}

/** What all flows of a trial share. */
interface Context {
  readonly facts: Facts
  readonly executable: Request["executable"]
}

const outcomeOf = Effect.fnUntraced(function*(
  { executable, facts }: Context,
  { protocol, sender, size, to }: Parcel
) {
  const attachments = facts.attachments.map((each, index) => ({
    ...each,
    pod: index === 0 ? names.first : names.second
  }))
  const subject = sender === "host"
    ? undefined
    : attachments.find(({ containerId }) => containerId === sender.containerId)
  const outcomes = yield* Trace.run({
    subject: subject && { name: subject.pod, netns: subject.netns, attachments: [subject] },
    to,
    port: to.port,
    protocol,
    fromHost: sender === "host",
    from: undefined,
    size,
    count: 1,
    timeout,
    logs: [],
    attachments,
    executable
  }, () => Effect.void)
  return outcomes[0]
})

/**
 * Sends packets over the flows of the first attachment of these facts, one after another. The second attachment, if
 * there is one, is its peer. Returns all flows; those over which packets were sent are verified.
 */
export const send = Effect.fnUntraced(function*(context: Context, flows: ReadonlyArray<Flow>) {
  const [, other] = context.facts.attachments
  const all: Array<Flow> = []
  let sent = 0
  let problem: string | undefined
  for (const flow of flows) {
    const parcel = problem === undefined && sent < most ? parcelOf(context.facts, other, flow) : undefined
    if (parcel === undefined) {
      all.push(flow)
      continue
    }
    sent++
    const outcome = yield* Effect.result(outcomeOf(context, parcel))
    if (Result.isFailure(outcome)) problem = outcome.failure.message
    // ICMP is not sent: other packets to the container take the same path.
    const { protocol, to: { port } } = parcel
    all.push(
      Result.isFailure(outcome) || outcome.success === undefined
        ? flow
        : { ...shown(flow, outcome.success), protocol, port }
    )
  }
  return { flows: all as ReadonlyArray<Flow>, problem }
})
