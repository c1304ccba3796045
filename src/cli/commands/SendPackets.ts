/** `cni-passthrough send-packets`: sends the packets that `trace` and `doctor --trial` ask for. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Json from "../../json/Json.ts"
import * as Probe from "../../trace/Probe.ts"

const decode = Schema.decodeUnknownOption(Probe.Question)

/** `send-packets`: questions on stdin and answers on stdout, one JSON object a line. */
export const sendPackets = Command.make(
  "send-packets",
  {},
  Effect.fnUntraced(function*() {
    const { stdin } = yield* Stdio.Stdio
    yield* Console.log(Probe.ready)
    yield* stdin.pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.runForEach((line) =>
        Option.match(decode(Json.parse(line)), {
          onNone: () => Effect.void,
          onSome: (question) => Effect.flatMap(Probe.ask(question), (answer) => Console.log(JSON.stringify(answer)))
        })
      )
    )
  })
).pipe(
  Command.withDescription("Send packets that trace asks for on stdin"),
  Command.unlisted
)
