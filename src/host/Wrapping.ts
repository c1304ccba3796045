/**
 * Puts a stub in the place of each plugin of a folder, so that our executable runs around it. A runtime may call the
 * plugins all the while, and wherever this process is killed, each of them runs: as itself, or around its stub.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as AtomicFile from "./AtomicFile.ts"
import * as Exchange from "./Exchange.ts"
import * as FolderLock from "./FolderLock.ts"
import * as PluginFolder from "./PluginFolder.ts"
import * as Proof from "./Proof.ts"
import * as Retirement from "./Retirement.ts"
import { hasSameContent } from "./SameContent.ts"
import * as Stub from "./Stub.ts"
import * as Survey from "./Survey.ts"
import * as Unwrapping from "./Unwrapping.ts"

/** What is to be wrapped. */
export interface Request {
  readonly at: Stub.Places
  /** The names of the plugins; all where it is left out. */
  readonly names?: ReadonlyArray<string> | undefined
  /** The file of the built plugin, which runs around the others. */
  readonly built: string
  /** The text of the configuration. */
  readonly config: string
  /** Whether a configuration that is there already stays as it is. */
  readonly keepsConfig: boolean
}

/** A plugin that stays as it was, and why. */
export interface Refused {
  readonly name: string
  readonly reason: string
}

/** What was done in a folder. */
export interface Outcome {
  readonly wrapped: ReadonlyArray<string>
  /** The plugins that were wrapped before. */
  readonly already: ReadonlyArray<string>
  readonly refused: ReadonlyArray<Refused>
  readonly passedOver: ReadonlyArray<Survey.PassedOver>
  /** Whether the configuration that was there stays. */
  readonly isConfigKept: boolean
}

/** Another program changed a plugin at the same time. */
class Meanwhile extends Data.TaggedError("Meanwhile")<{ readonly reason: string }> {}

type StepFailed = PlatformError.PlatformError | AtomicFile.NotWritten | Proof.NotProven | Meanwhile

/** One step for one plugin. */
type Step<R> = (at: Stub.Places, name: string) => Effect.Effect<void, StepFailed, R>

const reasonOf = (error: StepFailed): string =>
  error._tag === "PlatformError" ? AtomicFile.reasonOf(error) : error.reason

/** Whether an error says that two paths are on different file systems. */
const isOtherDevice = ({ reason }: PlatformError.PlatformError): boolean =>
  (reason.cause as NodeJS.ErrnoException | undefined)?.code === "EXDEV"

/** The file of a plugin. Where its name is a link to a plugin that is wrapped itself, that plugin, and not its stub. */
const realFile = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const real = yield* fs.realPath(file)
  const home = Stub.places(path.dirname(real))
  return (yield* Stub.isStub(home, real)) ? `${home.plugins}/${path.basename(real)}` : real
})

/** Puts what lies staged into its place, which may have another name of the same file already. */
const put = Effect.fnUntraced(function*(staged: string, place: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.rename(staged, place)
  yield* fs.remove(staged, { force: true }) // a rename onto another name of the same file does nothing
})

/** Keeps the file of a plugin, with its owner, mode and capabilities, where its stub looks for it. */
const keepFile = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const staged = `${at.staged}/${name}`
  const real = yield* realFile(`${at.folder}/${name}`)
  yield* Effect.catchIf(fs.link(real, staged), isOtherDevice, () => fs.symlink(real, staged))
  yield* put(staged, `${at.plugins}/${name}`)
})

/** Keeps a symbolic link as it is. */
const keepLink = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const link = `${at.folder}/${name}`
  const staged = `${at.staged}/${name}`
  yield* AtomicFile.makeFolder(at.links)
  yield* Effect.catch(fs.link(link, staged), () => Effect.flatMap(fs.readLink(link), (to) => fs.symlink(to, staged)))
  yield* put(staged, `${at.links}/${name}`)
})

/** Keeps all that there is of a plugin. What was kept under its name before makes way. */
const keep: Step<FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* fs.lstat(`${at.folder}/${name}`)
  if (type === "SymbolicLink") yield* keepLink(at, name)
  else yield* fs.remove(`${at.links}/${name}`, { force: true })
  yield* keepFile(at, name)
})

/** Writes the stub of a plugin, for those who may execute the plugin. */
const stage: Step<FileSystem.FileSystem> = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const staged = `${at.staged}/${name}`
  const { gid, mode, uid } = yield* fs.stat(`${at.plugins}/${name}`)
  const handle = yield* fs.open(staged, { flag: "wx", mode: 0o700 })
  yield* handle.writeAll(new TextEncoder().encode(Stub.text(at)))
  if (Option.isSome(uid) && Option.isSome(gid)) yield* fs.chown(staged, uid.value, gid.value)
  yield* fs.chmod(staged, mode & 0o777)
  yield* handle.sync // a power cut must not leave an empty file
}, Effect.scoped)

const prove = (at: Stub.Places, name: string) => Proof.compare(`${at.folder}/${name}`, `${at.staged}/${name}`)

/** Puts a stub in the place of the plugin that is kept, and not of one that came meanwhile. */
const replace: Step<FileSystem.FileSystem> = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const file = `${at.folder}/${name}`
  const kept = (yield* fs.lstat(file)).type === "SymbolicLink" ? at.links : at.plugins
  const isKept = (found: string) => Survey.isSame(found, `${kept}/${name}`)
  if (!(yield* Exchange.put(`${at.staged}/${name}`, file, isKept))) {
    return yield* new Meanwhile({ reason: "another program replaced it meanwhile: wrap it again" })
  }
})

/** Makes our folder, and puts the executable there unless it is there. What a killed run left is removed. */
const prepare = Effect.fnUntraced(function*(at: Stub.Places, built: string) {
  yield* AtomicFile.makeFolder(at.plugins)
  yield* Effect.ignore(AtomicFile.cleanUp(at.own, "config.json"))
  yield* Retirement.removeAll(at.staged)
  yield* AtomicFile.makeFolder(at.staged)
  const isCurrent = yield* Effect.orElseSucceed(hasSameContent(built, at.executable), () => false)
  if (!isCurrent) yield* PluginFolder.install(built, at.own)
})

/** Writes the configuration, unless it stays as it is. */
const configure = Effect.fnUntraced(function*({ at, config, keepsConfig }: Request) {
  const fs = yield* FileSystem.FileSystem
  const old = yield* Effect.option(fs.readFileString(at.config))
  const isKept = Option.isSome(old) && (keepsConfig || old.value === config)
  if (!isKept) yield* AtomicFile.replaceText(at.config, config)
  return isKept
})

/** Why a plugin stays as it is that was written over: the one that is kept under its name would have to make way. */
const oldReason = "the plugin that it was before may be that of a stub without one, which was renamed: unwrap says more"

/** Why a stub stays that names another path: the file of its plugin would have to make way for it. */
const movedReason =
  "it is a stub of another folder, or of this one by another path: unwrap this one first, then wrap it"

/** How many plugins are asked for their versions at the same time. */
const concurrency = 4

const wrapAlone = Effect.fnUntraced(function*(request: Request) {
  const { at, built, names } = request
  yield* prepare(at, built)
  const { passedOver, plugins } = yield* Survey.make(at)
  const chosen = plugins.filter(({ name }) => names?.includes(name) ?? true)
  const named = (...states: ReadonlyArray<Survey.State>) =>
    chosen.filter(({ state }) => states.includes(state)).map(({ name }) => name)
  const refused: Array<Refused> = []
  const isAnyLost = plugins.some(({ state }) => state === "lost")

  /** Does one step for each plugin, and returns those that can go on. */
  const each = <R>(step: Step<R>, options?: { readonly concurrency: number }) => (among: ReadonlyArray<string>) =>
    Effect.filter(among, (name) =>
      Effect.match(step(at, name), {
        onSuccess: () => true,
        onFailure: (error) => {
          refused.push({ name, reason: reasonOf(error) })
          return false
        }
      }), options)

  const proven = yield* each(keep)(named("not wrapped", ...(isAnyLost ? [] : ["written over" as const]))).pipe(
    Effect.flatMap(each(stage)),
    Effect.flatMap(each(prove, { concurrency }))
  )
  const isConfigKept = yield* configure(request) // only now, so that no proof is logged
  const wrapped = yield* each(replace)(proven)
  yield* Effect.forEach(refused, ({ name }) => Unwrapping.forget(at, name))
  yield* Retirement.removeAll(at.staged)
  const lost = named("lost").map((name) => ({ name, reason: Unwrapping.lost }))
  const old = (isAnyLost ? named("written over") : []).map((name) => ({ name, reason: oldReason }))
  const moved = named("moved").map((name) => ({ name, reason: movedReason }))
  return {
    wrapped,
    already: named("wrapped"),
    refused: [...refused, ...lost, ...moved, ...old],
    passedOver,
    isConfigKept
  }
})

/**
 * Wraps plugins of a folder, each once its stub has answered VERSION as the plugin itself does. A plugin for which that
 * is not so stays as it was. Where in the end no plugin is wrapped, nothing of ours stays in the folder.
 */
export const wrap = Effect.fnUntraced(function*(request: Request) {
  yield* Stub.checkFolder(request.at)
  const outcome: Outcome = yield* FolderLock.hold(
    request.at.folder,
    wrapAlone(request).pipe(Effect.onExit(() => Effect.ignore(Unwrapping.tidy(request.at))))
  )
  return outcome
})
