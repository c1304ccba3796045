/**
 * Starts a program through the C library. That preserves what Bun's own spawn function loses: environment bytes that
 * are not UTF-8, ignored signals and closed descriptors. Only programs that need this use it, because it notices their
 * exit a few milliseconds later.
 */
import * as Libc from "./Libc.ts"
import type { Descriptors, Program, Started } from "./Program.ts"

type Argument = number | ArrayBufferView

interface Functions {
  readonly posix_spawn: (...arguments_: ReadonlyArray<Argument>) => number
  readonly posix_spawn_file_actions_init: (actions: Argument) => number
  readonly posix_spawn_file_actions_adddup2: (actions: Argument, fd: number, as: number) => number
  readonly posix_spawnattr_init: (attributes: Argument) => number
  readonly posix_spawnattr_setflags: (attributes: Argument, flags: number) => number
  readonly posix_spawnattr_setsigdefault: (attributes: Argument, signals: Argument) => number
  readonly waitpid: (pid: number, status: Argument, options: number) => number
}

const signatures = {
  posix_spawn: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  posix_spawn_file_actions_init: { args: ["ptr"], returns: "i32" },
  posix_spawn_file_actions_adddup2: { args: ["ptr", "i32", "i32"], returns: "i32" },
  posix_spawnattr_init: { args: ["ptr"], returns: "i32" },
  posix_spawnattr_setflags: { args: ["ptr", "i32"], returns: "i32" },
  posix_spawnattr_setsigdefault: { args: ["ptr", "ptr"], returns: "i32" },
  waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" }
}

/** A size in bytes that exceeds that of these structures in any C library. */
const structureSize = 1024

/** Flags of posix_spawn(3): reset a set of signals to their defaults, and start a new process group. */
const [POSIX_SPAWN_SETPGROUP, POSIX_SPAWN_SETSIGDEF] = [0x02, 0x04]

const WNOHANG = 1

/** SIGPIPE and SIGXFSZ, which the engine ignores, as a set of signals. */
const ignoredByEngine = (1n << 12n) | (1n << 24n)

/** The time between two checks whether a program has ended, in milliseconds. */
const pause = { shortest: 1, longest: 8 }

const string = (text: string): Uint8Array => Buffer.from(`${text}\0`)

/** Returns the environment as NUL-terminated strings. */
const environmentOf = ({ env, environment }: Program): ReadonlyArray<Uint8Array> =>
  environment?.map((each) => Buffer.concat([each, Buffer.alloc(1)])) ??
    Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [string(`${name}=${value}`)])

/** Makes an error in the form that Bun and Node.js throw. */
const failure = (number: number): Error => {
  const [code = "", text = ""] = process.getBuiltinModule("node:util").getSystemErrorMap().get(-number) ?? []
  return Object.assign(new Error(text), { code })
}

/** Returns the name of a signal, such as `SIGTERM`, or `SIG` and its number if it has no name. */
const nameOf = (number: number): string => {
  const { signals } = process.getBuiltinModule("node:os").constants
  return Object.entries(signals).find(([, each]) => each === number)?.[0] ?? `SIG${number}`
}

const run = (libc: Functions, program: Program, stdio: Descriptors): number => {
  const [actions, attributes] = [new Uint8Array(structureSize), new Uint8Array(structureSize)]
  libc.posix_spawn_file_actions_init(actions)
  // A descriptor that was closed for us is closed for the program too: the engine marks it close-on-exec.
  for (const [as, fd] of stdio.entries()) {
    if (typeof fd === "number" && fd !== as) libc.posix_spawn_file_actions_adddup2(actions, fd, as)
  }
  libc.posix_spawnattr_init(attributes)
  libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | (program.detached ? POSIX_SPAWN_SETPGROUP : 0))
  libc.posix_spawnattr_setsigdefault(attributes, new BigUint64Array([ignoredByEngine, ...Array<bigint>(15).fill(0n)]))
  const argv = [program.argv0 ?? program.argv[0], ...program.argv.slice(1)].map(string)
  const environment = environmentOf(program)
  const pid = new Int32Array(1)
  const error = libc.posix_spawn(
    pid,
    string(program.argv[0]),
    actions,
    attributes,
    Libc.pointers(argv),
    Libc.pointers(environment)
  )
  if (error !== 0) throw failure(error)
  return pid[0] ?? 0
}

/** Starts a program. Throws if that fails. */
export const start = (program: Program, stdio: Descriptors): Started => {
  const libc = Libc.functions<Functions>(signatures)
  if (libc === undefined) throw new Error("the C library cannot be called")
  const pid = run(libc, program, stdio)
  let timer: NodeJS.Timeout | undefined
  let listener: Parameters<Started["onExit"]>[0] = () => {}
  const status = new Int32Array(1)
  const poll = (wait: number): void => {
    if (libc.waitpid(pid, status, WNOHANG) !== 0) {
      const [ending = 0] = status
      const signal = ending & 0x7f
      return signal === 0 ? listener((ending >> 8) & 0xff, null) : listener(null, nameOf(signal))
    }
    timer = setTimeout(poll, wait, Math.min(wait * 2, pause.longest))
  }
  timer = setTimeout(poll, pause.shortest, pause.shortest)
  return {
    pid,
    kill: (signal) => void process.kill(pid, signal),
    onExit: (given) => {
      listener = given
    },
    onError: () => {},
    unref: () => clearTimeout(timer)
  }
}
