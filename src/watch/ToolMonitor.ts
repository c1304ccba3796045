/** Follows what a tool such as `nft monitor` reports, for as long as it runs. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as HostTools from "../exec/HostTools.ts"
import * as ProcessGroup from "../exec/ProcessGroup.ts"
import * as Spawn from "../exec/Spawn.ts"
import * as LineSplitter from "../log/LineSplitter.ts"

/** The tool is not there, or it ended without being stopped. */
export class MonitorEnded extends Data.TaggedError("MonitorEnded")<{
  readonly tool: string
  readonly reason: string
}> {
  override readonly message = `${this.tool}: ${this.reason}`
}

/** A tool to follow. The listeners are called as soon as a line arrives, because its author may end at once. */
export interface Following {
  readonly argv: readonly [tool: string, ...args: ReadonlyArray<string>]
  readonly onLine: (line: string) => void
  readonly onComplaint?: (line: string) => void
  /** The tool receives events of the kernel from here on. */
  readonly onListening: () => void
}

/** Follows tools until they are interrupted. */
export class ToolMonitor extends Context.Service<ToolMonitor, {
  readonly follow: (following: Following) => Effect.Effect<never, MonitorEnded>
}>()("cni-passthrough/ToolMonitor") {}

/**
 * Runs the tool, and ends with it. The pipe to us is stdin: it closes when we end, which even SIGKILL does, and the
 * shell then kills the tool, which would otherwise wait for the next event before it noticed. The first line of the
 * output is the tool's process ID.
 */
const script = `exec 3<&0 </dev/null
{ /bin/sh -c 'echo $$; exec 3<&-; exec "$@"' sh "$@"; kill -TERM 0; } &
read -r _ <&3
kill -KILL 0`

/** How often to ask whether the tool listens, in milliseconds, and how many times. */
const asking = { interval: 5, times: 400 }

/** Whether a process has a netlink socket. */
const listens = (pid: string): boolean => {
  try {
    return Fs.readFileSync("/proc/net/netlink", "utf8").split("\n").some((line) => line.trim().split(/\s+/)[2] === pid)
  } catch {
    return true // cannot be known
  }
}

const start = (
  { find, env }: HostTools.Tools,
  { argv: [tool, ...args], onComplaint, onLine, onListening }: Following
): Effect.Effect<never, MonitorEnded> =>
  Effect.callback((resume) => {
    const failed = (reason: string) => resume(Effect.fail(new MonitorEnded({ tool, reason })))
    const file = find(tool)
    if (file === undefined) return failed("it is not on PATH")
    const [stdout, stderr] = [new LineSplitter.Splitter(), new LineSplitter.Splitter()]
    let timer: NodeJS.Timeout | undefined
    const whenListening = (pid: string, left: number): void => {
      if (left === 0 || listens(pid)) return onListening()
      timer = setTimeout(() => whenListening(pid, left - 1), asking.interval)
    }
    let hasBegun = false
    let complaint = ""
    const child = Spawn.spawn(
      { argv: ["/bin/sh", "-c", script, "sh", file, ...args], env, detached: true },
      ["pipe", "pipe", "pipe"]
    )
    child.stdin?.on("error", () => {})
    child.stdout?.on("data", (bytes: Uint8Array) => {
      for (const line of stdout.push(bytes)) {
        if (hasBegun) onLine(line)
        else {
          hasBegun = true
          whenListening(line, asking.times)
        }
      }
    })
    child.stderr?.on("data", (bytes: Uint8Array) => {
      for (const line of stderr.push(bytes)) {
        complaint = line
        onComplaint?.(line)
      }
    })
    child.on("error", ({ message }) => failed(message))
    child.on("close", () => failed(complaint === "" ? "it ended" : complaint))
    return Effect.sync(() => {
      clearTimeout(timer)
      ProcessGroup.signal(child.pid, "SIGKILL")
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
      child.unref()
    })
  })

/** Follows the tools of this host. */
export const layer: Layer.Layer<ToolMonitor> = Layer.effect(
  ToolMonitor,
  Effect.map(HostTools.HostTools, (tools) => ({ follow: (following: Following) => start(tools, following) }))
)
