/** Replaces whole files: a reader sees either the old file or the new one, even if this process is killed. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"

/** A file or a folder could not be written. */
export class NotWritten extends Data.TaggedError("NotWritten")<{
  readonly path: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `cannot write ${this.path}: ${this.reason}`
}

/** Another program changed a file after it was read. */
export class ContentChanged extends Data.TaggedError("ContentChanged")<{ readonly path: string }> {
  override readonly message = `${this.path} was changed by another program: nothing is written, try again`
}

/** Replaces the operating system's text for these errors, which is written for programmers. */
const reasons: { readonly [code: string]: string } = {
  ENOENT: "there is no such file or folder",
  EISDIR: "it is a folder"
}

/** The operating system's reason, without codes and the names of system calls: `permission denied`. */
export const reasonOf = (error: PlatformError.PlatformError): string => {
  const { cause } = error.reason as { readonly cause?: unknown }
  if (!(cause instanceof Error)) return error.message
  const [code] = cause.message.split(":")
  return reasons[String(code)] ??
    cause.message.replace(/^[A-Z][A-Z0-9]*: /, "").replace(/, [a-z_]+(?: '[^]*)?$/, "")
}

/** Why a file or a folder could not be written, with advice if root could write it. */
export const writingReasonOf = (error: PlatformError.PlatformError): string => {
  const isForbidden = error.reason._tag === "PermissionDenied" && process.getuid?.() !== 0
  return `${reasonOf(error)}${isForbidden ? ": run this as root" : ""}`
}

/** The owner of a file that belongs neither to root nor to us. */
const otherOwner = ({ uid }: FileSystem.File.Info): Option.Option<number> =>
  Option.filter(uid, (owner) => owner !== 0 && owner !== process.geteuid?.())

/** Fails if a path is a symbolic link that belongs neither to root nor to us: its owner decides where it leads. */
export const checkLink = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const link = Option.filter(yield* Effect.option(fs.lstat(file)), ({ type }) => type === "SymbolicLink")
  const owner = Option.flatMap(link, otherOwner)
  if (Option.isNone(owner)) return
  return yield* new NotWritten({ path: file, reason: `it is a symbolic link of another user (${owner.value})` })
})

/** The targets of `/dev/stdout` and similar paths, such as a shell's pipe, may belong to any user. */
const isStream = (file: string, { type }: FileSystem.File.Info): boolean =>
  type !== "File" && /^\/(?:dev|proc)\/(?!shm\/)/.test(file)

/** Fails if an existing file, or a symbolic link in its place, belongs to another user. */
export const checkOwner = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  yield* checkLink(file)
  const target = Option.filter(yield* Effect.option(fs.stat(file)), (info) => !isStream(file, info))
  const owner = Option.flatMap(target, otherOwner)
  if (Option.isNone(owner)) return
  return yield* new NotWritten({ path: file, reason: `it belongs to another user (${owner.value})` })
})

/** The error of a file or a folder that could not be written. */
export const failed = (path: string) => (cause: PlatformError.PlatformError): NotWritten =>
  new NotWritten({ path, reason: writingReasonOf(cause), cause })

/**
 * Makes a folder and its parents, by default with mode 0755, regardless of the umask. The `recursive` option of Node.js
 * never returns if that is impossible, such as in /proc.
 */
export const makeFolder: (
  folder: string,
  mode?: number
) => Effect.Effect<void, NotWritten, FileSystem.FileSystem | Path.Path> = Effect.fnUntraced(
  function*(folder: string, mode = 0o755) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const missing: Array<string> = []
    for (let at = path.resolve(folder); !(yield* Effect.mapError(fs.exists(at), failed(at))); at = path.dirname(at)) {
      missing.unshift(at)
    }
    for (const each of missing) {
      yield* Effect.andThen(fs.makeDirectory(each, { mode }), fs.chmod(each, mode)).pipe(
        // Another process may have made it in the meantime.
        Effect.catch((error) =>
          error.reason._tag === "AlreadyExists" ? Effect.void : Effect.fail(failed(folder)(error))
        )
      )
    }
  }
)

/** Names of temporary files start with a dot and end with `.new`, so that no runtime loads them. */
const temporaryName = (name: string, pid: number): string => `.${name}.${pid}.new`

/** Removes the temporary files of processes that were killed while they replaced this file. */
export const cleanUp = Effect.fnUntraced(function*(folder: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const entry of yield* fs.readDirectory(folder)) {
    const pid = Number(/\.(\d+)\.new$/.exec(entry)?.[1])
    if (entry !== temporaryName(name, pid)) continue
    if (pid !== process.pid && (yield* fs.exists(`/proc/${pid}`))) continue
    yield* fs.remove(path.join(folder, entry), { force: true })
  }
})

/**
 * Lets `fill` make a temporary file in the folder of `file`, and renames that file into place. If `fill` fails, nothing
 * changes. The temporary file never stays: if this process is killed, the next process to replace the same file removes
 * it.
 */
export const replaceWith = Effect.fnUntraced(function*<E, R>(
  file: string,
  fill: (temporary: string) => Effect.Effect<void, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.dirname(file)
  const temporary = path.join(folder, temporaryName(path.basename(file), process.pid))
  yield* Effect.ignore(cleanUp(folder, path.basename(file)))
  yield* fill(temporary).pipe(
    Effect.andThen(Effect.mapError(fs.rename(temporary, file), failed(file))),
    Effect.onError(() => Effect.ignore(fs.remove(temporary)))
  )
})

/** Options of a replacement. */
export interface ReplaceOptions {
  /** The mode of a new file. An existing file keeps its mode and owner. Default: 0644. */
  readonly mode?: number
  /** The text that the file must still have: otherwise fails with {@link ContentChanged}. */
  readonly expected?: string
}

/**
 * Replaces the text of a file by pieces, which need not be in memory all at once. If the path is a symbolic link that
 * belongs to root or to us, its target is replaced.
 */
export const replacePieces = Effect.fnUntraced(function*(
  file: string,
  pieces: Iterable<string>,
  options: ReplaceOptions = {}
) {
  const fs = yield* FileSystem.FileSystem
  yield* checkLink(file)
  const target = yield* Effect.orElseSucceed(fs.realPath(file), () => file)
  const old = yield* Effect.option(fs.stat(target))
  const mode = old._tag === "Some" ? old.value.mode & 0o7777 : options.mode ?? 0o644
  const write = Effect.fnUntraced(function*(temporary: string) {
    const handle = yield* fs.open(temporary, { flag: "wx", mode })
    const encoder = new TextEncoder()
    for (const piece of pieces) yield* handle.writeAll(encoder.encode(piece))
    if (old._tag === "Some" && old.value.uid._tag === "Some" && old.value.gid._tag === "Some") {
      yield* fs.chown(temporary, old.value.uid.value, old.value.gid.value)
    }
    yield* fs.chmod(temporary, mode) // the umask may have taken bits away
    yield* handle.sync // a power cut must not leave an empty file either
    return options.expected === undefined || options.expected === (yield* fs.readFileString(target))
  })
  yield* replaceWith(target, (temporary) =>
    Effect.scoped(write(temporary)).pipe(
      Effect.mapError(failed(file)),
      Effect.flatMap((isExpected) => isExpected ? Effect.void : Effect.fail(new ContentChanged({ path: file })))
    ))
})

/** Replaces the text of a file, as {@link replacePieces} does. */
export const replaceText = (file: string, text: string, options?: ReplaceOptions) =>
  replacePieces(file, [text], options)
