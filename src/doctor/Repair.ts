/** Repairs that several checks propose: attaching again, restoring routes, removing leftovers. */
import * as Result from "effect/Result"
import * as ConfFolder from "../conf/ConfFolder.ts"
import * as Cidr from "../network/Cidr.ts"
import { natChainOf } from "../operations/AttachmentIdentity.ts"
import * as ResultCache from "../runtime/ResultCache.ts"
import type { Facts } from "./Facts.ts"
import type { Attachment, AttachmentId } from "./facts/Attachment.ts"
import * as Fix from "./Fix.ts"
import * as IptablesLines from "./IptablesLines.ts"
import * as Names from "./Names.ts"
import * as Roles from "./Roles.ts"

/** The facts that the commands depend on. */
export type Context = Pick<Facts, "cacheDir" | "chain" | "cniPath" | "file" | "folder" | "host" | "network">

/**
 * The argument by which `run` and `leaks` find the network: its file, if that is in no configuration folder, or its
 * name.
 */
export const networkOf = ({ file, folder, network }: Pick<Facts, "file" | "folder" | "network">): string =>
  folder === undefined && file !== undefined && file.isCached !== true ? file.path : network?.name ?? ""

/** The folders where `run` looks by default. */
const defaultCniPath = "/opt/cni/bin:/usr/lib/cni"

/** Flags for the folders that differ from the default. */
export const foldersOf = (
  { cacheDir, cniPath, folder }: Pick<Facts, "cacheDir" | "cniPath" | "folder">
): ReadonlyArray<string> => {
  const unless = (fallback: string, flag: string, value: string | undefined) =>
    value === undefined || value === "" || value === fallback ? [] : [flag, value]
  return [
    ...unless(ConfFolder.defaultFolder, "--conf-dir", folder),
    ...unless(defaultCniPath, "--cni-path", cniPath.join(":")),
    ...unless(ResultCache.defaultFolder, "--cache-dir", cacheDir)
  ]
}

/** Addresses of the result of an ADD, in its order. */
const addressesOf = ({ result }: AttachmentId): ReadonlyArray<Cidr.Cidr> =>
  Result.isSuccess(result) ? (result.success.ips ?? []).flatMap((ip) => Cidr.parse(ip?.address ?? "") ?? []) : []

/**
 * Asks host-local for the address that the container had, because others may know the container by it. host-local reads
 * one address from CNI_ARGS; plugins that do not know that key fail without `IgnoreUnknown`.
 * Source: containernetworking/plugins, host-local, `LoadIPAMConfig`.
 */
const withAddress = (attachment: AttachmentId, { chain }: Context): string => {
  const [address] = addressesOf(attachment)
  const { args } = attachment
  if (address === undefined || Roles.ipamOf(chain)?.type !== "host-local" || /(?:^|;)IP=/.test(args)) return args
  const isLenient = /(?:^|;)IgnoreUnknown=(?:1|true)(?:;|$)/i.test(args)
  return [...(isLenient ? [] : ["IgnoreUnknown=1"]), ...(args === "" ? [] : [args]), `IP=${Cidr.addressText(address)}`]
    .join(";")
}

/**
 * Creates missing nat chains that the DEL of bridge or ptp deletes: without them, that DEL fails.
 * Source: containernetworking/plugins, `pkg/ip/ipmasq_iptables_linux.go`, TeardownIPMasq.
 */
const missingChains = (attachment: AttachmentId, { chain, host }: Context): ReadonlyArray<Fix.Command> => {
  const { ipMasq, ipMasqBackend } = Roles.makerOf(chain)?.config ?? {}
  if (ipMasq !== true || ipMasqBackend === "nftables" || host === undefined || Result.isFailure(host.rules)) return []
  const { rulesets } = host.rules.success
  const name = `CNI-${natChainOf(attachment.network, attachment.containerId)}`
  return [...new Set(addressesOf(attachment).map(({ family }) => family))]
    .filter((family) => !rulesets.some((each) => each.family === family && each.tables.get("nat")?.has(name) === true))
    .map((family) => Fix.command(`${IptablesLines.commandOf(family, "nf_tables")} -t nat -N ${name}`))
}

const reattachCommands = (
  attachment: AttachmentId,
  context: Context,
  keepsAddress: boolean
): ReadonlyArray<Fix.Command> => {
  const { capabilityArgs, containerId, ifname, netns } = attachment
  const args = keepsAddress ? withAddress(attachment, context) : attachment.args
  const identity = [
    networkOf(context),
    "--container-id",
    containerId,
    "--netns",
    netns,
    ...(ifname === "eth0" ? [] : ["--ifname", ifname]),
    ...foldersOf(context)
  ]
  return [
    ...missingChains(attachment, context),
    Fix.command("cni-passthrough run del", ...identity),
    Fix.command(
      "cni-passthrough run add",
      ...identity,
      ...(args === "" ? [] : ["--args", args]),
      ...(Object.keys(capabilityArgs).length === 0 ? [] : ["--capability-args", JSON.stringify(capabilityArgs)])
    )
  ]
}

const isThere = ({ sight }: Partial<Pick<Attachment, "sight">>): boolean =>
  sight === undefined || sight._tag === "There"

/**
 * Attaches containers again. If no file still has the network as it was, only the runtime can, by restarting them.
 */
export const reattach = (
  attachments: ReadonlyArray<AttachmentId & Partial<Pick<Attachment, "sight">>>,
  context: Context,
  { keepsAddress = true }: { readonly keepsAddress?: boolean } = {}
): Fix.Fix => {
  const names = attachments.map(Names.container).join(", ")
  const container = attachments.length === 1 ? `the container ${names}` : `the containers ${names}`
  if (context.file === undefined || context.file.isCached === true || !attachments.every(isThere)) {
    return Fix.byHand(`restart ${container}`)
  }
  return {
    ...Fix.run(`attach ${container} anew, or restart ${attachments.length === 1 ? "it" : "them"}`),
    commands: attachments.flatMap((each) => reattachCommands(each, context, keepsAddress)),
    cuts: attachments.map((each) => `open connections of ${Names.attachment(each)}`).join(", ")
  }
}

/** The gateway of a route of a result: the route's own, or that of an address of the same family. */
export const gatewayOf = (
  { result }: AttachmentId,
  to: Cidr.Cidr,
  gw: string | null | undefined
): Cidr.Cidr | undefined => {
  const own = Cidr.parseAddress(gw ?? "")
  if (own !== undefined || Result.isFailure(result)) return own
  return (result.success.ips ?? []).flatMap((ip) => Cidr.parseAddress(ip?.gateway ?? "") ?? [])
    .find(({ family }) => family === to.family)
}

/** Sets a route in the container. */
export const route = ({ ifname, netns }: AttachmentId, to: Cidr.Cidr, via: Cidr.Cidr | undefined): Fix.Command =>
  Fix.inside(
    netns,
    "ip route replace",
    Cidr.text(Cidr.network(to)),
    ...(via === undefined ? [] : ["via", Cidr.addressText(via)]),
    "dev",
    ifname
  )

/** Whether another interface of the container has the route to a network. */
const leadsElsewhere = (
  { ifname, sight }: AttachmentId & Partial<Pick<Attachment, "sight">>,
  to: Cidr.Cidr
): boolean =>
  sight?._tag === "There" &&
  sight.network.routes.some((each) =>
    each.table === "main" && each.device !== undefined && each.device !== ifname && each.to.length === to.length &&
    Cidr.isSameAddress(each.to, to)
  )

/**
 * Sets all routes of the result that lead nowhere else. The kernel deletes a route with the address or the link that it
 * needs; the one of another interface to the same network stays.
 */
export const routes = (attachment: AttachmentId & Partial<Pick<Attachment, "sight">>): ReadonlyArray<Fix.Command> =>
  (Result.isSuccess(attachment.result) ? attachment.result.success.routes ?? [] : []).flatMap((each) => {
    const to = Cidr.parse(each?.dst ?? "")
    return to === undefined || leadsElsewhere(attachment, Cidr.network(to))
      ? []
      : [route(attachment, to, gatewayOf(attachment, to, each?.gw))]
  })

/** Removes the leftovers of containers of the network that are gone. */
export const removeLeaks = (facts: Pick<Facts, "cacheDir" | "file" | "folder" | "network">): Fix.Fix =>
  Fix.run(
    "remove what those containers left",
    Fix.command(
      "cni-passthrough leaks",
      networkOf(facts),
      "--fix",
      "--yes",
      ...foldersOf({ ...facts, cniPath: [] })
    )
  )
