/** Converts a call of a plugin to the same records that a shim writes. */
import * as Environment from "../cni/Environment.ts"
import * as Execution from "../exec/Execution.ts"
import type { ErrorRecord, Plugin, Record, ResultRecord } from "../record/Record.ts"
import * as RunContext from "../record/RunContext.ts"
import type { Call, Chain } from "./Chain.ts"
import { resultOf } from "./Chain.ts"

/** Makes the `plugin` record. It has stdout only if the next record does not have it. */
const pluginOf = ({ answer, execution, file, plugin }: Call, isLimited: boolean): Plugin => {
  const stdout = execution === undefined ? "" : Execution.text(execution.stdout)
  const isInNextRecord = answer._tag === "Success" ? answer.document !== undefined : answer.hasDocument
  return {
    type: plugin.type,
    ...RunContext.filled({ file: file ?? "" }),
    exitCode: execution?.exitCode ?? null,
    signal: execution?.signal ?? null,
    ...(isLimited ? { timedOut: execution?.timedOut ?? false } : {}),
    durationMs: execution?.durationMs ?? 0,
    ...(isInNextRecord ? {} : RunContext.filled({ stdout })),
    stderr: execution === undefined ? "" : Execution.text(execution.stderr),
    truncated: execution?.truncated ?? false
  }
}

/** Makes the records of a call: `request`, `plugin`, `changes` if state was compared, and `result` or `error`. */
export const of = (
  call: Call,
  { list, timeout, variables }: Pick<Chain, "list" | "timeout" | "variables">
): ReadonlyArray<Record> => {
  const { answer, changes, env, execution, invocation, plugin, stdin, time, verb } = call
  const context = RunContext.make({
    invocation,
    parent: "",
    command: verb,
    containerId: env.CNI_CONTAINERID,
    ifname: env.CNI_IFNAME,
    netns: env.CNI_NETNS,
    network: list.name,
    cniVersion: list.cniVersion,
    label: plugin.title
  })
  const { baggage, traceparent, tracestate } = Environment.make(variables)
  const durationMs = execution?.durationMs ?? 0
  const ended = { time: RunContext.timestamp(time + Math.round(durationMs)), ...context }
  const document = resultOf(call)
  const end: ResultRecord | ErrorRecord = answer._tag === "Success"
    ? { ...ended, event: "result", durationMs, ...(document === undefined ? {} : { result: document }) }
    : {
      ...ended,
      event: "error",
      error: {
        ...(answer.code === undefined ? {} : { code: answer.code }),
        msg: answer.msg,
        ...RunContext.filled({ details: answer.details })
      },
      durationMs
    }
  return [
    {
      time: RunContext.timestamp(time),
      event: "request",
      ...context,
      ...RunContext.filled({ args: env.CNI_ARGS, path: env.CNI_PATH, traceparent, tracestate, baggage }),
      config: stdin
    },
    { ...ended, event: "plugin", plugin: pluginOf(call, timeout > 0), durationMs },
    ...(changes === undefined ? [] : [{ ...ended, event: "changes" as const, ...changes }]),
    end
  ]
}
