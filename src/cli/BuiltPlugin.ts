/** The built plugin that came with this command. */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/** There is no plugin to install. */
export class NotBuilt extends Data.TaggedError("NotBuilt")<{ readonly folder: string }> {
  override readonly message = `there is no built plugin in ${this.folder}: run npm run build first`
}

/** The file that this command was started from, as far as it is one. */
export const CommandFile = Context.Reference<string>("cni-passthrough/cli/CommandFile", {
  defaultValue: () => process.argv[1] ?? ""
})

/** The file of the plugin beside this command: the form that needs nothing on the host, where it is there. */
export const find = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const file = yield* CommandFile
  const dist = path.dirname(yield* Effect.orElseSucceed(fs.realPath(file), () => process.execPath))
  for (const candidate of ["standalone/passthrough", "passthrough"]) {
    const file = path.join(dist, candidate)
    if (yield* Effect.orElseSucceed(fs.exists(file), () => false)) return file
  }
  return yield* new NotBuilt({ folder: dist })
})
