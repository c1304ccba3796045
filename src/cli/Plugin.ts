/** Runs single plugins, the way a container runtime does. Source: CNI specification, section 2. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"

/** How one call of a plugin went. */
export interface Call {
  readonly exitCode: number | undefined
  /** Why there is no exit status: it could not be started, was killed, or ran out of time. */
  readonly failure: string | undefined
  readonly stdout: string
  readonly stderr: string
  readonly durationMs: number
}

/** The file of a plugin: the first of that name on the CNI path that can be executed. */
export const find = Effect.fnUntraced(function*(type: string, cniPath: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const folder of cniPath) {
    const file = path.join(folder, type)
    const info = yield* Effect.option(fs.stat(file))
    if (info._tag === "Some" && info.value.type === "File" && (info.value.mode & 0o111) !== 0) return file
  }
  return undefined
})

/** Calls a plugin and waits for it, for `timeout` milliseconds at most: then it is killed. */
export const call = Effect.fnUntraced(function*(
  file: string,
  env: { readonly [name: string]: string },
  stdin: string,
  timeout: number
) {
  const spawner = yield* ChildProcessSpawner
  const started = performance.now()
  const text = (stream: Stream.Stream<Uint8Array, unknown>) =>
    Stream.mkString(Stream.decodeText(stream)).pipe(Effect.catchCause(() => Effect.succeed("")))
  const outcome = yield* Effect.gen(function*() {
    const child = yield* spawner.spawn(
      ChildProcess.make(file, [], {
        env: { ...env },
        extendEnv: true,
        stdin: Stream.make(new TextEncoder().encode(stdin)),
        forceKillAfter: Duration.millis(500)
      })
    )
    const [exitCode, stdout, stderr] = yield* Effect.all([child.exitCode, text(child.stdout), text(child.stderr)], {
      concurrency: "unbounded"
    })
    return { exitCode: Number(exitCode), failure: undefined, stdout, stderr }
  }).pipe(
    Effect.scoped,
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () =>
        Effect.succeed({
          exitCode: undefined,
          failure: `did not end within ${timeout / 1000} s`,
          stdout: "",
          stderr: ""
        })
    }),
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.succeed({
          exitCode: undefined,
          failure: (Cause.squash(cause) as Error).message,
          stdout: "",
          stderr: ""
        })
    )
  )
  return { ...outcome, durationMs: Math.round((performance.now() - started) * 10) / 10 } satisfies Call
})
