/** Reads the stdin of a wrapped plugin, and leaves what it cannot keep to the plugin. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import { StdinUnreadable } from "../../cni/CniError.ts"
import * as StdinBytes from "../StdinBytes.ts"
import { StdinReader, type Unfinished } from "../StdinReader.ts"

/** How long VERSION waits for stdin, which plugins do not need for it, in seconds. */
const versionTimeout = 1

/** How much of a wrapped plugin's stdin to read before it starts, in bytes. The plugin gets all of it. */
const maxShimStdin = 64 * 1_048_576

const untouched = new StdinUnreadable({ reason: "nothing was read" })

/** Whether a descriptor is a terminal or another device except /dev/null. Loading `node:tty` would take 2 ms. */
const isDevice = (fd: number): boolean => {
  try {
    const stat = Fs.fstatSync(fd)
    return stat.isCharacterDevice() && stat.rdev !== Fs.statSync("/dev/null").rdev
  } catch {
    return false // it is closed, which reading it will report
  }
}

/** Reads the stdin of a wrapped plugin. */
export interface ShimStdin {
  readonly reader: StdinReader["Service"]
  /** Returns a stdin that is still arriving. */
  readonly unfinished: () => Unfinished | undefined
}

/**
 * Reads the stdin of a wrapped plugin, without a time limit, as the plugin would. A terminal is left to the plugin. If
 * stdin does not end in time for VERSION, or is too large to keep, the rest is passed on while the plugin runs.
 */
export const shimStdin = (): ShimStdin => {
  let unfinished: Unfinished | undefined
  return {
    unfinished: () => unfinished,
    reader: StdinReader.of({
      read: Effect.suspend(() =>
        isDevice(0) ? Effect.fail(untouched) : StdinBytes.readAll({
          seconds: process.env["CNI_COMMAND"] === "VERSION" ? versionTimeout : 0,
          most: maxShimStdin,
          orElse: (soFar) => {
            unfinished = soFar
            return Effect.succeed(soFar.begun)
          }
        })
      )
    })
  }
}
