/**
 * Connects a program with pipes for its output and a file for its stdin, as runtimes and shells do. The program can
 * open them by name (`cat /dev/stdin`, `echo x > /dev/stderr`), and they outlive this process. Stdin is a file because
 * a named pipe that has been written cannot be opened again.
 *
 * Our ends never block. We poll them every few milliseconds, because neither Bun nor Node.js has a stream that reads a
 * pipe and can be abandoned while a background process still holds it.
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

/** The default capacity of a pipe, in bytes. */
const pipeSize = 65_536

/** How many bytes to read in one poll. A background process that never pauses must not occupy us forever. */
const pollLimit = 32 * pipeSize

/** The time between polls, in milliseconds: after a poll that moved data, and at most. */
const pause = { shortest: 1, longest: 16 }

/** A shared read buffer. Chunks are copied out of it, so that a small chunk does not keep a large buffer alive. */
const scratch = /* @__PURE__ */ Buffer.allocUnsafeSlow(pipeSize)

/** Reads stdout or stderr of a program. */
class Reader {
  readonly fd: number
  private readonly buffer: OutputBuffer
  private readonly tee: Tee.Tee | undefined
  private atEnd = false

  constructor(fd: number, buffer: OutputBuffer, tee: Tee.Tee | undefined) {
    this.fd = fd
    this.buffer = buffer
    this.tee = tee
  }

  /** Whether the reader of our own output is gone. */
  get isBroken(): boolean {
    return this.tee?.isBroken === true
  }

  /** Whether everything was read and passed on. */
  get ended(): boolean {
    return this.isBroken || (this.atEnd && this.flush())
  }

  private flush(): boolean {
    return this.tee === undefined || this.tee.flush()
  }

  /** Reads what is available, unless the bytes before are not passed on yet. Returns whether it read anything. */
  read(): boolean {
    let total = 0
    while (!this.atEnd && !this.isBroken && total < pollLimit && this.flush()) {
      const count = this.readInto(scratch)
      if (count === undefined) break
      this.atEnd = count === 0
      total += count
      if (count === 0) break
      const chunk = Buffer.from(scratch.subarray(0, count))
      this.buffer.take(chunk)
      this.tee?.put(chunk)
    }
    return total > 0
  }

  /** Returns the number of bytes: 0 at the end, undefined if nothing is available yet. */
  private readInto(buffer: Buffer): number | undefined {
    try {
      return Fs.readSync(this.fd, buffer, 0, buffer.length, null)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined
      return 0
    }
  }
}

/** Passes a stdin that is still arriving on to a program, as fast as the program reads it. */
class Feeder {
  private readonly fd: number
  private readonly next: () => Uint8Array | undefined
  private rest: Uint8Array | undefined

  constructor(fd: number, begun: Uint8Array, next: () => Uint8Array | undefined) {
    this.fd = fd
    this.next = next
    this.rest = begun
  }

  /** Whether everything was written or the reader is gone. */
  get ended(): boolean {
    return this.rest === undefined
  }

  /** Writes as much as the pipe accepts. Returns whether it wrote anything. */
  feed(): boolean {
    let total = 0
    while (this.rest !== undefined && total < pollLimit) {
      if (this.rest.length === 0) this.rest = this.arrived()
      const count = this.rest === undefined ? 0 : this.write(this.rest)
      if (count === 0) break
      total += count
    }
    return total > 0
  }

  /** Returns the bytes that have arrived since. A read error counts as the end of stdin. */
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

/**
 * Pipes that no process holds any more, to reuse for the next program: making pipes takes longer than most commands
 * run.
 */
let idle: Pipes.ReadEnds | undefined

/** The connections that a program needs. */
export interface Options {
  readonly env: Execution.Invocation["env"]
  readonly stdin: Execution.Invocation["stdin"]
  readonly moreStdin: Execution.Invocation["moreStdin"]
  /** How many bytes of each output to keep. */
  readonly limit: number
  /** Whether to pass output on to ours as it arrives, and to use our stdin if none is given. */
  readonly foreground: boolean
}

/** Both ends of a program's stdin, stdout and stderr. */
interface Ends {
  /** The program's descriptors 0, 1 and 2. */
  readonly theirs: ReadonlyArray<number | "closed">
  readonly readers: ReadonlyArray<Reader>
  readonly feeder?: { readonly fd: number; readonly writer: Feeder }
  /** Our ends of two pipes, which another program can reuse later. */
  readonly reusable?: Pipes.ReadEnds
  /** The same ends, but blocking, for `cat`, which keeps reading what background processes write. */
  readonly spare: ReadonlyArray<number>
  /** Read what the program wrote directly to our files. */
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

/** Opens the ends for a program whose output is only captured. */
const openCaptured = (
  descriptors: Descriptors,
  options: Options,
  outputs: readonly [OutputBuffer, OutputBuffer]
): Ends => {
  const reused = idle
  idle = undefined
  if (reused !== undefined) descriptors.adopt(...reused)
  const ours = reused ?? Pipes.make(descriptors, options.env)
  const { feeder, theirs } = openStdin(descriptors, options)
  return {
    theirs: [
      theirs,
      // These do not block: the other end of each pipe is open.
      descriptors.reopen(ours[0], O_WRONLY),
      descriptors.reopen(ours[1], O_WRONLY)
    ],
    readers: ours.map((fd, index) => new Reader(fd, outputs[index] ?? outputs[0], undefined)),
    ...(feeder === undefined ? {} : { feeder }),
    reusable: ours,
    // Without a writer, opening them would block.
    spare: ours.map((fd) => descriptors.reopen(fd, O_RDONLY)),
    readBack: [],
    stdoutUnseen: false
  }
}

/** Opens the ends for a foreground program. */
const openForeground = (
  descriptors: Descriptors,
  options: Options,
  outputs: readonly [OutputBuffer, OutputBuffer]
): Ends => {
  const isClosed = Libc.load()?.wasClosed(0) === true
  const { feeder, theirs } = isClosed || options.stdin === undefined
    ? { theirs: isClosed ? "closed" as const : 0, feeder: undefined }
    : openStdin(descriptors, options)
  const routes = [Tee.routeOf(1), Tee.routeOf(2)] as const
  const opened = routes.map((route, index) => {
    const [fd, buffer] = [index + 1, outputs[index] ?? outputs[0]]
    if (route === "closed") return { theirs: route }
    if (route === "direct") return { theirs: fd }
    if (route === "file") return { theirs: fd, readBack: Tee.captureAppended(fd, buffer) }
    const pipe = Pipes.pipe(descriptors, options.env, "read")
    return { theirs: pipe.theirs, reader: new Reader(pipe.ours, buffer, new Tee.Tee(fd)) }
  })
  return {
    theirs: [theirs, ...opened.map((each) => each.theirs)],
    readers: opened.flatMap(({ reader }) => reader ?? []),
    ...(feeder === undefined ? {} : { feeder }),
    spare: [],
    readBack: opened.flatMap(({ readBack }) => readBack ?? []),
    stdoutUnseen: routes[0] === "direct"
  }
}

/** Opens all ends. If that fails, throws and leaves nothing open. */
const openEnds = (descriptors: Descriptors, options: Options, outputs: readonly [OutputBuffer, OutputBuffer]): Ends => {
  try {
    return options.foreground
      ? openForeground(descriptors, options, outputs)
      : openCaptured(descriptors, options, outputs)
  } catch (error) {
    descriptors.close()
    throw error
  }
}

/** Makes the connections of a program. Throws if that is impossible. */
export const make = (options: Options): Stdio => {
  const { env, limit } = options
  const descriptors = new Descriptors()
  const outputs = [new OutputBuffer(limit), new OutputBuffer(limit)] as const
  const { feeder, readBack, readers, reusable, spare, stdoutUnseen, theirs } = openEnds(descriptors, options, outputs)
  const closeTheirs = () => {
    for (const fd of theirs) if (fd !== "closed") descriptors.close(fd)
  }
  /** Reads and writes as much as possible without blocking. Returns whether it moved any data. */
  const transfer = (): boolean => {
    const found = readers.map((reader) => reader.read()).includes(true)
    // The program then gets the same write error as without us.
    for (const { fd, isBroken } of readers) if (isBroken) descriptors.close(fd)
    const fed = feeder?.writer.feed() === true
    if (feeder?.writer.ended === true) descriptors.close(feeder.fd)
    return found || fed
  }
  let timer: NodeJS.Timeout | undefined
  let onClose = () => {}
  let isReleased = false

  const poll = (wait: number): void => {
    clearTimeout(timer)
    if (isReleased) return // the numbers of our descriptors may have been reused
    const next = transfer() ? pause.shortest : wait
    timer = setTimeout(poll, next, Math.min(next * 2, pause.longest))
    if (readers.every(({ ended }) => ended)) onClose()
  }

  return {
    stdout: outputs[0],
    stderr: outputs[1],
    stdoutUnseen,
    start: (program) => {
      const started = Spawn.start(program, theirs)
      closeTheirs()
      poll(pause.shortest)
      return started
    },
    onClose: (listener) => {
      onClose = listener
      poll(pause.shortest) // most programs have finished writing at this point
    },
    release: () => {
      clearTimeout(timer)
      if (isReleased) return
      isReleased = true
      closeTheirs() // if the program was not started
      transfer()
      for (const read of readBack) read()
      for (const [index, { ended }] of readers.entries()) {
        const fd = spare[index]
        if (!ended && fd !== undefined) drain(env, fd)
      }
      if (idle === undefined && reusable !== undefined && readers.every(({ ended }) => ended)) {
        descriptors.release(...reusable)
        idle = reusable
      }
      descriptors.close()
    }
  }
}

/**
 * Reads a pipe to its end in a separate process. Without a reader, SIGPIPE would kill a background process such as
 * `tcpdump &` at its next line.
 */
const drain = (env: Execution.Invocation["env"], fd: number): void => {
  try {
    const tools = HostTools.make(env)
    const argv = [tools.find("cat") ?? "cat"] as const
    const program = { argv, detached: true, env: tools.env }
    const reader = Spawn.start(program, [fd, "ignore", "ignore"])
    reader.onError(() => {})
    reader.unref()
  } catch { /* the background process then gets a closed pipe */ }
}
