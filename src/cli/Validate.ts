/** `cni-passthrough validate`: everything that is wrong with a network configuration, with its place. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { isObject } from "../cni/isObject.ts"
import * as Settings from "../cni/Settings.ts"
import * as Conflist from "./Conflist.ts"
import { cniPath, folders } from "./flags.ts"
import * as JsonSource from "./JsonSource.ts"
import * as Plugin from "./Plugin.ts"
import { Problem, Unsuccessful } from "./Problem.ts"
import { CurrentStyle } from "./Style.ts"

const input = {
  conflists: Argument.String("conflist").pipe(Argument.withDescription("Files to look at"), Argument.atLeast(1)),
  cniPath,
  plugins: Flag.Boolean("plugins").pipe(
    Flag.withDescription("Look for the plugins and ask them for their versions (--no-plugins for the file alone)"),
    Flag.withDefault(true)
  )
}

/** The problems of the fields of our own plugin. */
const ourProblems = ({ config }: Conflist.PluginConfig, path: string): ReadonlyArray<Conflist.DocumentProblem> =>
  Settings.read(config).problems.map(({ message, path: field }) => ({
    path: field.reduce<string>((at, key) => typeof key === "number" ? `${at}[${key}]` : `${at}.${String(key)}`, path)
      .replace(/^\./, ""),
    message: message.slice(message.indexOf(": ") + 2) // without the name of the field, which the path ends with
  }))

/** What is wrong with a plugin as it is on this host. */
const hostProblem = Effect.fnUntraced(function*(type: string, cniVersion: string, cniPath: ReadonlyArray<string>) {
  const file = yield* Plugin.find(type, cniPath)
  if (file === undefined) return `the plugin ${type} is not in ${cniPath.join(":")}`
  const stdin = JSON.stringify({ cniVersion })
  const { exitCode, failure, stdout } = yield* Plugin.call(file, { CNI_COMMAND: "VERSION" }, stdin, 10_000)
  if (exitCode !== 0) return `${file} does not answer VERSION: ${failure ?? `exit status ${exitCode}`}`
  const answer = JsonSource.valueOf(stdout)
  const versions = isObject(answer) ? answer["supportedVersions"] : undefined
  if (!Array.isArray(versions)) return `${file} answers VERSION with something else than a list of versions`
  return versions.includes(cniVersion) ? undefined : `${file} speaks ${versions.join(", ")}, and not ${cniVersion}`
})

const problemsOf = Effect.fnUntraced(function*(file: string, cniPath: ReadonlyArray<string> | undefined) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const text = yield* Effect.mapError(
    fs.readFileString(file),
    (error) => new Problem({ message: `cannot read ${file}: ${error.message}`, status: 2 })
  )
  const source = JsonSource.parse(text)
  if (!("value" in source)) return [Conflist.explain(file, text, source.offset, source.message)]
  const problems = [...Conflist.documentProblems(source.value)]
  if (!/\.(?:conflist|conf|json)$/.test(path.basename(file))) {
    problems.push({ path: "", message: "runtimes load only files that end with .conflist, .conf or .json" })
  }
  const { cniVersion, plugins } = Conflist.make(file, text, source.value)
  for (const [index, plugin] of plugins.entries()) {
    const at = source.ranges.has("plugins") ? `plugins[${index}]` : ""
    if (plugin.type === "passthrough") problems.push(...ourProblems(plugin, at))
    if (cniPath === undefined || problems.some((problem) => problem.path === `${at}.type`)) continue
    const message = yield* hostProblem(plugin.type, cniVersion, cniPath)
    if (message !== undefined) problems.push({ path: `${at}.type`, message })
  }
  // A value that is missing has no place of its own: it is missing in the one around it.
  const place = (at: string): number =>
    source.ranges.get(at)?.start ?? (at === "" ? 0 : place(at.replace(/(?:^|\.)[^.[]*$|\[\d+\]$/, "")))
  return problems.map(({ message, path: at }) => ({ at, message, offset: place(at) }))
    .sort((left, right) => left.offset - right.offset)
    .map(({ at, message, offset }) => Conflist.explain(file, text, offset, at === "" ? message : `${at}: ${message}`))
})

/** `validate CONFLIST…` */
export const validate = Command.make(
  "validate",
  input,
  Effect.fnUntraced(function*(flags) {
    const style = yield* CurrentStyle
    const cniPath = flags.plugins ? folders(flags.cniPath) : undefined
    let count = 0
    for (const file of flags.conflists) {
      const problems = yield* problemsOf(file, cniPath)
      count += problems.length
      for (const problem of problems) yield* Console.log(style.red(problem))
      if (problems.length === 0) yield* Console.log(style.green(`${file}: fine`))
    }
    if (count > 0) return yield* new Unsuccessful()
  })
).pipe(
  Command.withDescription(
    "Find everything that is wrong with network configurations. Exit status 0: nothing, 1: something, 2: a file cannot be read"
  ),
  Command.withExamples([
    { command: "cni-passthrough validate /etc/cni/net.d/*.conflist", description: "All networks of this host" },
    {
      command: "cni-passthrough validate --no-plugins conf/10-chained.conflist",
      description: "The file alone, on a host without its plugins"
    }
  ])
)
