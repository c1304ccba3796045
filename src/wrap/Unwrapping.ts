/** Removes the stubs from a folder of plugins, and leaves what other programs have put there. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as Exchange from "../host/Exchange.ts"
import * as FolderLock from "../host/FolderLock.ts"
import * as PluginInstallation from "./PluginInstallation.ts"
import * as RenamedPlugins from "./RenamedPlugins.ts"
import * as RunningShims from "./RunningShims.ts"
import * as Stub from "./Stub.ts"
import * as Survey from "./Survey.ts"
import * as WrappedFolders from "./WrappedFolders.ts"

/** The result of unwrapping a folder. */
export interface Outcome {
  /** The plugins that are back in their places. */
  readonly unwrapped: ReadonlyArray<string>
  /** The wrapped plugins whose stub another program replaced. The replacement stays. */
  readonly writtenOver: ReadonlyArray<string>
  /**
   * The plugins that stay in our folder, because this may be their only copy, or because a stub elsewhere needs them.
   */
  readonly kept: ReadonlyArray<string>
  /** The stubs that stay, and why. */
  readonly refused: ReadonlyArray<{ readonly name: string; readonly reason: string }>
  /** The processes that still run around a plugin. They keep our folder in place until the next run. */
  readonly running: ReadonlyArray<number>
}

/** Why nothing can be done about a stub without its plugin. */
export const lost = "it is a stub whose plugin was removed by another program: install the plugin again"

const lostOf = (at: Stub.Places, name: string, homeless: ReadonlyArray<string>): string =>
  homeless.length === 0
    ? lost
    : `it is a stub without a plugin, and ${homeless.map((each) => `${at.plugins}/${each}`).join(", ")} ${
      homeless.length === 1 ? "is a plugin" : "are plugins"
    } without a stub: if it was renamed, mv the plugin to ${at.folder}/${name}`

/** Removes the kept plugin once it is back in its place, or another one has replaced it. */
export const forget = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  yield* RunningShims.removeAll(`${at.plugins}/${name}`)
  yield* RunningShims.removeAll(`${at.links}/${name}`)
  yield* RunningShims.removeAll(`${at.stubs}/${name}`)
})

/**
 * The kept file that goes back into place: the symbolic link, if the plugin was one. If the link is broken, its target
 * was removed, and the kept file is the only copy of the plugin.
 */
const keptOf = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const [link, plugin] = [`${at.links}/${name}`, `${at.plugins}/${name}`]
  const target = yield* Effect.option(fs.readLink(link))
  if (Option.isNone(target)) return plugin
  const isBroken = !(yield* fs.exists(path.resolve(at.folder, target.value)))
  return isBroken && (yield* fs.exists(plugin)) ? plugin : link
})

/**
 * A second name for the kept file, to move into place. The first name stays, because processes may be about to open it.
 */
const leaving = Effect.fnUntraced(function*(at: Stub.Places, name: string, kept: string) {
  const fs = yield* FileSystem.FileSystem
  const staged = `${at.staged}/${name}`
  yield* AtomicFile.makeFolder(at.staged)
  yield* fs.link(kept, staged)
  return staged
})

/** Removes our folder once runtimes find no stub and no process needs it. */
export const tidy = Effect.fnUntraced(function*(at: Stub.Places) {
  if (!(yield* RunningShims.isUnused(at))) return
  if ((yield* RunningShims.settle(at)).length === 0) yield* RunningShims.removeAll(at.own)
})

/** Puts a plugin back into its place by one rename; false if another program has put something there. */
export const restore = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const kept = yield* keptOf(at, name)
  // A full disk may have no room for another name.
  const from = yield* Effect.orElseSucceed(leaving(at, name, kept), () => kept)
  return yield* Exchange.put(from, `${at.folder}/${name}`, Stub.isAnyStub)
})

/** Puts a plugin back whose stub is gone. Never overwrites a file: returns false if one is there. */
const bringBack = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const place = `${at.folder}/${name}`
  if (Option.isSome(yield* Effect.option(fs.lstat(place)))) return false
  yield* fs.link(yield* keptOf(at, name), place)
  return true
})

const reasonOf = (error: PlatformError.PlatformError | AtomicFile.NotWritten): string =>
  error._tag === "PlatformError" ? AtomicFile.reasonOf(error) : error.reason

const unwrapAlone = Effect.fnUntraced(function*(at: Stub.Places, names: ReadonlyArray<string> | undefined) {
  yield* RunningShims.removeAll(at.staged)
  yield* Effect.ignore(RenamedPlugins.follow(at))
  const { plugins } = yield* Survey.make(at)
  const chosen = plugins.filter(({ name }) => names?.includes(name) ?? true)
  const named = (...states: ReadonlyArray<Survey.State>) =>
    chosen.filter(({ state }) => states.includes(state)).map(({ name }) => name)
  const unwrapped: Array<string> = []
  const writtenOver = [...named("written over")]
  // If a stub has no plugin, a plugin without a stub may be the one, under its old name.
  const homeless = plugins.some(({ state }) => state === "lost") ? named("gone", "written over") : []
  const refused = named("lost").map((name) => ({ name, reason: lostOf(at, name, homeless) }))
  const attempt = <R>(
    name: string,
    step: Effect.Effect<boolean, PlatformError.PlatformError | AtomicFile.NotWritten, R>,
    onFalse: () => void
  ) =>
    Effect.match(step, {
      onSuccess: (isBack) => void (isBack ? unwrapped.push(name) : onFalse()),
      onFailure: (error) => void refused.push({ name, reason: reasonOf(error) })
    })
  for (const name of named("wrapped", "moved")) {
    yield* attempt(name, restore(at, name), () => writtenOver.push(name))
  }
  // A plugin that the user named comes back. The others stay, because their stubs may have been moved and be in use.
  for (const name of names === undefined ? [] : named("gone")) {
    yield* attempt(name, bringBack(at, name), () => writtenOver.push(name))
  }
  const after = (yield* Survey.make(at)).plugins
  const isUnused = yield* RunningShims.isUnused(at)
  const isChosen = (name: string) => names?.includes(name) ?? true
  const leftover = after.filter(({ isKept, isNeeded, name }) => isKept && !isNeeded && isChosen(name))
    .map(({ name }) => name)
  const running = yield* RunningShims.settle(at, isUnused ? undefined : leftover)
  if (running.length === 0) {
    yield* Effect.forEach(leftover, (name) => forget(at, name))
    yield* RunningShims.removeAll(isUnused ? at.own : at.staged)
  }
  const kept = after.filter(({ isNeeded, name, state }) => isNeeded && !Survey.hasStub(state) && isChosen(name))
    .map(({ name }) => name).filter((name) => !refused.some((each) => each.name === name))
  return { unwrapped, writtenOver, kept, refused, running }
})

/**
 * Removes the stubs of these plugins, or of all plugins if no names are given. When no wrapped plugin remains, our
 * folder goes too, unless it has the only copy of a plugin. Undefined if the folder has no files of ours.
 */
export const unwrap = Effect.fnUntraced(function*(at: Stub.Places, names?: ReadonlyArray<string>) {
  const isOurs = (yield* PluginInstallation.isThere(at.own)) ||
    (yield* Survey.make(at)).plugins.some(({ state }) => state === "lost")
  if (!isOurs) {
    yield* Effect.ignore(FolderLock.cleanUp(at.folder))
    yield* WrappedFolders.update(at.folder)
    return undefined
  }
  const outcome: Outcome = yield* FolderLock.hold(at.folder, unwrapAlone(at, names), { evenIfFull: true }).pipe(
    Effect.ensuring(WrappedFolders.update(at.folder))
  )
  return outcome
})
