/** Takes the stubs out of a folder of plugins again, and leaves what other programs put there since. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as AtomicFile from "./AtomicFile.ts"
import * as Exchange from "./Exchange.ts"
import * as FolderLock from "./FolderLock.ts"
import * as PluginFolder from "./PluginFolder.ts"
import * as Retirement from "./Retirement.ts"
import * as Stub from "./Stub.ts"
import * as Survey from "./Survey.ts"

/** What was done in a folder. */
export interface Outcome {
  /** The plugins that are in their places again. */
  readonly unwrapped: ReadonlyArray<string>
  /** The wrapped plugins whose stub another program replaced: what it put there stays. */
  readonly writtenOver: ReadonlyArray<string>
  /** The wrapped plugins whose stub another program removed: they stay removed. */
  readonly gone: ReadonlyArray<string>
  /** The stubs that stay, and why. */
  readonly refused: ReadonlyArray<{ readonly name: string; readonly reason: string }>
  /** The processes that still run around a plugin, so that our folder stays until the next time. */
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

/** Removes what is kept of a plugin that runtimes do not need any more. */
export const forget = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  yield* Retirement.removeAll(`${at.plugins}/${name}`)
  yield* Retirement.removeAll(`${at.links}/${name}`)
})

/** The name under which a plugin can leave: its file stays where it is, too, as processes may be about to open it. */
const leaving = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const link = `${at.links}/${name}`
  if ((yield* Effect.option(fs.readLink(link)))._tag === "Some") return link
  const [kept, staged] = [`${at.plugins}/${name}`, `${at.staged}/${name}`]
  yield* AtomicFile.makeFolder(at.staged)
  yield* fs.link(kept, staged)
  return staged
})

/** Removes our folder where runtimes find no stub any more, unless processes still need it. */
export const tidy = Effect.fnUntraced(function*(at: Stub.Places) {
  if (!(yield* Retirement.isUnused(at))) return
  if ((yield* Retirement.settle(at)).length === 0) yield* Retirement.removeAll(at.own)
})

const isStub = (file: string) => Effect.map(Stub.homeOf(file), (folder) => folder !== undefined)

/** Puts a plugin back into its place by one rename; false where another program put something there meanwhile. */
const restore = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  // A full disk has no room for another name.
  const from = yield* Effect.orElseSucceed(leaving(at, name), () => `${at.plugins}/${name}`)
  return yield* Exchange.put(from, `${at.folder}/${name}`, isStub)
})

const unwrapAlone = Effect.fnUntraced(function*(at: Stub.Places, names: ReadonlyArray<string> | undefined) {
  yield* Retirement.removeAll(at.staged)
  const { plugins } = yield* Survey.make(at)
  const chosen = plugins.filter(({ name }) => names?.includes(name) ?? true)
  const named = (state: Survey.State) => chosen.filter((plugin) => plugin.state === state).map(({ name }) => name)
  const unwrapped: Array<string> = []
  const writtenOver = [...named("written over")]
  // Where a stub has no plugin, one that has no stub may be it, under its old name: it is not thrown away.
  const isAnyLost = plugins.some(({ state }) => state === "lost")
  const homeless = isAnyLost ? [...named("gone"), ...named("written over")] : []
  const refused = named("lost").map((name) => ({ name, reason: lostOf(at, name, homeless) }))
  for (const name of [...named("wrapped"), ...named("moved")]) {
    yield* Effect.match(restore(at, name), {
      onSuccess: (isBack) => void (isBack ? unwrapped : writtenOver).push(name),
      onFailure: (error) => void refused.push({ name, reason: AtomicFile.reasonOf(error) })
    })
  }
  const isUnused = yield* Retirement.isUnused(at)
  const staying = new Set([...refused.map(({ name }) => name), ...homeless])
  const leftover = chosen.filter(({ isKept, name }) => isKept && !staying.has(name)).map(({ name }) => name)
  const running = yield* Retirement.settle(at, isUnused ? undefined : leftover)
  if (running.length === 0) {
    yield* Effect.forEach(leftover, (name) => forget(at, name))
    yield* Retirement.removeAll(isUnused ? at.own : at.staged)
  }
  return { unwrapped, writtenOver, gone: isAnyLost ? [] : named("gone"), refused, running }
})

/**
 * Takes the stubs of these plugins out, of all where no names are given. Once no plugin is wrapped any more, our folder
 * is removed as well. Undefined where the folder has nothing of ours.
 */
export const unwrap = Effect.fnUntraced(function*(at: Stub.Places, names?: ReadonlyArray<string>) {
  if (!(yield* PluginFolder.isThere(at.own))) {
    yield* Effect.ignore(FolderLock.cleanUp(at.folder))
    return undefined
  }
  const outcome: Outcome = yield* FolderLock.hold(at.folder, unwrapAlone(at, names))
  return outcome
})
