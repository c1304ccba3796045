/** What a plugin's stdout and exit status mean, judged as libcni does. Source: libcni, `pkg/invoke`. */
import * as CniVersion from "../cni/CniVersion.ts"
import * as ResultSchema from "../cni/ResultSchema.ts"
import type { Verb } from "../cni/Verb.ts"
import * as GoDuration from "../json/GoDuration.ts"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Execution from "./Execution.ts"
import * as MixedOutput from "./MixedOutput.ts"

/** It did what it was asked for. `document` is its result where the operation has one, as JSON text. */
export interface Success {
  readonly _tag: "Success"
  readonly document: string | undefined
}

/** It failed. Where it gave no error document, `msg` says what happened instead. */
export interface Failure {
  readonly _tag: "Failure"
  /** Whether the plugin itself said so, in an error document. */
  readonly hasDocument: boolean
  /** Undefined where the plugin gave none: none is invented. */
  readonly code: number | undefined
  readonly msg: string
  readonly details: string
}

/** What a plugin answered. */
export type PluginAnswer = Success | Failure

/** A failure without an error document. */
export const failed = (msg: string): Failure => ({
  _tag: "Failure",
  hasDocument: false,
  code: undefined,
  msg,
  details: ""
})

const isCode = (value: unknown): value is number => Number.isInteger(value) && Number(value) >= 0

/**
 * The contents of an error document, or undefined if a value is not one. Source: CNI specification, section 5, "Error".
 */
const errorDocument = (value: unknown): Failure | undefined => {
  if (!Json.isObject(value)) return undefined
  const { code, details, msg } = value
  if (code === undefined && msg === undefined) return undefined // some other object
  const text = (field: unknown) => typeof field === "string" ? field : ""
  const isReadable = code === undefined || isCode(code)
  return {
    _tag: "Failure",
    hasDocument: true,
    code: isCode(code) ? code : undefined,
    msg: text(msg) || "the plugin did not say why",
    details: [
      ...(text(details) === "" ? [] : [text(details)]),
      ...(isReadable ? [] : [`its code is ${Json.describe(code)}, which runtimes cannot read as a number`])
    ].join("; ")
  }
}

/** The line in which the Go runtime reports a fatal error. */
const lastWordsOfGo = /^(?:panic|fatal error): .*$/m

/** The output of a plugin that ended, as far as it explains the failure. */
type Left = Pick<Execution.Execution, "exitCode" | "signal" | "stdout"> & Partial<Pick<Execution.Execution, "stderr">>

const endingOf = ({ exitCode, signal }: Left): string =>
  signal === null ? `exited with status ${exitCode}` : `was killed by ${signal}`

/** Why a plugin failed if its output is not just an error document: its last error document, or else its last words. */
const refuse = (stdout: string, left: Left): Failure => {
  const ending = endingOf(left)
  const words = lastWordsOfGo.exec(Execution.text(left.stderr ?? new Uint8Array())) ?? lastWordsOfGo.exec(stdout)
  if (stdout.trim() === "") {
    return failed(words === null ? `${ending}, without an error document` : `${words[0]}; ${ending}`)
  }
  const mixed = MixedOutput.of(stdout)
  const last = mixed.documents.findLast(({ code, msg }) => code !== undefined && msg !== undefined)
  const failure = errorDocument(last)
  // `hasDocument` stays false: runtimes cannot read one of several documents, and the rest of stdout is of interest.
  if (failure !== undefined) {
    return { ...failure, hasDocument: false, details: `${ending}; stdout has ${MixedOutput.words(mixed)}` }
  }
  if (words !== null) return failed(`${words[0]}; ${ending}`)
  return failed(
    mixed.documents.length > 1
      ? `${ending}, and its stdout has ${MixedOutput.words(mixed)}, none of them an error document`
      : `${ending}, and its stdout is not an error document`
  )
}

/** Why an output is not a result although the plugin exited with status 0. */
const noResult = (stdout: string): Failure => {
  const mixed = MixedOutput.of(stdout)
  return failed(
    mixed.documents.length === 0
      ? "exited with status 0, but its result is not a JSON object"
      : `exited with status 0, and its stdout has ${MixedOutput.words(mixed)}, expected one JSON object`
  )
}

/** The result of an ADD. A result that names no version has the one of the configuration. */
const addResult = (stdout: string, cniVersion: string): PluginAnswer => {
  const isEmptyObject = stdout.trim() === "null"
  const value = isEmptyObject ? {} : Json.parse(stdout)
  if (!Json.isObject(value)) {
    return noResult(stdout)
  }
  const named = value["cniVersion"]
  const hasVersion = typeof named === "string" && named !== ""
  const text = isEmptyObject ? "{}" : stdout
  const document = hasVersion ? text : JsonText.withMembers(text, { cniVersion: JSON.stringify(cniVersion) })
  const problem = ResultSchema.problem(hasVersion ? value : { ...value, cniVersion })
  return problem === undefined
    ? { _tag: "Success", document: JsonText.onOneLine(document) }
    : failed(`gave a result that runtimes do not take: ${problem}`)
}

/** The versions that a plugin names in its answer to VERSION; undefined if it names none. */
export const versions = (document: string): ReadonlyArray<string> | undefined => {
  const value = Json.parse(document)
  if (!Json.isObject(value)) return undefined
  const { cniVersion, supportedVersions } = value
  if (typeof cniVersion !== "string" || cniVersion === "") return undefined
  if (Array.isArray(supportedVersions) && supportedVersions.length > 0) {
    return supportedVersions.every((version) => typeof version === "string") ? supportedVersions : undefined
  }
  return cniVersion === "0.2.0" ? ["0.1.0", "0.2.0"] : undefined
}

const versionResult = (stdout: string): PluginAnswer =>
  versions(stdout) === undefined
    ? failed("exited with status 0, and did not say which versions it speaks")
    : { _tag: "Success", document: JsonText.onOneLine(stdout) }

/** A plugin from before VERSION answers so, and speaks 0.1.0 alone. */
const knowsNoVersion = ({ msg }: Failure): boolean => msg === "unknown CNI_COMMAND: VERSION"

const isAnswered = (verb: string): boolean => verb === "ADD" || verb === "VERSION"

/**
 * What a plugin that ended says of itself, whatever a runtime makes of its result: that takes schemas, which the start of
 * a plugin has no time for.
 */
export const claimed = (
  verb: string,
  execution: Left & Pick<Execution.Execution, "timedOut">
): PluginAnswer => {
  const stdout = Execution.text(execution.stdout)
  if (!Execution.succeeded(execution)) return errorDocument(Json.parse(stdout)) ?? refuse(stdout, execution)
  if (!isAnswered(verb)) return { _tag: "Success", document: undefined }
  return Json.isObject(Json.parse(stdout)) || stdout.trim() === "null"
    ? { _tag: "Success", document: JsonText.onOneLine(stdout) }
    : verb === "ADD"
    ? noResult(stdout)
    : failed("exited with status 0, but its output is not a JSON object")
}

/**
 * Judges a plugin that ended. `cniVersion` is the one of the configuration, and `timeout` what the plugin was given, in
 * milliseconds.
 */
export const of = (
  verb: Verb,
  execution: Left & Pick<Execution.Execution, "timedOut">,
  { cniVersion, timeout }: { readonly cniVersion: string; readonly timeout: number }
): PluginAnswer => {
  if (execution.timedOut) return failed(`did not end within ${GoDuration.fromMillis(timeout)}, and was killed`)
  const stdout = Execution.text(execution.stdout)
  if (!Execution.succeeded(execution)) {
    const failure = errorDocument(Json.parse(stdout)) ?? refuse(stdout, execution)
    return verb === "VERSION" && knowsNoVersion(failure)
      ? {
        _tag: "Success",
        document: JSON.stringify({ cniVersion: CniVersion.implied, supportedVersions: [CniVersion.implied] })
      }
      : failure
  }
  if (verb === "ADD") return addResult(stdout, cniVersion)
  if (verb === "VERSION") return versionResult(stdout)
  return { _tag: "Success", document: undefined }
}
