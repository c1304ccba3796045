/** Runs the hooks of one request and logs each. */
import * as Effect from "effect/Effect"
import { succeeded } from "../exec/Execution.ts"
import type * as Record from "../record/Record.ts"
import { HookRunner } from "./HookRunner.ts"
import type { Request } from "./Request.ts"
import type { RunLog } from "./RunLog.ts"
import type { HookCommand } from "./Settings.ts"

/**
 * Runs all hooks one after the other, even if some fail, and returns the first failed one. Fails only if a record
 * cannot be written and `mayFail` is true.
 */
export const run = Effect.fnUntraced(function*(
  commands: ReadonlyArray<HookCommand>,
  request: Request,
  log: RunLog,
  mayFail: boolean
) {
  const runner = yield* HookRunner
  let failed: Record.Hook | undefined
  for (const command of commands) {
    const hook = yield* runner.run(command, request)
    yield* log.event({ event: "hook", hook, durationMs: hook.durationMs }, mayFail)
    if (!succeeded(hook)) failed ??= hook
  }
  return failed
})
