/** The files of the host, but for what a test says otherwise. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"

/** Replaces some functions of the file system. The replacements get the original ones. */
export const files = (change: (fs: FileSystem.FileSystem) => Partial<FileSystem.FileSystem>) =>
  Layer.effect(FileSystem.FileSystem, Effect.map(FileSystem.FileSystem, (fs) => ({ ...fs, ...change(fs) }))).pipe(
    Layer.provideMerge(NodeServices.layer)
  )

/** Folders list their files in the reverse order of their names. */
export const reversed = files((fs) => ({
  readDirectory: (path, options) =>
    Effect.map(fs.readDirectory(path, options), (names) => names.toSorted().toReversed())
}))

/** The error of a file that may not be read. */
export const denied = (path: string) =>
  PlatformError.systemError({ _tag: "PermissionDenied", module: "FileSystem", method: "stat", pathOrDescriptor: path })
