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
import * as Libc from "./Libc.ts"
import { OutputBuffer } from "./OutputBuffer.ts"
import * as Pipes from "./Pipes.ts"
import * as Spawn from "./Spawn.ts"
import type { Stdio } from "./Stdio.ts"
import * as Tee from "./Tee.ts"

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
  private readonly kept: OutputBuffer
  private readonly outlet: Tee.Tee | undefined
  private atEnd = false

  constructor(fd: number, kept: OutputBuffer, outlet: Tee.Tee | undefined) {
    this.fd = fd
    this.kept = kept
    this.outlet = outlet
  }

  /** Whether the reader of what it passes on is gone. */
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

  /** How many bytes were read: 0 at the end, undefined if nothing has come yet. */
  private readInto(buffer: Buffer): number | undefined {
    try {
      return Fs.readSync(this.fd, buffer, 0, buffer.length, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
      return 0
    }
  }
}

/** Writes the stdin of a program as it arrives, as fast as the program reads it. */
class Feeder {
  private readonly fd: number
  private readonly next: () => Uint8Array | undefined
  private rest: Uint8Array | undefined

  constructor(fd: number, begun: Uint8Array, next: () => Uint8Array | undefined) {
    this.fd = fd
    this.next = next
    this.rest = begun
  }

  /** Whether everything was written, or the reader is gone. */
  get ended(): boolean {
    return this.rest === undefined
  }

  /** Writes as much as the pipe takes. Returns whether it wrote anything. */
  feed(): boolean {
    let total = 0
    while (this.rest !== undefined && total < mostAtOnce) {
      if (this.rest.length === 0) this.rest = this.arrived()
      const count = this.rest === undefined ? 0 : this.write(this.rest)
      if (count === 0) break
      total += count
    }
    return total > 0
  }

  /** What has arrived since. Where it cannot be read any more, the program gets its end. */
  private arrived(): Uint8Array | undefined {
    try {
      return this.next()
    } catch {
      return undefined
    }
  }

  private write(bytes: Uint8Array): number {
    if (bytes.length === 0) return 0
    try {
      const count = Fs.writeSync(this.fd, bytes)
      this.rest = bytes.subarray(count)
      return count
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") this.rest = undefined
      return 0
    }
  }
}

/** Pipes that no process holds any more, for the next program: making them takes longer than most commands run. */
let idle: Pipes.Ours | undefined

/** What the descriptors of a program are made for. */
export interface Options {
  readonly env: Execution.Invocation["env"]
  readonly stdin: Execution.Invocation["stdin"]
  readonly moreStdin: Execution.Invocation["moreStdin"]
  /** How much of each output is kept, in bytes. */
  readonly limit: number
  /** Whether the output goes on to ours as it comes, and stdin is ours where none is given. */
  readonly inOurPlace: boolean
}

/** Both ends of a program's stdin, stdout and stderr. */
interface Ends {
  /** The descriptors that the program inherits. */
  readonly theirs: ReadonlyArray<number | "closed">
  readonly readers: ReadonlyArray<Reader>
  readonly feeder?: { readonly fd: number; readonly writer: Feeder }
  /** Our ends of two pipes, which can be handed to another program later. */
  readonly reusable?: Pipes.Ours
  /** The same ends, but blocking, for the program that keeps reading from background processes. */
  readonly spare: ReadonlyArray<number>
  /** Reads what the program wrote directly to our files. */
  readonly readBack: ReadonlyArray<() => void>
  readonly stdoutUnseen: boolean
}

/**
 * A complete stdin is passed as a file. If it cannot be written to one, or is still arriving, it is passed through a
 * pipe.
 */
const openStdin = (descriptors: Descriptors, { env, moreStdin, stdin = "" }: Options) => {
  if (moreStdin === undefined) {
    try {
      return { theirs: Pipes.fileWith(descriptors, stdin) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EFBIG") throw error // RLIMIT_FSIZE applies to anonymous files too
    }
  }
  const { ours, theirs } = Pipes.pipe(descriptors, env, "write")
  return {
    theirs,
    feeder: { fd: ours, writer: new Feeder(ours, Buffer.from(stdin as string), moreStdin ?? (() => undefined)) }
  }
}

/** Opens everything for a program whose output we capture. */
const openKept = (descriptors: Descriptors, options: Options, outputs: readonly [OutputBuffer, OutputBuffer]): Ends => {
  const reused = idle
  idle = undefined
  if (reused !== undefined) descriptors.adopt(...reused)
  const ours = reused ?? Pipes.make(descriptors, options.env)
  const { feeder, theirs } = openStdin(descriptors, options)
  return {
    theirs: [
      theirs,
      // None of these waits: each finds the other end of its pipe open.
      descriptors.again(ours[0], O_WRONLY),
      descriptors.again(ours[1], O_WRONLY)
    ],
    readers: ours.map((fd, index) => new Reader(fd, outputs[index] ?? outputs[0], undefined)),
    ...(feeder === undefined ? {} : { feeder }),
    reusable: ours,
    // Without a writer, opening them would block.
    spare: ours.map((fd) => descriptors.again(fd, O_RDONLY)),
    readBack: [],
    stdoutUnseen: false
  }
}

/** Opens everything for a program that stands in for us. */
const openOurs = (descriptors: Descriptors, options: Options, outputs: readonly [OutputBuffer, OutputBuffer]): Ends => {
  const isClosed = Libc.load()?.wasClosed(0) === true
  const { feeder, theirs } = isClosed || options.stdin === undefined
    ? { theirs: isClosed ? "closed" as const : 0, feeder: undefined }
    : openStdin(descriptors, options)
  const ways = [Tee.wayOf(1), Tee.wayOf(2)] as const
  const opened = ways.map((way, index) => {
    const [fd, kept] = [index + 1, outputs[index] ?? outputs[0]]
    if (way === "closed") return { theirs: way }
    if (way === "itself") return { theirs: fd }
    if (way === "file") return { theirs: fd, readBack: Tee.follow(fd, kept) }
    const pipe = Pipes.pipe(descriptors, options.env, "read")
    return { theirs: pipe.theirs, reader: new Reader(pipe.ours, kept, new Tee.Tee(fd)) }
  })
  return {
    theirs: [theirs, ...opened.map((each) => each.theirs)],
    readers: opened.flatMap(({ reader }) => reader ?? []),
    ...(feeder === undefined ? {} : { feeder }),
    spare: [],
    readBack: opened.flatMap(({ readBack }) => readBack ?? []),
    stdoutUnseen: ways[0] === "itself"
  }
}

/** Opens everything. If that fails, throws the error and leaves nothing open. */
const openEnds = (descriptors: Descriptors, options: Options, outputs: readonly [OutputBuffer, OutputBuffer]): Ends => {
  try {
    return options.inOurPlace ? openOurs(descriptors, options, outputs) : openKept(descriptors, options, outputs)
  } catch (error) {
    descriptors.close()
    throw error
  }
}

/** Descriptors that give the program this stdin, and keep up to `limit` bytes of each output. Throws what is wrong. */
export const make = (options: Options): Stdio => {
  const { env, limit } = options
  const descriptors = new Descriptors()
  const outputs = [new OutputBuffer(limit), new OutputBuffer(limit)] as const
  const { feeder, readBack, readers, reusable, spare, stdoutUnseen, theirs } = openEnds(descriptors, options, outputs)
  const closeTheirs = () => {
    for (const fd of theirs) if (fd !== "closed") descriptors.close(fd)
  }
  /** Reads and writes as much as is possible without blocking. Returns whether it moved anything. */
  const move = (): boolean => {
    const found = readers.map((reader) => reader.read()).includes(true)
    // A writer whose reader is gone gets the same error as without us.
    for (const { fd, isBroken } of readers) if (isBroken) descriptors.close(fd)
    const fed = feeder?.writer.feed() === true
    if (feeder?.writer.ended === true) descriptors.close(feeder.fd)
    return found || fed
  }
  let timer: NodeJS.Timeout | undefined
  let onClose = () => {}
  let isReleased = false

  const look = (wait: number): void => {
    clearTimeout(timer)
    if (isReleased) return // these descriptors may belong to others now
    const next = move() ? pause.shortest : wait
    timer = setTimeout(look, next, Math.min(next * 2, pause.longest))
    if (readers.every(({ ended }) => ended)) onClose()
  }

  return {
    stdout: outputs[0],
    stderr: outputs[1],
    stdoutUnseen,
    start: (program) => {
      const started = Spawn.start(program, theirs)
      closeTheirs()
      look(pause.shortest)
      return started
    },
    onClose: (listener) => {
      onClose = listener
      look(pause.shortest) // most programs have finished writing at this point
    },
    release: () => {
      clearTimeout(timer)
      if (isReleased) return
      isReleased = true
      closeTheirs() // if the program was not started
      move()
      for (const read of readBack) read()
      for (const [index, { ended }] of readers.entries()) {
        const fd = spare[index]
        if (!ended && fd !== undefined) readOn(env, fd)
      }
      if (idle === undefined && reusable !== undefined && readers.every(({ ended }) => ended)) {
        descriptors.give(...reusable)
        idle = reusable
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
