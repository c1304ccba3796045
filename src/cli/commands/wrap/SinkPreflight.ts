/** Says whether wrapped plugins can write their logs, because a plugin that cannot carries on silently. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as AtomicFile from "../../../host/AtomicFile.ts"
import * as Escape from "../../../record/Escape.ts"
import type * as Stub from "../../../wrap/Stub.ts"
import * as Config from "./Config.ts"

/** The socket of journald. */
const journal = "/run/systemd/journal/socket"

/** The reason of an error, if it also holds for plugins, which usually run as root. */
const reasonOf = (error: PlatformError.PlatformError): string | undefined =>
  error.reason._tag === "PermissionDenied" && process.getuid?.() !== 0 ? undefined : AtomicFile.reasonOf(error)

/** Why nothing can be created in a folder, or in the nearest folder above it that exists. */
const problemOfFolder = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  let at = path.resolve(folder)
  while (!(yield* Effect.orElseSucceed(fs.exists(at), () => true))) at = path.dirname(at)
  return yield* Effect.match(Effect.scoped(fs.makeTempDirectoryScoped({ directory: at, prefix: ".passthrough-" })), {
    onSuccess: () => undefined,
    onFailure: (error) => {
      const reason = reasonOf(error)
      return reason === undefined ? undefined : `nothing can be made in ${at}: ${reason}`
    }
  })
})

/** Why a file cannot be written. A missing file is not created. */
const problemOfFile = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const [fixed = "", ...variables] = file.split("$")
  if (variables.length > 0) return yield* problemOfFolder(path.dirname(`${fixed}x`))
  if (Option.isSome(yield* Effect.option(fs.readLink(file)))) return "it is a symbolic link, which is not followed"
  const info = yield* Effect.option(fs.stat(file))
  if (Option.isNone(info)) return yield* problemOfFolder(path.dirname(file))
  if (info.value.type !== "File" && info.value.type !== "Directory") return undefined
  return yield* Effect.match(Effect.scoped(fs.open(file, { flag: "a" })), {
    onSuccess: () => undefined,
    onFailure: reasonOf
  })
})

/** Why a sink cannot be written; undefined if it seems to work. */
const problemOf = Effect.fnUntraced(function*(sink: Config.Sink) {
  const fs = yield* FileSystem.FileSystem
  if (sink.type === "file") return sink.path.startsWith("/") ? yield* problemOfFile(sink.path) : undefined
  const socket = sink.type === "journald" ? journal : sink.type === "syslog" ? sink.address : ""
  const isThere = !socket.startsWith("/") || (yield* Effect.orElseSucceed(fs.exists(socket), () => true))
  return isThere ? undefined : `nothing listens, as there is no ${socket}`
})

/** Everything that keeps wrapped plugins with this configuration from logging, one a line. */
export const problems = Effect.fnUntraced(function*(at: Stub.Places, { problems, sinks }: Config.Reading) {
  const unreached = yield* Effect.forEach(
    sinks,
    (sink) =>
      Effect.map(
        problemOf(sink),
        (problem) => problem === undefined ? [] : [`nothing is logged to ${Config.place(sink)}: ${problem}`]
      )
  )
  return [...problems.map((problem) => `${at.config}: ${problem}`), ...unreached.flat()].map(Escape.inLine)
})
