/** A plugin of a chain that was run, as the JSON records that a tap would have written. */
import * as JsonText from "../cni/JsonText.ts"
import * as escape from "../record/escape.ts"
import { filled } from "../record/JsonFormat.ts"
import type { Link } from "./Chain.ts"

/** JSON with members behind it whose value is JSON text already. */
const withTexts = (members: object, texts: { readonly [name: string]: string | undefined }): string => {
  const given = Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const more = given.map(([name, text]) => `,${JSON.stringify(name)}:${JsonText.onOneLine(text)}`).join("")
  return escape.inJson(`${JSON.stringify(members).slice(0, -1)}${more}}`)
}

/** The `request` record of a plugin, and its `result` or `error` record. */
export const render = (
  link: Link,
  run: { readonly invocation: string; readonly network: string; readonly cniVersion: string }
): readonly [request: string, end: string] => {
  const { call, env, error, result, stdin, time } = link
  const common = (event: string, at: number) => ({
    time: new Date(at).toISOString(),
    event,
    invocation: run.invocation,
    ...filled({
      command: link.verb,
      containerId: env["CNI_CONTAINERID"] ?? "",
      ifname: env["CNI_IFNAME"] ?? "",
      netns: env["CNI_NETNS"] ?? "",
      network: run.network,
      cniVersion: run.cniVersion,
      label: link.title
    })
  })
  const outcome = {
    ...common(error === undefined ? "result" : "error", time + Math.round(call.durationMs)),
    ...(error === undefined
      ? {}
      : { error: { code: error.code, msg: error.msg, ...filled({ details: error.details }) } }),
    durationMs: call.durationMs,
    ...(call.exitCode === undefined ? {} : { exitCode: call.exitCode }),
    ...filled({ stderr: call.stderr, file: link.file ?? "" })
  }
  return [
    withTexts(
      { ...common("request", time), ...filled({ args: env["CNI_ARGS"] ?? "", path: env["CNI_PATH"] ?? "" }) },
      { config: stdin }
    ),
    withTexts(outcome, { result: error === undefined ? result : undefined })
  ]
}
