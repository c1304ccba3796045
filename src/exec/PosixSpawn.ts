/**
 * Starts a program by the C library, with what Bun's own function takes from it: bytes of the environment that are not
 * UTF-8, signals that are ignored, descriptors that are closed. Few calls have any of these, and here an exit is noticed
 * a few milliseconds later.
 */
import * as Libc from "./Libc.ts"
import type { Descriptors, Program, Started } from "./Spawn.ts"

type Argument = number | ArrayBufferView

interface Functions {
  readonly posix_spawn: (...arguments_: ReadonlyArray<Argument>) => number
  readonly posix_spawn_file_actions_init: (actions: Argument) => number
  readonly posix_spawn_file_actions_adddup2: (actions: Argument, fd: number, as: number) => number
  readonly posix_spawnattr_init: (attributes: Argument) => number
  readonly posix_spawnattr_setflags: (attributes: Argument, flags: number) => number
  readonly posix_spawnattr_setsigdefault: (attributes: Argument, signals: Argument) => number
  readonly waitpid: (pid: number, status: Argument, options: number) => number
  readonly chdir: (path: Argument) => number
}

const signatures = {
  posix_spawn: { args: ["ptr", "ptr", "ptr", "ptr", "ptr", "ptr"], returns: "i32" },
  posix_spawn_file_actions_init: { args: ["ptr"], returns: "i32" },
  posix_spawn_file_actions_adddup2: { args: ["ptr", "i32", "i32"], returns: "i32" },
  posix_spawnattr_init: { args: ["ptr"], returns: "i32" },
  posix_spawnattr_setflags: { args: ["ptr", "i32"], returns: "i32" },
  posix_spawnattr_setsigdefault: { args: ["ptr", "ptr"], returns: "i32" },
  waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" },
  chdir: { args: ["ptr"], returns: "i32" }
}

/** More than the structures of any C library have, in bytes. */
const structureSize = 1024

/** Flags of posix_spawn(3): the signals of a set get their default; a process group of its own. */
const [POSIX_SPAWN_SETPGROUP, POSIX_SPAWN_SETSIGDEF] = [0x02, 0x04]

const WNOHANG = 1

/** SIGPIPE and SIGXFSZ, which the engine ignores, as a set of signals. */
const ignoredByEngine = (1n << 12n) | (1n << 24n)

/** How long to wait for the next look at a program, in milliseconds. */
const pause = { shortest: 1, longest: 8 }

const string = (text: string): Uint8Array => Buffer.from(`${text}\0`)

/** The environment of a program, as the C library takes it. */
const environmentOf = ({ env, environment }: Program): ReadonlyArray<Uint8Array> =>
  environment?.map((each) => Buffer.concat([each, Buffer.alloc(1)])) ??
    Object.entries(env).flatMap(([name, value]) => value === undefined ? [] : [string(`${name}=${value}`)])

/** What a system call refuses with, as the runtimes throw it. */
const failure = (number: number): Error => {
  const [code = "", text = ""] = process.getBuiltinModule("node:util").getSystemErrorMap().get(-number) ?? []
  return Object.assign(new Error(text), { code })
}

/** The name of a signal, or its number where it has none. */
const nameOf = (number: number): string => {
  const { signals } = process.getBuiltinModule("node:os").constants
  return Object.entries(signals).find(([, each]) => each === number)?.[0] ?? `SIG${number}`
}

const run = (libc: Functions, program: Program, stdio: Descriptors): number => {
  const [actions, attributes] = [new Uint8Array(structureSize), new Uint8Array(structureSize)]
  libc.posix_spawn_file_actions_init(actions)
  // One that was closed for us is closed for the program without our help: the engine made it so.
  for (const [as, fd] of stdio.entries()) {
    if (typeof fd === "number" && fd !== as) libc.posix_spawn_file_actions_adddup2(actions, fd, as)
  }
  libc.posix_spawnattr_init(attributes)
  libc.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | (program.detached ? POSIX_SPAWN_SETPGROUP : 0))
  libc.posix_spawnattr_setsigdefault(attributes, new BigUint64Array([ignoredByEngine, ...Array<bigint>(15).fill(0n)]))
  const argv = [program.argv0 ?? program.argv[0], ...program.argv.slice(1)].map(string)
  const environment = environmentOf(program)
  const pid = new Int32Array(1)
  const before = process.cwd()
  if (program.cwd !== undefined) libc.chdir(string(program.cwd))
  const error = libc.posix_spawn(
    pid,
    string(program.argv[0]),
    actions,
    attributes,
    Libc.pointers(argv),
    Libc.pointers(environment)
  )
  libc.chdir(string(before))
  if (error !== 0) throw failure(error)
  return pid[0] ?? 0
}

/** Starts a program. Throws what makes that impossible. */
export const start = (program: Program, stdio: Descriptors): Started => {
  const libc = Libc.functions<Functions>(signatures)
  if (libc === undefined) throw new Error("the C library cannot be called")
  const pid = run(libc, program, stdio)
  let timer: NodeJS.Timeout | undefined
  let listener: Parameters<Started["onExit"]>[0] = () => {}
  const status = new Int32Array(1)
  const look = (wait: number): void => {
    if (libc.waitpid(pid, status, WNOHANG) !== 0) {
      const [ending = 0] = status
      const signal = ending & 0x7f
      return signal === 0 ? listener((ending >> 8) & 0xff, null) : listener(null, nameOf(signal))
    }
    timer = setTimeout(look, wait, Math.min(wait * 2, pause.longest))
  }
  timer = setTimeout(look, pause.shortest, pause.shortest)
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
