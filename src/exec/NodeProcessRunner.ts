/** Runs programs without the platform's spawner, which takes 12 ms for its first process. */
import * as Effect from "effect/Effect"
import { defaultLimit, type Execution, type Invocation } from "./Execution.ts"
import * as PipeStdio from "./PipeStdio.ts"
import { NotStarted, ProcessRunner } from "./ProcessRunner.ts"
import * as SignalForwarding from "./SignalForwarding.ts"
import * as SocketStdio from "./SocketStdio.ts"
import type * as Spawn from "./Spawn.ts"

/** The longest time-out that a timer can hold, in milliseconds (24.8 days). */
const longestTimeout = 2 ** 31 - 1

const killGroup = ({ pid }: Spawn.Started): void => {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL")
  } catch { /* all of it has ended already */ }
}

/** What the operating system says, as far as the runtimes hand it on. */
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

/** Why a program could not be started, out of what the runtimes throw. */
export const notStarted = (program: string, cause: unknown): NotStarted => {
  const { code = "", message } = cause as NodeJS.ErrnoException
  const reason = reasons[code]
  return new NotStarted({ program, code: reason === undefined ? "" : code, reason: reason ?? message, cause })
}

/** Opens pipes. If that fails, a program that stands in for us still runs, and the log has less. */
const openPipes = ({ env, inOurPlace = false, limit = defaultLimit, moreStdin, stdin }: Invocation) => {
  try {
    return PipeStdio.make({ env, limit, stdin, moreStdin, inOurPlace })
  } catch (error) {
    const isScarce = ["EMFILE", "ENFILE", "ENOMEM"].includes((error as NodeJS.ErrnoException).code ?? "")
    if (isScarce || !inOurPlace || stdin === undefined || moreStdin !== undefined) throw error
    return SocketStdio.makeUnseen(stdin)
  }
}

const openEnds = (invocation: Invocation) =>
  invocation.stdio === "pipes"
    ? openPipes(invocation)
    : SocketStdio.make(invocation.stdin ?? "", invocation.limit ?? defaultLimit, invocation.onStdout)

/**
 * Starts a program in a new process group, so that a time-out can kill all of it. A program that stands in for us stays
 * in the group that we were started in, so signals to the group reach it directly. Throws if the program cannot be
 * started.
 */
const start = (invocation: Invocation) => {
  const { argv, argv0, cwd, env, environment, inOurPlace = false, mark = "" } = invocation
  const ends = openEnds(invocation)
  const forwarding = inOurPlace ? SignalForwarding.prepare(mark) : undefined
  try {
    const child = ends.start({
      argv,
      env,
      detached: forwarding?.detached ?? true,
      ...(environment === undefined ? {} : { environment }),
      ...(argv0 === undefined ? {} : { argv0 }),
      ...(cwd === undefined ? {} : { cwd })
    })
    return { child, ends, leave: forwarding?.attach(child) ?? (() => {}) }
  } catch (error) {
    forwarding?.giveUp()
    ends.release()
    throw error
  }
}

/** How long a process may take to end after SIGKILL, in milliseconds. */
const killPatience = 200

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
    if (child.pid === undefined) return // the error is on its way

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
      timer = setTimeout(() => finish(null, "SIGKILL"), killPatience)
      finishOnce() // where only what it left in the background kept us waiting
    }
    if (timeout > 0 && timeout < Number.POSITIVE_INFINITY) {
      timer = setTimeout(expire, Math.min(timeout, longestTimeout))
    }
    return Effect.sync(() => {
      killGroup(child)
      release()
    })
  })

/** How often a busy program file is tried again, and how long to wait before each try. Source: libcni, `pkg/invoke`. */
const busyTries = { count: 5, pauseMs: 1000 }

const run = Effect.fnUntraced(function*(invocation: Invocation) {
  for (let left = busyTries.count; left > 0; left--) {
    const execution = yield* runOnce(invocation).pipe(
      Effect.catchIf((error) => error.code === "ETXTBSY", () => Effect.undefined)
    )
    if (execution !== undefined) return execution
    yield* Effect.sleep(busyTries.pauseMs)
  }
  return yield* runOnce(invocation)
})

/** Runs programs on this host, each in a process group of its own. */
export const nodeProcessRunner = ProcessRunner.of({ run })
