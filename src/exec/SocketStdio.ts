/**
 * Connects a program with sockets, as Bun and Node.js do by default. They cost nothing, but cannot be opened by name
 * (`/dev/stdin` is ENXIO) and do not outlive this process. Only for tools that we know: `logger`, `ip`, `journalctl`.
 */
import type * as ChildProcess from "node:child_process"
import { OutputBuffer } from "./OutputBuffer.ts"
import * as Spawn from "./Spawn.ts"
import type { Stdio } from "./Stdio.ts"

/** Makes the connections. Keeps up to `limit` bytes of each output. `onStdout` receives stdout instead. */
export const make = (stdin: string | Uint8Array, limit: number, onStdout?: (chunk: Uint8Array) => void): Stdio => {
  const stdout = new OutputBuffer(limit)
  const stderr = new OutputBuffer(limit)
  let started: ChildProcess.ChildProcess | undefined
  return {
    stdout,
    stderr,
    start: (program) => {
      const child = Spawn.spawn(program, ["pipe", "pipe", "pipe"])
      started = child
      child.stdin?.on("error", () => {}) // a program need not read its stdin
      child.stdin?.end(stdin)
      child.stdout?.on("data", onStdout ?? ((chunk: Uint8Array) => stdout.take(chunk))).on("error", () => {})
      child.stderr?.on("data", (chunk: Uint8Array) => stderr.take(chunk)).on("error", () => {})
      return Spawn.ofNode(child)
    },
    onClose: (listener) => void started?.once("close", listener),
    release: () => {
      for (const stream of [started?.stdin, started?.stdout, started?.stderr]) stream?.destroy()
    }
  }
}

/** The last resort for a foreground program: it writes directly to our stdout and stderr, so nothing is captured. */
export const makeUncaptured = (stdin: string | Uint8Array): Stdio => {
  let started: ChildProcess.ChildProcess | undefined
  return {
    stdout: new OutputBuffer(0),
    stderr: new OutputBuffer(0),
    stdoutUnseen: true,
    start: (program) => {
      started = Spawn.spawn(program, ["pipe", 1, 2])
      started.stdin?.on("error", () => {})
      started.stdin?.end(stdin)
      return Spawn.ofNode(started)
    },
    onClose: (listener) => listener(),
    release: () => void started?.stdin?.destroy()
  }
}
