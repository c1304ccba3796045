/** Help and errors as people see them: in 80 columns, an error on one line. */
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

/** Columns that a line has at most. */
const width = 80

/** Where descriptions begin. A name that is longer has its description on the lines after it. */
const descriptionColumn = 26

/** The words of a text on lines of so many columns. A word that is longer has a line of its own. */
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

/** A name, and what it is, in two columns. */
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

/** The help of a command. Flags that all commands have are listed at the first one only. */
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

/** What is wrong with a command line, on one line. `command` is the command that was understood so far. */
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

/** What people are told of: where a subcommand is not known, its flags are not known either, and are not wrong. */
const toldOf = (errors: ReadonlyArray<CliError.CliError>): ReadonlyArray<CliError.CliError> => {
  const unknown = errors.filter(({ _tag }) => _tag === "UnknownSubcommand")
  return unknown.length > 0 ? unknown : errors
}

/** Prints help to stdout, and what is wrong with a command line to stderr. */
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

/** `--version`, also under the letter that most tools have for it. */
const versionFlag = {
  ...GlobalFlag.Version,
  flag: GlobalFlag.Version.flag.pipe(Flag.withAlias("V"))
}

/** Help and errors of this command, and the flags that all its subcommands have. */
export const layer: Layer.Layer<never> = Layer.mergeAll(
  CliOutput.layerPresenter(presenter),
  CliOutput.layer(formatter),
  CliConfig.layer({ builtIns: [GlobalFlag.Help, versionFlag, completions] })
)
