/** Interprets a plugin's stdout and exit status as libcni does. Source: libcni, `pkg/invoke`. */
import * as CniVersion from "../cni/CniVersion.ts"
import * as ResultSchema from "../cni/ResultSchema.ts"
import type { Verb } from "../cni/Verb.ts"
import * as GoDuration from "../json/GoDuration.ts"
import * as Json from "../json/Json.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Execution from "./Execution.ts"
import * as MixedOutput from "./MixedOutput.ts"

/** The plugin succeeded. `document` is its result as JSON text, if the operation has one. */
export interface Success {
  readonly _tag: "Success"
  readonly document: string | undefined
}

/** The plugin failed. If it printed no error document, `msg` says what happened instead. */
export interface Failure {
  readonly _tag: "Failure"
  /** Whether the plugin printed an error document. */
  readonly hasDocument: boolean
  /** Undefined if the plugin gave no code. We do not invent one. */
  readonly code: number | undefined
  readonly msg: string
  readonly details: string
}

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
 * Decodes an error document. Returns undefined if a value is not one. Source: CNI specification, section 5, "Error".
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
const goCrashLine = /^(?:panic|fatal error): .*$/m

/** The parts of an execution that can explain a failure. */
type Ended = Pick<Execution.Execution, "exitCode" | "signal" | "stdout"> & Partial<Pick<Execution.Execution, "stderr">>

const endingOf = ({ exitCode, signal }: Ended): string =>
  signal === null ? `exited with status ${exitCode}` : `was killed by ${signal}`

/**
 * Explains a failure whose stdout is not exactly one error document. Uses the last error document in it, else the line
 * in which the Go runtime reported a crash, else the exit status.
 */
const explainFailure = (stdout: string, ended: Ended): Failure => {
  const ending = endingOf(ended)
  const words = goCrashLine.exec(Execution.text(ended.stderr ?? new Uint8Array())) ?? goCrashLine.exec(stdout)
  if (stdout.trim() === "") {
    return failed(words === null ? `${ending}, without an error document` : `${words[0]}; ${ending}`)
  }
  const mixed = MixedOutput.of(stdout)
  const last = mixed.documents.findLast(({ code, msg }) => code !== undefined && msg !== undefined)
  const failure = errorDocument(last)
  // `hasDocument` is false: runtimes cannot read one of several documents, and the log needs the rest of stdout.
  if (failure !== undefined) {
    return { ...failure, hasDocument: false, details: `${ending}; stdout has ${MixedOutput.describe(mixed)}` }
  }
  if (words !== null) return failed(`${words[0]}; ${ending}`)
  return failed(
    mixed.documents.length > 1
      ? `${ending}, and its stdout has ${MixedOutput.describe(mixed)}, none of them an error document`
      : `${ending}, and its stdout is not an error document`
  )
}

/** Explains why an output is not a result although the plugin exited with status 0. */
const notAResult = (stdout: string): Failure => {
  const mixed = MixedOutput.of(stdout)
  return failed(
    mixed.documents.length === 0
      ? "exited with status 0, but its result is not a JSON object"
      : `exited with status 0, and its stdout has ${MixedOutput.describe(mixed)}, expected one JSON object`
  )
}

/** Decodes the result of ADD. A result without a version has the version of the configuration. */
const addResult = (stdout: string, cniVersion: string): PluginAnswer => {
  const isEmptyObject = stdout.trim() === "null"
  const value = isEmptyObject ? {} : Json.parse(stdout)
  if (!Json.isObject(value)) {
    return notAResult(stdout)
  }
  const named = value["cniVersion"]
  const hasVersion = typeof named === "string" && named !== ""
  const text = isEmptyObject ? "{}" : stdout
  const document = hasVersion ? text : JsonText.withMembers(text, { cniVersion: JSON.stringify(cniVersion) })
  const problem = ResultSchema.problem(hasVersion ? value : { ...value, cniVersion })
  return problem === undefined
    ? { _tag: "Success", document: JsonText.onOneLine(document) }
    : failed(`gave a result that runtimes do not accept: ${problem}`)
}

/**
 * Returns the versions in an answer to VERSION, or undefined if it has none. Source: CNI specification, section 2,
 * "VERSION".
 */
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
    ? failed("exited with status 0, but did not say which versions it supports")
    : { _tag: "Success", document: JsonText.onOneLine(stdout) }

/** Plugins older than the VERSION operation answer like this. They support only 0.1.0. */
const lacksVersionOperation = ({ msg }: Failure): boolean => msg === "unknown CNI_COMMAND: VERSION"

const hasResult = (verb: string): boolean => verb === "ADD" || verb === "VERSION"

/**
 * Returns what a plugin claims about itself, without validating its result: that needs schemas, whose loading would
 * slow down the start of every plugin.
 */
export const withoutValidation = (
  verb: string,
  execution: Ended & Pick<Execution.Execution, "timedOut">
): PluginAnswer => {
  const stdout = Execution.text(execution.stdout)
  if (!Execution.succeeded(execution)) return errorDocument(Json.parse(stdout)) ?? explainFailure(stdout, execution)
  if (!hasResult(verb)) return { _tag: "Success", document: undefined }
  return Json.isObject(Json.parse(stdout)) || stdout.trim() === "null"
    ? { _tag: "Success", document: JsonText.onOneLine(stdout) }
    : verb === "ADD"
    ? notAResult(stdout)
    : failed("exited with status 0, but its output is not a JSON object")
}

/**
 * Judges an ended plugin as libcni does. `cniVersion` is the version of the configuration. `timeout` is the plugin's
 * timeout in milliseconds.
 */
export const of = (
  verb: Verb,
  execution: Ended & Pick<Execution.Execution, "timedOut">,
  { cniVersion, timeout }: { readonly cniVersion: string; readonly timeout: number }
): PluginAnswer => {
  if (execution.timedOut) return failed(`did not end within ${GoDuration.fromMillis(timeout)}, and was killed`)
  const stdout = Execution.text(execution.stdout)
  if (!Execution.succeeded(execution)) {
    const failure = errorDocument(Json.parse(stdout)) ?? explainFailure(stdout, execution)
    return verb === "VERSION" && lacksVersionOperation(failure)
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
