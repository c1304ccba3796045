/**
 * Descriptors that can be opened by name (`cat /dev/stdin`, `echo x > /dev/stderr`) and outlive us, as runtimes and
 * shells give them: pipes for the output, and a file for stdin, as a named pipe that has been written cannot be opened
 * again.
 *
 * Our ends never wait. They are looked at every few milliseconds: neither form has a stream that reads a pipe and can
 * be left alone while a process in the background still holds it.
 */
import * as Fs from "node:fs"
import { Descriptors } from "./Descriptors.ts"
import type * as Execution from "./Execution.ts"
import * as HostTools from "./HostTools.ts"
import { Kept } from "./Kept.ts"
import { Outlet } from "./Outlet.ts"
import * as Pipes from "./Pipes.ts"
import * as Spawn from "./Spawn.ts"
import type { Stdio } from "./Stdio.ts"

const { O_RDONLY, O_WRONLY } = Fs.constants

/** The most that a pipe holds unless its program asks for more, in bytes. */
const pipeSize = 65_536

/** How much is read at one look, in bytes: a process in the background that never pauses must not keep us. */
const mostAtOnce = 32 * pipeSize

/** How long to wait for the next look, in milliseconds: after one that found something, and at the most. */
const pause = { shortest: 1, longest: 16 }

/** Where bytes are read to, to be copied: programs that write little would keep much otherwise. */
const scratch = /* @__PURE__ */ Buffer.allocUnsafeSlow(pipeSize)

/** Our end of an output. */
class Reader {
  readonly fd: number
  private readonly kept: Kept
  private readonly outlet: Outlet | undefined
  private atEnd = false

  constructor(fd: number, kept: Kept, outlet: Outlet | undefined) {
    this.fd = fd
    this.kept = kept
    this.outlet = outlet
  }

  /** Whether nobody reads any more what it would go on to. */
  get isBroken(): boolean {
    return this.outlet?.isBroken === true
  }

  /** Whether all of it was read, and has gone on to where it goes. */
  get ended(): boolean {
    return this.isBroken || (this.atEnd && this.hasGoneOn())
  }

  private hasGoneOn(): boolean {
    return this.outlet === undefined || this.outlet.flush()
  }

  /** Reads what is there, as far as it can go on, and tells whether there was anything. */
  read(): boolean {
    let total = 0
    while (!this.atEnd && !this.isBroken && total < mostAtOnce && this.hasGoneOn()) {
      const count = this.readInto(scratch)
      if (count === undefined) break
      this.atEnd = count === 0
      total += count
      if (count === 0) break
      const chunk = Buffer.from(scratch.subarray(0, count))
      this.kept.take(chunk)
      this.outlet?.put(chunk)
    }
    return total > 0
  }

  /** How many bytes were read: 0 at the end, undefined where nothing has come yet. */
  private readInto(buffer: Buffer): number | undefined {
    try {
      return Fs.readSync(this.fd, buffer, 0, buffer.length, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
      return 0
    }
  }
}

/** Pipes that no process holds any more, for the next program: making them takes longer than most commands run. */
let idle: Pipes.Ours | undefined

/** What the descriptors of a program are made for. */
export interface Options {
  readonly env: Execution.Invocation["env"]
  readonly stdin: string | Uint8Array | undefined
  /** How much of each output is kept, in bytes. */
  readonly limit: number
  /** Whether the output goes on to ours as it comes, and stdin is ours where none is given. */
  readonly inOurPlace: boolean
}

/** Opens everything. Throws what is wrong, and leaves nothing open then. */
const openEnds = (descriptors: Descriptors, { env, inOurPlace, stdin }: Options) => {
  const reused = idle
  idle = undefined
  if (reused !== undefined) descriptors.adopt(...reused)
  try {
    const ours = reused ?? Pipes.make(descriptors, env)
    const theirs = [
      inOurPlace && stdin === undefined ? 0 : Pipes.fileWith(descriptors, stdin ?? ""),
      // None of these waits: each finds the other end of its pipe open.
      descriptors.again(ours[0], O_WRONLY),
      descriptors.again(ours[1], O_WRONLY)
    ]
    // As ours, but waiting: for what reads on for processes in the background. Once nothing writes, opening them waits.
    const spare = inOurPlace ? [] : ours.map((fd) => descriptors.again(fd, O_RDONLY))
    return { ours, spare, theirs }
  } catch (error) {
    descriptors.close()
    throw error
  }
}

/** Descriptors that give the program this stdin, and keep up to `limit` bytes of each output. Throws what is wrong. */
export const make = (options: Options): Stdio => {
  const { env, inOurPlace, limit } = options
  const descriptors = new Descriptors()
  const { ours, spare, theirs } = openEnds(descriptors, options)
  const stdout = new Kept(limit)
  const stderr = new Kept(limit)
  const outlet = (fd: number) => inOurPlace ? new Outlet(fd) : undefined
  const readers = [new Reader(ours[0], stdout, outlet(1)), new Reader(ours[1], stderr, outlet(2))] as const
  const read = (): boolean => {
    const found = readers.map((reader) => reader.read()).includes(true)
    // What writes where nobody reads any more is told so, as without us.
    for (const { fd, isBroken } of readers) if (isBroken) descriptors.close(fd)
    return found
  }
  let timer: NodeJS.Timeout | undefined
  let onClose = () => {}
  let isReleased = false

  const look = (wait: number): void => {
    clearTimeout(timer)
    if (isReleased) return // by now these descriptors are those of others
    const next = read() ? pause.shortest : wait
    timer = setTimeout(look, next, Math.min(next * 2, pause.longest))
    if (readers.every(({ ended }) => ended)) onClose()
  }

  return {
    stdout,
    stderr,
    start: (program) => {
      const started = Spawn.start(program, theirs)
      descriptors.close(...theirs)
      look(pause.shortest)
      return started
    },
    onClose: (listener) => {
      onClose = listener
      look(pause.shortest) // most programs have written all by now
    },
    release: () => {
      clearTimeout(timer)
      if (isReleased) return
      isReleased = true
      descriptors.close(...theirs) // where the program was not started
      read()
      for (const [index, { ended }] of readers.entries()) {
        const fd = spare[index]
        if (!ended && fd !== undefined) readOn(env, fd)
      }
      if (idle === undefined && readers.every(({ ended, isBroken }) => ended && !isBroken)) {
        descriptors.give(...ours)
        idle = ours
      }
      descriptors.close()
    }
  }
}

/** Reads a pipe to its end in a process of its own: `tcpdump &` would be killed by its first line otherwise. */
const readOn = (env: Execution.Invocation["env"], fd: number): void => {
  try {
    const tools = HostTools.make(env)
    const argv = [tools.find("cat") ?? "cat"] as const
    const program = { argv, cwd: "/", detached: true, env: tools.env }
    const reader = Spawn.start(program, [fd, "ignore", "ignore"])
    reader.onError(() => {})
    reader.unref()
  } catch { /* without it, the process in the background has to live with a closed pipe */ }
}
