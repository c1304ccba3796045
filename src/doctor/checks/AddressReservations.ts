/** Addresses: who holds them, and whether they are used twice. */
import * as Result from "effect/Result"
import * as ShellQuote from "../../exec/ShellQuote.ts"
import * as Cidr from "../../network/Cidr.ts"
import type { Namespace } from "../../network/Namespace.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import { foundAt, nameOf, type Placed, pluginsOf } from "../ConfigFile.ts"
import type { Facts } from "../Facts.ts"
import type { AttachmentId } from "../facts/Attachment.ts"
import type { Judged } from "../facts/HostLocalStore.ts"
import type { Unwritable } from "../facts/Writable.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Names from "../Names.ts"
import * as Ranges from "../Ranges.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"
import { deletionOf } from "./HostSide.ts"
import { subnetsOf } from "./IpamConfiguration.ts"

/** The most reservations to name one by one. */
const shown = 20

const inWords = ({ address, containerId, ifname, reason }: Judged): string =>
  `${address}: ${Names.container({ containerId })}${ifname === "" ? "" : ` ${ifname}`} (${reason})`

const listed = (reservations: ReadonlyArray<Judged>): ReadonlyArray<string> => [
  ...reservations.slice(0, shown).map(inWords),
  ...(reservations.length > shown ? [`and ${reservations.length - shown} more`] : [])
]

/** Advice to choose another subnet. A bridge keeps the address of the old one, and then the next ADD fails. */
const another = ({ chain, host }: Facts, words: string): string => {
  const bridge = Roles.bridgeOf(chain)
  const links = host !== undefined && Result.isSuccess(host.network) ? host.network.success.links : []
  return bridge === undefined || !links.some(({ name }) => name === bridge)
    ? words
    : `${words}: detach the containers, ip link del ${ShellQuote.word(bridge)}, and attach them again`
}

/** What makes a folder writable for root. */
const makeWritable = ({ at, reason }: Unwritable): string => {
  const folder = ShellQuote.word(at)
  return /read-only/.test(reason)
    ? "look at dmesg, as a file system becomes read-only when its disk fails; then: " +
      `mount -o remount,rw "$(stat -c %m ${folder})"`
    : /left on device/.test(reason)
    ? `make room there: df -hT ${folder}; df -i ${folder}`
    : `let root write there: lsattr -d ${folder}`
}

export const storeUsable: Check = {
  id: "address-store",
  phase: "addresses",
  find: ({ store }) => {
    if (store === undefined) return { skipped: "the network has no store of host-local" }
    const { folder, problem, unwritable } = store
    const found = { level: "error", plugin: "host-local", evidence: [] } as const
    return problem !== undefined
      ? [{
        ...found,
        message: `the store ${folder} cannot be read: ${problem}`,
        fix: /not a directory/.test(problem)
          ? Fix.run("remove what stands in place of the folder", Fix.command("rm", folder))
          : `make ${folder} a folder that root can write`
      }]
      : unwritable !== undefined
      ? [{
        ...found,
        message: `the store ${folder} cannot be written: ${unwritable.reason}: the next ADD fails`,
        fix: makeWritable(unwritable)
      }]
      : []
  }
}

/** What frees addresses in a full range, none of which is known to belong to a container that is gone. */
const roomFor = (facts: Facts, taken: ReadonlyArray<Judged>): string => {
  const process = taken.find(({ process }) => process !== undefined)?.process
  if (process !== undefined) {
    const after = Repair.removeLeaks(facts).commands.map(Fix.line).join("; ")
    return `look at process ${process.pid} (${process.name}): all else of that container is gone. When it has ended: ${after}`
  }
  return taken.some(({ unknown }) => unknown !== undefined)
    ? "run doctor where it sees all network namespaces: some of these containers may be gone"
    : another(facts, "use a larger subnet")
}

export const rangeExhausted: Check = {
  id: "range-exhausted",
  phase: "addresses",
  find: (facts) => {
    const { chain, store } = facts
    const ipam = Roles.ofType(chain, "host-local")
    if (ipam === undefined || store === undefined) return { skipped: "the network has no store of host-local" }
    return Ranges.of(ipam.config, ipam.at).flatMap((set) => {
      const taken = store.reservations.filter(({ address }) => {
        const parsed = Cidr.parseAddress(address)
        return parsed !== undefined && Ranges.gives(set, parsed)
      })
      const size = Ranges.size(set)
      if (size <= 0n || BigInt(taken.length) < size) return []
      const gone = taken.filter(({ isGone }) => isGone)
      const kept = taken.filter(({ process }) => process !== undefined)
      const others = taken.filter(({ isGone, process }) => !isGone && process === undefined)
      return [foundAt(ipam.file, set[0]?.at ?? ipam.at, {
        level: "error",
        plugin: ipam.type,
        message: `${size === 1n ? "the only address" : `all ${size} addresses`} of ${Ranges.textWithGateways(set)} ${
          size === 1n ? "is" : "are"
        } taken${gone.length === 0 ? "" : `, ${gone.length} of them by containers that are gone`}: the next ADD fails`,
        evidence: listed([...gone, ...kept, ...others]),
        fix: gone.length > 0 ? Repair.removeLeaks(facts) : roomFor(facts, taken)
      })]
    })
  }
}

export const staleReservations: Check = {
  id: "stale-reservations",
  phase: "addresses",
  find: (facts) => {
    const { store } = facts
    if (store === undefined) return { skipped: "the network has no store of host-local" }
    const gone = store.reservations.filter(({ isGone }) => isGone)
    const [first] = gone
    return first === undefined ? [] : [{
      level: "warning",
      plugin: "host-local",
      message: gone.length === 1
        ? `the address ${first.address} is reserved for ${Names.container(first)}, which is gone`
        : `${gone.length} addresses are reserved for containers that are gone`,
      evidence: listed(gone),
      fix: Repair.removeLeaks(facts)
    }]
  }
}

/** Plugins whose networks are deliberately those of the host. */
const onHostNetwork = new Set(["macvlan", "ipvlan", "vlan", "host-device", "sriov"])

/** The addresses in the result of an ADD. */
const givenTo = ({ result }: AttachmentId): ReadonlyArray<string> =>
  Result.isSuccess(result) ? (result.success.ips ?? []).map((ip) => ip?.address ?? "") : []

const rangesOf = ({ at, config, type }: Placed) => type === "host-local" ? Ranges.of(config, at).flat() : []

export const overlappingSubnets: Check = {
  id: "overlapping-subnets",
  phase: "addresses",
  find: (facts) => {
    const { attachments, chain, earlier, file, files, host } = facts
    const ipam = Roles.ipamOf(chain)
    const maker = Roles.makerOf(chain)
    if (ipam === undefined || file === undefined) return { skipped: "the network has no subnet of its own" }
    const subnets = subnetsOf(ipam)
    const found: Array<Found> = []
    const report = (
      level: Found["level"],
      subnet: Cidr.Cidr,
      message: string,
      evidence: ReadonlyArray<string>,
      fix: Found["fix"] = another(facts, "use a subnet that nothing else uses")
    ) =>
      found.push(foundAt(ipam.file, ipam.at, {
        level,
        plugin: ipam.type,
        message: `${Cidr.text(subnet)} ${message}`,
        evidence,
        fix
      }))
    const link = Roles.bridgeOf(chain)
    const earlierBridges = new Set(earlier.map((each) => Roles.bridgeOf(each.chain)))
    const isOnHost = onHostNetwork.has(maker?.type ?? "")
    if (host !== undefined && Result.isSuccess(host.network) && !isOnHost) {
      const { links, routes } = host.network.success
      const ends = new Set(
        [...attachments, ...earlier.flatMap((each) => each.attachments)].flatMap(({ result }) =>
          Result.isSuccess(result)
            ? (result.success.interfaces ?? []).filter((each) => !each?.sandbox).map((each) => each?.name)
            : []
        )
      )
      const given = attachments.flatMap(givenTo).flatMap((text) => Cidr.parse(text) ?? []).map(Cidr.single)
      for (const route of routes) {
        const { device, protocol, table, to, type } = route
        if (table !== "main" || type !== "unicast" || Cidr.isDefault(to) || device === undefined) continue
        const isEarlierBridge = device !== link && earlierBridges.has(device)
        const isOwn = device === link || device === `${link}.${maker?.config["vlan"]}` || ends.has(device)
        if (isOwn && !isEarlierBridge) continue
        const kind = links.find(({ name }) => name === device)?.kind
        const isHostRoute = to.length === (to.family === 4 ? 32 : 128)
        if (isHostRoute && kind === "veth" && maker?.type === "ptp") continue
        const subnet = subnets.find((each) => Cidr.overlap(each, to))
        if (subnet === undefined) continue
        const isTaken = Cidr.contains(subnet, to)
        if (!isTaken && protocol !== "kernel") continue // a wider route that the subnet is carved out of
        const address = links.find(({ name }) => name === device)?.addresses.find((each) => Cidr.contains(to, each))
        if (isEarlierBridge) {
          report(
            "warning",
            subnet,
            `is the subnet of ${device} too, the bridge of containers that were attached before the edit`,
            [`route ${Cidr.text(to)} dev ${device}`],
            "stop those containers before new ones are started, or use another subnet"
          )
          continue
        }
        report(
          isTaken && (to.length === subnet.length || given.some((each) => Cidr.contains(to, each)))
            ? "error"
            : "warning",
          subnet,
          `overlaps with ${Cidr.text(to)}, which the host has on ${device}`,
          [`route ${Cidr.text(to)} dev ${device}`, ...(address === undefined ? [] : [`${device} has ${address.text}`])],
          protocol === "kernel"
            ? undefined
            : Fix.run("delete the route, or use a subnet that overlaps with no other", deletionOf(route))
        )
      }
    }
    for (const other of files) {
      if (other.path === file.path || nameOf(other) === nameOf(file)) continue
      const theirs = pluginsOf(other)
      const otherIpam = Roles.ipamOf(theirs)
      const otherMaker = Roles.makerOf(theirs)
      if (otherIpam === undefined || (isOnHost && onHostNetwork.has(otherMaker?.type ?? ""))) continue
      if (
        link !== undefined && link === Roles.bridgeOf(theirs) && Ranges.areApart(rangesOf(ipam), rangesOf(otherIpam))
      ) {
        continue // the same network under two names
      }
      const clash = subnetsOf(otherIpam).find((each) => subnets.some((subnet) => Cidr.overlap(subnet, each)))
      const subnet = clash === undefined ? undefined : subnets.find((each) => Cidr.overlap(each, clash))
      if (clash === undefined || subnet === undefined) continue
      report("warning", subnet, `overlaps with ${Cidr.text(clash)} of the network ${nameOf(other) ?? ""}`, [other.path])
    }
    return found
  }
}

/** Gives a container its own address back, if the duplicate address is not the one that its ADD returned. */
const giveBack = (attachment: AttachmentId, same: Cidr.Cidr & { readonly text: string }): Fix.Fix | undefined => {
  const { ifname, netns } = attachment
  const given = givenTo(attachment).flatMap((text) => Cidr.parse(text) ?? [])
  const own = given.find(({ family }) => family === same.family)
  if (own === undefined || given.some((each) => Cidr.isSameAddress(each, same))) return undefined
  const command = (verb: string, address: string) => Fix.inside(netns, `ip addr ${verb}`, address, "dev", ifname)
  return Fix.run(
    `give ${Names.container(attachment)} the address of its ADD back`,
    command("del", same.text),
    command("replace", Cidr.text(own)),
    ...Repair.routes(attachment)
  )
}

/** A container's addresses on the network, without those of networks inside it, such as that of its own docker0. */
const addressesOf = ({ links }: Namespace, { ifname }: AttachmentId) => {
  const master = links.find(({ name }) => name === ifname)?.master
  return links.filter(({ name }) => name === ifname || name === master).flatMap(({ addresses }) => addresses)
    .filter((each) => !Cidr.isLinkLocal(each))
}

export const duplicateAddress: Check = {
  id: "duplicate-address",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const { all, attachments, chain, host } = facts
    if (attachments.length === 0) return { skipped: "there is no attachment" }
    const plugin = Roles.ipamOf(chain)?.type
    const blame = plugin === undefined ? {} : { plugin }
    const found: Array<Found> = []
    const links = host !== undefined && Result.isSuccess(host.network) ? host.network.success.links : []
    for (const attachment of attachments) {
      const { containerId, netns, sight } = attachment
      if (sight._tag !== "There" || sight.isHost) continue
      const own = addressesOf(sight.network, attachment)
      for (const rival of AttachedContainer.attachmentsAfter(attachment, { all, attachments })) {
        if (rival.sight?._tag !== "There" || rival.netns === netns || rival.containerId === containerId) continue
        const theirs = addressesOf(rival.sight.network, rival)
        const same = own.find((mine) => theirs.some((each) => Cidr.isSameAddress(mine, each)))
        if (same === undefined) continue
        found.push({
          level: "error",
          ...blame,
          message: `${Names.container(attachment)} and ${Names.container(rival)} both have the address ${same.text}`,
          evidence: [`${netns}: ${same.text}`, `${rival.netns}: ${same.text}`],
          fix: giveBack(attachment, same) ?? giveBack(rival, same) ??
            Repair.reattach([attachment], facts, { keepsAddress: false })
        })
      }
      const clash = links.flatMap(({ addresses, name }) => addresses.map((address) => ({ name, address })))
        .find(({ address, name }) => name !== "lo" && own.some((mine) => Cidr.isSameAddress(mine, address)))
      if (clash !== undefined) {
        found.push({
          level: "error",
          ...blame,
          message: `${
            Names.container(attachment)
          } has the address ${clash.address.text}, which the host has on ${clash.name}`,
          evidence: [`${netns}: ${clash.address.text}`, `host: ${clash.name} ${clash.address.text}`],
          // The gateway of all containers is not to blame.
          fix: giveBack(attachment, clash.address) ?? (clash.name === Roles.bridgeOf(chain)
            ? "start the container with another address"
            : Fix.run(
              `remove the address from ${clash.name}, or restart the container`,
              Fix.command("ip addr del", clash.address.text, "dev", clash.name)
            ))
        })
      }
    }
    return found
  }
}
