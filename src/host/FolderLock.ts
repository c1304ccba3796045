/**
 * Lets one process at a time change a folder. Each process has a separate file there, whose name identifies it: a
 * killed process holds nothing, and no process ever removes what another one relies on. Process IDs mean nothing in
 * another PID namespace, such as a container's. Processes there are judged by the time of their file, which its owner
 * renews.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import { failed } from "./AtomicFile.ts"
import * as ProcessIdentity from "./ProcessIdentity.ts"

/** Another process did not end changing a folder. */
export class FolderBusy extends Data.TaggedError("FolderBusy")<{ readonly folder: string; readonly pid: number }> {
  override readonly message = `process ${this.pid} is changing ${this.folder}, and has not ended within ${
    patienceMs / 1000
  } s: try again later`
}

/** How long another process is waited for, and how often to look, in milliseconds. */
const patienceMs = 30_000
const pauseMs = 50

/** How often the file is renewed, and the age from which it counts as left by a process that was killed. */
const renewalMs = 1000
const staleMs = 15_000

const prefix = ".passthrough.lock"

const nameOf = (owner: ProcessIdentity.Identity): string => `${prefix}.${ProcessIdentity.format(owner)}`

/** The process that a file belongs to. Files of version 1.0 name no PID namespace, so ours is assumed. */
const holderOf = (name: string, own: ProcessIdentity.Identity): ProcessIdentity.Identity | undefined => {
  const [, pid, start, namespace = own.namespace] = /^\.passthrough\.lock\.(\d+)\.(\d+)(?:\.(\d+))?$/.exec(name) ?? []
  return start === undefined ? undefined : { pid: Number(pid), start, namespace }
}

/** Whether the process that a file belongs to still runs. */
const isAlive = Effect.fnUntraced(
  function*(file: string, holder: ProcessIdentity.Identity, own: ProcessIdentity.Identity) {
    if (holder.namespace === own.namespace) return (yield* ProcessIdentity.startOf(holder.pid)) === holder.start
    const fs = yield* FileSystem.FileSystem
    const info = yield* Effect.option(fs.stat(file))
    const time = Option.flatMap(info, ({ mtime }) => mtime)
    return Option.isSome(time) && Date.now() - time.value.getTime() < staleMs
  }
)

/** The other processes that hold or want this folder. Removes the files of processes that have ended. */
const rivals = Effect.fnUntraced(function*(folder: string, own: ProcessIdentity.Identity) {
  const fs = yield* FileSystem.FileSystem
  const living: Array<ProcessIdentity.Identity> = []
  for (const name of yield* fs.readDirectory(folder)) {
    const holder = holderOf(name, own)
    if (holder === undefined || name === nameOf(own)) continue
    const file = `${folder}/${name}`
    if (yield* isAlive(file, holder, own)) living.push(holder)
    else yield* fs.remove(file, { force: true })
  }
  return living
})

/** Removes what killed processes left in a folder that they held. */
export const cleanUp = (folder: string) =>
  Effect.flatMap(ProcessIdentity.self, (own) => Effect.asVoid(rivals(folder, own)))

/** Orders processes that want the same folder. */
const isBefore = (one: ProcessIdentity.Identity, other: ProcessIdentity.Identity): boolean =>
  one.pid === other.pid ? one.namespace < other.namespace : one.pid < other.pid

const isFull = ({ reason }: PlatformError.PlatformError): boolean => {
  const code = (reason.cause as NodeJS.ErrnoException | undefined)?.code
  return code === "ENOSPC" || code === "EDQUOT"
}

/** Waits until no other process holds the folder. */
const take = Effect.fnUntraced(
  function*(folder: string, own: ProcessIdentity.Identity, { evenIfFull = false }: Options) {
    const fs = yield* FileSystem.FileSystem
    const file = `${folder}/${nameOf(own)}`
    const write = fs.writeFileString(file, "", { mode: 0o600 })
    for (let waited = 0;; waited += pauseMs) {
      yield* evenIfFull ? Effect.catchIf(write, isFull, () => Effect.void) : write
      const others = yield* rivals(folder, own)
      const [first] = others
      if (first === undefined) return
      if (others.some((other) => isBefore(other, own))) yield* fs.remove(file, { force: true })
      if (waited >= patienceMs) return yield* new FolderBusy({ folder, pid: first.pid })
      yield* Effect.sleep(pauseMs)
    }
  }
)

/** Options of a lock. */
export interface Options {
  /**
   * Continues without a lock file if the file system is full. Then other processes cannot create one either, unless
   * space is freed.
   */
  readonly evenIfFull?: boolean
}

/** Runs `effect` under the lock of the folder. */
export const hold = Effect.fnUntraced(
  function*<A, E, R>(folder: string, effect: Effect.Effect<A, E, R>, options: Options = {}) {
    const fs = yield* FileSystem.FileSystem
    const own = yield* ProcessIdentity.self
    const file = `${folder}/${nameOf(own)}`
    const renewal = Effect.forever(
      Effect.andThen(
        Effect.sleep(renewalMs),
        Effect.ignore(Effect.suspend(() => fs.utimes(file, new Date(), new Date())))
      )
    )
    return yield* take(folder, own, options).pipe(
      Effect.catchTag(
        "PlatformError",
        (cause) => Effect.fail(failed(folder)(cause))
      ),
      Effect.andThen(Effect.forkScoped(renewal)),
      Effect.andThen(effect),
      Effect.ensuring(Effect.ignore(fs.remove(file, { force: true })))
    )
  },
  Effect.scoped
)
