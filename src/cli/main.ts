/** The companion command: shows chains of plugins, and helps to put taps into them. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import { version } from "../version.ts"
import { install } from "./Install.ts"
import { instrument } from "./Instrument.ts"
import { schema } from "./JsonSchema.ts"
import { run } from "./Run.ts"
import { show } from "./Show.ts"
import { validate } from "./Validate.ts"

const command = Command.make("cni-passthrough").pipe(
  Command.withDescription("See what each plugin of a CNI chain does"),
  Command.withExamples([
    {
      command: "cni-passthrough run add conf/10-chained.conflist --new-netns demo",
      description: "Run a chain, and see what each plugin did"
    },
    {
      command: "cni-passthrough instrument --in-place /etc/cni/net.d/87-podman-bridge.conflist",
      description: "Put taps into a chain of a real runtime"
    },
    { command: "cni-passthrough show /var/log/cni/*.jsonl", description: "See what they saw" }
  ]),
  Command.withSubcommands([run, show, instrument, validate, install, schema])
)

command.pipe(
  Command.run({ version }),
  Effect.provide(NodeServices.layer),
  NodeRuntime.runMain
)
