/**
 * Chooses which files of a folder to wrap. Wrapping starts each of them once, as root, so by default only files with
 * the name of a known plugin, or of one that a network configuration names, are chosen.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as ConfFolder from "../conf/ConfFolder.ts"
import * as ProgramKind from "../host/ProgramKind.ts"
import { hasSameContent } from "../host/SameContent.ts"
import * as PluginInstallation from "./PluginInstallation.ts"
import * as PluginName from "./PluginName.ts"
import type * as Stub from "./Stub.ts"
import * as Survey from "./Survey.ts"

/** What to choose from, and how. */
export interface Choice {
  readonly at: Stub.Places
  /** The names of the plugins. Default: known plugins, and those that a network configuration names. */
  readonly names?: ReadonlyArray<string> | undefined
  /** Whether to wrap all other executables too. Scripts among them are not started first. */
  readonly all?: boolean | undefined
  /** The folders of network configurations. */
  readonly confFolders?: ReadonlyArray<string> | undefined
  /** The file of the built plugin, which runs around the others. */
  readonly built: string
}

/** Folders where runtimes and distributions keep network configurations. */
const confFolders = [
  ConfFolder.defaultFolder,
  "/etc/cni/multus/net.d",
  "/var/lib/rancher/k3s/agent/etc/cni/net.d",
  "/var/lib/rancher/rke2/agent/etc/cni/net.d",
  "/var/snap/microk8s/current/args/cni-network"
]

/** The plugins that the network configurations of this host name. */
const configured = ({ confFolders: others = [] }: Choice) =>
  Effect.map(
    Effect.forEach(new Set([...others, ...confFolders]), ConfFolder.typesIn),
    (types) => new Set(types.flat())
  )

/** Whether a file is one of our executables, under any name. */
const isOurs = Effect.fnUntraced(function*({ at, built }: Choice, name: string) {
  const fs = yield* FileSystem.FileSystem
  const file = `${at.folder}/${name}`
  const real = yield* fs.realPath(file)
  for (const own of [built, at.executable, `${at.folder}/${PluginInstallation.pluginName}`]) {
    const isSame = Effect.andThen(
      fs.realPath(own),
      (other) => other === real ? Effect.succeed(true) : hasSameContent(file, own)
    )
    if (yield* Effect.orElseSucceed(isSame, () => false)) return true
  }
  return false
})

const unknown = "not a known plugin, and not in a network configuration: give its name, or --all"

/** Surveys a folder and chooses the plugins to wrap. `others` are further names to choose. */
export const make = Effect.fnUntraced(function*(request: Choice, others: ReadonlyArray<string> = []) {
  const { all = false, at, names } = request
  const { passedOver, plugins } = yield* Survey.make(at)
  const isOpen = ({ state }: Survey.Plugin) => state === "not wrapped" || state === "written over"
  const isUnknown = ({ name }: Survey.Plugin) => !PluginName.isKnown(name)
  const types = plugins.some((plugin) => isOpen(plugin) && isUnknown(plugin))
    ? yield* configured(request)
    : new Set<string>()
  const isExpected = (name: string) => PluginName.isKnown(name) || types.has(name)
  const isMeant = (name: string) => names?.includes(name) ?? (all || isExpected(name))
  const chosen: Array<Survey.Plugin> = []
  const rejected: Array<Survey.PassedOver> = []
  const unprovable = new Set<string>()
  for (const plugin of plugins) {
    const { name } = plugin
    if (names !== undefined && !names.includes(name) && !others.includes(name)) continue
    if (!isOpen(plugin)) chosen.push(plugin)
    else if (yield* Effect.orElseSucceed(isOurs(request, name), () => false)) {
      rejected.push({ name, reason: PluginName.ownReason })
    } else if (!isMeant(name) && !others.includes(name)) rejected.push({ name, reason: unknown })
    else if (isExpected(name) || (!all && names?.includes(name) === true)) chosen.push(plugin)
    else {
      const { kind } = yield* Effect.orElseSucceed(ProgramKind.of(`${at.folder}/${name}`), () => ({ kind: "other" }))
      if (kind === "script") unprovable.add(name)
      if (kind === "other") rejected.push({ name, reason: "it is neither a program nor a script" })
      else chosen.push(plugin)
    }
  }
  return {
    plugins,
    chosen,
    passedOver: [...passedOver, ...rejected],
    /** Whether a file can be expected to answer VERSION. If so, wrapping starts it. */
    isProvable: (name: string) => !unprovable.has(name)
  }
})
