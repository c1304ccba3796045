/** Runs programs: hooks, plugins, and tools such as `ip`, `logger` and `journalctl`. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Execution, Invocation } from "./Execution.ts"

/** A program could not be started. */
export class NotStarted extends Data.TaggedError("NotStarted")<{
  readonly program: string
  /** The reason in words: `no such file or directory`. */
  readonly reason: string
  /** The error code of the operating system, such as `ENOENT`, or empty. */
  readonly code: string
  readonly cause: unknown
}> {
  override readonly message = `cannot start ${this.program}: ${this.code === "" ? "" : `${this.code}: `}${this.reason}`
}

/** Runs programs until they end or reach their timeout. */
export class ProcessRunner extends Context.Service<ProcessRunner, {
  /**
   * Runs a program. However the program ends, this succeeds with its output. Fails with {@link NotStarted} if it could
   * not be started. Interrupting kills the program with its process group. If the program file is being written ("text
   * file busy"), retries five times, one second apart, as libcni does.
   */
  readonly run: (invocation: Invocation) => Effect.Effect<Execution, NotStarted>
}>()("cni-passthrough/ProcessRunner") {}
