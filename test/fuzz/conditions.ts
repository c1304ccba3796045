/** Runs the plugin under conditions that runtimes and hosts can bring about: few descriptors, signals, slow peers. */
import * as ChildProcess from "node:child_process"
import { path, plugin } from "../support/plugin.ts"
import { type Case, type Dice, dice } from "./generate.ts"

/** What is odd about one run. All times are in milliseconds. */
export interface Conditions {
  /** How many descriptors the process may have. */
  readonly descriptors?: number
  /** A signal, and how long after the start it comes. */
  readonly signal?: readonly [name: NodeJS.Signals, after: number]
  /** How long nobody reads stdout. */
  readonly slowReader?: number
  /** How long stdin stays open after half of the document. */
  readonly slowWriter?: number
  /** Whether stderr is full, and nobody reads it. */
  readonly fullStderr?: boolean
}

const roll = ({ below, chance, pick }: Dice): Conditions => {
  if (chance(0.5)) return {}
  return {
    ...(chance(0.3) ? { descriptors: 4 + below(60) } : {}),
    ...(chance(0.3) ? { signal: [pick(["SIGTERM", "SIGTERM", "SIGINT"] as const), below(250)] as const } : {}),
    ...(chance(0.3) ? { slowReader: below(300) } : {}),
    ...(chance(0.2) ? { slowWriter: below(300) } : {}),
    ...(chance(0.2) ? { fullStderr: true } : {})
  }
}

/** The conditions of a seed: none for every other one. */
export const conditionsOf = (seed: number): Conditions => roll(dice(seed ^ 0x5eed))

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** `exec` keeps the process, so that a signal reaches the plugin and not a shell. */
const script = ({ descriptors, fullStderr }: Conditions): string =>
  [
    ...(fullStderr === true
      ? ["exec 2> >(exec sleep 30 >/dev/null <&-)", "head -c 70000 /dev/zero >&2 &", "sleep 0.05"]
      : []),
    ...(descriptors === undefined ? [] : [`ulimit -n ${descriptors}`]),
    "exec \"$0\""
  ].join("\n")

/** Runs a request under these conditions, and waits until the process has ended and its stdout is read. */
export const runUnder = async (conditions: Conditions, { env, stdin }: Case): Promise<Ended> => {
  const isPlain = conditions.descriptors === undefined && conditions.fullStderr !== true
  const [program, ...args] = isPlain ? [plugin] : ["/bin/bash", "--norc", "-c", script(conditions), plugin]
  const child = ChildProcess.spawn(program ?? "", args, { env: { PATH: path, ...env }, cwd: "/", detached: true })
  const stdout: Array<Buffer> = []
  const stderr: Array<Buffer> = []
  const closed = new Promise((resolve) => child.stdout.on("close", resolve))
  const ended = new Promise<Pick<Ended, "code" | "signal">>((resolve, reject) => {
    child.on("error", reject)
    child.on("exit", (code, signal) => resolve({ code, signal }))
  })
  child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk))
  child.stdin.on("error", () => {})
  const { signal, slowReader = 0, slowWriter = 0 } = conditions
  child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk)).pause()
  const read = pause(slowReader).then(() => child.stdout.resume())
  const half = slowWriter === 0 ? 0 : stdin.length >> 1
  child.stdin.write(stdin.subarray(0, half))
  const written = pause(slowWriter).then(() => child.stdin.end(stdin.subarray(half)))
  const told = signal === undefined ? undefined : pause(signal[1]).then(() => child.kill(signal[0]))
  const { code, signal: by } = await ended
  await Promise.all([read, written, told])
  await closed
  try {
    process.kill(-(child.pid ?? 0), "SIGKILL") // what filled stderr
  } catch { /* it has ended */ }
  return { code, signal: by, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }
}
