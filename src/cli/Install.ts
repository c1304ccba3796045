/** `cni-passthrough install`: puts the plugin where runtimes look for it. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { text, toggle } from "./flags.ts"
import * as Plugin from "./Plugin.ts"
import { Problem } from "./Problem.ts"

/** Where runtimes look, most of them first. */
const folders = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"]

const input = {
  to: text("to", `Folder of plugins (default: the first of ${folders.join(", ")} that there is)`),
  uninstall: toggle("uninstall", "Take it away again")
}

/** The built plugin beside this command: the form that needs nothing on the host, where it is there. */
const builtPlugin = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const dist = path.dirname(yield* Effect.orElseSucceed(fs.realPath(process.argv[1] ?? ""), () => process.execPath))
  for (const candidate of ["standalone/passthrough", "passthrough"]) {
    const file = path.join(dist, candidate)
    if (yield* fs.exists(file)) return file
  }
  return yield* new Problem({ message: `there is no built plugin in ${dist}: run npm run build first`, status: 2 })
})

const answersVersion = Effect.fnUntraced(function*(file: string) {
  const { exitCode, failure, stdout } = yield* Plugin.call(file, { CNI_COMMAND: "VERSION" }, "{}", 10_000)
  if (exitCode !== 0) {
    return yield* new Problem({ message: `${file} does not answer VERSION: ${failure ?? stdout.trim()}`, status: 1 })
  }
})

/** `install` */
export const install = Command.make(
  "install",
  input,
  Effect.fnUntraced(function*({ to, uninstall }) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    let folder = to
    for (const candidate of folders) if (folder === "" && (yield* fs.exists(candidate))) folder = candidate
    const target = path.join(folder || "/opt/cni/bin", "passthrough")
    const failed = (error: Error) =>
      error instanceof Problem ? error : new Problem({ message: error.message, status: 2 })
    if (uninstall) {
      yield* Effect.mapError(fs.remove(target), failed)
      return yield* Console.log(`removed ${target}`)
    }
    const temporary = path.join(path.dirname(target), ".passthrough.new")
    yield* Effect.mapError(
      Effect.gen(function*() {
        const built = yield* builtPlugin
        yield* fs.makeDirectory(path.dirname(target), { recursive: true })
        yield* fs.copyFile(built, temporary)
        yield* fs.chmod(temporary, 0o755)
        yield* Effect.onError(answersVersion(temporary), () => Effect.ignore(fs.remove(temporary)))
        yield* fs.rename(temporary, target)
        yield* Console.log(`installed ${built} as ${target}`)
      }),
      failed
    )
  })
).pipe(
  Command.withDescription("Put the plugin into the folder of plugins, by rename, once it has answered VERSION there"),
  Command.withExamples([
    { command: "cni-passthrough install", description: "Into the first folder that runtimes look into" },
    { command: "cni-passthrough install --to /usr/lib/cni", description: "Where podman of Debian looks" },
    { command: "cni-passthrough install --uninstall", description: "Take it away again" }
  ])
)
