/**
 * Puts a stub in the place of each plugin of a folder, so that our executable runs around it. A runtime may call the
 * plugins at any moment. Wherever this process is killed, each plugin still runs, either directly or through its stub.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as PluginVersion from "../exec/PluginVersion.ts"
import type { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as Exchange from "../host/Exchange.ts"
import * as FolderLock from "../host/FolderLock.ts"
import * as ProgramKind from "../host/ProgramKind.ts"
import { hasSameContent } from "../host/SameContent.ts"
import * as PluginInstallation from "./PluginInstallation.ts"
import * as PluginName from "./PluginName.ts"
import * as PluginSelection from "./PluginSelection.ts"
import * as RenamedPlugins from "./RenamedPlugins.ts"
import * as RunningShims from "./RunningShims.ts"
import * as Stub from "./Stub.ts"
import * as StubProof from "./StubProof.ts"
import * as Survey from "./Survey.ts"
import * as Unwrapping from "./Unwrapping.ts"
import * as WrappedFolders from "./WrappedFolders.ts"

/** What to wrap, and the configuration of the executable that runs around it. */
export interface Request extends PluginSelection.Choice {
  /** The text of the configuration. */
  readonly config: string
  /** Whether an existing configuration stays unchanged. */
  readonly keepsConfig: boolean
}

/** A plugin that was not wrapped, and why. */
export interface Refused {
  readonly name: string
  readonly reason: string
}

/** The result of wrapping a folder. */
export interface Outcome {
  readonly wrapped: ReadonlyArray<string>
  /** The plugins that were wrapped already. */
  readonly already: ReadonlyArray<string>
  readonly refused: ReadonlyArray<Refused>
  readonly passedOver: ReadonlyArray<Survey.PassedOver>
  /** Whether the existing configuration stays. */
  readonly isConfigKept: boolean
}

/** Another program changed a plugin while it was being wrapped. */
class PluginReplaced extends Data.TaggedError("PluginReplaced")<{ readonly reason: string }> {}

type StepFailed = PlatformError.PlatformError | AtomicFile.NotWritten | StubProof.NotProven | PluginReplaced

/** One step for one plugin. */
type Step<R> = (at: Stub.Places, name: string) => Effect.Effect<void, StepFailed, R>

const reasonOf = (error: StepFailed): string =>
  error._tag === "PlatformError" ? AtomicFile.reasonOf(error) : error.reason

/** Whether an error means that two paths are on different file systems. */
const isOtherDevice = ({ reason }: PlatformError.PlatformError): boolean =>
  (reason.cause as NodeJS.ErrnoException | undefined)?.code === "EXDEV"

/** The file of a plugin. If its name links to a plugin that is wrapped itself, this is that plugin, not its stub. */
const realFile = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const real = yield* fs.realPath(file)
  const home = Stub.places(path.dirname(real))
  return (yield* Stub.isStub(home, real)) ? `${home.plugins}/${path.basename(real)}` : real
})

/** Moves a staged file into its place, which may already hold another name of the same file. */
const put = Effect.fnUntraced(function*(staged: string, place: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.rename(staged, place)
  yield* fs.remove(staged, { force: true }) // a rename onto another name of the same file does nothing
})

/** Keeps the file of a plugin where its stub looks for it, with its owner, mode and capabilities. */
const keepFile = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const staged = `${at.staged}/${name}`
  const real = yield* realFile(`${at.folder}/${name}`)
  yield* Effect.catchIf(fs.link(real, staged), isOtherDevice, () => fs.symlink(real, staged))
  yield* put(staged, `${at.plugins}/${name}`)
})

/** Keeps a symbolic link unchanged. */
const keepLink = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const link = `${at.folder}/${name}`
  const staged = `${at.staged}/${name}`
  yield* AtomicFile.makeFolder(at.links)
  yield* Effect.catch(fs.link(link, staged), () => Effect.flatMap(fs.readLink(link), (to) => fs.symlink(to, staged)))
  yield* put(staged, `${at.links}/${name}`)
})

/** Keeps the file of a plugin, and its symbolic link if it is one. Replaces what was kept under its name before. */
const keep: Step<FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* fs.lstat(`${at.folder}/${name}`)
  if (type === "SymbolicLink") yield* keepLink(at, name)
  else yield* fs.remove(`${at.links}/${name}`, { force: true })
  yield* keepFile(at, name)
})

/** Writes the stub of a plugin. The same users may execute it as the plugin. */
const stage: Step<FileSystem.FileSystem> = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const staged = `${at.staged}/${name}`
  const { gid, mode, uid } = yield* fs.stat(`${at.plugins}/${name}`)
  const handle = yield* fs.open(staged, { flag: "wx", mode: 0o700 })
  yield* handle.writeAll(new TextEncoder().encode(Stub.text(at)))
  if (Option.isSome(uid) && Option.isSome(gid)) yield* fs.chown(staged, uid.value, gid.value)
  yield* fs.chmod(staged, mode & 0o777)
  yield* handle.sync // a power cut must not leave an empty file
  yield* fs.remove(`${at.stubs}/${name}`, { force: true })
  yield* Effect.ignore(fs.link(staged, `${at.stubs}/${name}`)) // without the link, a renamed stub would not be recognized
}, Effect.scoped)

const prove: Step<FileSystem.FileSystem | ProcessRunner> = (at, name) =>
  StubProof.compare(`${at.folder}/${name}`, `${at.staged}/${name}`)

/** Proves the new stub of a moved plugin against the kept plugin: the old stub in its place leads nowhere. */
const proveKept: Step<FileSystem.FileSystem | ProcessRunner> = (at, name) =>
  StubProof.compare(`${at.plugins}/${name}`, `${at.staged}/${name}`)

/** Replaces the expected file with a stub, but not a plugin that an installer has written since. */
const replaceIf = Effect.fnUntraced(function*<E, R>(
  at: Stub.Places,
  name: string,
  isExpected: (file: string) => Effect.Effect<boolean, E, R>
) {
  if (!(yield* Exchange.put(`${at.staged}/${name}`, `${at.folder}/${name}`, isExpected))) {
    return yield* new PluginReplaced({ reason: "another program has replaced it: wrap it again" })
  }
})

/** Replaces a kept plugin with a stub. */
const replace: Step<FileSystem.FileSystem> = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const kept = (yield* fs.lstat(`${at.folder}/${name}`)).type === "SymbolicLink" ? at.links : at.plugins
  yield* replaceIf(at, name, (found) => Survey.isSame(found, `${kept}/${name}`))
})

/** Replaces a stub that names another folder. */
const replaceMoved: Step<FileSystem.FileSystem> = (at, name) => replaceIf(at, name, Stub.isAnyStub)

/** Resets the mode of a folder, in case a killed run or an older version left another one. */
const openToAll = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  yield* AtomicFile.makeFolder(folder)
  const { mode } = yield* Effect.mapError(fs.stat(folder), AtomicFile.failed(folder))
  if ((mode & 0o777) !== 0o755) yield* Effect.mapError(fs.chmod(folder, 0o755), AtomicFile.failed(folder))
})

/** Whether the executable of a folder is the current build, and every user may run it. */
const isCurrent = Effect.fnUntraced(function*(at: Stub.Places, built: string) {
  const fs = yield* FileSystem.FileSystem
  return ((yield* fs.stat(at.executable)).mode & 0o777) === 0o755 && (yield* hasSameContent(built, at.executable))
})

/** Makes our folder, and installs the executable unless it is current. Removes what a killed run left. */
const prepare = Effect.fnUntraced(function*(at: Stub.Places, built: string) {
  yield* openToAll(at.own)
  yield* openToAll(at.plugins)
  yield* openToAll(at.stubs)
  yield* Effect.ignore(AtomicFile.cleanUp(at.own, "config.json"))
  yield* RunningShims.removeAll(at.staged)
  yield* AtomicFile.makeFolder(at.staged)
  if (!(yield* Effect.orElseSucceed(isCurrent(at, built), () => false))) {
    yield* PluginInstallation.install(built, at.own)
  }
})

/**
 * Puts all plugins back if the executable is about to change from a script to a program, and returns their names. For a
 * script the kernel starts Node.js, which opens the path some 20 ms later and must not find a program there.
 */
const changeForm = Effect.fnUntraced(function*(at: Stub.Places, built: string) {
  const kindOf = (file: string) => Effect.orElseSucceed(ProgramKind.of(file), () => ({ kind: "other" as const }))
  if ((yield* kindOf(at.executable)).kind !== "script" || (yield* kindOf(built)).kind === "script") return []
  const { plugins } = yield* Survey.make(at)
  const names = plugins.filter(({ state }) => state === "wrapped").map(({ name }) => name)
  yield* RunningShims.removeAll(at.staged)
  const back = yield* Effect.filter(names, (name) => Effect.orElseSucceed(Unwrapping.restore(at, name), () => false))
  yield* RunningShims.settle(at)
  return back
})

/** Unwraps our executables that were wrapped under a temporary name. */
const freeOurs = Effect.fnUntraced(function*(at: Stub.Places) {
  const { plugins } = yield* Survey.make(at)
  for (const { name, state } of plugins) {
    const isStub = state === "wrapped" || state === "moved"
    if (!isStub || !PluginName.isOurs(name)) continue
    if (yield* Effect.orElseSucceed(Unwrapping.restore(at, name), () => false)) yield* Unwrapping.forget(at, name)
  }
})

/** Writes the configuration, unless the existing one stays. */
const configure = Effect.fnUntraced(function*({ at, config, keepsConfig }: Request) {
  const fs = yield* FileSystem.FileSystem
  const old = yield* Effect.option(fs.readFileString(at.config))
  const isKept = Option.isSome(old) && (keepsConfig || old.value === config)
  if (!isKept) yield* AtomicFile.replaceText(at.config, config)
  return isKept
})

/** Why a replaced plugin is not wrapped again: the plugin that is kept under its name would be lost. */
const oldReason = "its earlier plugin is still needed by a stub that was moved or renamed: remove that stub first"

/** How many plugins are asked for their versions in parallel. */
const concurrency = 4

const wrapAlone = Effect.fnUntraced(function*(request: Request) {
  const { at, built } = request
  yield* Effect.ignore(RenamedPlugins.follow(at))
  yield* freeOurs(at)
  const restored = yield* changeForm(at, built)
  yield* prepare(at, built)
  yield* WrappedFolders.update(at.folder) // before the first stub, as this process may be killed
  const { chosen, isProvable, passedOver, plugins } = yield* PluginSelection.make(request, restored)
  const named = (...states: ReadonlyArray<Survey.State>) =>
    chosen.filter(({ state }) => states.includes(state)).map(({ name }) => name)
  const refused: Array<Refused> = []
  const isNeeded = (name: string) => plugins.some((plugin) => plugin.name === name && plugin.isNeeded)
  const writtenOver = named("written over")
  const [old, replaceable] = [writtenOver.filter(isNeeded), writtenOver.filter((name) => !isNeeded(name))]

  /** Does one step for each plugin, and returns the plugins for which it succeeded. */
  const each = <R>(step: Step<R>, options?: { readonly concurrency: number }) => (among: ReadonlyArray<string>) =>
    Effect.filter(among, (name) =>
      Effect.match(step(at, name), {
        onSuccess: () => true,
        onFailure: (error) => {
          refused.push({ name, reason: reasonOf(error) })
          return false
        }
      }), options)

  const proven = yield* each(keep)([...named("not wrapped"), ...replaceable]).pipe(
    Effect.flatMap(each(stage)),
    Effect.flatMap(each((at, name) => isProvable(name) ? prove(at, name) : Effect.void, { concurrency }))
  )
  const renewed = yield* Effect.flatMap(each(stage)(named("moved")), each(proveKept, { concurrency }))
  const isConfigKept = yield* configure(request) // only now, so that no proof is logged
  const wrapped = [...yield* each(replace)(proven), ...yield* each(replaceMoved)(renewed)]
  const isStub = (name: string) => plugins.some((plugin) => plugin.name === name && Survey.hasStub(plugin.state))
  yield* Effect.forEach(
    refused.filter(({ name }) => !isStub(name) && !isNeeded(name)),
    ({ name }) => Unwrapping.forget(at, name)
  )
  yield* RunningShims.removeAll(at.staged)
  const lost = named("lost").map((name) => ({ name, reason: Unwrapping.lost }))
  return {
    wrapped,
    already: named("wrapped"),
    refused: [...refused, ...lost, ...old.map((name) => ({ name, reason: oldReason }))],
    passedOver,
    isConfigKept
  }
})

/**
 * Wraps plugins of a folder, each once its stub has answered VERSION as the plugin itself does. A plugin that fails
 * this test stays in its place. If no plugin is wrapped in the end, nothing of ours stays in the folder.
 */
export const wrap = Effect.fnUntraced(function*(request: Request) {
  yield* Stub.checkFolder(request.at)
  const outcome: Outcome = yield* FolderLock.hold(
    request.at.folder,
    wrapAlone(request).pipe(Effect.onExit(() => Effect.ignore(Unwrapping.tidy(request.at))))
  ).pipe(Effect.ensuring(WrappedFolders.update(request.at.folder)))
  return outcome
})

/** Whether every user can run the executable of a folder. */
const isSound = Effect.fnUntraced(function*(at: Stub.Places) {
  const fs = yield* FileSystem.FileSystem
  if (((yield* fs.stat(at.executable)).mode & 0o777) !== 0o755) return false
  yield* PluginVersion.ask(at.executable, "1.0.0")
  return true
})

/**
 * Restores the executable of a folder that has stubs, if it is missing or does not run. Returns whether it was
 * restored. The folder need not exist.
 */
export const repair = Effect.fnUntraced(function*(built: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const at = Stub.places(yield* Effect.orElseSucceed(fs.realPath(folder), () => folder))
  const { plugins } = yield* Survey.make(at)
  if (!plugins.some(({ state }) => state === "wrapped")) return false
  if (yield* Effect.orElseSucceed(isSound(at), () => false)) return false
  yield* FolderLock.hold(at.folder, PluginInstallation.install(built, at.own))
  return true
})
