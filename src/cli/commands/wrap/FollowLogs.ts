/** `cni-passthrough wrap --follow`: shows what wrapped plugins do, as it happens. */
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { ExportedOperations } from "../../../export/ExportedOperations.ts"
import * as LogFollower from "../../../log/LogFollower.ts"
import * as Filter from "../../../operations/Filter.ts"
import { FollowedOperations, type Piece } from "../../../operations/FollowedOperations.ts"
import type * as Wrapping from "../../../wrap/Wrapping.ts"
import type * as Exporting from "../../Exporting.ts"
import * as Print from "../../Print.ts"
import * as Show from "../Show.ts"
import * as Config from "./Config.ts"

/** No sink can be read back. */
export class NothingToFollow extends Data.TaggedError("NothingToFollow")<{ readonly found: ReadonlyArray<string> }> {
  override readonly message = `--follow reads a log that is a file, or the journal: found ${
    this.found.join(", ") || "none"
  }`
}

/** Where the plugins of these folders log to once they are wrapped. */
const sinksOf = Effect.fnUntraced(function*({ at, config, keepsConfig }: Wrapping.Request) {
  const fs = yield* FileSystem.FileSystem
  const old = fs.readFileString(at.config).pipe(Effect.orElseSucceed(() => config))
  return Config.read(keepsConfig ? yield* old : config).sinks
})

/** The sources to follow once the plugins of these folders are wrapped. Fails if there are none. */
export const sources = Effect.fnUntraced(function*(requests: ReadonlyArray<Wrapping.Request>) {
  const sinks = (yield* Effect.forEach(requests, sinksOf)).flat()
  const journal = sinks.some(({ type }) => type === "journald")
  const logs = [...new Set(sinks.flatMap((sink) => sink.type === "file" ? [Config.patternOf(sink)] : []))]
  if (!journal && logs.length === 0) return yield* new NothingToFollow({ found: sinks.map(({ type }) => type) })
  return { journal, logs } satisfies LogFollower.Sources
})

/** A screen for operations and other lines. The other lines wait until no operation is half drawn. */
export const makeScreen = () => {
  const waiting: Array<string> = []
  let isDrawing = false
  const rest = () => waiting.splice(0).map((line) => `${line}\n`).join("")
  return {
    say: (line: string) => Effect.suspend(() => isDrawing ? Effect.sync(() => waiting.push(line)) : Console.log(line)),
    /** The text of a piece of an operation, with the lines that waited for its end. */
    after: (text: string, { _tag }: Piece): string => {
      isDrawing = _tag !== "Foot"
      return isDrawing ? text : `${text}${rest()}`
    }
  }
}

/** Exports what is followed, too: all operations since the beginning, of all networks. */
const withExport = (
  shown: FollowedOperations,
  { since }: Filter.Filter,
  exporting: Exporting.Running | undefined
): LogFollower.Consumer<Piece> => {
  if (exporting === undefined) return shown
  const exported = new ExportedOperations((operation) => since === undefined || Date.parse(operation.time) >= since)
  return {
    add: (record, now) => {
      shown.add(record, now)
      exported.add(record, now)
    },
    due: (now) => {
      exported.due(now).forEach(exporting.take)
      return shown.due(now)
    },
    rest: () => {
      exported.rest().forEach(exporting.take)
      return shown.rest()
    }
  }
}

/** How to show operations. */
interface Options {
  readonly screen: ReturnType<typeof makeScreen>
  readonly json: boolean
  readonly exporting: Exporting.Running | undefined
}

/** Shows each operation that passes the filter, as JSON if `json` is set. When interrupted, shows the rest. */
export const follow = Effect.fnUntraced(
  function*(sources: LogFollower.Sources, filter: Filter.Filter, { exporting, json, screen: { after } }: Options) {
    const { piece } = yield* Show.renderer({ full: false, json })
    const shownOperations = new FollowedOperations((operation) => Filter.matches(filter, operation))
    const following = withExport(shownOperations, filter, exporting)
    const pieces = LogFollower.pieces(sources, following, (message) => Console.error(message))
    const textOf = (it: Piece) => json ? piece(it) : after(piece(it), it)
    const shown = Stream.map(Stream.unwrap(pieces), textOf).pipe(Stream.filter((text) => text !== ""))
    // Unwrapping comes next, and must not wait for a reader.
    yield* Effect.onInterrupt(Print.all(shown), () => {
      const rest = following.rest().map(textOf).join("")
      return Effect.forkDetach(Print.all(Stream.make(rest)), { startImmediately: true })
    })
  },
  Effect.scoped
)
