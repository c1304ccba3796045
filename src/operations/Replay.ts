/** Repeats a call of a plugin: its input, as a script, and how a new answer differs. */
import * as Data from "effect/Data"
import type * as Execution from "../exec/Execution.ts"
import * as PluginAnswer from "../exec/PluginAnswer.ts"
import { quoted } from "../exec/ShellQuote.ts"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Escape from "../record/Escape.ts"
import * as Summary from "../record/Summary.ts"
import type { Call } from "./Calls.ts"
import * as ResultDiff from "./ResultDiff.ts"

/** The record of a call does not contain the plugin's stdin. */
export class NoStdin extends Data.TaggedError("NoStdin")<{ readonly call: Call }> {
  override readonly message = `the record of ${
    headline(this.call)
  } does not have the stdin of the plugin: it cannot be called again`
}

/** The input of a call. */
export interface Input {
  /** The file of the plugin; undefined if the CNI path has to be searched. */
  readonly file: string | undefined
  /** The variables that the record has, without those that were empty. */
  readonly env: { readonly [name: string]: string }
  readonly stdin: string | Uint8Array
}

/** What to replace in the recorded input. */
export interface Instead {
  readonly netns?: string | undefined
  readonly cniPath?: string | undefined
}

/** All variables of the protocol that a record can have. */
const variables = {
  CNI_COMMAND: "command",
  CNI_CONTAINERID: "containerId",
  CNI_NETNS: "netns",
  CNI_IFNAME: "ifname",
  CNI_ARGS: "args",
  CNI_PATH: "path",
  TRACEPARENT: "traceparent",
  TRACESTATE: "tracestate",
  BAGGAGE: "baggage"
} as const

/**
 * Variables of the protocol that no record has. They are unset, so that the calling shell's values do not reach the
 * plugin.
 */
const others = ["CNI_NETNS_OVERRIDE", "CNI_PASSTHROUGH_PARENT"]

/** All variables that the plugin must see only if its record has them. */
export const names: ReadonlyArray<string> = [...Object.keys(variables), ...others]

/** `ADD eth0 of 5c01f03d8d6d on pods, 2026-11-24T10:00:00.000Z`: what a call was for, and when. */
export const headline = ({ request }: Call): string => Escape.inLine(`${Summary.operation(request)}, ${request.time}`)

/** `exit status 1, code 11: no addresses`: how a call ended. */
export const outcome = ({ end, plugin }: Pick<Call, "end" | "plugin">): string => {
  const ending = plugin === undefined ? [] : [Summary.ending(plugin)]
  if (end === undefined) return [...ending, "no result was logged"].join(", ")
  return Escape.inLine([...ending, ...(end.event === "error" ? [Summary.failure(end.error)] : [])].join(", ") || "done")
}

/** The places of a configuration that the log has redacted. */
export const redacted = ({ request: { config } }: Call): ReadonlyArray<string> => {
  const found: Array<string> = []
  if (config === undefined) return found
  JsonText.eachValue(config, (path, start, end) => {
    if (config.slice(start, end) === "\"[redacted]\"") found.push(JsonText.pathText(path) || "all of it")
  })
  return found
}

/**
 * Where a runtime finds a plugin. For a wrapped plugin this path is valid both while it is wrapped and afterwards. If a
 * record names a program other than the plugin, the path is not used, so that the record cannot get it started.
 */
const place = (type: string, file: string): string | undefined => {
  const found = file.replace(/\/\.passthrough\/plugins(?=\/[^/]+$)/, "")
  return found.startsWith("/") && found.endsWith(`/${type}`) ? found : undefined
}

const stdinOf = ({ config, stdin, stdinBase64 }: Call["request"]): Input["stdin"] | undefined =>
  config ?? stdin ?? (stdinBase64 === undefined ? undefined : Buffer.from(stdinBase64, "base64"))

/** The recorded input with the replacements; an error if the record does not have all of it. */
export const inputOf = (call: Call, { cniPath, netns }: Instead = {}): Input | NoStdin => {
  const { plugin, request } = call
  const stdin = stdinOf(request)
  if (stdin === undefined) return new NoStdin({ call })
  const asked = { ...request, ...(netns && { netns }), ...(cniPath && { path: cniPath }) }
  const env = Object.entries(variables).flatMap(([name, member]) => {
    const value = asked[member]
    return value === undefined ? [] : [[name, value]]
  })
  return {
    file: cniPath === undefined && plugin?.file !== undefined ? place(call.type, plugin.file) : undefined,
    env: Object.fromEntries(env),
    stdin
  }
}

/**
 * The command that prints the plugin's stdin. A shell cannot hold a NUL, and some shells cannot hold bytes that are not
 * text.
 */
const printing = (stdin: Input["stdin"]): string =>
  typeof stdin === "string" && !stdin.includes("\0")
    ? `printf %s ${quoted(stdin)}`
    : `printf %s ${quoted(Buffer.from(stdin as string).toString("base64"))} | base64 -d`

/** A POSIX shell script that repeats a call. */
export const script = (call: Call, { env, file, stdin }: Input): string => {
  const missing = redacted(call)
  const given = Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`)
  return [
    "#!/bin/sh",
    `# ${Escape.inLine(call.type)} as it was called: ${headline(call)}`,
    `# It ended so: ${outcome(call)}`,
    "# Of its environment the log has the variables of the protocol alone.",
    ...missing.map((place) => `# NOT AS IT WAS: the log has "[redacted]" as ${Escape.inLine(place)}`),
    `unset ${names.filter((name) => !Object.hasOwn(env, name)).join(" ")}`,
    ...given,
    ...(call.request.command === "ADD"
      ? [
        "# What an ADD makes stays until its DEL: give this script the argument DEL for it.",
        "[ $# = 0 ] || CNI_COMMAND=$1"
      ]
      : []),
    file === undefined
      ? `plugin=$(PATH=$CNI_PATH && command -v ${quoted(call.type)}) || { echo ${
        quoted(`${call.type} is not on the CNI path`)
      } >&2; exit 2; }`
      : `plugin=${quoted(file)}`,
    `${printing(stdin)} | "$plugin"`,
    ""
  ].join("\n")
}

const text = (value: unknown): string => value === undefined ? "none" : String(value)

/** How the answer of a plugin differs from its record; empty if it is the same. */
export const differences = (call: Call, execution: Execution.Execution): ReadonlyArray<ResultDiff.Change> => {
  const { end, plugin, request } = call
  const answer = PluginAnswer.withoutValidation(request.command ?? "", execution)
  const found: Array<ResultDiff.Change> = []
  const compare = (what: string, before: unknown, now: unknown) => {
    if (before !== now) found.push({ kind: "changed", what: `${what}: ${text(before)} → ${text(now)}` })
  }
  if (plugin !== undefined) compare("ended", Summary.ending(plugin), Summary.ending(execution))
  if (end === undefined) return [...found, { kind: "added", what: "an end, of which there is no record" }]
  const before = end.event === "error" ? end.error : undefined
  const now = answer._tag === "Failure" ? answer : undefined
  compare("code", before?.code, now?.code)
  compare("msg", before?.msg, now?.msg)
  compare("details", before?.details || undefined, now?.details || undefined)
  const results = {
    before: end.event === "result" ? end.result : undefined,
    now: answer._tag === "Success" ? answer.document : undefined
  }
  // If the plugin failed, the missing result is not listed member by member.
  return end.event === "result" && answer._tag === "Success"
    ? [...found, ...ResultDiff.between(Json.parse(results.before ?? "{}"), Json.parse(results.now ?? "{}"))]
    : found
}
