/** What is known when the checks begin. All of it is plain data: nothing is looked up later. */
import type * as Result from "effect/Result"
import type { NetworkConfigList } from "../cni/NetworkConfigList.ts"
import type { JsonObject } from "../json/Json.ts"
import type { Namespace } from "../network/Namespace.ts"
import type { Rules } from "../network/PacketFilter.ts"
import type { PolicyRule } from "../network/PolicyRule.ts"
import type { Damaged } from "../runtime/ResultCache.ts"
import type { ConfigFile, Placed } from "./ConfigFile.ts"
import type { Attachment, AttachmentId } from "./facts/Attachment.ts"
import type { History } from "./facts/History.ts"
import type { KernelTable } from "./facts/KernelTables.ts"
import type { PluginFact } from "./facts/Plugins.ts"
import type { PolicyRefusal } from "./facts/PolicyRefusals.ts"
import type { Queue } from "./facts/Queues.ts"
import type { Listener } from "./facts/Sockets.ts"
import type { Store } from "./facts/Store.ts"
import type { Trial } from "./facts/Trial.ts"

/** What could be found out, or why it could not. */
export type Known<A> = Result.Result<A, string>

/** The host as it is. */
export interface Host {
  /** Links, addresses and routes of the host. */
  readonly network: Known<Namespace>
  readonly rules: Known<Rules>
  /** What chooses the table of routes for a packet, of each family in its order. */
  readonly policies: ReadonlyArray<PolicyRule>
  /** Values of /proc/sys, by their names with dots; a name that is not there has no entry. */
  readonly sysctls: ReadonlyMap<string, string>
  readonly tables: ReadonlyArray<KernelTable>
  /** Who listens on ports of the host. */
  readonly listeners: Known<ReadonlyArray<Listener>>
  /** The files of tools, by name; a tool that is not there has no entry. */
  readonly tools: ReadonlyMap<string, string>
  /** Which of the files that configurations name are there. */
  readonly files: ReadonlySet<string>
  /** The capabilities that a look at all of the host needs, and this process lacks. */
  readonly lacking: ReadonlyArray<string>
  /** The name of the processor as ELF numbers it. */
  readonly machine: number | undefined
  /** Whether nobody can set sysctls, as in many containers: plugins that do fail. */
  readonly hasReadOnlySysctls: boolean
  readonly queues: ReadonlyArray<Queue>
}

/** Attachments that were made with an earlier configuration of the network, and that configuration. */
export interface Earlier extends Pick<Facts, "attachments" | "chain" | "delegates" | "file" | "network"> {}

/** All that checks can know. */
export interface Facts {
  /** The folder of configurations; undefined if nobody asked about a folder. */
  readonly folder: string | undefined
  /** The files of the folder in the order in which runtimes load them. */
  readonly files: ReadonlyArray<ConfigFile>
  /** Files of the folder that may have the network, and that runtimes skip because of their names. */
  readonly unloaded: ReadonlyArray<string>
  /** What was asked for: the name of a network, a file, or undefined for what a runtime would choose. */
  readonly asked: string | undefined
  /** The file to look at; undefined if there is none. */
  readonly file: ConfigFile | undefined
  /** Its network; undefined if it cannot be read. */
  readonly network: NetworkConfigList | undefined
  /** The plugins of the network with their places. */
  readonly chain: ReadonlyArray<Placed>
  /** The plugins that these delegate to, other than IPAM plugins. */
  readonly delegates: ReadonlyArray<Placed>
  readonly cniPath: ReadonlyArray<string>
  /** The folder of libcni's cache; undefined if only files were asked about. */
  readonly cacheDir: string | undefined
  readonly plugins: ReadonlyMap<string, PluginFact>
  /** What the policies of this host refuse of the taps of the network. */
  readonly forbidden: ReadonlyArray<PolicyRefusal>
  /** The names of all files in the folders of plugins. */
  readonly known: ReadonlyArray<string>
  readonly capabilityArgs: JsonObject
  readonly host: Host | undefined
  /** What host-local keeps of this network; undefined if it has no such plugin. */
  readonly store: Store | undefined
  /** Unreadable files of libcni's cache that seem to belong to this network. */
  readonly damaged: ReadonlyArray<Damaged>
  /** The attachments to look at that were made with the configuration as it is in the file. */
  readonly attachments: ReadonlyArray<Attachment>
  /** The other attachments, grouped by the configuration that they were made with. */
  readonly earlier: ReadonlyArray<Earlier>
  /** All attachments of the cache; those of this network with what their namespaces are. */
  readonly all: ReadonlyArray<AttachmentId & Partial<Pick<Attachment, "sight">>>
  /** Which attachments somebody asked about, such as `the pod shop/web`; undefined for all of the network. */
  readonly selected: { readonly words: string; readonly value: string } | undefined
  /** The names of the links of a namespace that somebody asked about and that nothing is attached to. */
  readonly linksThere: Known<ReadonlyArray<string>> | undefined
  /** Networks that these are attached to besides. */
  readonly elsewhere: ReadonlyArray<string>
  readonly trial: Trial | undefined
  /** What logs say of the attachments to look at; undefined if nobody named any. */
  readonly history: History | undefined
  /** What could not be looked at, and why, apart from what says so itself. */
  readonly unseen: ReadonlyArray<string>
}
