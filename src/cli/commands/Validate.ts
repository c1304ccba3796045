/** `cni-passthrough validate`: everything that is wrong with network configurations, with its place. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NetworkConfigList from "../../cni/NetworkConfigList.ts"
import * as Configuration from "../../doctor/Configuration.ts"
import * as PluginFacts from "../../doctor/PluginFacts.ts"
import * as ConfFolder from "../../host/ConfFolder.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import * as Style from "../../report/Style.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"

const input = {
  files: Flags.fileArgument("file").pipe(
    Argument.withDescription("Network configurations to look at"),
    Argument.atLeast(1)
  ),
  cniPath: Flags.cniPath,
  plugins: Flag.Boolean("plugins").pipe(
    Flag.withDescription(
      "Look for the plugins, and ask them for their versions (default; --no-plugins: the file alone)"
    ),
    Flag.withDefault(true)
  )
}

/** What is known of a file, and of its plugins where there are folders to look into. */
const collect = Effect.fnUntraced(function*(file: string, folders: ReadonlyArray<string> | undefined) {
  const text = yield* ConfFolder.readText(file)
  const outcome = JsonSource.parse(text)
  const { cniVersion, plugins } = NetworkConfigList.make(JsonSource.isSource(outcome) ? outcome.value : {})
  const types = plugins.map(({ type }) => type)
  const facts = folders === undefined ? undefined : yield* PluginFacts.collect(types, folders, cniVersion)
  return { text, outcome, isLoaded: ConfFolder.isLoadedName(file), plugins: facts } satisfies Configuration.Facts
})

/** `validate FILE…` */
export const validate = Command.make(
  "validate",
  input,
  Effect.fnUntraced(function*(flags) {
    const style = yield* Style.current()
    let count = 0
    for (const file of flags.files) {
      const findings = Configuration.findings(yield* collect(file, flags.plugins ? flags.cniPath : undefined))
      count += findings.length
      for (const { column, line, message } of findings) {
        yield* Console.log(style.red(`${file}:${line}:${column}: ${message}`))
      }
      if (findings.length === 0) yield* Console.log(style.green(`${file}: fine`))
    }
    if (count > 0) return yield* new Errors.Unsuccessful()
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Find what is wrong with network configurations"),
  Command.withDescription(
    "Find everything that is wrong with network configurations: JSON, what the specification and libcni ask for, our " +
      "fields, plugins that are missing or do not speak the version. Exit status 0: nothing is wrong, 1: something is, " +
      "2: a file cannot be read."
  ),
  Command.withExamples([
    { command: "cni-passthrough validate /etc/cni/net.d/*.conflist", description: "All networks of this host" },
    {
      command: "cni-passthrough validate --no-plugins conf/10-chained.conflist",
      description: "The file alone, on a host without its plugins"
    }
  ])
)
