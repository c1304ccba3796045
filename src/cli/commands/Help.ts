/** `cni-passthrough help`: the help of a subcommand, for users who expect a command. */
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Errors from "../Errors.ts"

/** A subcommand has no such operation. */
class NoSuchOperation extends Data.TaggedError("NoSuchOperation")<{
  readonly subcommand: string
  readonly operation: string
  readonly known: ReadonlyArray<string>
}> {
  override readonly message = `${this.subcommand} has no ${this.operation}: it has ${
    this.known.length === 0 ? "no operations" : this.known.join(", ")
  }`
}

const namesIn = (command: Command.Command.Any | undefined): ReadonlyArray<string> =>
  (command?.subcommands ?? []).flatMap(({ commands }) => commands.map(({ name }) => name))

/** `help [SUBCOMMAND [OPERATION]]` of a command with these subcommands. */
export const make = (root: string, subcommands: ReadonlyArray<Command.Command.Any>) => {
  const find = (name: string) => subcommands.find((subcommand) => subcommand.name === name)
  const input = {
    subcommand: Argument.Literals("subcommand", subcommands.map(({ name }) => name)).pipe(
      Argument.withDescription("Such as show"),
      Argument.optional
    ),
    operation: Argument.Literals("operation", subcommands.flatMap(namesIn)).pipe(
      Argument.withDescription("An operation of run, such as add"),
      Argument.optional
    )
  }
  const show = (path: ReadonlyArray<string>) =>
    Effect.fail(new CliError.ShowHelp({ commandPath: [root, ...path], errors: [] }))
  return Command.make(
    "help",
    input,
    Effect.fnUntraced(function*({ operation, subcommand }) {
      if (Option.isNone(subcommand)) return yield* show([])
      if (Option.isNone(operation)) return yield* show([subcommand.value])
      const known = namesIn(find(subcommand.value))
      if (known.includes(operation.value)) return yield* show([subcommand.value, operation.value])
      return yield* Errors.tell(
        Effect.fail(new NoSuchOperation({ subcommand: subcommand.value, operation: operation.value, known }))
      )
    })
  ).pipe(Command.withDescription("Show the help of a subcommand"))
}
