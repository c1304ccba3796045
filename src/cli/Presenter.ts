/** Help and errors for people: in 80 columns, an error on one line. */
import * as CliConfig from "effect/cli/CliConfig"
import type * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import type * as HelpDoc from "effect/cli/HelpDoc"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Escape from "../record/Escape.ts"
import { completions } from "./Completions.ts"

/** The most columns of a line. */
const width = 80

/** The column where descriptions begin. After a longer name, the description starts on the next line. */
const descriptionColumn = 26

/** Wraps a text to so many columns. A longer word gets its own line. */
const wrapped = (text: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && CliOutput.displayWidth(`${last} ${word}`) <= columns) {
      lines[lines.length - 1] += ` ${word}`
    } else lines.push(word)
  }
  return lines
}

/** A name and its description, in two columns. */
const row = (name: string, description: string): ReadonlyArray<string> => {
  const [first = "", ...rest] = wrapped(description, width - descriptionColumn).map((line) =>
    " ".repeat(descriptionColumn) + line
  )
  return name.length + 4 <= descriptionColumn
    ? [`  ${name}`.padEnd(descriptionColumn) + first.trimStart(), ...rest]
    : [`  ${name}`, first, ...rest]
}

/** The end of a description that lists the values of a flag. */
const choicesPattern = / ?\(choices: (.*)\)$/

const flagRow = (flag: HelpDoc.FlagDoc): ReadonlyArray<string> => {
  const description = Option.getOrElse(flag.description, () => "")
  const type = choicesPattern.exec(description)?.[1]?.replaceAll(", ", "|") ?? flag.type
  const names = [`--${flag.name}`, ...flag.aliases].join(", ")
  return row(type === "boolean" ? names : `${names} <${type}>`, description.replace(choicesPattern, ""))
}

const argumentRow = ({ description, name, required, variadic }: HelpDoc.ArgDoc): ReadonlyArray<string> => {
  const whole = variadic ? `${name}...` : name
  return row(required ? whole : `[${whole}]`, Option.getOrElse(description, () => "").replace(choicesPattern, ""))
}

const commandRow = ({ description, name, shortDescription }: HelpDoc.SubcommandDoc): ReadonlyArray<string> =>
  row(name, shortDescription ?? description)

const exampleLines = ({ command, description }: HelpDoc.ExampleDoc): ReadonlyArray<string> => [
  ...(description === undefined ? [] : [`  # ${description}`]),
  `  ${command}`
]

const section = (title: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.length === 0 ? [] : ["", title, ...lines]

/** The help of a command. Flags that all commands share are listed only in the help of the root command. */
export const render = (doc: HelpDoc.HelpDoc, bold: (text: string) => string = (text) => text): string => {
  const isRoot = (doc.commandPath?.length ?? 1) === 1
  const subcommands = (doc.subcommands ?? []).flatMap(({ commands }) => commands)
  return [
    ...wrapped(doc.description, width),
    ...section(bold("USAGE"), [`  ${doc.usage}`]),
    ...section(bold("ARGUMENTS"), (doc.args ?? []).flatMap(argumentRow)),
    ...section(bold("SUBCOMMANDS"), subcommands.flatMap(commandRow)),
    ...section(bold("FLAGS"), [...doc.flags, ...(isRoot ? doc.globalFlags ?? [] : [])].flatMap(flagRow)),
    ...section(bold("EXAMPLES"), (doc.examples ?? []).flatMap(exampleLines))
  ].join("\n")
}

const didYouMean = (suggestions: ReadonlyArray<string>, command: string): string =>
  suggestions.length === 0 ? `see ${command} --help` : `did you mean ${suggestions.join(" or ")}?`

/** The problem of a command line, on one line. `command` is the part that could be parsed. */
export const explain = (error: CliError.CliError, command: string): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `${error.option} is not a flag of ${command}: ${didYouMean(error.suggestions, command)}`
    case "UnknownSubcommand":
      return `${JSON.stringify(error.subcommand)} is not a subcommand of ${command}: ${
        didYouMean(error.suggestions, command)
      }`
    case "MissingArgument":
      return `<${error.argument}> is missing: see ${command} --help`
    case "MissingOption":
      return `--${error.option} is missing: see ${command} --help`
    case "UnexpectedArgument":
      return `unexpected ${
        error.arguments.map((argument) => JSON.stringify(argument)).join(", ")
      }: see ${command} --help`
    case "InvalidValue": {
      const name = error.kind === "argument" ? `<${error.option}>` : `--${error.option}`
      const expected = error.expected.replace(/^Expected:? /, "")
      if (expected.startsWith("found ")) return `${name}: ${expected}`
      if (error.value === "" && error.kind === "flag") return `${name} has no value: see ${command} --help`
      return `${name}: found ${JSON.stringify(error.value)}, expected ${expected}`
    }
    default:
      return error.message
  }
}

const errorText = (message: string): string =>
  message.split("\n").map((line, index) => Escape.inLine(index === 0 ? `error: ${line}` : line)).join("\n")

/** The errors to print. If a subcommand is unknown, its flags are unknown too, and they are not to blame. */
const toldOf = (errors: ReadonlyArray<CliError.CliError>): ReadonlyArray<CliError.CliError> => {
  const unknown = errors.filter(({ _tag }) => _tag === "UnknownSubcommand")
  return unknown.length > 0 ? unknown : errors
}

/** Prints help to stdout, and problems of a command line to stderr. */
const presenter: CliOutput.Presenter = {
  present: Effect.fnUntraced(function*(event) {
    const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
    switch (event._tag) {
      case "Help":
        return yield* Console.log(
          render(event.helpDoc, canColor ? (text) => `\u001b[1m${text}\u001b[0m` : undefined)
        )
      case "InvalidInvocation":
        for (const error of toldOf(event.errors)) {
          yield* Console.error(errorText(explain(error, event.commandPath.join(" "))))
        }
        return
      case "Version":
        return yield* Console.log(`${event.name} ${event.version}`)
    }
  })
}

const formatter: CliOutput.Formatter = {
  ...CliOutput.defaultFormatter({ colors: false }),
  formatError: (error) => errorText(error.message)
}

/** `--version`, also with the letter that most tools use. */
const versionFlag = {
  ...GlobalFlag.Version,
  flag: GlobalFlag.Version.flag.pipe(Flag.withAlias("V"))
}

/** Help and errors of this command, and the flags that all its subcommands share. */
export const layer: Layer.Layer<never> = Layer.mergeAll(
  CliOutput.layerPresenter(presenter),
  CliOutput.layer(formatter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, versionFlag, completions] })
)
