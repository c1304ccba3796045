/**
 * Makes the pipes and the stdin file of a program. Under Bun it calls the C library, see `Libc.ts`. Under Node.js it
 * uses `mkfifo` and temporary files, and removes their names before the program starts.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Descriptors } from "./Descriptors.ts"
import type * as Execution from "./Execution.ts"
import * as HostTools from "./HostTools.ts"
import * as Libc from "./Libc.ts"
import * as Spawn from "./Spawn.ts"

const { O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

/** Our non-blocking read ends of two pipes. */
export type ReadEnds = readonly [stdout: number, stderr: number]

type Environment = Execution.Invocation["env"]

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException | undefined)?.code

/** Folders for temporary names. */
const temporaryFolders = (): ReadonlyArray<string> => {
  const { TMPDIR = "" } = process.env
  return [...(Path.isAbsolute(TMPDIR) ? [TMPDIR] : []), "/tmp", "/dev/shm", "/run"]
}

const attempt = (io: () => void): void => {
  try {
    io()
  } catch { /* it does not exist, which is the goal */ }
}

/** Runs `use` with paths in a new folder, and then removes the folder with these files. Throws what `use` throws. */
const inFolder = <A>(parent: string, names: ReadonlyArray<string>, use: (paths: ReadonlyArray<string>) => A): A => {
  const folder = Fs.mkdtempSync(Path.join(parent, ".cni-passthrough-"))
  const paths = names.map((name) => Path.join(folder, name))
  try {
    return use(paths)
  } finally {
    for (const path of paths) attempt(() => Fs.unlinkSync(path)) // needs no descriptor, because few may be left
    attempt(() => Fs.rmdirSync(folder))
  }
}

/** Whether trying another folder would not help. */
const isFinal = (error: unknown): boolean => ["EMFILE", "ENFILE", "ENOMEM"].includes(codeOf(error) ?? "")

/** Runs `use` in the first folder where it succeeds. If it never does, throws the first error. */
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

/** `mkfifo` is not installed. */
class NoMkfifo extends Error {}

/** The timeout of `mkfifo`, in milliseconds. The call blocks this process. */
const mkfifoTimeout = 2000

/** Makes named pipes. Throws if that fails. */
const mkfifo = (env: Environment, paths: ReadonlyArray<string>): void => {
  // HostTools skips folders of plugins. If a folder has both plugins and `mkfifo`, we still need pipes, so fall back to
  // PATH.
  const program = HostTools.make(env).find("mkfifo") ?? "mkfifo"
  const { error, status, stderr } = Spawn.childProcess().spawnSync(program, ["-m", "600", ...paths], {
    env: { PATH: env["PATH"] },
    killSignal: "SIGKILL",
    timeout: mkfifoTimeout
  })
  if (codeOf(error) === "ENOENT") {
    throw new NoMkfifo("there is no `mkfifo` on PATH to make the pipes for its output: install coreutils")
  }
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(String(stderr).trim())
}

/** Makes a pipe, keeps only a non-blocking read end, and returns it. */
const openReadEnd = (descriptors: Descriptors, { pipe }: Libc.Libc): number | undefined => {
  const ends = pipe()
  if (ends === undefined) return undefined
  descriptors.adopt(...ends)
  const ours = descriptors.reopen(ends[0], O_RDONLY | O_NONBLOCK)
  descriptors.close(...ends)
  return ours
}

/** Makes two pipes and returns our read ends. Throws if that fails. */
export const make = (descriptors: Descriptors, env: Environment): ReadEnds => {
  const known = Libc.load()
  const stdout = known === undefined ? undefined : openReadEnd(descriptors, known)
  const stderr = known === undefined ? undefined : openReadEnd(descriptors, known)
  if (stdout !== undefined && stderr !== undefined) return [stdout, stderr]
  return inSomeFolder(["1", "2"], (paths) => {
    mkfifo(env, paths)
    const [out = "", err = ""] = paths
    return [descriptors.add(out, O_RDONLY | O_NONBLOCK), descriptors.add(err, O_RDONLY | O_NONBLOCK)]
  })
}

/** Opens a nameless file with these bytes for reading. Throws if that fails. */
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

/** Both ends of a pipe. Our end is non-blocking. */
export interface Pipe {
  readonly ours: number
  readonly theirs: number
}

/** Makes a pipe for one program. `our` is the end that we keep. Throws if that fails. */
export const pipe = (descriptors: Descriptors, env: Environment, our: "read" | "write"): Pipe => {
  const libc = Libc.load()
  const ends = libc?.pipe()
  if (libc !== undefined && ends !== undefined) {
    descriptors.adopt(...ends)
    const [ours, theirs] = our === "read" ? ends : [ends[1], ends[0]]
    libc.setNonBlocking(ours)
    return { ours, theirs }
  }
  return inSomeFolder([our], (paths) => {
    mkfifo(env, paths)
    // These do not block: the first is non-blocking, and for the others the other end is open.
    const read = descriptors.add(paths[0] ?? "", O_RDONLY | O_NONBLOCK)
    if (our === "read") return { ours: read, theirs: descriptors.reopen(read, O_WRONLY) }
    const ours = descriptors.reopen(read, O_WRONLY | O_NONBLOCK)
    const theirs = descriptors.reopen(read, O_RDONLY)
    descriptors.close(read)
    return { ours, theirs }
  })
}
