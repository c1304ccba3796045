/**
 * Changes a host at random, asks doctor which flows arrive, and sends packets over them. It is bundled into a sandbox,
 * where it prints one line of JSON for each seed.
 */
import * as Effect from "effect/Effect"
import * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as ReadLine from "node:readline"
import { doctor } from "../../../../src/cli/commands/Doctor.ts"
import * as World from "../../../../src/doctor/flow/World.ts"
import * as Cidr from "../../../../src/network/Cidr.ts"
import * as Command from "../../../support/command.ts"
import type { Answer, Question } from "./agent.ts"
import * as Changes from "./changes.ts"

/** A flow as doctor prints it. */
interface Flow {
  readonly attachment: { readonly containerId: string }
  readonly from: string
  readonly to: string
  readonly family: 4 | 6
  readonly protocol: string
  readonly port: number | null
  readonly size: number
  readonly status: "arrives" | "dropped" | "unknown"
  readonly reason: string
}

/** What doctor said of a flow, and whether packets arrived. */
export interface Judged {
  readonly flow: string
  readonly status: Flow["status"]
  readonly reason: string
  readonly hasArrived: boolean
}

/** What came of a seed. */
export interface Outcome {
  readonly seed: number
  readonly commands: ReadonlyArray<string>
  readonly flows: ReadonlyArray<Judged>
}

class Agent {
  private readonly waiting = new Map<number, (hasArrived: boolean) => void>()
  private readonly child: ChildProcess.ChildProcessWithoutNullStreams
  private last = 0
  readonly ready: Promise<void>

  constructor(netns: string | undefined, ports: ReadonlyArray<number>) {
    const enter = netns === undefined ? [] : ["nsenter", `--net=/run/netns/${netns}`, "--"]
    const [program = "", ...args] = [...enter, process.execPath, "/tmp/agent.mjs", ...ports.map(String)]
    this.child = ChildProcess.spawn(program, args)
    this.child.stderr.pipe(process.stderr)
    this.ready = new Promise((resolve) => {
      ReadLine.createInterface(this.child.stdout).on("line", (line) => {
        if (line === "ready") return resolve()
        const { hasArrived, id } = JSON.parse(line) as Answer
        this.waiting.get(id)?.(hasArrived)
      })
    })
  }

  ask(question: Omit<Question, "id">): Promise<boolean> {
    const id = this.last++
    return new Promise((resolve) => {
      this.waiting.set(id, resolve)
      this.child.stdin.write(`${JSON.stringify({ id, ...question })}\n`)
    })
  }
}

/** Runs a script, whose commands may fail. */
const shell = (script: string): void => {
  ChildProcess.spawnSync("sh", ["-c", script], { stdio: ["ignore", "ignore", "ignore"] })
}

const uplink = { 4: "192.0.2.2", 6: "2001:db8::2" }
const gateway = { 4: "10.99.0.1", 6: "fd99::1" }
const world = { 4: Cidr.addressText(World.peers[4]!), 6: Cidr.addressText(World.peers[6]!) }

const agents = {
  web: new Agent("web", [80]),
  api: new Agent("api", [80]),
  host: new Agent(undefined, [53]),
  world: new Agent("router", [443, 53])
}

/** Who sends a flow, and where to; undefined for flows that are not sent here. */
const sendingOf = (
  { attachment, family, from, port: given, protocol, size, to }: Flow
): { readonly by: Agent; readonly question: Omit<Question, "id" | "timeout"> } | undefined => {
  const port = given ?? undefined
  const own = attachment.containerId === "web" ? agents.web : agents.api
  const other = attachment.containerId === "web" ? agents.api : agents.web
  if (size > 100 || protocol === "arp" || protocol === "ndp") return undefined
  if (from === "world") {
    return { by: agents.world, question: { protocol, port, from: world[family], to: uplink[family] } }
  }
  if (from === "host") return { by: agents.host, question: { protocol, port, to: uplink[family] } }
  if (from === "127.0.0.1") return { by: agents.host, question: { protocol, port, to } }
  if (from === "container") return { by: other, question: { protocol, port, to: gateway[family] } }
  const toHost = to === "host" ? gateway[family] : to
  return { by: own, question: { protocol, port, to: to === "world" ? world[family] : toHost } }
}

const short = 400
const long = 5000

/** Sends a flow. If it is expected to arrive and does not, sends it again with more patience. */
const send = async (flow: Flow): Promise<Judged | undefined> => {
  const sending = sendingOf(flow)
  if (sending === undefined) return undefined
  const { by, question } = sending
  const hasArrived = await by.ask({ ...question, timeout: short }) ||
    (flow.status === "arrives" && await by.ask({ ...question, timeout: long }))
  const { attachment, from, port, protocol, reason, status, to } = flow
  const name = `${attachment.containerId}: ${from} to ${to}${port === null ? "" : `:${port}`} by ${protocol}`
  return { flow: name, status, reason, hasArrived }
}

const [, , kind = "bridge", first = "1", step = "1", last = "1"] = process.argv
await Promise.all(Object.values(agents).map(({ ready }) => ready))
for (let seed = Number(first); seed <= Number(last); seed += Number(step)) {
  const changes = Changes.of(kind, seed)
  shell(changes.map(({ command }) => command).join("\n"))
  const { stdout } = await Effect.runPromise(
    Effect.provide(Command.printed(doctor, "n", "--json"), Command.host)
  )
  const { flows = [] } = JSON.parse(stdout) as { readonly flows?: ReadonlyArray<Flow> }
  const sent = await Promise.all(flows.map(send))
  const outcome: Outcome = {
    seed,
    commands: changes.map(({ command }) => command),
    flows: sent.filter((each) => each !== undefined)
  }
  Fs.writeSync(1, `${JSON.stringify(outcome)}\n`)
  shell([...changes.toReversed().map(({ undo }) => undo), Changes.reset].join("\n"))
}
process.exit()
