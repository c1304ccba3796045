/**
 * Descriptors that can be opened by name (`cat /dev/stdin`, `echo x > /dev/stderr`) and outlive us, as runtimes and
 * shells give them: pipes for the output, which `mkfifo` makes, as the runtimes cannot, and a file for stdin, as a named
 * pipe that has been written cannot be opened again. Their names are gone before the program starts.
 *
 * Our ends never wait. They are looked at every few milliseconds: neither form has a stream that reads a pipe and can
 * be left alone while a process in the background still holds it.
 */
import type * as ChildProcess from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type * as Execution from "./Execution.ts"
import { Kept } from "./Kept.ts"
import type { Stdio } from "./Stdio.ts"

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

/** The most that a pipe holds unless its program asks for more, in bytes. */
const pipeSize = 65_536

/** How much is read at one look, in bytes: a process in the background that never pauses must not keep us. */
const mostAtOnce = 32 * pipeSize

/** How long to wait for the next look, in milliseconds: after one that found something, and at the most. */
const pause = { shortest: 1, longest: 16 }

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code

/** Descriptors that are closed together. */
class Descriptors {
  private readonly open = new Set<number>()

  add(path: string, flags: number): number {
    const fd = Fs.openSync(path, flags)
    this.adopt(fd)
    return fd
  }

  adopt(...some: ReadonlyArray<number>): void {
    for (const fd of some) this.open.add(fd)
  }

  /** Leaves a descriptor open for others. */
  give(...some: ReadonlyArray<number>): void {
    for (const fd of some) this.open.delete(fd)
  }

  close(...some: ReadonlyArray<number>): void {
    for (const fd of some.length === 0 ? [...this.open] : some) if (this.open.delete(fd)) Fs.closeSync(fd)
  }
}

/** Where bytes are read to, to be copied: programs that write little would keep much otherwise. */
const scratch = /* @__PURE__ */ Buffer.allocUnsafeSlow(pipeSize)

/** Our end of an output. */
class Reader {
  private readonly fd: number
  private readonly kept: Kept
  ended = false

  constructor(fd: number, kept: Kept) {
    this.fd = fd
    this.kept = kept
  }

  /** Reads what is there, and tells whether there was anything. */
  read(): boolean {
    let total = 0
    while (!this.ended && total < mostAtOnce) {
      const count = this.readInto(scratch)
      if (count === undefined) break
      this.ended = count === 0
      total += count
      if (count > 0) this.kept.take(Buffer.from(scratch.subarray(0, count)))
    }
    return total > 0
  }

  /** How many bytes were read: 0 at the end, undefined where nothing has come yet. */
  private readInto(buffer: Buffer): number | undefined {
    try {
      return Fs.readSync(this.fd, buffer, 0, buffer.length, null)
    } catch (error) {
      if (codeOf(error) === "EAGAIN") return undefined
      return 0
    }
  }
}

/** Folders where names can be made for a moment. */
const temporaryFolders = (): ReadonlyArray<string> => {
  const { TMPDIR = "" } = process.env
  return [...(Path.isAbsolute(TMPDIR) ? [TMPDIR] : []), "/tmp", "/dev/shm", "/run"]
}

/** Runs `use` with a new folder, which is gone afterwards with the files of these names. Throws what `use` throws. */
const inFolder = <A>(parent: string, names: ReadonlyArray<string>, use: (paths: ReadonlyArray<string>) => A): A => {
  const folder = Fs.mkdtempSync(Path.join(parent, ".cni-passthrough-"))
  const paths = names.map((name) => Path.join(folder, name))
  try {
    return use(paths)
  } finally {
    for (const path of paths) attempt(() => Fs.unlinkSync(path)) // takes no descriptor, as few may be left
    attempt(() => Fs.rmdirSync(folder))
  }
}

const attempt = (io: () => void): void => {
  try {
    io()
  } catch { /* it is not there, and that is what was wanted */ }
}

/** What another folder does not help against. */
const isFinal = (error: unknown): boolean => ["EMFILE", "ENFILE", "ENOMEM"].includes(codeOf(error) ?? "")

/** Runs `use` in the first folder where that is possible, or throws why it is not in the first of all. */
const inSomeFolder = <A>(names: ReadonlyArray<string>, use: (paths: ReadonlyArray<string>) => A): A => {
  let failure: unknown
  for (const parent of temporaryFolders()) {
    try {
      return inFolder(parent, names, use)
    } catch (error) {
      failure ??= error
      if (isFinal(error) || error instanceof NoMkfifo) break
    }
  }
  throw failure
}

/** There is nothing that makes pipes. */
class NoMkfifo extends Error {}

/** How long making two pipes may take, in milliseconds: nothing else happens meanwhile. */
const mkfifoTimeout = 2000

type Environment = Execution.Invocation["env"]

/** Makes two pipes. Throws what is wrong. */
const makePipes = (childProcess: typeof ChildProcess, env: Environment, paths: ReadonlyArray<string>): void => {
  const { error, status, stderr } = childProcess.spawnSync("mkfifo", ["-m", "600", ...paths], {
    cwd: "/",
    env: { PATH: env["PATH"] },
    killSignal: "SIGKILL",
    timeout: mkfifoTimeout
  })
  if (codeOf(error) === "ENOENT") {
    throw new NoMkfifo("there is no `mkfifo` on PATH, which makes pipes for its output: install coreutils")
  }
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(String(stderr).trim())
}

/** Our ends of two pipes, from which we read without waiting. */
type Ours = readonly [stdout: number, stderr: number]

/** Pipes that no process holds any more, for the next program: making them takes longer than most commands run. */
let idle: Ours | undefined

/** The descriptors of a program, and our ends of them. */
interface Ends {
  readonly ours: Ours
  readonly theirs: readonly [stdin: number, stdout: number, stderr: number]
  /** As ours, but waiting: for what reads on for processes in the background. */
  readonly spare: Ours
}

/** Opens everything, and takes the names away. Throws what is wrong, and leaves nothing open then. */
const openEnds = (
  descriptors: Descriptors,
  childProcess: typeof ChildProcess,
  env: Environment,
  stdin: string | Uint8Array
): Ends => {
  const reused = idle
  idle = undefined
  if (reused !== undefined) descriptors.adopt(...reused)
  try {
    return inSomeFolder(["0", "1", "2"], ([input = "", stdout = "", stderr = ""]) => {
      Fs.writeFileSync(input, stdin, { mode: 0o600 })
      if (reused === undefined) makePipes(childProcess, env, [stdout, stderr])
      const ours = reused ??
        [descriptors.add(stdout, O_RDONLY | O_NONBLOCK), descriptors.add(stderr, O_RDONLY | O_NONBLOCK)] as const
      // In this order none waits: each finds the other end of its pipe open.
      const [out, err] = [`/proc/self/fd/${ours[0]}`, `/proc/self/fd/${ours[1]}`]
      const theirs = [
        descriptors.add(input, O_RDONLY),
        descriptors.add(out, O_WRONLY),
        descriptors.add(err, O_WRONLY)
      ] as const
      return { ours, theirs, spare: [descriptors.add(out, O_RDONLY), descriptors.add(err, O_RDONLY)] }
    })
  } catch (error) {
    descriptors.close()
    throw error
  }
}

/** Descriptors that give the program this stdin, and keep up to `limit` bytes of each output. Throws what is wrong. */
export const make = (
  { childProcess, env, limit, stdin }: {
    readonly childProcess: typeof ChildProcess
    readonly env: Environment
    readonly limit: number
    readonly stdin: string | Uint8Array
  }
): Stdio => {
  const descriptors = new Descriptors()
  const { ours, spare, theirs } = openEnds(descriptors, childProcess, env, stdin)
  const stdout = new Kept(limit)
  const stderr = new Kept(limit)
  const readers = [new Reader(ours[0], stdout), new Reader(ours[1], stderr)] as const
  const read = (): boolean => readers.map((reader) => reader.read()).includes(true)
  let timer: NodeJS.Timeout | undefined
  let onClose = () => {}

  const look = (wait: number): void => {
    const next = read() ? pause.shortest : wait
    timer = setTimeout(look, next, Math.min(next * 2, pause.longest))
    if (readers.every(({ ended }) => ended)) onClose()
  }

  return {
    options: [...theirs],
    stdout,
    stderr,
    attach: () => {
      descriptors.close(...theirs)
      look(pause.shortest)
    },
    onClose: (listener) => {
      onClose = listener
    },
    release: () => {
      clearTimeout(timer)
      descriptors.close(...theirs) // where the program was not started
      read()
      for (const [index, { ended }] of readers.entries()) {
        if (!ended) readOn(childProcess, env, spare[index] ?? -1)
      }
      if (idle === undefined && readers.every(({ ended }) => ended)) {
        descriptors.give(...ours)
        idle = ours
      }
      descriptors.close()
    }
  }
}

/** Reads a pipe to its end in a process of its own: `tcpdump &` would be killed by its first line otherwise. */
const readOn = (
  childProcess: typeof ChildProcess,
  env: Environment,
  fd: number
): void => {
  const reader = childProcess.spawn("/bin/sh", ["-c", "exec cat >/dev/null"], {
    cwd: "/",
    detached: true,
    env,
    stdio: [fd, "ignore", "ignore"]
  })
  reader.on("error", () => {}) // without it, the process in the background has to live with a closed pipe
  reader.unref()
}
