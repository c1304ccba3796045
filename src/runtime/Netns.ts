/** Named network namespaces, and what their paths are. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"

/** The folder where `ip netns` keeps its namespaces. */
const folder = "/run/netns"

/** A network namespace could not be made or removed. */
export class NetnsFailed extends Data.TaggedError("NetnsFailed")<{
  readonly command: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.command}: ${this.reason}`
}

/** Whether `ip netns` can call a namespace so. */
export const isName = (name: string): boolean => /^[^/\0]{1,255}$/.test(name) && name !== "." && name !== ".."

/** The absolute path of a namespace, without `.`, `..` and doubled slashes: it names the container. */
export const pathOf = Effect.fnUntraced(function*(pathOrName: string) {
  const path = yield* Path.Path
  return isName(pathOrName) ? `${folder}/${pathOrName}` : path.resolve(pathOrName)
})

/** There is no namespace at this path. */
export class NetnsMissing extends Data.TaggedError("NetnsMissing")<{ readonly path: string }> {
  override readonly message = `there is no network namespace ${this.path}`
}

/** Fails where nothing is at the path of a namespace. */
export const require = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(fs.exists(path), () => true))) return yield* new NetnsMissing({ path })
})

/** A namespace that is to be made is there. */
export class NetnsExists extends Data.TaggedError("NetnsExists")<{ readonly name: string }> {
  override readonly message =
    `the network namespace ${this.name} is there already: --netns ${this.name} takes it as it is`
}

const ip = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const command = `ip ${args.join(" ")}`
  const execution = yield* Effect.mapError(
    HostTools.run({ argv: ["ip", ...args] }),
    (cause) => new NetnsFailed({ command, reason: cause.reason, cause })
  )
  if (Execution.succeeded(execution)) return
  const said = Execution.text(execution.stderr).trim()
  return yield* new NetnsFailed({
    command,
    reason: said === "" ? `exit status ${execution.exitCode}; this needs root` : said
  })
})

/** Makes a named namespace. */
export const add = Effect.fnUntraced(function*(name: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* Effect.orElseSucceed(fs.exists(`${folder}/${name}`), () => false)) return yield* new NetnsExists({ name })
  yield* ip("netns", "add", name)
})

/** Removes a named namespace. */
export const remove = (name: string) => ip("netns", "del", name)
