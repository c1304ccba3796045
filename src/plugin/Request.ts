/** Interprets and validates a request. */
import {
  type CniError,
  IncompatibleVersion,
  InvalidConfig,
  InvalidEnvironment,
  UndecodableConfig
} from "../cni/CniError.ts"
import * as CniVersion from "../cni/CniVersion.ts"
import { type Environment, identifier, problems as environmentProblems } from "../cni/Environment.ts"
import { isVerb, verbs } from "../cni/Verb.ts"
import { describe, isObject, type JsonObject } from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Policy from "./Policy.ts"
import * as Redaction from "./Redaction.ts"
import * as Settings from "./Settings.ts"

/** The contents of stdin: a JSON object, other text, bytes that are not UTF-8, or nothing. */
export type Document =
  | { readonly _tag: "Config"; readonly text: string; readonly value: JsonObject }
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "Unread" }

/** One request to the plugin. */
export interface Request {
  /** Identifies this run in its records. */
  readonly invocation: string
  /** When the request arrived, in milliseconds since 1970. */
  readonly received: number
  readonly environment: Environment
  readonly document: Document
  /** Stdin for hooks. */
  readonly stdin: Uint8Array
  readonly settings: Settings.Settings
  /** The name of the network, or empty if the document has none. */
  readonly network: string
  /** The `cniVersion` of the document as received, or empty if it has none. */
  readonly cniVersion: string
  /** The specification version of the answer. */
  readonly answerVersion: string
  /** The text of `prevResult` as received, if it is an object. */
  readonly prevResult: string | undefined
  /** Problems that do not stop the request. */
  readonly warnings: ReadonlyArray<string>
  /** The fields that a policy forbids. A best-effort request continues without them. */
  readonly forbidden: ReadonlyArray<string>
  /** Why the request is refused, or undefined. */
  readonly refusal: CniError | undefined
}

/** Whether the request must succeed even if the log or a hook fails: DEL and GC. */
export const isBestEffort = ({ environment: { command } }: Pick<Request, "environment">): boolean =>
  isVerb(command) && verbs[command].bestEffort

/** Makes an ID for a run from 64 random bits. */
export const makeInvocation = (): string =>
  [0, 0].map(() => Math.trunc(Math.random() * 2 ** 32).toString(16).padStart(8, "0")).join("")

/**
 * Decodes UTF-8. Returns undefined if the bytes are not valid. Decoders replace invalid bytes with U+FFFD, so a text
 * with U+FFFD is compared with the bytes.
 */
const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
  return !text.includes("\uFFFD") || Buffer.from(text).equals(bytes) ? text : undefined
}

const readDocument = (stdin: Uint8Array): { readonly document: Document; readonly problem: string | undefined } => {
  if (stdin.length === 0) return { document: { _tag: "Unread" }, problem: "it is empty" }
  const text = decodeUtf8(stdin)
  if (text === undefined) return { document: { _tag: "Bytes", bytes: stdin }, problem: "it is not UTF-8" }
  if (text.startsWith("\uFEFF")) {
    return { document: { _tag: "Text", text }, problem: "it starts with a byte-order mark, expected '{'" }
  }
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return { document: { _tag: "Config", text, value }, problem: undefined }
    const kind = value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`
    return { document: { _tag: "Text", text }, problem: `it is ${kind}, expected an object` }
  } catch (error) {
    return { document: { _tag: "Text", text }, problem: `it is not JSON: ${(error as Error).message}` }
  }
}

/**
 * Validates a document against the specification, in the same order as the reference plugins. Source:
 * containernetworking/cni, `pkg/skel`.
 */
const configRefusal = (
  environment: Environment,
  config: JsonObject
): CniError | undefined => {
  const { name } = config
  if (name === undefined || name === "") {
    return new InvalidConfig({ problems: ["name: found nothing, expected the name of the network"] })
  }
  if (typeof name !== "string" || !identifier.test(name)) {
    return new InvalidConfig({
      problems: [
        `name: found ${describe(name)}, expected a letter or digit, then letters, digits, '_', '.' or '-'`
      ]
    })
  }
  const stated = config["cniVersion"] ?? ""
  const version = stated === "" ? CniVersion.implied : stated
  if (typeof version !== "string" || !CniVersion.isVersion(version)) {
    return new UndecodableConfig({
      reason: `cniVersion: found ${describe(version)}, expected a version such as "${CniVersion.newest}"`
    })
  }
  const known = `supported versions: ${CniVersion.supported.join(", ")}`
  const since = isVerb(environment.command) ? verbs[environment.command].since : CniVersion.implied
  if (!CniVersion.isAtLeast(version, since)) {
    const reason = `cniVersion ${version} of the network configuration does not allow ${environment.command}, ` +
      `which needs ${since} or newer`
    return new IncompatibleVersion({ reason, details: known })
  }
  if (!CniVersion.isSupported(version)) {
    return new IncompatibleVersion({ reason: `incompatible CNI versions: config is "${version}"`, details: known })
  }
  return undefined
}

/**
 * Makes a request from the input of the runtime. Never fails: a problem is in `refusal`, so that a refused request can
 * still be logged.
 */
export const make = (input: {
  readonly invocation: string
  readonly received: number
  readonly environment: Environment
  readonly stdin: Uint8Array | CniError
  /** Our settings, if they are not in the document. */
  readonly settings?: Settings.Settings & { readonly logFile?: unknown }
  /** The policies of this host, see `Policy.ts`. */
  readonly policy?: Pick<Parameters<typeof Policy.apply>[1], "found" | "policies">
}): Request => {
  const { environment } = input
  const stdin = input.stdin instanceof Uint8Array ? input.stdin : new Uint8Array()
  const { document, problem } = readDocument(stdin)
  const config = document._tag === "Config" ? document.value : {}
  const reading = input.settings === undefined
    ? Settings.read(config)
    : { settings: input.settings, problems: [] }
  const { forbidden, settings } = input.policy === undefined
    ? { settings: reading.settings, forbidden: [] }
    : Policy.apply(reading.settings, {
      ...input.policy,
      environment,
      logFile: input.settings === undefined ? config["logFile"] : input.settings.logFile
    })
  const asString = (value: unknown) => typeof value === "string" ? value : ""
  const network = asString(config["name"])
  const cniVersion = asString(config["cniVersion"])
  const version = cniVersion === "" ? CniVersion.implied : cniVersion

  const warnings: Array<string> = []
  const problems = reading.problems.map(({ message, path }) => {
    const isHidden = Redaction.hides(path, reading.settings.redact)
    return `${JsonText.pathText(path)}: ${isHidden ? "its value is wrong, and `redact` hides it" : message}`
  })
  problems.push(...forbidden)
  const previous = config["prevResult"]
  if (isObject(previous)) {
    const other = previous["cniVersion"]
    if (typeof other === "string" && other !== version && CniVersion.isSupported(other)) {
      warnings.push(
        `prevResult has cniVersion ${other}, the network configuration ${version}: the next plugin may refuse that`
      )
    }
  } else if (previous !== undefined) {
    const problem = `prevResult: found ${describe(previous)}, expected an object`
    const needed = environment.command === "ADD" || environment.command === "CHECK"
    if (needed) problems.push(problem)
    else warnings.push(problem)
  }
  // The runtime must be able to clean up after an ADD that failed because of the same field.
  if (isBestEffort(input)) warnings.push(...problems.splice(0))
  const workRefusal = problems.length > 0 ? new InvalidConfig({ problems }) : undefined

  const refusal = (): CniError | undefined => {
    const invalid = environmentProblems(environment)
    if (invalid.length > 0) return new InvalidEnvironment({ problems: invalid })
    if (environment.command === "VERSION") return workRefusal
    if (!(input.stdin instanceof Uint8Array)) return input.stdin
    if (problem !== undefined) return new UndecodableConfig({ reason: problem })
    return configRefusal(environment, config) ?? workRefusal
  }

  return {
    invocation: input.invocation,
    received: input.received,
    environment,
    document,
    stdin,
    settings,
    network,
    cniVersion,
    answerVersion: CniVersion.isSupported(version) && document._tag === "Config" ? version : CniVersion.newest,
    prevResult: document._tag === "Config" && isObject(previous)
      ? JsonText.member(document.text, "prevResult")
      : undefined,
    forbidden,
    refusal: refusal(),
    warnings
  }
}
