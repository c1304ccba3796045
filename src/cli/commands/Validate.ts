/** `cni-passthrough validate`: all problems of network configurations, with their places. */
import * as Arr from "effect/Array"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Check from "../../doctor/Check.ts"
import * as Checks from "../../doctor/Checks.ts"
import * as Collect from "../../doctor/Collect.ts"
import * as ConfigFile from "../../doctor/ConfigFile.ts"
import * as Files from "../../doctor/facts/Files.ts"
import * as Finding from "../../doctor/Finding.ts"
import * as LogError from "../../log/LogError.ts"
import * as Escape from "../../record/Escape.ts"
import * as Style from "../../render/terminal/Style.ts"
import * as DoctorLines from "../DoctorLines.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as HostFolders from "../HostFolders.ts"

const input = {
  files: Flags.fileArgument("file").pipe(
    Argument.withDescription("Network configurations to look at"),
    Argument.atLeast(1)
  ),
  cniPath: HostFolders.cniPath,
  confDir: HostFolders.confDir,
  plugins: Flag.Boolean("plugins").pipe(
    Flag.withDescription(
      "Look for the plugins, and ask them for their versions (default; --no-plugins: the file alone)"
    ),
    Flag.withDefault(true)
  ),
  timeout: Flags.duration("timeout", "How long each plugin may take to answer", "10s"),
  json: Flags.toggle("json", "Print the findings and the checks as one JSON document")
}

/** A folder was given instead of files. */
class IsFolder extends Data.TaggedError("IsFolder")<{ readonly path: string }> {
  override readonly message = `${this.path} is a folder: name its files, such as '${
    this.path.replace(/\/+$/, "")
  }/*.conflist'`
}

/** The files that match a pattern, or the pattern itself if a file has that name. */
const expand = Effect.fnUntraced(function*(pattern: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(pattern))
  if (Option.isSome(info) && info.value.type === "Directory") return yield* new IsFolder({ path: pattern })
  if (!/[*?[{]/.test(pattern) || Option.isSome(info)) return [pattern]
  const found = yield* Effect.orElseSucceed(fs.glob(pattern), () => [])
  return found.length === 0 ? yield* new LogError.NoMatch({ pattern }) : found.toSorted()
})

/**
 * The files beside a file in its folder: in the folder of runtimes all of them, elsewhere only those that are also
 * given.
 */
const siblings = Effect.fnUntraced(function*(given: ReadonlyArray<ConfigFile.ConfigFile>, confDir: string) {
  const path = yield* Path.Path
  const byFolder = new Map<string, ReadonlyArray<ConfigFile.ConfigFile>>()
  for (const [folder, files] of Object.entries(Arr.groupBy(given, (file) => path.dirname(file.path)))) {
    const isOfRuntimes = folder === path.resolve(confDir)
    byFolder.set(folder, isOfRuntimes ? yield* Effect.orElseSucceed(Files.readFolder(folder), () => []) : files)
  }
  return (file: ConfigFile.ConfigFile) => byFolder.get(path.dirname(file.path)) ?? []
})

/** The findings of all files, and for each check its worst outcome. */
const together = (reports: ReadonlyArray<Check.Report>): Check.Report => {
  const findings = reports.flatMap((report) => report.findings)
  const [first, ...others] = reports.map(({ checks }) => checks)
  return {
    findings: Finding.byGravity([...new Map(findings.map((each) => [JSON.stringify(each), each])).values()]),
    checks: (first ?? []).map((outcome, index) =>
      [outcome, ...others.flatMap((outcomes) => outcomes[index] ?? [])].find(({ status }) => status === "failed") ??
        outcome
    )
  }
}

const byPlace = (left: Finding.Finding, right: Finding.Finding): number =>
  (left.line ?? 0) - (right.line ?? 0) || (left.column ?? 0) - (right.column ?? 0)

/** `validate FILE…` */
export const validate = HostFolders.command(
  "validate",
  input,
  Effect.fnUntraced(function*(flags) {
    const style = yield* Style.current()
    const paths = (yield* Effect.forEach(flags.files, expand)).flat()
    const files = yield* Effect.forEach(paths, Files.read)
    const checks = [...Checks.configuration, ...(flags.plugins ? Checks.plugins : [])]
    const beside = yield* siblings(files, flags.confDir)
    // Also check what comes after a comment.
    const readable = files.flatMap((file) => [file, ConfigFile.mend(file).mended])
    const facts = readable.map((file) => Collect.ofFile(file, beside(file)))
    const known = flags.plugins ? yield* Collect.withPlugins(facts, flags.cniPath, flags.timeout) : facts
    const reports = known.map((each) => Check.examine(checks, each))
    const all = together(reports)
    if (flags.json) yield* Console.log(DoctorLines.json(all))
    else {
      const byFile = Arr.groupBy(all.findings, ({ file }) => file ?? "")
      for (const { path } of files) {
        const own = (byFile[path] ?? []).toSorted(byPlace)
        for (const { column, line, message } of own) {
          yield* Console.log(style.red(Escape.inLine(`${path}:${line}:${column}: ${message}`)))
        }
        if (own.length === 0) yield* Console.log(style.green(Escape.inLine(`${path}: fine`)))
      }
      const given = new Set<string | undefined>(paths)
      for (const { column, file, line, message } of all.findings.filter(({ file }) => !given.has(file))) {
        yield* Console.log(style.red(Escape.inLine(`${file}:${line}:${column}: ${message}`)))
      }
    }
    if (all.findings.some(({ level }) => level !== "note")) return yield* new Errors.Unsuccessful()
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Find what is wrong with network configurations"),
  Command.withDescription(
    "Find everything that is wrong with network configurations: JSON, what the specification and libcni ask for, fields " +
      "that plugins refuse or pass over, plugins that are missing or do not speak the version. It is the first part of " +
      "doctor. A pattern in quotes stands for its files. Exit status 0: nothing is wrong, 1: something is, 2: a file cannot be read."
  ),
  Command.withExamples([
    { command: "cni-passthrough validate '/etc/cni/net.d/*.conflist'", description: "All networks of this host" },
    {
      command: "cni-passthrough validate --no-plugins conf/10-chained.conflist",
      description: "The file alone, on a host without its plugins"
    }
  ])
)
