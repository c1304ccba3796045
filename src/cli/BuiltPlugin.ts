/** The built plugin that came with this command. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/** There is no plugin to install. */
export class NotBuilt extends Data.TaggedError("NotBuilt")<{ readonly folder: string }> {
  override readonly message =
    `there is no passthrough in ${this.folder}: copy it beside this command, from the folder where npm run build put both`
}

/** The file that this command was started from. The standalone executable is the plugin too. */
export const CommandFile = Context.Reference<string>("cni-passthrough/cli/CommandFile", {
  defaultValue: () => process.versions["bun"] === undefined ? process.argv[1] ?? "" : process.execPath
})

/** Whether a file is the one that this command was started from. */
export const isThisCommand = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const [own, other] = yield* Effect.all([Effect.flatMap(CommandFile, fs.realPath), fs.realPath(file)])
  return own === other
}, (effect) => Effect.orElseSucceed(effect, () => false))

/** The loaders of both C libraries, by processor, and a name of musl's loader that only Alpine has. */
const loaders: {
  readonly [processor: string]: { readonly glibc: string; readonly musl: string; readonly alpine: string }
} = {
  x64: { glibc: "lib64/ld-linux-x86-64.so.2", musl: "lib/ld-musl-x86_64.so.1", alpine: "lib/libc.musl-x86_64.so.1" },
  arm64: { glibc: "lib/ld-linux-aarch64.so.1", musl: "lib/ld-musl-aarch64.so.1", alpine: "lib/libc.musl-aarch64.so.1" }
}

/**
 * Whether the host with this root uses musl as its C library. Debian can have musl as well as glibc, and Alpine can have
 * a loader with the name of glibc's. Links are not followed, because absolute ones lead elsewhere if the root is a
 * mounted one.
 */
const hasMusl = Effect.fnUntraced(function*(root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = loaders[process.arch]
  if (names === undefined) return false
  const isThere = (name: string) => Effect.isSuccess(fs.lstat(path.join(root, name)))
  if (!(yield* isThere(names.musl))) return false
  return !(yield* isThere(names.glibc)) || (yield* isThere(names.alpine))
})

/**
 * The file of the plugin that came with this command: preferably the form that needs nothing on the host, and of that
 * the one for the C library of the host with the root `root`.
 */
export const find = Effect.fnUntraced(function*(root: string = "/") {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const command = yield* CommandFile
  // An upgrade may have replaced the executable since.
  const own = yield* Effect.orElseSucceed(fs.realPath(command), () => command)
  const dist = path.dirname(own)
  const isStandalone = command === process.execPath
  const candidates = isStandalone ? [path.basename(own), "passthrough"] : ["standalone/passthrough", "passthrough"]
  for (const candidate of (yield* hasMusl(root)) ? ["musl/passthrough", ...candidates] : candidates) {
    const file = path.join(dist, candidate)
    if (yield* Effect.orElseSucceed(fs.exists(file), () => false)) return file
  }
  return yield* new NotBuilt({ folder: dist })
})
