/** Runs the hook commands of a configuration on the host or in the container's network namespace. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { searchPath } from "../cni/Environment.ts"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"
import type * as Record from "../record/Record.ts"
import type { Request } from "./Request.ts"
import type { HookCommand } from "./Settings.ts"

const argvOf = (hook: HookCommand, { environment }: Request): Execution.Invocation["argv"] => {
  const argv = typeof hook.command === "string" ? (["/bin/sh", "-c", hook.command] as const) : hook.command
  if (hook.netns !== "container") return argv
  const nsenter = HostTools.make(environment.variables).find("nsenter") ?? "nsenter"
  return [nsenter, `--net=${environment.netns}`, "--", ...argv]
}

/** The report of a hook that was not started. */
const notStarted = (hook: HookCommand, reason: string): Record.Hook => ({
  command: hook.command,
  netns: hook.netns,
  exitCode: null,
  signal: null,
  timedOut: false,
  durationMs: 0,
  stdout: "",
  stderr: reason,
  truncated: false
})

const noNetns = "cannot run in the network namespace of the container: CNI_NETNS is empty"

const run = (runner: ProcessRunner["Service"]) => (hook: HookCommand, request: Request): Effect.Effect<Record.Hook> => {
  const { environment, stdin } = request
  if (hook.netns === "container" && environment.netns === "") return Effect.succeed(notStarted(hook, noNetns))
  const invocation: Execution.Invocation = {
    argv: argvOf(hook, request),
    env: { ...environment.variables, PATH: searchPath(environment) },
    stdin,
    timeout: hook.timeout,
    stdio: "pipes",
    until: "exit"
  }
  return Effect.match(runner.run(invocation), {
    onFailure: ({ message }) => notStarted(hook, message),
    onSuccess: ({ durationMs, exitCode, signal, stderr, stdout, timedOut, truncated }) => ({
      command: hook.command,
      netns: hook.netns,
      exitCode,
      signal,
      timedOut,
      durationMs,
      stdout: Execution.text(stdout),
      stderr: Execution.text(stderr),
      truncated
    })
  })
}

/** Runs hooks. */
export class HookRunner extends Context.Service<HookRunner, {
  /** Runs one hook until it ends or reaches its timeout. Never fails: the report has the outcome. */
  readonly run: (hook: HookCommand, request: Request) => Effect.Effect<Record.Hook>
}>()("cni-passthrough/HookRunner") {
  /** Runs hooks as programs of this host. Their output goes to the report, not to the plugin's stdout and stderr. */
  static readonly make = (runner: ProcessRunner["Service"]) => HookRunner.of({ run: run(runner) })
}
