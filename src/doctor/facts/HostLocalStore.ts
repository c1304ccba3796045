/** host-local's store: a file for each address, with the container that has it. Source: host-local, `backend/disk`. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Net from "node:net"
import * as AtomicFile from "../../host/AtomicFile.ts"
import * as SmallFile from "../../host/SmallFile.ts"
import { longest, ownerOf } from "../../network/Reservation.ts"
import type { ContainerProcess } from "./ContainerProcesses.ts"
import * as Writable from "./Writable.ts"

/** A reserved address. */
export interface Reservation {
  readonly file: string
  readonly address: string
  readonly containerId: string
  /** Empty if an old host-local wrote it. */
  readonly ifname: string
}

/** A reservation, and whether its holder still exists. */
export interface Judged extends Reservation {
  readonly isGone: boolean
  /** The evidence. */
  readonly reason: string
  /** Why we cannot tell whether its container is gone, if more namespaces may be alive than we can see. */
  readonly unknown?: string
  /** The process that works for its container, if nothing else shows that the container still exists. */
  readonly process?: ContainerProcess
}

/** The store of a network. */
export interface Store {
  readonly folder: string
  readonly reservations: ReadonlyArray<Judged>
  /** The unreadable files of reservations. */
  readonly unread: ReadonlyArray<string>
  /** Why it cannot be read or used; undefined if it can. */
  readonly problem: string | undefined
  /** Why it cannot be written; undefined if it can, as far as we know without trying. */
  readonly unwritable: Writable.Unwritable | undefined
}

/** The holder of the address in a file. The names are empty if the file is missing. */
export const holderOf = Effect.fnUntraced(function*(file: string) {
  return ownerOf((yield* SmallFile.read(file, longest)) ?? "")
})

/** The reservations of a network, and what keeps them from being read. */
export const read = Effect.fnUntraced(function*(dataDir: string, network: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.join(dataDir, network)
  const names = yield* Effect.result(fs.readDirectory(folder))
  if (names._tag === "Failure") {
    const isMissing = names.failure.reason._tag === "NotFound"
    const reservations: ReadonlyArray<Reservation> = []
    const problem = isMissing ? undefined : AtomicFile.reasonOf(names.failure)
    return {
      folder,
      reservations,
      unread: [],
      problem,
      unwritable: isMissing ? yield* Writable.whyNot(folder) : undefined
    }
  }
  const [reservations, unread] = yield* Effect.partition(
    names.success.filter((name) => Net.isIP(name) !== 0 && !name.includes("%")),
    Effect.fnUntraced(function*(address) {
      const file = path.join(folder, address)
      const text = yield* Effect.mapError(SmallFile.textOf(file, longest), () => file)
      return { file, address, ...ownerOf(text) } satisfies Reservation
    }),
    { concurrency: 16 }
  )
  return {
    folder,
    reservations,
    unread,
    problem: undefined,
    unwritable: yield* Writable.whyNot(folder)
  }
})
