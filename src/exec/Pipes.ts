/**
 * Makes the pipes and the file that a program gets as its descriptors. Only Bun can make them by itself, see `Libc.ts`;
 * elsewhere `mkfifo` does, and their names are gone before the program starts.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Descriptors } from "./Descriptors.ts"
import type * as Execution from "./Execution.ts"
import * as HostTools from "./HostTools.ts"
import * as Libc from "./Libc.ts"
import * as Spawn from "./Spawn.ts"

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

/** Our ends of two pipes, from which we read without waiting. */
export type Ours = readonly [stdout: number, stderr: number]

type Environment = Execution.Invocation["env"]

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code

/** Folders where names can be made for a moment. */
const temporaryFolders = (): ReadonlyArray<string> => {
  const { TMPDIR = "" } = process.env
  return [...(Path.isAbsolute(TMPDIR) ? [TMPDIR] : []), "/tmp", "/dev/shm", "/run"]
}

const attempt = (io: () => void): void => {
  try {
    io()
  } catch { /* it is not there, and that is what was wanted */ }
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

/** How long making two pipes may take, in milliseconds: it blocks everything else. */
const mkfifoTimeout = 2000

/** Makes named pipes. Throws what is wrong. */
const mkfifo = (env: Environment, paths: ReadonlyArray<string>): void => {
  // If plugins and tools share a folder, plugins still need their pipes.
  const program = HostTools.make(env).find("mkfifo") ?? "mkfifo"
  const { error, status, stderr } = Spawn.childProcess().spawnSync(program, ["-m", "600", ...paths], {
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

/** Opens our end of a new pipe. */
const openOurs = (descriptors: Descriptors, { pipe }: Libc.Libc): number | undefined => {
  const ends = pipe()
  if (ends === undefined) return undefined
  descriptors.adopt(...ends)
  const ours = descriptors.again(ends[0], O_RDONLY | O_NONBLOCK)
  descriptors.close(...ends)
  return ours
}

/** Our ends of two new pipes. Throws what is wrong. */
export const make = (descriptors: Descriptors, env: Environment): Ours => {
  const known = Libc.load()
  const stdout = known === undefined ? undefined : openOurs(descriptors, known)
  const stderr = known === undefined ? undefined : openOurs(descriptors, known)
  if (stdout !== undefined && stderr !== undefined) return [stdout, stderr]
  return inSomeFolder(["1", "2"], (paths) => {
    mkfifo(env, paths)
    const [out = "", err = ""] = paths
    return [descriptors.add(out, O_RDONLY | O_NONBLOCK), descriptors.add(err, O_RDONLY | O_NONBLOCK)]
  })
}

/** A file without a name that has these bytes, opened for reading. Throws what is wrong. */
export const fileWith = (descriptors: Descriptors, bytes: string | Uint8Array): number => {
  const libc = Libc.load()
  const fd = libc?.anonymousFile()
  if (fd !== undefined) {
    descriptors.adopt(fd)
    Fs.writeFileSync(fd, bytes)
    libc?.rewind(fd)
    return fd
  }
  return inSomeFolder(["0"], ([path = ""]) => {
    Fs.writeFileSync(path, bytes, { mode: 0o600 })
    return descriptors.add(path, O_RDONLY)
  })
}

/** Both ends of a pipe. Ours never blocks. */
export interface Pipe {
  readonly ours: number
  readonly theirs: number
}

/** A pipe for one program. Throws if it cannot be opened. */
export const pipe = (descriptors: Descriptors, env: Environment, our: "read" | "write"): Pipe => {
  const libc = Libc.load()
  const ends = libc?.pipe()
  if (libc !== undefined && ends !== undefined) {
    descriptors.adopt(...ends)
    const [ours, theirs] = our === "read" ? ends : [ends[1], ends[0]]
    libc.neverWait(ours)
    return { ours, theirs }
  }
  return inSomeFolder([our], (paths) => {
    mkfifo(env, paths)
    // None of these blocks: the first is non-blocking, and the others find the pipe's other end open.
    const read = descriptors.add(paths[0] ?? "", O_RDONLY | O_NONBLOCK)
    if (our === "read") return { ours: read, theirs: descriptors.again(read, O_WRONLY) }
    const ours = descriptors.again(read, O_WRONLY | O_NONBLOCK)
    const theirs = descriptors.again(read, O_RDONLY)
    descriptors.close(read)
    return { ours, theirs }
  })
}
