/**
 * System calls that Bun and Node.js do not offer: pipes, anonymous files, signals, process groups. Bun can call the C
 * library, which takes a tenth of the time of a helper program that makes pipes. Node.js cannot, so it uses the helper.
 */

/** System calls, and the state that this process inherited. */
export interface Libc {
  /** Creates a pipe. Returns undefined if no descriptors are left. */
  readonly pipe: () => readonly [read: number, write: number] | undefined
  /** Creates an anonymous file. Returns undefined if that fails. */
  readonly anonymousFile: () => number | undefined
  /** Seeks to the start of a file. */
  readonly rewind: (fd: number) => void
  /** Makes a descriptor non-blocking. */
  readonly setNonBlocking: (fd: number) => void
  /** Whether a descriptor was closed when this process started. The engine has opened /dev/null in its place. */
  readonly wasClosed: (fd: number) => boolean
  /** Clears the close-on-exec flag, so that programs inherit a descriptor. */
  readonly clearCloseOnExec: (fd: number) => void
  /** Whether a descriptor is open for writing and still has a reader. */
  readonly isWritable: (fd: number) => boolean
  /** Returns the numbers of the signals that this process ignores, except those that the engine itself ignores. */
  readonly ignoredSignals: () => ReadonlyArray<number>
  /** Resets a signal to its default action. */
  readonly resetSignal: (signal: number) => void
  readonly kill: (pid: number, signal: number) => void
  /** Whether this process leads its process group, and so cannot leave it. */
  readonly leadsGroup: () => boolean
  /** Leaves the process group and the session of this process. */
  readonly leaveSession: () => void
  /** Returns how many processes the user of this process may have. */
  readonly processLimit: () => number
  /**
   * Replaces this process with a program, see execve(2). Returns only if that fails. All strings must end with a NUL
   * byte.
   */
  readonly execute: (
    file: Uint8Array,
    argv: ReadonlyArray<Uint8Array>,
    environment: ReadonlyArray<Uint8Array>
  ) => void
}

type Argument = number | ArrayBufferView

interface Functions {
  readonly syscall: (number: number, ...arguments_: ReadonlyArray<Argument>) => number
}

interface Ffi {
  readonly dlopen: (library: string, symbols: object) => { readonly symbols: unknown }
  readonly ptr: (bytes: ArrayBufferView) => number
}

/** The file names of the C library: glibc and musl. */
const libraries = ["libc.so.6", `libc.musl-${process.arch === "x64" ? "x86_64" : "aarch64"}.so.1`]

const ffi = (): Ffi | undefined =>
  process.versions["bun"] === undefined ? undefined : process.getBuiltinModule("bun:ffi") as Ffi | undefined

/** Loads functions of the C library by their signatures. Returns undefined if this engine cannot call them. */
export const functions = <Of>(signatures: { readonly [name in keyof Of]: object }): Of | undefined => {
  const known = ffi()
  for (const library of known === undefined ? [] : libraries) {
    try {
      return known?.dlopen(library, signatures).symbols as Of
    } catch { /* it is the other C library */ }
  }
  return undefined
}

/**
 * Converts strings to a NULL-terminated array of pointers. The pointers are valid only until the strings are
 * garbage-collected.
 */
export const pointers = (strings: ReadonlyArray<Uint8Array>): BigUint64Array => {
  const addresses = new BigUint64Array(strings.length + 1)
  for (const [index, string] of strings.entries()) addresses[index] = BigInt(ffi()?.ptr(string) ?? 0)
  return addresses
}

/** The numbers of system calls. Source: Linux, `asm/unistd_64.h` and `asm-generic/unistd.h`. */
const numbers = process.arch === "x64"
  ? {
    lseek: 8,
    rt_sigaction: 13,
    execve: 59,
    kill: 62,
    fcntl: 72,
    setsid: 112,
    getpgid: 121,
    ppoll: 271,
    pipe2: 293,
    prlimit64: 302,
    memfd_create: 319
  }
  : {
    lseek: 62,
    rt_sigaction: 134,
    execve: 221,
    kill: 129,
    fcntl: 25,
    getpgid: 155,
    setsid: 157,
    ppoll: 73,
    pipe2: 59,
    prlimit64: 261,
    memfd_create: 279
  }

/** Close-on-exec flags. Sources: pipe2(2), memfd_create(2). */
const closeOnExec = { pipe: 0o2000000, file: 1 }

/** Sources: fcntl(2), and poll(2) for the events. */
const [F_GETFD, F_SETFD, F_GETFL, F_SETFL, O_ACCMODE, O_NONBLOCK, POLLERR] = [1, 2, 3, 4, 0o3, 0o4000, 8]

const RLIMIT_NPROC = 6

/** SIGPIPE and SIGXFSZ. The engines ignore them at start, so we cannot know whether they were ignored before. */
const ignoredByEngines: ReadonlySet<number> = new Set([13, 25])

/** SIGKILL and SIGSTOP, which cannot be ignored, and SIGCHLD, which we must not ignore, see `Spawn.ts`. */
const neverIgnored: ReadonlySet<number> = new Set([9, 19, 17])

/** The sizes of the kernel's `struct sigaction` and `sigset_t`, in bytes. */
const [actionSize, setSize] = [32, 8]

const make = ({ syscall }: Functions): Libc => {
  const isIgnored = (signal: number): boolean => {
    const action = new BigUint64Array(actionSize / 8)
    return syscall(numbers.rt_sigaction, signal, 0, action, setSize, 0) === 0 && action[0] === 1n
  }
  return {
    pipe: () => {
      const ends = new Int32Array(2)
      return syscall(numbers.pipe2, ends, closeOnExec.pipe, 0, 0, 0) === 0 ? [ends[0] ?? -1, ends[1] ?? -1] : undefined
    },
    anonymousFile: () => {
      const fd = syscall(numbers.memfd_create, Buffer.from("stdin\0"), closeOnExec.file, 0, 0, 0)
      return fd < 0 ? undefined : fd
    },
    rewind: (fd) => void syscall(numbers.lseek, fd, 0, 0, 0, 0),
    setNonBlocking: (fd) => void syscall(numbers.fcntl, fd, F_SETFL, O_NONBLOCK, 0, 0),
    wasClosed: (fd) => syscall(numbers.fcntl, fd, F_GETFD, 0, 0, 0) === 1,
    clearCloseOnExec: (fd) => void syscall(numbers.fcntl, fd, F_SETFD, 0, 0, 0),
    isWritable: (fd) => {
      if ((syscall(numbers.fcntl, fd, F_GETFL, 0, 0, 0) & O_ACCMODE) === 0) return false
      const polled = new Int32Array([fd, 0])
      const atOnce = new BigUint64Array(2)
      syscall(numbers.ppoll, polled, 1, atOnce, 0, 0)
      return (((polled[1] ?? 0) >> 16) & POLLERR) === 0
    },
    ignoredSignals: () => {
      const signals = Array.from({ length: 31 }, (_, index) => index + 1)
      return signals.filter((each) => !ignoredByEngines.has(each) && !neverIgnored.has(each) && isIgnored(each))
    },
    resetSignal: (signal) => void syscall(numbers.rt_sigaction, signal, new Uint8Array(actionSize), 0, setSize, 0),
    kill: (pid, signal) => void syscall(numbers.kill, pid, signal, 0, 0, 0),
    leadsGroup: () => syscall(numbers.getpgid, 0, 0, 0, 0, 0) === process.pid,
    leaveSession: () => void syscall(numbers.setsid, 0, 0, 0, 0, 0),
    processLimit: () => {
      const limits = new BigUint64Array(2)
      return syscall(numbers.prlimit64, 0, RLIMIT_NPROC, 0, limits, 0) === 0
        ? Number(limits[0])
        : Number.POSITIVE_INFINITY
    },
    execute: (file, argv, environment) =>
      void syscall(numbers.execve, file, pointers(argv), pointers(environment), 0, 0)
  }
}

let libc: Libc | undefined
let isLoaded = false

/** Returns the system calls, or undefined if this engine cannot make them. */
export const load = (): Libc | undefined => {
  if (!isLoaded) {
    const signature = { syscall: { args: ["i32", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" } }
    const found = functions<Functions>(signature)
    libc = found === undefined ? undefined : make(found)
  }
  isLoaded = true
  return libc
}
