/** The parameters of a request, from the environment of this process. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Environment from "../../cni/Environment.ts"
import { EnvReader } from "../EnvReader.ts"

const namespaceOf = (path: string): string | undefined => {
  try {
    const { dev, ino } = Fs.statSync(path)
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** Reads the environment of this process. */
export const envReaderLive = EnvReader.of({
  read: Effect.sync(() => Environment.make(process.env)),
  arguments: Effect.sync(() => process.argv.slice(2)),
  isOwnNamespace: (netns) =>
    Effect.sync(() => {
      const own = namespaceOf("/proc/self/ns/net")
      return own !== undefined && own === namespaceOf(netns)
    })
})
