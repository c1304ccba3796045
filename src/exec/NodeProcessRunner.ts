/** Runs programs without Effect's platform spawner, which takes 12 ms for its first process. */
import * as Effect from "effect/Effect"
import { defaultLimit, type Execution, type Invocation } from "./Execution.ts"
import * as PipeStdio from "./PipeStdio.ts"
import * as ProcessGroup from "./ProcessGroup.ts"
import { NotStarted, ProcessRunner } from "./ProcessRunner.ts"
import type { Started } from "./Program.ts"
import * as SignalForwarding from "./SignalForwarding.ts"
import * as SocketStdio from "./SocketStdio.ts"

/** The longest timeout that a timer supports, in milliseconds (24.8 days). */
const longestTimeout = 2 ** 31 - 1

const killGroup = ({ pid }: Started): void => ProcessGroup.signal(pid, "SIGKILL")

/** The messages for error codes of the operating system. */
const reasons: { readonly [code: string]: string } = {
  E2BIG: "argument list too long",
  EACCES: "permission denied",
  EAGAIN: "the limit of processes is reached",
  EMFILE: "too many open files",
  ENFILE: "too many open files on this host",
  ENOENT: "no such file or directory",
  ENOEXEC: "exec format error",
  ENOMEM: "not enough memory",
  ETXTBSY: "text file busy, still after five seconds"
}

/** Converts an error that Bun or Node.js threw. */
export const notStarted = (program: string, cause: unknown): NotStarted => {
  const { code = "", message } = cause as NodeJS.ErrnoException
  const reason = reasons[code]
  return new NotStarted({ program, code: reason === undefined ? "" : code, reason: reason ?? message, cause })
}

/**
 * Opens pipes. If resources are too scarce for them, a foreground program still runs, and only its output is missing
 * in the log.
 */
const openPipes = ({ env, foreground = false, limit = defaultLimit, moreStdin, stdin }: Invocation) => {
  try {
    return PipeStdio.make({ env, limit, stdin, moreStdin, foreground })
  } catch (error) {
    const isScarce = ["EMFILE", "ENFILE", "ENOMEM"].includes((error as NodeJS.ErrnoException).code ?? "")
    if (isScarce || !foreground || stdin === undefined || moreStdin !== undefined) throw error
    return SocketStdio.makeUncaptured(stdin)
  }
}

const openEnds = (invocation: Invocation) =>
  invocation.stdio === "pipes"
    ? openPipes(invocation)
    : SocketStdio.make(invocation.stdin ?? "", invocation.limit ?? defaultLimit, invocation.onStdout)

/**
 * Starts a program in a new process group, so that a timeout can kill all of its processes. A foreground program
 * stays in the process group that we were started in, so that it receives signals to that group directly. Throws if the
 * program cannot be started.
 */
const start = (invocation: Invocation) => {
  const { argv, argv0, env, environment, foreground = false, mark = "" } = invocation
  const ends = openEnds(invocation)
  const forwarding = foreground ? SignalForwarding.prepare(mark) : undefined
  try {
    const child = ends.start({
      argv,
      env,
      detached: forwarding?.detached ?? true,
      ...(environment === undefined ? {} : { environment }),
      ...(argv0 === undefined ? {} : { argv0 })
    })
    return { child, ends, leave: forwarding?.attach(child) ?? (() => {}) }
  } catch (error) {
    forwarding?.cancel()
    ends.release()
    throw error
  }
}

/** How long a process may take to end after SIGKILL, in milliseconds. */
const killTimeout = 200

const runOnce = (invocation: Invocation): Effect.Effect<Execution, NotStarted> =>
  Effect.callback((resume) => {
    const { argv, stdin = "", timeout = 0, until = "close" } = invocation
    const started = performance.now()
    let running: ReturnType<typeof start>
    try {
      running = start(invocation)
    } catch (error) {
      return resume(Effect.fail(notStarted(argv[0], error)))
    }
    const { child, ends, leave } = running
    let timedOut = false
    let timer: NodeJS.Timeout | undefined
    const release = () => {
      clearTimeout(timer)
      ends.release()
      child.unref()
    }
    child.onError((error) => {
      leave()
      release()
      resume(Effect.fail(notStarted(argv[0], error)))
    })
    if (child.pid === undefined) return // `onError` will be called

    const finish = (exitCode: number | null, signal: string | null) => {
      const durationMs = Math.round((performance.now() - started) * 10) / 10
      release()
      const { stderr, stdout, stdoutUnseen = false } = ends
      resume(Effect.succeed({
        argv,
        stdin,
        stdout: stdout.bytes(),
        stderr: stderr.bytes(),
        truncated: stdout.truncated || stderr.truncated,
        ...(stdoutUnseen ? { stdoutUnseen } : {}),
        exitCode,
        signal,
        timedOut,
        durationMs
      }))
    }
    let finishOnce = () => {}
    child.onExit((exitCode, signal) => {
      leave()
      finishOnce = () => {
        finishOnce = () => {}
        finish(exitCode, signal)
      }
      if (until === "exit" || timedOut) finishOnce()
      else ends.onClose(() => finishOnce())
    })
    const expire = () => {
      timedOut = true
      killGroup(child)
      // Not even SIGKILL ends a process that waits in the kernel for a hanging file system.
      timer = setTimeout(() => finish(null, "SIGKILL"), killTimeout)
      finishOnce() // if the program has exited and only its background processes held the output
    }
    if (timeout > 0 && timeout < Number.POSITIVE_INFINITY) {
      timer = setTimeout(expire, Math.min(timeout, longestTimeout))
    }
    return Effect.sync(() => {
      killGroup(child)
      release()
    })
  })

/**
 * How often to retry a program file that is being written, and how long to wait before each retry. Source: libcni,
 * `pkg/invoke`.
 */
const busyRetries = { count: 5, pauseMs: 1000 }

const run = Effect.fnUntraced(function*(invocation: Invocation) {
  for (let left = busyRetries.count; left > 0; left--) {
    const execution = yield* runOnce(invocation).pipe(
      Effect.catchIf((error) => error.code === "ETXTBSY", () => Effect.undefined)
    )
    if (execution !== undefined) return execution
    yield* Effect.sleep(busyRetries.pauseMs)
  }
  return yield* runOnce(invocation)
})

/** Runs programs on this host. A timeout or an interruption kills a program with its process group. */
export const nodeProcessRunner = ProcessRunner.of({ run })
