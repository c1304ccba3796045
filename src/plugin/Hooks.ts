/** Runs the commands of a configuration for one request, and logs each. */
import * as Effect from "effect/Effect"
import { succeeded } from "../exec/Execution.ts"
import type * as Record from "../record/Record.ts"
import { HookRunner } from "./HookRunner.ts"
import type { Request } from "./Request.ts"
import type { RunLog } from "./RunLog.ts"
import type { HookCommand } from "./Settings.ts"

/**
 * Runs the commands one after the other, all of them even when one fails, and returns the first that did. Fails where
 * its record cannot be written and `mayFail` says that this counts.
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
    yield* log.tell({ event: "hook", hook, durationMs: hook.durationMs }, mayFail)
    if (!succeeded(hook)) failed ??= hook
  }
  return failed
})
