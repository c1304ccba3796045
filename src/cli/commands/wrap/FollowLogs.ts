/** `cni-passthrough wrap --follow`: what wrapped plugins do, as it happens. */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Filter from "../../../report/Filter.ts"
import * as Follow from "../../../report/Follow.ts"
import { Following } from "../../../report/Following.ts"
import * as Print from "../../Print.ts"
import * as Show from "../Show.ts"
import type * as Config from "./Config.ts"

/** Nothing that is logged can be read again. */
export class NothingToFollow extends Data.TaggedError("NothingToFollow")<{ readonly found: ReadonlyArray<string> }> {
  override readonly message = `--follow reads a log that is a file, or the journal: found ${
    this.found.join(", ") || "none"
  }`
}

/** A pattern that matches the files of a log whose path has variables in it. */
export const patternOf = ({ path }: Config.Sink & { readonly type: "file" }): string =>
  path.replace(/\$(?:\{\w+\}|\w+)/g, "*")

/** Shows each operation that begins from now on and that the filter wants. When it is interrupted, it shows the rest. */
export const follow = Effect.fnUntraced(function*(sinks: ReadonlyArray<Config.Sink>, filter: Filter.Filter) {
  const journal = sinks.some(({ type }) => type === "journald")
  const logs = [...new Set(sinks.flatMap((sink) => sink.type === "file" ? [patternOf(sink)] : []))]
  if (!journal && logs.length === 0) return yield* new NothingToFollow({ found: sinks.map(({ type }) => type) })
  const since = yield* Clock.currentTimeMillis
  const { piece } = yield* Show.renderer({ colour: "auto", full: false, json: false })
  const following = new Following((operation) => Filter.matches({ ...filter, since }, operation))
  const pieces = Follow.pieces({ journal, logs }, following, (message) => Console.error(message))
  yield* Print.all(Stream.map(Stream.unwrap(pieces), piece).pipe(Stream.filter((text) => text !== ""))).pipe(
    Effect.onInterrupt(() => Effect.ignore(Print.all(Stream.map(Stream.fromIterable(following.rest()), piece))))
  )
}, Effect.scoped)
