/** Everything that is known when the checks begin. All of it is plain data; checks look nothing up. */
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
import type { Store } from "./facts/HostLocalStore.ts"
import type { KernelTable } from "./facts/KernelTables.ts"
import type { PluginFact } from "./facts/Plugins.ts"
import type { PolicyRefusal } from "./facts/PolicyRefusals.ts"
import type { Queue } from "./facts/Qdiscs.ts"
import type { Listener } from "./facts/Sockets.ts"
import type { Trial } from "./facts/Trial.ts"

/** A fact, or why it could not be determined. */
export type Known<A> = Result.Result<A, string>

export interface Host {
  /** Links, addresses and routes of the host. */
  readonly network: Known<Namespace>
  readonly rules: Known<Rules>
  /** The rules that choose a packet's routing table, in the order of each family. */
  readonly policies: ReadonlyArray<PolicyRule>
  /** Values of /proc/sys by dotted name. Missing names have no entry. */
  readonly sysctls: ReadonlyMap<string, string>
  readonly tables: ReadonlyArray<KernelTable>
  /** The programs that listen on ports of the host. */
  readonly listeners: Known<ReadonlyArray<Listener>>
  /** The paths of tools by name. Missing tools have no entry. */
  readonly tools: ReadonlyMap<string, string>
  /** The files that configurations name and that exist. */
  readonly files: ReadonlySet<string>
  /** The capabilities that inspecting the whole host needs and that this process lacks. */
  readonly lacking: ReadonlyArray<string>
  /** The host's processor as an ELF machine number. */
  readonly machine: number | undefined
  /** Whether sysctls are read-only, as in many containers. Plugins that set them fail. */
  readonly hasReadOnlySysctls: boolean
  readonly queues: ReadonlyArray<Queue>
}

/** Attachments that were made with an earlier configuration of the network, and that configuration. */
export interface Earlier extends Pick<Facts, "attachments" | "chain" | "delegates" | "file" | "network"> {}

/** Everything that checks can know. */
export interface Facts {
  /** The folder of configurations; undefined if the question is not about a folder. */
  readonly folder: string | undefined
  /** The files of the folder in the order in which runtimes load them. */
  readonly files: ReadonlyArray<ConfigFile>
  /** Files of the folder that may define the network but that runtimes skip because of their names. */
  readonly unloaded: ReadonlyArray<string>
  /** The name of a network, or a file; undefined for the network that a runtime would choose. */
  readonly asked: string | undefined
  /** The file to look at; undefined if there is none. */
  readonly file: ConfigFile | undefined
  /** Its network; undefined if it cannot be read. */
  readonly network: NetworkConfigList | undefined
  /** The plugins of the network with their places. */
  readonly chain: ReadonlyArray<Placed>
  /** The plugins that these delegate to, except IPAM plugins. */
  readonly delegates: ReadonlyArray<Placed>
  readonly cniPath: ReadonlyArray<string>
  /** The folder of libcni's cache; undefined if the question is about files alone. */
  readonly cacheDir: string | undefined
  readonly plugins: ReadonlyMap<string, PluginFact>
  /** What this host's policies forbid the network's taps to do. */
  readonly forbidden: ReadonlyArray<PolicyRefusal>
  /** The names of all files in the folders of plugins. */
  readonly known: ReadonlyArray<string>
  readonly capabilityArgs: JsonObject
  readonly host: Host | undefined
  /** host-local's store for this network; undefined if the network has none. */
  readonly store: Store | undefined
  /** Unreadable files of libcni's cache that seem to belong to this network. */
  readonly damaged: ReadonlyArray<Damaged>
  /** The selected attachments that were made with the configuration as it is in the file. */
  readonly attachments: ReadonlyArray<Attachment>
  /** The other attachments, grouped by the configuration that they were made with. */
  readonly earlier: ReadonlyArray<Earlier>
  /** Whether runtimes were found on this host, and none of them calls plugins. */
  readonly isWithoutPlugins: boolean
  /** All attachments in the cache. Those of this network have the state of their namespaces, others only if it is gone. */
  readonly all: ReadonlyArray<AttachmentId & Partial<Pick<Attachment, "sight">>>
  /** Which attachments the question is about, such as `the pod shop/web`; undefined for the whole network. */
  readonly selected: { readonly words: string; readonly value: string } | undefined
  /** The names of the links in the selected namespace, if nothing is attached to it. */
  readonly linksThere: Known<ReadonlyArray<string>> | undefined
  /** Networks other than this one that the selected containers are attached to. */
  readonly elsewhere: ReadonlyArray<string>
  readonly trial: Trial | undefined
  /** What logs say about the selected attachments; undefined if none were read. */
  readonly history: History | undefined
  /** What could not be inspected, and why, except for facts that say so themselves. */
  readonly unseen: ReadonlyArray<string>
}
