/** All checks, in causal order: a later problem may well follow from an earlier one. A new check is one line here. */
import type { Check } from "./Check.ts"
import * as AddressReservations from "./checks/AddressReservations.ts"
import { answerRoutes } from "./checks/AnswerRoutes.ts"
import { bridgeFrames } from "./checks/BridgeFrames.ts"
import { cacheEntries } from "./checks/CacheEntries.ts"
import { chainOrder } from "./checks/ChainOrder.ts"
import * as ContainerSide from "./checks/ContainerSide.ts"
import { editedSince } from "./checks/Edited.ts"
import * as Fields from "./checks/Fields.ts"
import * as Filters from "./checks/Filters.ts"
import * as ForwardingSysctls from "./checks/ForwardingSysctls.ts"
import * as ForwardRules from "./checks/ForwardRules.ts"
import { kernelTables } from "./checks/FullKernelTables.ts"
import * as Gateways from "./checks/Gateways.ts"
import { hairpin } from "./checks/Hairpin.ts"
import * as HostSide from "./checks/HostSide.ts"
import { addressing } from "./checks/IpamConfiguration.ts"
import { ipv6Disabled } from "./checks/Ipv6Disabled.ts"
import * as JsonSyntax from "./checks/JsonSyntax.ts"
import * as LogHistory from "./checks/LogHistory.ts"
import * as Masquerade from "./checks/Masquerade.ts"
import * as Namespaces from "./checks/Namespaces.ts"
import { neighbours } from "./checks/Neighbours.ts"
import * as NetworkFiles from "./checks/NetworkFiles.ts"
import { pathMtu, queues } from "./checks/PathMtu.ts"
import { capabilities } from "./checks/PluginCapabilities.ts"
import { pluginFile } from "./checks/PluginFile.ts"
import * as PluginNeeds from "./checks/PluginNeeds.ts"
import { pluginVersions } from "./checks/PluginVersions.ts"
import { policyRules } from "./checks/PolicyRouting.ts"
import * as PortMappings from "./checks/PortMappings.ts"
import { publishedPorts } from "./checks/PublishedPorts.ts"
import { policy } from "./checks/RefusedTaps.ts"
import * as Specification from "./checks/Specification.ts"
import * as Trials from "./checks/Trials.ts"
import { everythingSeen } from "./checks/Unseen.ts"
import { arrivalsFiltered, wayOut } from "./checks/WayOut.ts"

/** Checks of files, which do not look at the host. */
export const configuration: ReadonlyArray<Check> = [
  NetworkFiles.networkFound,
  JsonSyntax.json,
  Specification.fileName,
  Specification.specification,
  Fields.pluginFields,
  addressing,
  chainOrder,
  Gateways.bridgeGateways,
  Gateways.unusedMasquerade,
  capabilities,
  NetworkFiles.folderOrder,
  editedSince,
  JsonSyntax.duplicateKeys,
  Fields.fieldNames
]

/** Checks of the plugins on this host. */
export const plugins: ReadonlyArray<Check> = [pluginFile, pluginVersions, policy]

/** Checks of the host and of attachments. */
export const live: ReadonlyArray<Check> = [
  PluginNeeds.pluginTools,
  PluginNeeds.pluginFiles,
  PluginNeeds.masterLink,
  PluginNeeds.writableSysctls,
  PluginNeeds.dhcpDaemon,
  PluginNeeds.dhcpServer,
  AddressReservations.storeUsable,
  AddressReservations.rangeExhausted,
  Gateways.bridgeAddress,
  ipv6Disabled,
  cacheEntries,
  Namespaces.attachmentKnown,
  Namespaces.namespace,
  Namespaces.cachedResult,
  ContainerSide.link,
  ContainerSide.linkUp,
  HostSide.bridge,
  HostSide.hostEnd,
  AddressReservations.duplicateAddress,
  ContainerSide.addresses,
  ContainerSide.routes,
  answerRoutes,
  HostSide.gatewayAddress,
  AddressReservations.overlappingSubnets,
  HostSide.wayBack,
  bridgeFrames,
  HostSide.gatewayAnswers,
  neighbours,
  Filters.insideRules,
  ForwardingSysctls.ipForward,
  kernelTables,
  policyRules,
  wayOut,
  ForwardRules.forwardRules,
  ForwardingSysctls.reversePath,
  arrivalsFiltered,
  Masquerade.masquerade,
  PortMappings.portsTaken,
  PortMappings.portMappings,
  publishedPorts,
  hairpin,
  ContainerSide.nameServers,
  Filters.inputRules,
  Filters.tunnelRules,
  pathMtu,
  queues,
  ContainerSide.mtu,
  ContainerSide.mac,
  ForwardingSysctls.bridgeNetfilter,
  ForwardingSysctls.backends,
  AddressReservations.staleReservations,
  everythingSeen
]

/** Checks of a trial. */
export const trial: ReadonlyArray<Check> = [
  Trials.trialAdd,
  Trials.trialResult,
  Trials.trialDel,
  Trials.trialLeft,
  Trials.trialCheck,
  Trials.trialFlows
]

/** Checks of logs. */
export const history: ReadonlyArray<Check> = [LogHistory.lastFailure, LogHistory.addWithoutDel, LogHistory.delWithLess]

/** The names of all checks. */
export const names: ReadonlySet<string> = new Set(
  [...configuration, ...plugins, ...live, ...trial, ...history].map(({ id }) => id)
)
