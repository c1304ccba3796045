/** `cni-passthrough help`: the help of a subcommand, for those who look for it there. */
import * as Argument from "effect/cli/Argument"
import * as CliError from "effect/cli/CliError"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"

const subcommandsOf = (command: Command.Command.Any): ReadonlyArray<Command.Command.Any> =>
  command.subcommands.flatMap(({ commands }) => commands)

/** `help [SUBCOMMAND…]` of a command with these subcommands. */
export const make = (root: string, subcommands: ReadonlyArray<Command.Command.Any>) => {
  const names = [...subcommands, ...subcommands.flatMap(subcommandsOf)].map(({ name }) => name)
  const input = {
    path: Argument.Literals("subcommand", [...new Set(names)]).pipe(
      Argument.withDescription("Such as run, or run add"),
      Argument.variadic()
    )
  }
  return Command.make(
    "help",
    input,
    ({ path }) => Effect.fail(new CliError.ShowHelp({ commandPath: [root, ...path], errors: [] }))
  ).pipe(Command.withDescription("Show the help of a subcommand"))
}
