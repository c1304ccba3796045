/** Reads the stdin of a tap. */
import * as Effect from "effect/Effect"
import { StdinUnreadable } from "../../cni/CniError.ts"
import * as StdinBytes from "../StdinBytes.ts"
import { StdinReader } from "../StdinReader.ts"

/** How long to wait until the runtime has written the document and closed stdin, in seconds. */
export const stdinTimeout = 30

/**
 * The maximum size of a document, in bytes. Real ones have a few kilobytes, and the engines have limits of their own.
 */
const maxSize = 256 * 1_048_576

/** Reads the stdin of this process, for {@link stdinTimeout} seconds at most. */
export const stdinReaderLive = StdinReader.of({
  read: Effect.suspend(() =>
    StdinBytes.readAll({
      seconds: stdinTimeout,
      most: maxSize,
      orElse: (_, reason) => new StdinUnreadable({ reason })
    })
  )
})
