/** The companion command, composed of one file for each subcommand. */
import * as Command from "effect/cli/Command"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Colour from "./Colour.ts"
import { candidates } from "./commands/Candidates.ts"
import { diff } from "./commands/Diff.ts"
import { doctor } from "./commands/Doctor.ts"
import { exportCommand } from "./commands/Export.ts"
import * as Help from "./commands/Help.ts"
import { install } from "./commands/Install.ts"
import { instrument } from "./commands/Instrument.ts"
import { leaks } from "./commands/Leaks.ts"
import { version } from "./commands/OwnVersion.ts"
import { replay } from "./commands/Replay.ts"
import { report } from "./commands/Report.ts"
import { run } from "./commands/Run.ts"
import { schema } from "./commands/Schema.ts"
import { sendPackets } from "./commands/SendPackets.ts"
import { show } from "./commands/Show.ts"
import { trace } from "./commands/Trace.ts"
import { unwrap } from "./commands/Unwrap.ts"
import { validate } from "./commands/Validate.ts"
import { watch } from "./commands/Watch.ts"
import { wrap } from "./commands/Wrap.ts"

const subcommands = [
  run,
  doctor,
  trace,
  leaks,
  watch,
  wrap,
  unwrap,
  show,
  diff,
  report,
  exportCommand,
  replay,
  instrument,
  validate,
  install,
  schema
] as const

/** `cni-passthrough`, with all its subcommands. */
export const command = Command.make("cni-passthrough").pipe(
  Command.withDescription("See what each plugin of a CNI chain does"),
  Command.withExamples([
    { command: "cni-passthrough doctor podman", description: "Find out what is wrong with the network of this host" },
    { command: "cni-passthrough wrap --follow", description: "See each plugin that a runtime calls, as it happens" },
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
  Command.withSubcommands([
    ...subcommands,
    version,
    candidates,
    sendPackets,
    Help.make("cni-passthrough", subcommands)
  ]),
  Command.provideEffect(TerminalCapabilities.TerminalCapabilities, Colour.capabilities),
  Command.withGlobalFlags([Colour.flag])
)
