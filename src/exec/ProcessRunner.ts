/** Runs programs: hooks, plugins, and tools such as `ip`, `logger` and `journalctl`. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type { Execution, Invocation } from "./Execution.ts"

/** A program could not be started. */
export class NotStarted extends Data.TaggedError("NotStarted")<{
  readonly program: string
  /** Why, in words: `no such file or directory`. */
  readonly reason: string
  /** The code of the operating system, such as `ENOENT`; empty where there is none. */
  readonly code: string
  readonly cause: unknown
}> {
  override readonly message = `cannot start ${this.program}: ${this.code === "" ? "" : `${this.code}: `}${this.reason}`
}

/** Runs programs until they end, or until their time is up. */
export class ProcessRunner extends Context.Service<ProcessRunner, {
  /**
   * Runs a program. However it ends, what it wrote is in the result. Interrupting kills it with its process group.
   * A program file that is being written ("text file busy") is tried again five times, one second apart, as libcni
   * does.
   */
  readonly run: (invocation: Invocation) => Effect.Effect<Execution, NotStarted>
}>()("cni-passthrough/ProcessRunner") {}
