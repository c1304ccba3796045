/** `cni-passthrough instrument`: puts taps into a chain, and takes them out again. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Conflist from "./Conflist.ts"
import { text, toggle } from "./flags.ts"
import * as JsonSource from "./JsonSource.ts"
import { Problem } from "./Problem.ts"
import { CurrentStyle } from "./Style.ts"
import * as Tap from "./Tap.ts"

const input = {
  conflist: Argument.String("conflist").pipe(Argument.withDescription("A conflist file")),
  inPlace: toggle("in-place", "Write the file itself, atomically, with its mode and owner").pipe(Flag.withAlias("i")),
  output: text("output", "Write another file").pipe(Flag.withAlias("o")),
  remove: toggle("remove", "Take the taps out again"),
  sink: Flag.Literals("sink", ["file", "journald", "syslog"]).pipe(
    Flag.withDescription("Where the taps log to"),
    Flag.withDefault("file" as const)
  ),
  logDir: text("log-dir", "Folder of the logs, one for each container", "/var/log/cni"),
  hook: Flag.String("hook").pipe(Flag.withDescription("A command that the taps run on ADD and DEL"), Flag.atLeast(0))
}

type Input = Command.Command.Config.Infer<typeof input>

const fieldsOf = ({ hook, logDir, sink }: Input): Tap.Fields => ({
  logSinks: [
    sink === "file" ? { type: "file", path: `${logDir}/\${CNI_CONTAINERID}.jsonl`, format: "json" } : { type: sink }
  ],
  onLogFailure: "ignore",
  ...(hook.length === 0 ? {} : { hookADD: hook, hookDEL: hook })
})

/** By rename, so that a runtime never reads half a file. */
const replaceFile = Effect.fnUntraced(function*(file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const target = yield* fs.realPath(file)
  const { gid, mode, uid } = yield* fs.stat(target)
  // Not a name that a runtime would load.
  const temporary = path.join(path.dirname(target), `.${path.basename(target)}.new`)
  yield* fs.writeFileString(temporary, text, { mode: mode & 0o7777 })
  yield* fs.chmod(temporary, mode & 0o7777)
  if (uid._tag === "Some" && gid._tag === "Some") yield* fs.chown(temporary, uid.value, gid.value)
  yield* fs.rename(temporary, target)
})

/** The lines of a text, those with something put in with a `+` in front of them. */
const difference = ({ inserted, text }: Tap.Instrumented, paint: (line: string) => string): ReadonlyArray<string> => {
  let start = 0
  return text.trimEnd().split("\n").map((line) => {
    const end = start + line.length
    const [from, to] = [start, end]
    const isNew = inserted.some((range) => /\S/.test(text.slice(Math.max(range.start, from), Math.min(range.end, to))))
    start = end + 1
    return isNew ? paint(`+ ${line}`) : `  ${line}`
  })
}

/** `instrument CONFLIST` */
export const instrument = Command.make(
  "instrument",
  input,
  Effect.fnUntraced(function*(flags) {
    const fs = yield* FileSystem.FileSystem
    const style = yield* CurrentStyle
    const loaded = yield* Conflist.load(flags.conflist, ".")
    const source = JsonSource.parse(loaded.text)
    if (!("value" in source) || !source.ranges.has("plugins")) {
      return yield* new Problem({ message: `${loaded.path} is no chain: it has no list of plugins`, status: 2 })
    }
    const isInstrumented = Tap.indices(source).length > 0
    if (!flags.remove && isInstrumented) {
      return yield* new Problem({
        message: `${loaded.path} has taps already: take them out with --remove first`,
        status: 2
      })
    }
    if (flags.remove && !isInstrumented) {
      return yield* new Problem({ message: `${loaded.path} has no taps that were put in by this command`, status: 2 })
    }
    const changed: Tap.Instrumented = flags.remove
      ? { text: Tap.remove(loaded.text, source), inserted: [] }
      : Tap.insert(loaded, source, fieldsOf(flags))
    const failed = (error: Error) => new Problem({ message: `cannot write: ${error.message}`, status: 2 })
    if (flags.output !== "") yield* Effect.mapError(fs.writeFileString(flags.output, changed.text), failed)
    if (flags.inPlace) yield* Effect.mapError(replaceFile(loaded.path, changed.text), failed)
    for (const line of difference(changed, style.green)) yield* Console.log(line)
    if (!flags.inPlace && flags.output === "") {
      yield* Console.error("nothing is written yet: --in-place writes the file itself, -o FILE another one")
    }
  })
).pipe(
  Command.withDescription(
    "Put taps before, between and behind the plugins of a chain; --remove gives the old file back byte for byte"
  ),
  Command.withExamples([
    {
      command: "cni-passthrough instrument /etc/cni/net.d/87-podman-bridge.conflist",
      description: "See what would change"
    },
    {
      command: "cni-passthrough instrument -i --hook 'iptables -t nat -S' /etc/cni/net.d/87-podman-bridge.conflist",
      description: "Put taps with a hook in"
    },
    {
      command: "cni-passthrough instrument -i --remove /etc/cni/net.d/87-podman-bridge.conflist",
      description: "Take them out again"
    }
  ])
)
