/** Installs our plugin in the folder of plugins that runtimes read, and removes it. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Execution from "../exec/Execution.ts"
import * as PluginExec from "../exec/PluginExec.ts"
import * as PluginVersion from "../exec/PluginVersion.ts"
import * as AtomicFile from "../host/AtomicFile.ts"
import { hasSameContent } from "../host/SameContent.ts"
import * as Stub from "./Stub.ts"

/** The name of our plugin in the folder, and in network configurations. */
export const pluginName = "passthrough"

/** The folders that runtimes read, the most common first. */
export const usual = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"] as const

/** The plugin's file cannot be read, copied or removed. */
export class PluginFileFailed extends Data.TaggedError("PluginFileFailed")<{
  readonly action: "read" | "copy" | "remove"
  readonly path: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `cannot ${this.action} ${this.path}: ${this.reason}`
}

/** The built plugin kept changing while we tried to copy it. */
export class SourceChanging extends Data.TaggedError("SourceChanging")<{ readonly path: string }> {
  override readonly message = `${this.path} keeps changing while it is copied: try again when it is built`
}

/** A file with the name of our plugin is another program. */
export class Foreign extends Data.TaggedError("Foreign")<{ readonly path: string; readonly reason: string }> {
  override readonly message =
    `${this.path} is left alone: it is not the plugin of cni-passthrough (${this.reason}).\nIf it is, remove it by hand`
}

/** A folder does not have our plugin. */
export class NotInstalled extends Data.TaggedError("NotInstalled")<{ readonly folder: string }> {
  override readonly message = `the plugin is not in ${this.folder}: name its folder with --to`
}

const failed = (action: PluginFileFailed["action"], path: string) => (cause: PlatformError.PlatformError) =>
  new PluginFileFailed({
    action,
    path,
    reason: action === "read" ? AtomicFile.reasonOf(cause) : AtomicFile.writingReasonOf(cause),
    cause
  })

/** Whether a path exists. */
export const isThere = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.exists(path), () => false)
})

/** The file of our plugin in a folder. */
export const fileIn = (folder: string) => Effect.map(Path.Path, (path) => path.join(folder, pluginName))

/** The first of the usual folders that exists, or else the first one. */
export const choose = Effect.fnUntraced(function*() {
  for (const folder of usual) if (yield* isThere(folder)) return folder
  return usual[0]
})

/** The first of the usual folders with a plugin of our name, or else the one to install it in. */
export const chooseInstalled = Effect.fnUntraced(function*() {
  for (const folder of usual) if (yield* isThere(yield* fileIn(folder))) return folder
  return yield* choose()
})

/** How often to try to copy a source that keeps changing, and the pause in between, in milliseconds. */
const copyTries = { count: 3, pauseMs: 200 }

/** Copies a file that another process may be replacing. The copy is one whole version. */
const copyWhole = Effect.fnUntraced(function*(source: string, target: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const state = Effect.map(
    Effect.mapError(fs.stat(source), failed("read", source)),
    ({ ino, mtime, size }) => JSON.stringify([String(ino), mtime, String(size)])
  )
  // The name is predictable, so never write through a link that another user may have planted there.
  yield* Effect.scoped(Effect.mapError(
    Effect.andThen(fs.remove(target, { force: true }), fs.open(target, { flag: "wx", mode: 0o600 })),
    failed("copy", `${source} to ${path.dirname(target)}`)
  ))
  for (let left = copyTries.count; left > 0; left--) {
    const before = yield* state
    yield* Effect.mapError(fs.copyFile(source, target), failed("copy", `${source} to ${path.dirname(target)}`))
    if (before === (yield* state)) return
    yield* Effect.sleep(copyTries.pauseMs)
  }
  return yield* new SourceChanging({ path: source })
})

/** Waits until a file is on disk: a power cut must not leave an empty file in its place. */
const sync = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  yield* (yield* fs.open(file)).sync
}, Effect.scoped)

/** A library that the plugin for musl needs beside it. The dot keeps runtimes from taking it for a plugin. */
const library = ".libstdc++.so"

/** Copies the library beside the built plugin into a folder. */
const installLibrary = Effect.fnUntraced(function*(built: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const source = path.join(path.dirname(built), library)
  if (!(yield* isThere(source))) return
  const target = path.join(folder, library)
  yield* AtomicFile.replaceWith(
    target,
    (temporary) =>
      copyWhole(source, temporary).pipe(
        Effect.andThen(Effect.mapError(fs.chmod(temporary, 0o644), failed("copy", target))),
        Effect.andThen(Effect.mapError(sync(temporary), failed("copy", target)))
      )
  )
})

/**
 * Installs the built plugin in a folder, which is created if missing. The plugin must answer VERSION there before a
 * rename makes it visible to runtimes.
 */
export const install = Effect.fnUntraced(function*(built: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const target = yield* fileIn(folder)
  yield* AtomicFile.makeFolder(folder)
  yield* installLibrary(built, folder)
  yield* AtomicFile.replaceWith(target, (temporary) =>
    copyWhole(built, temporary).pipe(
      Effect.andThen(Effect.mapError(fs.chmod(temporary, 0o755), failed("copy", target))),
      Effect.andThen(Effect.mapError(sync(temporary), failed("copy", target))),
      Effect.andThen(PluginVersion.ask(temporary, "1.0.0"))
    ))
  return target
})

/** The start of our plugin's introduction to a person who starts it, see `plugin/Passthrough.ts`. */
const about = /^CNI plugin passthrough v(\S*)/

/** What a plugin says to a person who starts it. */
const introduction = Effect.fnUntraced(function*(file: string) {
  const { CNI_COMMAND: _, ...env } = process.env
  const execution = yield* PluginExec.call({ file, env, stdin: "", timeout: 10_000 })
  return Execution.text(execution.stderr)
})

/** The version of our executable in a file; undefined if it does not run or is another program. */
export const versionOf = (file: string) =>
  introduction(file).pipe(
    Effect.map((words) => about.exec(words)?.[1]),
    Effect.orElseSucceed(() => undefined)
  )

/** Fails if a file is not our plugin, which introduces itself on stderr when no verb is given. */
const identify = Effect.fnUntraced(function*(file: string) {
  yield* Effect.mapError(AtomicFile.checkOwner(file), ({ reason }) => new Foreign({ path: file, reason }))
  const words = yield* Effect.mapError(introduction(file), ({ reason }) => new Foreign({ path: file, reason }))
  if (about.test(words)) return
  const [line = ""] = words.trim().split("\n")
  const reason = line === "" ? "it does not introduce itself" : `it says ${JSON.stringify(line.slice(0, 100))}`
  return yield* new Foreign({ path: file, reason })
})

/** The file of our plugin in a folder. Fails if it is missing, or another program of the same name. */
export const findOurs = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fileIn(folder)
  if (!(yield* isThere(file))) return yield* new NotInstalled({ folder })
  yield* Effect.mapError(fs.stat(file), failed("remove", file))
  yield* identify(file)
  return file
})

/** How much of a program has the names of the libraries that it needs, in bytes: they come before its code. */
const headLength = 1_048_576

/**
 * Whether an executable depends on the library, as only the plugin for musl does. The code of every plugin contains
 * its name.
 */
const needsLibrary = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const handle = yield* fs.open(file)
  const head = Buffer.alloc(headLength)
  const length = Number(yield* handle.read(head))
  return head.subarray(0, length).includes(`${library}\0`)
}, Effect.scoped)

/** The library in the folder of a plugin, if it belongs to that plugin. */
const libraryOf = Effect.fnUntraced(function*(file: string) {
  const path = yield* Path.Path
  const beside = path.join(path.dirname(file), library)
  const isOurs = (yield* isThere(beside)) && (yield* Effect.orElseSucceed(needsLibrary(file), () => false))
  return isOurs ? beside : undefined
})

const isSame = (one: string, other: string) => Effect.orElseSucceed(hasSameContent(one, other), () => false)

/** Fails if another program's file has the name of the library in a folder. */
const checkLibrary = Effect.fnUntraced(function*(built: string, folder: string) {
  const path = yield* Path.Path
  const [source, target] = [path.join(path.dirname(built), library), path.join(folder, library)]
  if (!(yield* isThere(source)) || !(yield* isThere(target)) || (yield* isSame(source, target))) return
  if ((yield* libraryOf(yield* fileIn(folder))) !== undefined) return
  return yield* new Foreign({ path: target, reason: "no plugin there needs it" })
})

/** Fails if other programs have the names of our plugin's files in a folder. */
export const checkForeign = Effect.fnUntraced(function*(built: string, folder: string) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fileIn(folder)
  const info = yield* Effect.option(fs.lstat(file))
  if (info._tag === "Some") {
    if (!(yield* isThere(file))) {
      return yield* new Foreign({ path: file, reason: "it is a symbolic link to a missing file" })
    }
    // A stub is ours: an installer renamed it, and the plugin that it starts may be missing.
    const isStub = yield* Effect.orElseSucceed(Stub.isAnyStub(file), () => false)
    if (!isStub && !(yield* isSame(built, file))) yield* identify(file)
  }
  yield* checkLibrary(built, folder)
})

/** Removes our plugin and the library that it needs. */
export const remove = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const beside = yield* libraryOf(file)
  yield* Effect.mapError(fs.remove(file), failed("remove", file))
  if (beside !== undefined) yield* Effect.mapError(fs.remove(beside, { force: true }), failed("remove", beside))
})
