/** Runs one request of the fuzzer, and says which promises of the plugin it broke. */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Util from "node:util"
import { temporary } from "../support/plugin.ts"
import { type Conditions, conditionsOf, type Ended, runUnder } from "./conditions.ts"
import { type Case, generate } from "./generate.ts"

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const supported = new Set(["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"])

/** What is wrong with what went to stdout. */
const answerProblems = (
  { env, prevResult, stdin }: Case,
  code: number | null,
  stdout: string
): ReadonlyArray<string> => {
  const answer = parse(stdout)
  if (code === 1) {
    if (!isObject(answer)) return [`status 1, and no error document on stdout`]
    const right = supported.has(String(answer["cniVersion"])) && Number.isInteger(answer["code"]) &&
      Number(answer["code"]) > 0 && typeof answer["msg"] === "string" && answer["msg"] !== ""
    return [
      ...(right ? [] : ["the error document is not what the specification says"]),
      ...(answer["code"] === 999 ? ["a defect (code 999)"] : [])
    ]
  }
  if (code !== 0) return [`status ${code}`]
  if ((env["CNI_COMMAND"] ?? "") === "") return stdout === "" ? [] : ["a person got something on stdout"]
  switch (env["CNI_COMMAND"]) {
    case "ADD": {
      if (prevResult !== undefined) return stdout === prevResult ? [] : ["prevResult did not come out byte for byte"]
      const config = parse(Buffer.from(stdin).toString())
      const previous = isObject(config) ? config["prevResult"] : undefined
      if (previous === undefined) return isObject(answer) ? [] : ["no result"]
      return Util.isDeepStrictEqual(previous, answer) ? [] : ["prevResult did not come out unchanged"]
    }
    case "VERSION":
      return isObject(answer) && Array.isArray(answer["supportedVersions"]) ? [] : ["no answer to VERSION"]
    default:
      return stdout === "" ? [] : [`stdout is not empty after ${env["CNI_COMMAND"]}`]
  }
}

/** What is wrong with what was logged. */
const logProblems = (folder: string): ReadonlyArray<string> => {
  const problems: Array<string> = []
  for (const name of Fs.readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    const file = Path.join(folder, name)
    if (Fs.statSync(file).isDirectory()) continue
    const text = Fs.readFileSync(file, "utf8")
    if (!text.endsWith("\n")) problems.push(`${name} does not end with a whole line`)
    // oxlint-disable-next-line no-control-regex
    if (/[\0-\u0008\u000b-\u001f\u007f-\u009f]/.test(text)) problems.push(`${name} has control characters`)
    if (name === "json" && text.trimEnd().split("\n").some((line) => !isObject(parse(line)))) {
      problems.push(`${name} has a line that is not a JSON object`)
    }
  }
  return problems
}

/** Whether the engine ended before a line of ours ran: few descriptors do that to Node.js and Bun. */
const neverCameUp = ({ descriptors, fullStderr }: Conditions, { code, signal, stderr, stdout }: Ended): boolean => {
  if (descriptors === undefined || stdout !== "") return false
  const isSaid = /node:internal|ran out of file descriptors/.test(stderr) || (fullStderr === true && descriptors < 24)
  return signal !== null || code !== 1 || isSaid
}

/** What is wrong with a run that a signal reached: it may have answered before, or was ended with half an answer. */
const stoppedProblems = (request: Case, { code, signal, stdout }: Ended): ReadonlyArray<string> => {
  const whole = parse(stdout)
  if (isObject(whole) && whole["code"] === 11) return []
  if (code === 0 || (code === 1 && isObject(whole))) return answerProblems(request, code, stdout)
  const isWhole = signal !== null && isObject(whole)
  const isPart = stdout === "" || (request.prevResult ?? "").startsWith(stdout)
  return isWhole || isPart
    ? []
    : [`a signal left something odd: status ${code}, signal ${signal}, stdout ${JSON.stringify(stdout.slice(0, 200))}`]
}

/** The broken promises of a seed; none where all is well. */
export const check = async (seed: number): Promise<ReadonlyArray<string>> => {
  using folder = temporary()
  const request = generate(seed, folder.path)
  const conditions = conditionsOf(seed)
  const started = performance.now()
  const ended = await runUnder(conditions, request)
  if (neverCameUp(conditions, ended)) return []
  const problems = [
    ...(conditions.signal === undefined
      ? answerProblems(request, ended.code, ended.stdout)
      : stoppedProblems(request, ended)),
    ...logProblems(folder.path)
  ]
  const told = problems.length === 0 ? [] : [...problems, `under ${JSON.stringify(conditions)}`]
  return performance.now() - started > 20_000 ? [...told, "it took more than 20 s"] : told
}
