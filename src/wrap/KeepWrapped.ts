/** Keeps plugins wrapped, including those that an installer replaces or adds. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as FolderLock from "../host/FolderLock.ts"
import * as PluginSelection from "./PluginSelection.ts"
import * as RenamedPlugins from "./RenamedPlugins.ts"
import * as Survey from "./Survey.ts"
import * as Wrapping from "./Wrapping.ts"

/** How long a file must stay unchanged before it counts as complete, in milliseconds. */
const settleMs = 1000

/** How often to look without a notification, in milliseconds: some file systems never send one. */
const pollMs = 5000

/** Installers also use other temporary names with a dot, such as `calico.1234`. */
const isCopy = (name: string): boolean => name.includes(".")

/** Identifies a version of a plugin's file: it changes when the file changes. */
const fingerprint = ({ info }: Survey.Plugin): string =>
  Option.match(info, {
    onNone: () => "",
    onSome: ({ ino, mode, mtime, size }) =>
      JSON.stringify([Option.getOrNull(Option.map(ino, String)), mode, Option.getOrNull(mtime), String(size)])
  })

/** Surveys a folder repeatedly, and wraps what has settled since the last survey. */
const make = (request: Wrapping.Request) => {
  const seen = new Map<string, string>()
  const refused = new Map<string, string>()
  const isOpen = (plugin: Survey.Plugin): boolean =>
    (plugin.state === "not wrapped" || (plugin.state === "written over" && !plugin.isNeeded)) &&
    (request.names !== undefined || !isCopy(plugin.name)) &&
    refused.get(plugin.name) !== fingerprint(plugin)
  /** Surveys the folder once. Returns whether nothing is left to do. */
  const round = Effect.fnUntraced(function*<R>(onOutcome: Listener<R>["onOutcome"]) {
    const { chosen, plugins } = yield* PluginSelection.make(request)
    if ((yield* RenamedPlugins.find(request.at, plugins)).length > 0) {
      yield* FolderLock.hold(request.at.folder, RenamedPlugins.follow(request.at))
      return false
    }
    const open = chosen.filter(isOpen)
    const due = open.filter((plugin) => seen.get(plugin.name) === fingerprint(plugin))
    seen.clear()
    for (const plugin of open) seen.set(plugin.name, fingerprint(plugin))
    if (due.length > 0) {
      const names = due.map(({ name }) => name)
      const outcome = yield* Wrapping.wrap({ ...request, names, keepsConfig: true })
      // A plugin that was replaced in the meantime is not refused: its turn comes later.
      const now = new Map((yield* Survey.make(request.at)).plugins.map((plugin) => [plugin.name, fingerprint(plugin)]))
      const stays = outcome.refused.filter(({ name }) => now.get(name) === seen.get(name))
      for (const { name } of stays) refused.set(name, seen.get(name) ?? "")
      yield* onOutcome({ ...outcome, refused: stays })
    }
    return due.length === open.length
  })
  return { round }
}

/** Receives the results. */
export interface Listener<R> {
  /** Plugins were wrapped, or refused. */
  readonly onOutcome: (outcome: Wrapping.Outcome) => Effect.Effect<void, never, R>
  /** The folder could not be read or changed. It is surveyed again later. */
  readonly onFailure: (message: string) => Effect.Effect<void, never, R>
}

/**
 * Wraps the unwrapped plugins in the folder of `request`, and every plugin that is written there later, once its file
 * has settled. Runs until interrupted.
 */
export const watch = Effect.fnUntraced(function*<R>(
  request: Wrapping.Request,
  { onFailure, onOutcome }: Listener<R>
) {
  const fs = yield* FileSystem.FileSystem
  const changed = yield* Latch.make(false)
  const installed = yield* Latch.make(false)
  const events = fs.watch(request.at.folder, { onReady: () => installed.openUnsafe() })
  yield* Effect.forkScoped(
    Effect.ensuring(Effect.ignore(Stream.runForEach(events, () => changed.open)), installed.open)
  )
  yield* installed.await // before the first survey, so that no change goes unnoticed
  const { round } = make(request)
  for (let pause = 0;; pause = pollMs) {
    yield* Effect.raceFirst(changed.await, Effect.sleep(pause))
    for (let isSettled = false; !isSettled;) {
      yield* changed.close
      isSettled = yield* round(onOutcome).pipe(
        Effect.catch((error) => Effect.as(onFailure(error.message), true))
      )
      if (!isSettled) yield* Effect.sleep(settleMs)
    }
  }
}, Effect.scoped)
