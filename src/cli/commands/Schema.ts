/** `cni-passthrough schema`: JSON Schemas of configurations. */
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as ConfigSchema from "../../plugin/ConfigSchema.ts"
import * as Flags from "../Flags.ts"

const input = {
  list: Flags.toggle("list", "The schema of a whole network configuration list")
}

/** `schema` */
export const schema = Command.make(
  "schema",
  input,
  ({ list }) => Console.log(JSON.stringify(list ? ConfigSchema.list() : ConfigSchema.plugin(), null, 2))
).pipe(
  Command.withShortDescription("Print the JSON Schema of configurations"),
  Command.withDescription(
    "Print a JSON Schema for editors and for checks: that of the plugin's own configuration, or with --list that of a " +
      "network configuration list with all its plugins."
  ),
  Command.withExamples([
    { command: "cni-passthrough schema --list > conflist.schema.json", description: "Save it for an editor" }
  ])
)
