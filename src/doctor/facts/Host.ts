/** The host: its tools, sysctls, network and rules. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Result from "effect/Result"
import * as HostTools from "../../exec/HostTools.ts"
import * as Namespace from "../../network/Namespace.ts"
import * as PacketFilter from "../../network/PacketFilter.ts"
import { dhcpServerPort, dhcpSocket, filesOf } from "../checks/PluginNeeds.ts"
import type * as ConfigFile from "../ConfigFile.ts"
import type { Host } from "../Facts.ts"
import * as Roles from "../Roles.ts"
import * as Attachment from "./Attachment.ts"
import * as KernelTables from "./KernelTables.ts"
import * as Plugins from "./Plugins.ts"
import * as Qdiscs from "./Qdiscs.ts"
import * as Rights from "./Rights.ts"
import * as Sockets from "./Sockets.ts"

const tools = [
  "ip",
  "nsenter",
  "nft",
  "flock",
  ...["iptables", "ip6tables"].flatMap((
    name
  ) => [name, ...["save", "nft", "nft-save", "legacy", "legacy-save"].map((ending) => `${name}-${ending}`)])
]

/** The paths of the tools that exist. */
const collectTools = Effect.gen(function*() {
  const { find } = yield* HostTools.HostTools
  return new Map(tools.flatMap((tool) => {
    const file = find(tool)
    return file === undefined ? [] : [[tool, file] as const]
  })) as ReadonlyMap<string, string>
})

const sysctlPath = (name: string): string => `/proc/sys/${name.replaceAll(".", "/")}`

/** The sysctls of each link. */
const linkSysctls = [
  "ipv4.forwarding",
  "ipv4.rp_filter",
  "ipv4.route_localnet",
  "ipv4.arp_ignore",
  "ipv6.disable_ipv6",
  "ipv6.accept_ra"
]

const collectSysctls = Effect.fnUntraced(function*(devices: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const wanted = [
    ...[
      "net.ipv4.ip_forward",
      "net.ipv6.conf.all.forwarding",
      "net.bridge.bridge-nf-call-iptables",
      "net.bridge.bridge-nf-call-ip6tables",
      "net.ipv4.conf.all.rp_filter",
      "net.ipv4.conf.all.route_localnet",
      "net.ipv4.conf.all.arp_ignore",
      "net.ipv6.conf.default.disable_ipv6"
    ].map((name) => [name, sysctlPath(name)] as const),
    ...devices.flatMap((device) =>
      linkSysctls.map((each) => {
        const [family, name] = each.split(".")
        return [`net.${family}.conf.${device}.${name}`, `/proc/sys/net/${family}/conf/${device}/${name}`] as const
      })
    )
  ]
  const values = yield* Effect.forEach(
    wanted,
    ([name, path]) =>
      Effect.map(
        Effect.option(fs.readFileString(path)),
        (text) => text._tag === "Some" ? [[name, text.value.trim()] as const] : []
      )
  )
  return new Map(values.flat()) as ReadonlyMap<string, string>
})

/** Whether the sysctls of networks are mounted read-only, according to /proc/self/mounts. The innermost mount decides. */
const areSysctlsReadOnly = (mounts: string): boolean => {
  const lines = mounts.split("\n").map((line) => line.split(" "))
  const innermost = lines.findLast(([, on]) => on === "/proc/sys/net") ?? lines.findLast(([, on]) => on === "/proc/sys")
  return innermost?.[3]?.split(",").includes("ro") === true
}

/** Inspects the host, as far as it concerns a network and its attachments. */
export const collect = Effect.fnUntraced(function*(
  chain: ReadonlyArray<ConfigFile.Placed>,
  attachments: ReadonlyArray<Attachment.AttachmentId>
) {
  const fs = yield* FileSystem.FileSystem
  const ends = attachments.flatMap(({ result }) =>
    Result.isSuccess(result)
      ? Attachment.interfacesOf(result.success).filter(({ sandbox }) => sandbox === "").map(({ name }) => name)
      : []
  )
  const devices = [...new Set([Roles.bridgeOf(chain) ?? "", ...ends])].filter((name) =>
    /^[^/\s]+$/.test(name) && name !== ".."
  )
  const ports = new Set([
    ...attachments.flatMap(({ portMappings }) => portMappings.map(({ hostPort }) => hostPort)),
    ...(chain.some(({ type }) => type === "dhcp") ? [dhcpServerPort] : [])
  ])
  const named = chain.flatMap(({ config: { daemonSocketPath, resolvConf } }) =>
    [resolvConf, daemonSocketPath].filter((path) => typeof path === "string")
  ).concat(chain.flatMap(filesOf).map(({ file }) => file))
  const [network, foundTools, listeners, files, policies, tables, lacking, mounts] = yield* Effect.all([
    Namespace.collect(),
    collectTools,
    Sockets.collect(ports),
    Effect.filter([dhcpSocket, ...named], (path) => Effect.orElseSucceed(fs.exists(path), () => false)),
    Namespace.collectPolicyRules(),
    KernelTables.collect(),
    Rights.lacking(),
    Effect.orElseSucceed(fs.readFileString("/proc/self/mounts"), () => "")
  ], { concurrency: "unbounded" })
  const uplinks = Result.isSuccess(network)
    ? [
      ...network.success.routes.filter(({ to }) => to.length <= 1).flatMap(({ device }) => device ?? []),
      ...network.success.links.filter(({ addresses, master }) => master === undefined && addresses.length > 0)
        .map(({ name }) => name)
    ]
    : []
  return {
    network,
    rules: yield* PacketFilter.collect(foundTools),
    policies,
    tables,
    sysctls: yield* collectSysctls([...new Set([...devices, ...uplinks])]),
    listeners,
    tools: foundTools,
    files: new Set(files),
    lacking,
    hasReadOnlySysctls: areSysctlsReadOnly(mounts),
    queues: Result.isSuccess(network) ? yield* Qdiscs.collect(network.success.links) : [],
    machine: Plugins.ownMachine
  } satisfies Host
})
