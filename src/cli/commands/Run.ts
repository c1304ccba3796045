/** `cni-passthrough run`: runs the operations of a container runtime by hand. Source: CNI specification, section 3. */
import * as Command from "effect/cli/Command"
import { add } from "./run/Add.ts"
import { check } from "./run/Check.ts"
import { del } from "./run/Del.ts"
import { gc } from "./run/Gc.ts"
import { status } from "./run/Status.ts"
import { version } from "./run/Version.ts"

/** `run`, with one subcommand for each operation. */
export const run = Command.make("run").pipe(
  Command.withShortDescription("Run a network as container runtimes do"),
  Command.withDescription("Run the plugins of a network the way a container runtime does, and see what each one did"),
  Command.withExamples([
    {
      command: "cni-passthrough run add conf/10-chained.conflist --new-netns demo",
      description: "Make the namespace demo and attach it"
    },
    {
      command: "cni-passthrough run check conf/10-chained.conflist --netns demo --full",
      description: "Check it, and see what went into and came out of each plugin"
    },
    {
      command: "cni-passthrough run del conf/10-chained.conflist --new-netns demo",
      description: "Detach it and remove the namespace"
    }
  ]),
  Command.withSubcommands([add, del, check, gc, status, version])
)
