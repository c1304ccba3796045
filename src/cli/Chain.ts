/** Runs a chain of plugins, and keeps what went into and came out of each. Source: CNI specification, section 3. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { isObject } from "../cni/isObject.ts"
import * as JsonText from "../cni/JsonText.ts"
import type { Verb } from "../cni/Verb.ts"
import type { Conflist, PluginConfig } from "./Conflist.ts"
import * as JsonSource from "./JsonSource.ts"
import * as Plugin from "./Plugin.ts"
import type { Attachment } from "./ResultCache.ts"

/** What a chain is run with. */
export interface Options {
  readonly conflist: Conflist
  readonly attachment: Attachment
  readonly cniPath: ReadonlyArray<string>
  /** Milliseconds that each plugin may take. */
  readonly timeout: number
  /** Told of each plugin as soon as it has ended. */
  readonly tell: (link: Link) => Effect.Effect<void>
  /** Wraps the wait for a plugin, to show that something goes on. */
  readonly during: <A, E, R>(type: string, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/** One plugin of a chain that was run: what went in, and what came out. */
export interface Link {
  readonly type: string
  readonly title: string
  readonly verb: Verb
  readonly file: string | undefined
  /** When it was called, in milliseconds since 1970. */
  readonly time: number
  readonly env: { readonly [name: string]: string }
  readonly stdin: string
  readonly call: Plugin.Call
  /** The document on stdout where it succeeded. */
  readonly result: string | undefined
  /** Why it failed; undefined where it did not. */
  readonly error: { readonly code: number; readonly msg: string; readonly details: string } | undefined
}

/** The configuration of one plugin, as runtimes derive it. Source: CNI specification, section 3, "Deriving execution configuration". */
const derive = (
  { attachment: { capabilityArgs }, conflist }: Options,
  { config }: PluginConfig,
  more: { readonly [field: string]: unknown },
  prevResult: string | undefined
): string => {
  const { capabilities, ...fields } = config
  const supported = isObject(capabilities)
    ? Object.entries(capabilityArgs).filter(([name]) => capabilities[name] === true)
    : []
  const text = JSON.stringify({
    ...fields,
    ...(capabilities === undefined ? {} : { capabilities }),
    name: conflist.name,
    cniVersion: conflist.cniVersion,
    ...(supported.length === 0 ? {} : { runtimeConfig: Object.fromEntries(supported) }),
    ...more,
    prevResult: undefined
  })
  return prevResult === undefined ? text : `${text.slice(0, -1)},"prevResult":${prevResult}}`
}

/** What a plugin says of its failure, as far as it says so in the way of the specification. */
const errorOf = (type: string, verb: Verb, call: Plugin.Call, answer: unknown): Link["error"] => {
  if (call.failure !== undefined) return { code: 999, msg: `${type} ${call.failure}`, details: "" }
  if (call.exitCode !== 0) {
    if (!isObject(answer)) {
      return {
        code: 999,
        msg: `${type} exited with status ${call.exitCode} and without an error document`,
        details: call.stdout.slice(0, 1000)
      }
    }
    return {
      code: typeof answer["code"] === "number" ? answer["code"] : 999,
      msg: typeof answer["msg"] === "string" ? answer["msg"] : "it did not say why",
      details: typeof answer["details"] === "string" ? answer["details"] : ""
    }
  }
  if ((verb === "ADD" || verb === "VERSION") && !isObject(answer)) {
    return {
      code: 999,
      msg: `${type} exited with status 0, and without a result that is a JSON object`,
      details: call.stdout.slice(0, 1000)
    }
  }
  return undefined
}

/** Calls one plugin of the chain. */
const callPlugin = Effect.fnUntraced(function*(
  options: Options,
  verb: Verb,
  plugin: PluginConfig,
  prevResult: string | undefined,
  more: { readonly [field: string]: unknown } = {}
) {
  const { attachment, cniPath, timeout } = options
  const ofAttachment = verb === "ADD" || verb === "DEL" || verb === "CHECK"
  const env = {
    CNI_COMMAND: verb,
    CNI_CONTAINERID: ofAttachment ? attachment.containerId : "",
    CNI_NETNS: ofAttachment ? attachment.netns : "",
    CNI_IFNAME: ofAttachment ? attachment.ifname : "",
    CNI_ARGS: ofAttachment ? attachment.args.map((pair) => pair.join("=")).join(";") : "",
    CNI_PATH: cniPath.join(":")
  }
  const stdin = derive(options, plugin, more, prevResult)
  const time = yield* Clock.currentTimeMillis
  const file = yield* Plugin.find(plugin.type, cniPath)
  const call = file === undefined
    ? { exitCode: undefined, failure: `is not in ${cniPath.join(":")}`, stdout: "", stderr: "", durationMs: 0 }
    : yield* options.during(plugin.type, Plugin.call(file, env, stdin, timeout))
  const answer = JsonSource.valueOf(call.stdout)
  const error = errorOf(plugin.type, verb, call, answer)
  const hasResult = error === undefined && isObject(answer) && (verb === "ADD" || verb === "VERSION")
  const link: Link = {
    type: plugin.type,
    title: plugin.title,
    verb,
    file,
    time,
    env,
    stdin,
    call,
    result: hasResult ? JsonText.onOneLine(call.stdout) : undefined,
    error
  }
  yield* options.tell(link)
  return link
})

/** ADD: each plugin gets the result of the one before it. Ends with the first that fails. */
export const add = Effect.fnUntraced(function*(options: Options) {
  let result: string | undefined
  for (const plugin of options.conflist.plugins) {
    const link = yield* callPlugin(options, "ADD", plugin, result)
    if (link.error !== undefined) return { failed: link, result: undefined }
    result = link.result
  }
  return { failed: undefined, result }
})

/** DEL: backwards, each plugin with the result of the ADD. Ends with the first that fails, as runtimes do. */
export const del = Effect.fnUntraced(function*(options: Options, prevResult: string | undefined) {
  for (const plugin of options.conflist.plugins.toReversed()) {
    const link = yield* callPlugin(options, "DEL", plugin, prevResult)
    if (link.error !== undefined) return link
  }
  return undefined
})

/** CHECK, STATUS, GC or VERSION of each plugin in turn. CHECK ends with the first that fails, the others do not. */
export const each = Effect.fnUntraced(function*(
  options: Options,
  verb: "CHECK" | "STATUS" | "GC" | "VERSION",
  prevResult?: string,
  more?: { readonly [field: string]: unknown }
) {
  let failed: Link | undefined
  for (const plugin of options.conflist.plugins) {
    const link = yield* callPlugin(options, verb, plugin, prevResult, more)
    if (link.error !== undefined) failed ??= link
    if (failed !== undefined && verb === "CHECK") break
  }
  return failed
})
