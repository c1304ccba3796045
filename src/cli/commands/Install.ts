/** `cni-passthrough install`: puts the plugin where runtimes look for it, or removes it. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ConfFolder from "../../conf/ConfFolder.ts"
import type { Identity } from "../../runtime/Attachments.ts"
import type * as Discovery from "../../runtime/Discovery.ts"
import * as PluginUsers from "../../runtime/PluginUsers.ts"
import * as PluginInstallation from "../../wrap/PluginInstallation.ts"
import * as Wrapping from "../../wrap/Wrapping.ts"
import * as BuiltPlugin from "../BuiltPlugin.ts"
import * as Errors from "../Errors.ts"
import * as Flags from "../Flags.ts"
import * as HostFolders from "../HostFolders.ts"
import * as InstalledPolicy from "../InstalledPolicy.ts"

/** Networks or attachments still call the plugin that should be removed. */
class StillNeeded extends Data.TaggedError("StillNeeded")<{
  readonly file: string
  readonly configurations: ReadonlyArray<string>
  readonly attachments: ReadonlyArray<Identity>
}> {
  override readonly message = [
    `${this.file} stays, because it is still needed:`,
    ...this.configurations.map((path) => `  the network in ${path} calls it`),
    ...this.attachments.map(({ containerId, ifname, network }) =>
      `  ${ifname} of ${containerId} on ${network} cannot be detached without it`
    ),
    "Take the taps out and end these containers first, or give --force"
  ].join("\n")
}

/** The plugin that should be removed is the file of this command. */
class IsThisCommand extends Data.TaggedError("IsThisCommand")<{ readonly file: string }> {
  override readonly message =
    `${this.file} stays, because it is this command too: remove the package that it came with, or give --force`
}

/** The named folder does not exist, so no runtime has looked into it yet. */
class NoFolder extends Data.TaggedError("NoFolder")<{ readonly folder: string }> {
  override readonly message =
    `there is no folder ${this.folder}: make it first (mkdir -p), if it is the one that your runtime looks into`
}

const input = {
  to: Flags.folder("to").pipe(
    Flag.withDescription(
      `Folder of plugins (default: that of the runtime of this host, or the first of ${
        PluginInstallation.usual.join(", ")
      } that there is)`
    ),
    Flag.optional
  ),
  hooks: Flag.Boolean("hooks").pipe(
    Flag.withDescription(
      "--no-hooks: forbid hooks in network configurations, by a policy beside the plugin, which later installs keep"
    ),
    Flag.withDefault(true)
  ),
  uninstall: Flags.toggle("uninstall", "Remove it again, unless networks or attachments still need it"),
  dryRun: Flags.toggle("dry-run", "With --uninstall: only say whether the plugin could be removed"),
  force: Flags.toggle("force", "With --uninstall: remove it even if it is still needed"),
  confDir: HostFolders.confDir,
  cacheDir: Flags.cacheDir
}

/** Fails if something still needs the plugin in this file. */
const checkNeed = Effect.fnUntraced(function*(file: string, confDir: string, cacheDir: string) {
  const configurations = yield* ConfFolder.naming(confDir, PluginInstallation.pluginName)
  const attachments = yield* PluginUsers.list(cacheDir, PluginInstallation.pluginName)
  if (configurations.length > 0 || attachments.length > 0) {
    return yield* new StillNeeded({ file, configurations, attachments })
  }
})

/** The first folder there is of the daemons of this host. Files of podman alone are no sign that podman is used. */
const firstOf = Effect.fnUntraced(function*(runtimes: ReadonlyArray<Discovery.Runtime>) {
  const folders = runtimes.flatMap(({ name, pluginFolders = [] }) => name === "podman" ? [] : pluginFolders)
  const [first] = yield* Effect.filter(folders, PluginInstallation.isThere)
  return first
})

/** `install` */
export const install = HostFolders.command(
  "install",
  input,
  Effect.fnUntraced(function*({ cacheDir, confDir, dryRun, force, hooks, runtimes = [], to, uninstall }) {
    if (uninstall) {
      const folder = Option.isSome(to) ? to.value : yield* PluginInstallation.chooseInstalled()
      const file = yield* PluginInstallation.findOurs(folder)
      if (!force) yield* checkNeed(file, confDir, cacheDir)
      if (dryRun) return yield* Console.log(`${file} can be removed`)
      if (!force && (yield* BuiltPlugin.isThisCommand(file))) return yield* new IsThisCommand({ file })
      yield* PluginInstallation.remove(file)
      yield* Console.log(`removed ${file}`)
      return yield* InstalledPolicy.remove(folder)
    }
    const folder = Option.isSome(to) ? to.value : (yield* firstOf(runtimes)) ?? (yield* PluginInstallation.choose())
    if (!(yield* PluginInstallation.isThere(folder))) {
      if (Option.isSome(to)) return yield* new NoFolder({ folder })
      yield* Console.error(`there is no folder ${folder} yet: is it the one that your runtime looks into?`)
    }
    const built = yield* BuiltPlugin.find()
    yield* PluginInstallation.checkForeign(built, folder)
    // The policy comes first, so that the plugin never runs without it.
    if (!hooks) yield* InstalledPolicy.forbidHooks(folder)
    yield* Console.log(`installed ${built} as ${yield* PluginInstallation.install(built, folder)}`)
    yield* InstalledPolicy.print(folder)
    if (yield* Wrapping.repair(built, folder)) {
      yield* Console.log(`repaired the wrapped plugins of ${folder}, whose executable did not run`)
    }
  }, Errors.tell)
).pipe(
  Command.withShortDescription("Put the plugin where runtimes look for it"),
  Command.withDescription(
    "Put the plugin into the folder of plugins, by rename, once it has answered VERSION there; or remove it."
  ),
  Command.withExamples([
    { command: "cni-passthrough install", description: "Into the first folder that runtimes look into" },
    { command: "cni-passthrough install --to /usr/lib/cni", description: "Where podman of Debian looks" },
    {
      command: "cni-passthrough install --no-hooks",
      description: "For hosts where other users than root may write network configurations"
    },
    { command: "cni-passthrough install --uninstall", description: "Remove it again" }
  ])
)
