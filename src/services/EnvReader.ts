import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { type Environment, make } from "../cni/Environment.ts"

const namespaceOf = (path: string): string | undefined => {
  try {
    const { dev, ino } = Fs.statSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** What the process was started with. */
export class EnvReader extends Context.Service<EnvReader, {
  /** The parameters of the request. */
  readonly read: Effect.Effect<Environment>
  /** What a person typed behind the name of the plugin. Runtimes pass nothing. */
  readonly arguments: Effect.Effect<ReadonlyArray<string>>
  /** Whether `netns` is the network namespace of this process. One that cannot be opened is not. */
  readonly isOwnNamespace: (netns: string) => Effect.Effect<boolean>
}>()("cni-passthrough/EnvReader") {
  /** Reads the environment of this process. */
  static readonly live = EnvReader.of({
    read: Effect.sync(() => make(process.env)),
    arguments: Effect.sync(() => process.argv.slice(2)),
    isOwnNamespace: (netns) =>
      Effect.sync(() => {
        const own = namespaceOf("/proc/self/ns/net")
        return own !== undefined && own === namespaceOf(netns)
      })
  })
}
