/** Removes what containers that are gone have left behind. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as ToolOutput from "../exec/ToolOutput.ts"
import * as ResultCache from "../runtime/ResultCache.ts"
import * as Attachment from "./facts/Attachment.ts"
import * as ContainerProcesses from "./facts/ContainerProcesses.ts"
import * as HostLocalStore from "./facts/HostLocalStore.ts"
import { addressesOf, type Leak } from "./Leaks.ts"

/** What tools print if another program has already removed the object. */
const isGoneAlready = /No chain\/target\/match|does a matching rule exist|Cannot find device/

/** Removes the file of a reservation, unless another container holds it now. */
const removeReservation = `[ "$(head -n 1 "$1" | tr -d '\\r')" = "$2" ] || exit 0; rm -f -- "$1"`

/**
 * The leaks of each container, in their order. Those of an address whose container is unknown form a group too. It comes
 * before the reservation of the address, which shows that no other container has it.
 */
export const byContainer = (leaks: ReadonlyArray<Leak>): ReadonlyArray<Arr.NonEmptyReadonlyArray<Leak>> => {
  const isOfAddress = ({ holder }: Leak) => holder !== undefined
  const inOrder = [...leaks.filter(isOfAddress), ...leaks.filter((leak) => !isOfAddress(leak))]
  return Object.values(Arr.groupBy(inOrder, ({ containerId, holder }) => JSON.stringify([containerId, holder?.file])))
}

/**
 * Whether a container is alive again: a process works for it, or it is attached to a namespace that exists. An address
 * is alive again if another container holds it.
 */
export const isAlive = Effect.fnUntraced(function*(
  { containerId, files, holder }: Pick<Leak, "containerId" | "files" | "holder">,
  cacheDir: string
) {
  const fs = yield* FileSystem.FileSystem
  if (holder !== undefined && (yield* HostLocalStore.holderOf(holder.file)).containerId !== holder.containerId) {
    return true
  }
  if (ContainerProcesses.of(yield* ContainerProcesses.list(), containerId) !== undefined) return true
  const own = new Set(files.map(ResultCache.nameIn))
  const listed = holder === undefined
    ? Attachment.ofContainer(cacheDir, containerId)
    : Attachment.inFiles(cacheDir, (name) => own.has(name) || !holder.results.has(name))
  const attached = yield* Effect.orElseSucceed(listed, () => undefined)
  if (attached === undefined) return true // unknown, so it counts as alive
  const paths = attached.filter((each) =>
    each.containerId === containerId || (holder !== undefined && addressesOf(each).includes(containerId))
  ).map(({ netns }) => netns)
  const there = yield* Effect.filter(paths, (path) => Effect.orElseSucceed(fs.exists(path), () => true))
  return there.length > 0
})

/** Removes a leak, or returns why that failed. */
export const remove = Effect.fnUntraced(
  function*({ containerId, removal }: Pick<Leak, "containerId" | "removal">, tools: ReadonlyMap<string, string>) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    if (removal._tag === "Commands") {
      for (const argv of removal.argvs) {
        const done = yield* ToolOutput.of(argv)
        if (Result.isFailure(done) && !isGoneAlready.test(done.failure)) return done
      }
      return Result.succeed("")
    }
    // host-local holds this lock while it allocates an address.
    if (removal.lock !== undefined && tools.has("flock") && path.isAbsolute(removal.path)) {
      const script = ["sh", "-c", removeReservation, "sh", removal.path, containerId]
      return yield* ToolOutput.of(["flock", "--timeout", "4", removal.lock, ...script])
    }
    return yield* Effect.match(fs.remove(removal.path, { force: true }), {
      onSuccess: () => Result.succeed(""),
      onFailure: (error) => Result.fail(error.message)
    })
  }
)
