/** Runs the plugins of a network as libcni does. Sources: CNI specification, section 3; libcni, `libcni/api.go`. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as CniVersion from "../cni/CniVersion.ts"
import * as Environment from "../cni/Environment.ts"
import type { NetworkConfigList, PluginConfig } from "../cni/NetworkConfigList.ts"
import * as TraceContext from "../cni/TraceContext.ts"
import type { Verb } from "../cni/Verb.ts"
import type { Execution } from "../exec/Execution.ts"
import * as PluginAnswer from "../exec/PluginAnswer.ts"
import * as PluginExec from "../exec/PluginExec.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"
import { isObject, parse } from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as CallChanges from "../network/CallChanges.ts"
import type { Kind } from "../network/StateKind.ts"
import { type Attachment, formatArguments } from "./Attachments.ts"
import type { NestedPlugins } from "./NestedPlugins.ts"

/** A network and how to run its plugins. */
export interface Chain {
  readonly list: NetworkConfigList
  /** The folders to search for plugins. */
  readonly cniPath: ReadonlyArray<string>
  /** The timeout of each plugin in milliseconds. 0 means no limit. */
  readonly timeout: number
  /** The environment of plugins, in addition to the variables of the protocol. */
  readonly variables: { readonly [name: string]: string | undefined }
  /** Records the plugins that plugins start. */
  readonly nested?: NestedPlugins | undefined
  /** The kinds of state to compare before and after each plugin. Default: none. */
  readonly changes?: ReadonlyArray<Kind>
}

/** The variables of the protocol. Source: CNI specification, section 2, "Parameters". */
export interface Variables {
  readonly [name: string]: string
  readonly CNI_COMMAND: Verb
  readonly CNI_CONTAINERID: string
  readonly CNI_NETNS: string
  readonly CNI_IFNAME: string
  readonly CNI_ARGS: string
  readonly CNI_PATH: string
}

/** A call of a plugin: its input and output. */
export interface Call {
  /** Identifies this call in records. */
  readonly invocation: string
  readonly plugin: Pick<PluginConfig, "type" | "title">
  readonly verb: Verb
  /** When it was called, in milliseconds since 1970. */
  readonly time: number
  readonly env: Variables
  readonly stdin: string
  /** Undefined if no folder has the plugin. */
  readonly file: string | undefined
  /** Undefined if it was not started. */
  readonly execution: Execution | undefined
  readonly answer: PluginAnswer.PluginAnswer
  /** The changes of state. Left out if state was not compared. */
  readonly changes?: CallChanges.Found
}

/** The services for calling plugins. */
export type Services = ProcessRunner | FileSystem.FileSystem | Path.Path

/** The calls of an operation. Each is emitted when it has ended. */
export type Calls = Stream.Stream<Call, never, Services>

/** Whether a call failed. */
export const hasFailed = ({ answer }: Call): boolean => answer._tag === "Failure"

/** Returns the result of an operation from its last call, or undefined if the call failed or has no result. */
export const resultOf = ({ answer }: Call): string | undefined =>
  answer._tag === "Success" ? answer.document : undefined

/**
 * Returns the arguments of the capabilities that a plugin supports. Source: CNI specification, section 3,
 * "runtimeConfig".
 */
const runtimeConfig = (
  { config: { capabilities } }: PluginConfig,
  { capabilityArgs }: Attachment
): { readonly [member: string]: string } => {
  const supported = isObject(capabilities)
    ? Object.entries(capabilityArgs).filter(([name]) => capabilities[name] === true)
    : []
  return supported.length === 0 ? {} : { runtimeConfig: JSON.stringify(Object.fromEntries(supported)) }
}

/**
 * Derives the configuration of one plugin, with additional members as JSON text. Source: CNI specification, section 3.
 */
const derive = ({ list }: Chain, plugin: PluginConfig, members: { readonly [member: string]: string }): string =>
  JsonText.withMembers(JsonText.onOneLine(plugin.text), {
    name: JSON.stringify(list.name),
    cniVersion: JSON.stringify(list.statedVersion),
    ...members
  })

const makeInvocation = Effect.gen(function*() {
  const draw = Random.nextIntBetween(0, 2 ** 32, { halfOpen: true })
  const parts = [yield* draw, yield* draw]
  return parts.map((part) => part.toString(16).padStart(8, "0")).join("")
})

/** The input of a call. */
interface Request {
  readonly plugin: Pick<PluginConfig, "type" | "title">
  readonly verb: Verb
  readonly env: Variables
  readonly stdin: string
}

const call = Effect.fnUntraced(function*(chain: Chain, request: Request): Effect.fn.Return<Call, never, Services> {
  const { cniPath, nested, list: { cniVersion }, timeout, variables } = chain
  const { env, plugin, stdin, verb } = request
  const begun = { ...request, invocation: yield* makeInvocation, time: yield* Clock.currentTimeMillis }
  const file = yield* Effect.result(PluginExec.find(plugin.type, cniPath))
  if (Result.isFailure(file)) {
    return {
      ...begun,
      file: undefined,
      execution: undefined,
      answer: PluginAnswer.failed(`not found in ${cniPath.join(":")}`)
    }
  }
  const watched: CallChanges.Call = { verb, netns: env.CNI_NETNS, config: parse(stdin) }
  const kinds = CallChanges.kindsFor(watched, chain.changes ?? [])
  const before = kinds.length === 0 ? undefined : yield* CallChanges.look(watched, kinds)
  const added = {
    ...TraceContext.below(Environment.make(variables).traceparent, begun.invocation),
    ...nested?.variables(begun.invocation, env.CNI_PATH)
  }
  const outcome = yield* Effect.result(
    PluginExec.call({ file: file.success, env: { ...variables, ...env, ...added }, stdin, timeout })
  )
  if (Result.isFailure(outcome)) {
    const answer = PluginAnswer.failed(outcome.failure.message)
    return { ...begun, file: file.success, execution: undefined, answer }
  }
  return {
    ...begun,
    file: file.success,
    execution: outcome.success,
    answer: PluginAnswer.of(verb, outcome.success, { cniVersion, timeout }),
    ...(before === undefined
      ? {}
      : { changes: CallChanges.between(before, yield* CallChanges.lookAgain(watched, before)) })
  }
})

const environment = (chain: Chain, verb: Verb, attachment?: Attachment): Variables => ({
  CNI_COMMAND: verb,
  CNI_CONTAINERID: attachment?.containerId ?? "",
  CNI_NETNS: attachment?.netns ?? "",
  CNI_IFNAME: attachment?.ifname ?? "",
  CNI_ARGS: formatArguments(attachment?.args ?? []),
  CNI_PATH: chain.cniPath.join(":")
})

/** Makes the request for one plugin of an attachment. */
const requestOf = (
  chain: Chain,
  attachment: Attachment,
  verb: "ADD" | "DEL" | "CHECK",
  plugin: PluginConfig,
  prevResult: string | undefined
): Request => ({
  plugin,
  verb,
  env: environment(chain, verb, attachment),
  stdin: derive(chain, plugin, {
    ...(prevResult === undefined ? {} : { prevResult }),
    ...runtimeConfig(plugin, attachment)
  })
})

/** Calls plugins one after the other. Continues after failures. */
const inTurn = (chain: Chain, requests: ReadonlyArray<Request>): Calls =>
  Stream.mapEffect(Stream.fromIterable(requests), (request) => call(chain, request))

/** Ends the calls after the first failure. */
const upToFailure = (calls: Calls): Calls => Stream.takeUntil(calls, hasFailed)

/**
 * ADD: each plugin gets the result of the previous one, in the version of that result, as from a runtime. Ends after
 * the first failure.
 */
export const add = (chain: Chain, attachment: Attachment): Calls =>
  Stream.unfold(
    { index: 0, prevResult: undefined as string | undefined, isOver: false },
    Effect.fnUntraced(function*({ index, isOver, prevResult }) {
      const plugin = chain.list.plugins[index]
      if (isOver || plugin === undefined) return undefined
      const made = yield* call(chain, requestOf(chain, attachment, "ADD", plugin, prevResult))
      return [made, { index: index + 1, prevResult: resultOf(made), isOver: hasFailed(made) }] as const
    })
  )

/**
 * DEL: calls the plugins in reverse order. Since version 0.4.0, each gets the result of ADD. Ends after the first
 * failure, as libcni does, unless `onFailure` is `continue`.
 */
export const del = (
  chain: Chain,
  attachment: Attachment,
  result: string | undefined,
  onFailure: "stop" | "continue" = "stop"
): Calls => {
  const prevResult = result !== undefined && CniVersion.isAtLeast(chain.list.cniVersion, "0.4.0") ? result : undefined
  const requests = chain.list.plugins.toReversed()
    .map((plugin) => requestOf(chain, attachment, "DEL", plugin, prevResult))
  const calls = inTurn(chain, requests)
  return onFailure === "stop" ? upToFailure(calls) : calls
}

/** CHECK: each plugin gets the result of ADD. Ends after the first failure. */
export const check = (chain: Chain, attachment: Attachment, result: string): Calls =>
  upToFailure(inTurn(chain, chain.list.plugins.map((plugin) => requestOf(chain, attachment, "CHECK", plugin, result))))

/** A valid attachment in the format of GC. Source: CNI specification, section 2, "GC". */
export interface ValidAttachment {
  readonly containerID: string
  readonly ifname: string
}

/** GC: each plugin gets the valid attachments. Continues after failures. */
export const gc = (chain: Chain, valid: ReadonlyArray<ValidAttachment>): Calls => {
  const attachments = JSON.stringify(valid)
  const requests = chain.list.plugins.map((plugin): Request => ({
    plugin,
    verb: "GC",
    env: environment(chain, "GC"),
    // The specification used the second name at first. Some plugins read one name, and some the other.
    stdin: derive(chain, plugin, { "cni.dev/valid-attachments": attachments, "cni.dev/attachments": attachments })
  }))
  return inTurn(chain, requests)
}

/** STATUS: calls each plugin. Ends after the first that is not ready. */
export const status = (chain: Chain): Calls =>
  upToFailure(inTurn(
    chain,
    chain.list.plugins.map((plugin) => ({
      plugin,
      verb: "STATUS",
      env: environment(chain, "STATUS"),
      stdin: derive(chain, plugin, {})
    }))
  ))

/** VERSION: calls each plugin. As from libcni, the variables that old plugins require have a dummy value. */
export const version = (chain: Chain): Calls =>
  inTurn(
    chain,
    chain.list.plugins.map((plugin) => ({
      plugin,
      verb: "VERSION",
      env: { ...environment(chain, "VERSION"), CNI_NETNS: "dummy", CNI_IFNAME: "dummy", CNI_PATH: "dummy" },
      stdin: JSON.stringify({ cniVersion: CniVersion.newest })
    }))
  )
