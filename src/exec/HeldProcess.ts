/**
 * A tool that runs as long as a scope, and that we talk to. It has to end at the end of its stdin: that ends it even
 * if this process is killed.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as HostTools from "./HostTools.ts"
import * as ProcessGroup from "./ProcessGroup.ts"
import { NotStarted } from "./ProcessRunner.ts"
import * as Spawn from "./Spawn.ts"

/** What a held process does. */
export type Output =
  | { readonly _tag: "Line"; readonly line: string }
  | { readonly _tag: "Complaint"; readonly line: string }
  | { readonly _tag: "Exit"; readonly exitCode: number | null }

/** A tool that runs. */
export interface HeldProcess {
  readonly write: (text: string) => Effect.Effect<void>
  /** The lines of its stdout (`Line`) and stderr (`Complaint`) as they come, and its end. */
  readonly output: Queue.Dequeue<Output>
}

/** How long a process may take to end after SIGTERM before it is killed, in milliseconds. */
const patience = 500

/** Calls `take` with each line that arrives, and with the rest at the end. */
const eachLine = (stream: NodeJS.ReadableStream | null, take: (line: string) => void): void => {
  let rest = ""
  stream?.setEncoding("utf8")
  stream?.on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) take(line)
  }).on("end", () => {
    if (rest !== "") take(rest)
  }).on("error", () => {})
}

/** Starts a tool. At the end of the scope, it is ended with all that it started. */
export const start = Effect.fnUntraced(function*(call: Pick<HostTools.Call, "argv" | "netns">) {
  const { argv, env } = yield* HostTools.located(call)
  const output = yield* Queue.unbounded<Output>()
  const child = yield* Effect.acquireRelease(
    Effect.callback<ReturnType<typeof Spawn.spawn>, NotStarted>((resume) => {
      const failed = (cause: unknown) => {
        const { code = "", message } = cause as NodeJS.ErrnoException
        resume(Effect.fail(new NotStarted({ program: argv[0], code, reason: message, cause })))
      }
      try {
        const started = Spawn.spawn({ argv, env, detached: true }, ["pipe", "pipe", "pipe"])
        started.once("error", failed)
        started.once("spawn", () => resume(Effect.succeed(started)))
        started.stdin?.on("error", () => {}) // it may end first
        eachLine(started.stdout, (line) => Queue.offerUnsafe(output, { _tag: "Line", line }))
        eachLine(started.stderr, (line) => Queue.offerUnsafe(output, { _tag: "Complaint", line }))
        started.once("close", (exitCode) => Queue.offerUnsafe(output, { _tag: "Exit", exitCode }))
      } catch (cause) {
        failed(cause)
      }
    }),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        const timer = setTimeout(() => ProcessGroup.signal(child.pid, "SIGKILL"), patience)
        child.once("exit", () => {
          clearTimeout(timer)
          resume(Effect.void)
        })
        child.stdin?.end()
        ProcessGroup.signal(child.pid, "SIGTERM")
      })
  )
  return {
    write: (text) => Effect.sync(() => void child.stdin?.write(text)),
    output
  } satisfies HeldProcess
})
