/** Finds the plugins of a folder, and which of them are wrapped. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { Unreadable } from "../conf/ConfFolder.ts"
import { reasonOf } from "../host/AtomicFile.ts"
import * as ProgramKind from "../host/ProgramKind.ts"
import { hasSameContent } from "../host/SameContent.ts"
import { pluginName } from "./PluginInstallation.ts"
import * as PluginName from "./PluginName.ts"
import * as Stub from "./Stub.ts"

/**
 * - `wrapped`: runtimes find a stub, and the plugin is kept beside it.
 * - `written over`: it was wrapped, and then a program put another file in the place of the stub.
 * - `gone`: it was wrapped, and then a program removed the stub, or moved it away.
 * - `moved`: runtimes find a stub with another path of this folder in it, and the plugin is kept beside it.
 * - `lost`: runtimes find a stub, and what it stands for was removed.
 */
export type State = "wrapped" | "written over" | "gone" | "moved" | "lost" | "not wrapped"

/** Whether runtimes find a stub. */
export const hasStub = (state: State): boolean => state === "wrapped" || state === "moved" || state === "lost"

/** A plugin of a folder. */
export interface Plugin {
  readonly name: string
  readonly state: State
  /** Whether our folder keeps something of it. */
  readonly isKept: boolean
  /** Whether the kept plugin is needed: by a stub, or because it is the only copy. */
  readonly isNeeded: boolean
  /** The file that runtimes find, without following a link; none if it is gone. */
  readonly info: Option.Option<FileSystem.File.Info>
}

/** A file in a folder of plugins that is not wrapped, with the reason. */
export interface PassedOver {
  readonly name: string
  readonly reason: string
}

/** The content of a folder of plugins. */
export interface Survey {
  /** In the order of their names. */
  readonly plugins: ReadonlyArray<Plugin>
  readonly passedOver: ReadonlyArray<PassedOver>
}

/** Whether only device and inode distinguish two files with several names each. */
const areAlike = (a: FileSystem.File.Info, b: FileSystem.File.Info): boolean => {
  const told = ({ gid, mode, mtime, nlink, size, type, uid }: FileSystem.File.Info) =>
    [type, mode, size, Option.getOrNull(mtime)?.getTime(), ...[uid, gid].map(Option.getOrNull), Option.getOrNull(nlink)]
      .join(" ")
  return a.type === "File" && Option.getOrElse(a.nlink, () => 1) > 1 && told(a) === told(b)
}

/** Whether two paths, without following links, are one file, or two symbolic links with the same target. */
export const isSame = Effect.fnUntraced(function*(one: string, other: string) {
  const fs = yield* FileSystem.FileSystem
  const [a, b] = [yield* fs.lstat(one), yield* fs.lstat(other)]
  if (a.dev === b.dev && Option.isSome(a.ino) && Option.getOrUndefined(a.ino) === Option.getOrUndefined(b.ino)) {
    return true
  }
  // An overlay that has just copied a file up may still report the lower file under one of its names.
  if (areAlike(a, b)) return yield* hasSameContent(one, other)
  const areLinks = a.type === "SymbolicLink" && b.type === "SymbolicLink"
  return areLinks && (yield* fs.readLink(one)) === (yield* fs.readLink(other))
})

/** The names in a folder; none if it does not exist. */
const namesIn = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readDirectory(folder).pipe(
    Effect.catchIf((error) => error.reason._tag === "NotFound", () => Effect.succeed([]))
  )
})

/** Why runtimes could not start a file; undefined if they can, and null if it is not meant to be a plugin. */
const unfitness = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(file))
  if (Option.isNone(info)) return "it leads nowhere"
  if (info.value.type !== "File") return null
  return (info.value.mode & 0o111) === 0 ? "it is not executable" : undefined
})

/** Whether a file is a program or a script that does not depend on ours. */
const runs = Effect.fnUntraced(function*(at: Stub.Places, file: string) {
  const fs = yield* FileSystem.FileSystem
  if ((yield* unfitness(file)) !== undefined) return false
  const real = yield* fs.realPath(file)
  if (real.startsWith(`${at.own}/`) || (yield* Stub.homeOf(real)) !== undefined) return false
  const { interpreter, kind } = yield* ProgramKind.of(real)
  return kind === "program" || (interpreter !== undefined && (yield* fs.exists(interpreter)))
})

/** Whether the stub that was made for a plugin still exists anywhere on this file system. */
const hasStubElsewhere = Effect.fnUntraced(function*(at: Stub.Places, name: string) {
  const fs = yield* FileSystem.FileSystem
  const link = `${at.stubs}/${name}`
  const { nlink } = yield* fs.stat(link)
  return Option.getOrElse(nlink, () => 1) > 1 && (yield* Stub.isStub(at, link))
})

const stateOf = Effect.fnUntraced(function*(at: Stub.Places, name: string, isKept: boolean) {
  const fs = yield* FileSystem.FileSystem
  const file = `${at.folder}/${name}`
  const info = yield* Effect.option(fs.lstat(file))
  if (Option.isNone(info)) return { info, state: "gone" as const }
  if (yield* Stub.isStub(at, file)) return { info, state: isKept ? "wrapped" as const : "lost" as const }
  if (!isKept) return { info, state: "not wrapped" as const }
  const kept = info.value.type === "SymbolicLink" ? at.links : at.plugins
  const isBefore = yield* Effect.orElseSucceed(isSame(file, `${kept}/${name}`), () => false)
  if (isBefore) return { info, state: "not wrapped" as const }
  return { info, state: (yield* Stub.homeOf(file)) === undefined ? "written over" as const : "moved" as const }
})

/** Whether the kept plugin is needed. If a stub lacks its plugin, this may be that plugin under its old name. */
const isNeeded = Effect.fnUntraced(
  function*(at: Stub.Places, { isKept, name, state }: Omit<Plugin, "isNeeded">, isAnyLost: boolean) {
    if (!isKept) return false
    if (state === "not wrapped") {
      const fs = yield* FileSystem.FileSystem
      // The file is a broken link: its target was removed.
      return !(yield* fs.exists(`${at.folder}/${name}`)) && (yield* fs.exists(`${at.plugins}/${name}`))
    }
    if (isAnyLost || hasStub(state)) return true
    if (PluginName.isOurs(name)) return false // install restores it
    if (state === "gone") return true
    if (!(yield* Effect.orElseSucceed(runs(at, `${at.folder}/${name}`), () => false))) return true
    return yield* Effect.orElseSucceed(hasStubElsewhere(at, name), () => false)
  }
)

/** Whether `passthrough` is a stub that an installer renamed. */
const isStubOfOurs = Effect.fnUntraced(function*(at: Stub.Places) {
  return (yield* Effect.orElseSucceed(Stub.homeOf(`${at.folder}/${pluginName}`), () => undefined)) !== undefined
})

/** Surveys a folder of plugins. Files whose names start with a dot, and our own plugin, do not count. */
export const make: (at: Stub.Places) => Effect.Effect<Survey, Unreadable, FileSystem.FileSystem> = Effect.fnUntraced(
  function*(at: Stub.Places) {
    const kept = new Set([...yield* namesIn(at.plugins), ...yield* namesIn(at.links)])
    const isPassthroughStub = yield* isStubOfOurs(at)
    const there = (yield* namesIn(at.folder)).filter((name) =>
      !name.startsWith(".") && (name !== pluginName || isPassthroughStub)
    )
    const found: Array<Omit<Plugin, "isNeeded">> = []
    const passedOver: Array<PassedOver> = []
    for (const name of [...new Set([...there, ...kept])].sort()) {
      const isKept = kept.has(name)
      const reason = isKept ? undefined : yield* unfitness(`${at.folder}/${name}`)
      const plugin = { name, isKept, ...yield* stateOf(at, name, isKept) }
      const objection = plugin.state === "not wrapped" ? PluginName.objection(name) : undefined
      if (reason === null) continue
      if (reason !== undefined || objection !== undefined) passedOver.push({ name, reason: reason ?? objection ?? "" })
      else found.push(plugin)
    }
    const isAnyLost = found.some(({ state }) => state === "lost")
    const plugins = yield* Effect.forEach(
      found,
      (plugin) => Effect.map(isNeeded(at, plugin, isAnyLost), (isNeeded): Plugin => ({ ...plugin, isNeeded }))
    )
    return { plugins, passedOver }
  },
  (effect, at) =>
    Effect.mapError(effect, (cause) => new Unreadable({ path: at.folder, reason: reasonOf(cause), cause }))
)
