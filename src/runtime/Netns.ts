/** Named network namespaces. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Execution from "../exec/Execution.ts"
import * as HostTools from "../exec/HostTools.ts"

/** The folder of `ip netns`. */
const folder = "/run/netns"

/** A network namespace could not be created or removed. */
export class NetnsFailed extends Data.TaggedError("NetnsFailed")<{
  readonly command: string
  readonly reason: string
  readonly cause?: unknown
}> {
  override readonly message = `${this.command}: ${this.reason}`
}

/** Whether `ip netns` accepts a name. */
export const isName = (name: string): boolean => /^[^/\0]{1,255}$/.test(name) && name !== "." && name !== ".."

/** Returns the absolute path of a namespace, normalized, because the container ID is derived from it. */
export const pathOf = Effect.fnUntraced(function*(pathOrName: string) {
  const path = yield* Path.Path
  return isName(pathOrName) ? `${folder}/${pathOrName}` : path.resolve(pathOrName)
})

const withoutVar = (path: string): string => path.startsWith("/var/run/") ? path.slice("/var".length) : path

/** Whether two paths are one: runtimes write /var/run for /run. */
export const isSamePath = (left: string, right: string): boolean => withoutVar(left) === withoutVar(right)

/** No namespace exists at this path. */
export class NetnsMissing extends Data.TaggedError("NetnsMissing")<{ readonly path: string }> {
  override readonly message = `there is no network namespace ${this.path}`
}

/** Fails if the path of a namespace does not exist. */
export const require = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  if (!(yield* Effect.orElseSucceed(fs.exists(path), () => true))) return yield* new NetnsMissing({ path })
})

/** The namespace to create already exists. */
export class NetnsExists extends Data.TaggedError("NetnsExists")<{ readonly name: string }> {
  override readonly message = `the network namespace ${this.name} already exists: --netns ${this.name} uses it as it is`
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

/** Creates a named namespace. */
export const add = Effect.fnUntraced(function*(name: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* Effect.orElseSucceed(fs.exists(`${folder}/${name}`), () => false)) return yield* new NetnsExists({ name })
  yield* ip("netns", "add", name)
})

export const remove = (name: string) => ip("netns", "del", name)
