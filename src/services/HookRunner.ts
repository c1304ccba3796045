import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as ChildProcess from "node:child_process"
import type { Readable } from "node:stream"
import { type Environment, searchPath } from "../cni/Environment.ts"
import type { Request } from "../cni/Request.ts"
import type { HookCommand } from "../cni/Settings.ts"
import type { HookReport } from "../record/LogRecord.ts"

/** How much of stdout, and of stderr, is kept, in bytes. */
export const outputLimit = 1_048_576

/** The longest time-out that a timer can hold, in milliseconds (24.8 days). */
const longestTimeout = 2 ** 31 - 1

/** Loaded with the first command: it would take as long as all of Effect, and most requests run no hooks. */
const childProcess = (): typeof ChildProcess => process.getBuiltinModule("node:child_process")

/** Keeps the first part of what a command writes, and reads the rest so that the command is not held up. */
class Output {
  private readonly chunks: Array<Uint8Array> = []
  private kept = 0
  truncated = false
  ended = false
  /** Counts what has been read, to tell whether there was anything. */
  readings = 0

  readonly stream: Readable

  constructor(stream: Readable) {
    this.stream = stream
    stream.on("data", (chunk: Uint8Array) => this.take(chunk))
    stream.on("end", () => this.end())
    stream.on("error", () => this.end())
  }

  private take(chunk: Uint8Array): void {
    this.readings++
    const part = chunk.subarray(0, outputLimit - this.kept)
    this.kept += part.length
    if (part.length < chunk.length) this.truncated = true
    if (part.length > 0) this.chunks.push(part)
  }

  private end(): void {
    this.ended = true
  }

  text(): string {
    return Buffer.concat(this.chunks).toString()
  }
}

interface Ended {
  readonly exitCode: number | null
  readonly signal: string | null
  readonly timedOut: boolean
}

const argvOf = (hook: HookCommand, request: Request): ReadonlyArray<string> => {
  const argv = typeof hook.command === "string" ? ["/bin/sh", "-c", hook.command] : hook.command
  return hook.netns === "container" ? ["nsenter", `--net=${request.environment.netns}`, "--", ...argv] : argv
}

/** Finds the `&` that sends a command to the background, and not those of `&&`, `2>&1` and `&>`. */
const background = /(?<![&<>])&(?![&>])/

/**
 * Starts a command. The standalone executable's runtime can hand a pipe on to another process only from descriptor 3
 * upwards, so a command that looks as if it leaves somebody behind writes there: see `release`. That takes a shell more,
 * which costs 4 ms, too much for all the others.
 */
const spawn = (hook: HookCommand, argv: ReadonlyArray<string>, request: Request) => {
  const { variables } = request.environment
  const redirected = typeof hook.command === "string" && background.test(hook.command)
  const started = redirected ? ["/bin/sh", "-c", "exec \"$@\" >&3 2>&4 3>&- 4>&-", "sh", ...argv] : argv
  const child = childProcess().spawn(started[0] ?? "", started.slice(1), {
    env: { ...variables, PATH: searchPath(request.environment) },
    detached: true, // a process group of its own, to be killed as one
    stdio: redirected ? ["pipe", "ignore", "ignore", "pipe", "pipe"] : ["pipe", "pipe", "pipe"]
  })
  child.stdin?.on("error", () => {}) // a command need not read its stdin
  child.stdin?.end(request.stdin)
  const output = (index: number) => new Output(child.stdio[redirected ? index + 2 : index] as Readable)
  return { child, stdout: output(1), stderr: output(2) }
}

type Child = ChildProcess.ChildProcess

const killGroup = (child: Child): void => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL")
  } catch { /* all of it has ended already */ }
}

/** Waits until the command ends, and ends it when its time is up or nobody waits any more. */
const waitFor = (child: Child, timeout: number): Effect.Effect<Ended, Error> =>
  Effect.callback<Ended, Error>((resume) => {
    let timedOut = false
    const expire = () => {
      timedOut = true
      killGroup(child)
    }
    const timer = timeout > 0 ? setTimeout(expire, Math.min(timeout, longestTimeout)) : undefined
    child.once("exit", (exitCode, signal) => {
      clearTimeout(timer)
      resume(Effect.succeed({ exitCode, signal, timedOut }))
    })
    child.once("error", (error) => {
      clearTimeout(timer)
      resume(Effect.fail(error))
    })
    return Effect.sync(() => {
      clearTimeout(timer)
      killGroup(child)
    })
  })

const nextTurn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/**
 * Reads what is left once the command has ended. Where it left nobody behind, the end of the output is there
 * already. Otherwise a process in the background holds it open, and may do so for days: whatever came until now is
 * all that is kept.
 */
const drain = Effect.fnUntraced(function*(output: Output) {
  // What can be pending is what the kernel buffers. A background process that never pauses must not keep us here.
  for (let turn = 0, before = -1; turn < 64 && !output.ended && before !== output.readings; turn++) {
    before = output.readings
    yield* nextTurn
    yield* nextTurn
  }
})

/**
 * Lets go of an output. Where a process in the background still writes to it, somebody has to read on: `tcpdump &`
 * would be killed by the first line that it prints into a closed pipe.
 */
const release = (output: Output, environment: Environment): void => {
  if (!output.ended && !output.stream.destroyed) {
    try {
      childProcess().spawn("/bin/sh", ["-c", "exec cat >/dev/null"], {
        env: { PATH: searchPath(environment) },
        detached: true,
        cwd: "/",
        stdio: [output.stream as never, "ignore", "ignore"]
      }).on("error", () => {}).unref()
    } catch { /* this pipe cannot be handed on: whoever did not look like a background process has to redirect */ }
  }
  output.stream.destroy()
}

const run = Effect.fnUntraced(function*(hook: HookCommand, request: Request) {
  const started = performance.now()
  const report = (how: Ended, outputs: Pick<HookReport, "stdout" | "stderr" | "truncated">): HookReport => ({
    command: hook.command,
    netns: hook.netns,
    exitCode: how.exitCode,
    signal: how.signal,
    timedOut: how.timedOut,
    durationMs: Math.round((performance.now() - started) * 10) / 10,
    ...outputs
  })
  const notStarted = (stderr: string) =>
    report({ exitCode: null, signal: null, timedOut: false }, { stdout: "", stderr, truncated: false })

  if (hook.netns === "container" && request.environment.netns === "") {
    return notStarted("cannot run in the network namespace of the container: CNI_NETNS is empty")
  }
  const argv = argvOf(hook, request)
  const runChild = Effect.fnUntraced(function*() {
    const { child, stderr, stdout } = yield* Effect.try({
      try: () => spawn(hook, argv, request),
      catch: (error) => error as Error
    })
    return yield* waitFor(child, hook.timeout).pipe(
      Effect.tap(() => drain(stdout)),
      Effect.tap(() => drain(stderr)),
      Effect.map((how) =>
        report(how, { stdout: stdout.text(), stderr: stderr.text(), truncated: stdout.truncated || stderr.truncated })
      ),
      Effect.ensuring(Effect.sync(() => {
        child.stdin?.destroy()
        release(stdout, request.environment)
        release(stderr, request.environment)
        child.unref()
      }))
    )
  })
  return yield* Effect.catch(
    runChild(),
    (error) => Effect.succeed(notStarted(`cannot start ${argv[0]}: ${error.message}`))
  )
})

/** Runs the commands of a configuration. */
export class HookRunner extends Context.Service<HookRunner, {
  /** Runs one command until it ends or its time is up. How it went is in the report: this never fails. */
  readonly run: (hook: HookCommand, request: Request) => Effect.Effect<HookReport>
}>()("cni-passthrough/HookRunner") {
  /** Runs commands on this host, in a process group of their own, away from the plugin's stdout and stderr. */
  static readonly live = HookRunner.of({ run })
}
