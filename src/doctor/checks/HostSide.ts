/** The host's side of a container: the bridge, the other end of the link, the gateway, the way back. */
import * as Result from "effect/Result"
import * as ShellQuote from "../../exec/ShellQuote.ts"
import * as Cidr from "../../network/Cidr.ts"
import type * as Link from "../../network/Link.ts"
import * as Namespace from "../../network/Namespace.ts"
import type * as Route from "../../network/Route.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Iptables from "../Iptables.ts"
import * as IptablesLines from "../IptablesLines.ts"
import * as Nftables from "../Nftables.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"
import * as Tables from "../Tables.ts"

const noAttachment = { skipped: "there is no attachment whose namespace could be looked into" }

/** The bridge of the network on the host. */
const bridgeLink = (facts: Facts): Link.Link | undefined => {
  const name = Roles.bridgeOf(facts.chain)
  return facts.host === undefined || Result.isFailure(facts.host.network)
    ? undefined
    : facts.host.network.success.links.find((link) => link.name === name)
}

/** The gateways that have to be addresses of the bridge: those of its attachments. */
const wantedGateways = (facts: Facts): ReadonlyArray<Cidr.Cidr & { readonly text: string }> => {
  if (!Roles.isRouted(facts.chain)) return []
  const all = AttachedContainer.of(facts).flatMap(({ result }) =>
    (result.ips ?? []).flatMap((ip) => {
      const gateway = Cidr.parseAddress(ip?.gateway ?? "")
      const subnet = Cidr.parse(ip?.address ?? "")
      if (gateway === undefined || subnet === undefined) return []
      return [{ ...gateway, text: `${Cidr.addressText(gateway)}/${subnet.length}` }]
    })
  )
  return all.filter((each, index) => all.findIndex(({ text }) => text === each.text) === index)
}

export const bridge: Check = {
  id: "bridge",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const name = Roles.bridgeOf(facts.chain)
    if (name === undefined) return { skipped: "the network has no bridge" }
    if (facts.host === undefined || Result.isFailure(facts.host.network)) {
      return { skipped: "the links of the host are not known", isUnknown: true }
    }
    const link = bridgeLink(facts)
    const found = (message: string, evidence: ReadonlyArray<string>, fix: Found["fix"]): ReadonlyArray<Found> => [
      { level: "error", plugin: "bridge", message, evidence, fix }
    ]
    const isUsed = AttachedContainer.of(facts).length > 0
    const isVlan = Roles.hasVlan(facts.chain)
    if (link === undefined) {
      return isUsed
        ? found(
          `the host has no bridge ${name}, which its attachments are ports of`,
          facts.host.network.success.links.map(AttachedContainer.linkText).slice(0, 20),
          Repair.reattach(AttachedContainer.of(facts).map(({ attachment }) => attachment), facts)
        )
        : []
    }
    if (link.kind !== "bridge") {
      return found(
        `the link ${name} of the host is not a bridge${link.kind === "" ? "" : ` but of kind ${link.kind}`}`,
        [AttachedContainer.linkText(link)],
        `set "bridge" to another name, or remove the link ${name}`
      )
    }
    return link.isUp || !isUsed
      ? []
      : found(
        `the bridge ${name} is down`,
        [AttachedContainer.linkText(link)],
        Fix.run(
          "set the bridge up, with its addresses",
          Fix.command("ip link set", name, "up"),
          // The kernel removes IPv6 addresses from a link that is set down.
          ...(isVlan ? [] : wantedGateways(facts)).map(({ text }) => Fix.command("ip addr replace", text, "dev", name))
        )
      )
  }
}

/** The gateways of a result that are missing on the host's end, where ptp puts them. */
const lackedBy = (seen: AttachedContainer.AttachedContainer, end: Link.Link): ReadonlyArray<Cidr.Cidr> =>
  AttachedContainer.gatewaysOf(seen).filter((gateway) =>
    !end.addresses.some((each) => Cidr.isSameAddress(each, gateway))
  )

/** Whether the host's end of a pair has the gateway of its container. */
const ofPair = (seen: AttachedContainer.AttachedContainer): ReadonlyArray<Found> => {
  const end = seen.outside?.links.find(({ name }) => name === seen.hostEnd)
  if (end === undefined || !end.isUp) return [] // the check host-end reports it
  return lackedBy(seen, end).map((gateway): Found => ({
    level: "error",
    plugin: "ptp",
    message: `${seen.title}: the host's end of its link, ${end.name}, does not have the address ${
      Cidr.addressText(gateway)
    }, which is its gateway`,
    evidence: [AttachedContainer.linkText(end), ...end.addresses.map(({ text }) => `${end.name} has ${text}`)],
    fix: Fix.run(
      "add the address, and the route that went with it",
      Fix.command("ip addr add", Cidr.text(Cidr.single(gateway)), "dev", end.name),
      ...AttachedContainer.addressesOf(seen).filter(({ family }) => family === gateway.family).map((address) =>
        Fix.command("ip route replace", Cidr.text(Cidr.single(address)), "dev", end.name)
      )
    )
  }))
}

export const gatewayAddress: Check = {
  id: "gateway-address",
  phase: "attachment",
  stops: Flow.routed,
  find: (facts) => {
    if (Roles.makerOf(facts.chain)?.type === "ptp") return AttachedContainer.of(facts).flatMap(ofPair)
    const link = bridgeLink(facts)
    if (link === undefined || link.kind !== "bridge") return { skipped: "the network has no bridge that is there" }
    const isVlan = Roles.hasVlan(facts.chain)
    return isVlan ? [] : wantedGateways(facts)
      .filter((gateway) => !link.addresses.some((address) => Cidr.isSameAddress(address, gateway)))
      .map(({ text }): Found => ({
        level: "error",
        plugin: "bridge",
        message: `the bridge ${link.name} does not have the address ${text}, which is the gateway of its containers`,
        evidence: link.addresses.map(({ text }) => `${link.name} has ${text}`),
        fix: Fix.run("add the address", Fix.command("ip addr add", text, "dev", link.name))
      }))
  }
}

/**
 * Sets the host's end up. Without a bridge, also restores the route to the container, which the kernel deleted when the
 * end went down.
 */
const upCommands = (seen: AttachedContainer.AttachedContainer, name: string): Fix.Fix =>
  Fix.run(
    "set the link up, with the routes that it lost",
    Fix.command("ip link set", name, "up"),
    ...(seen.maker === "bridge"
      ? []
      : AttachedContainer.addressesOf(seen).map((address) =>
        Fix.command("ip route replace", Cidr.text(Cidr.single(address)), "dev", name)
      ))
  )

export const hostEnd: Check = {
  id: "host-end",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const all = AttachedContainer.of(facts)
    if (all.length === 0) return noAttachment
    const bridge = bridgeLink(facts)
    return all.flatMap((seen): ReadonlyArray<Found> => {
      const { attachment: { ifname }, hostEnd: name, link, outside, title } = seen
      if (name === undefined || link === undefined || outside === undefined) return []
      const end = outside.links.find((each) => each.name === name)
      const found = (
        message: string,
        fix: Found["fix"],
        evidence = [link, ...(end === undefined ? [] : [end])].map(AttachedContainer.linkText)
      ) => [
        { level: "error", ...AttachedContainer.culprit(seen), message: `${title}: ${message}`, evidence, fix } as const
      ]
      if (end === undefined) {
        return found(
          `the host does not have the other end of its link, ${name}`,
          Repair.reattach([seen.attachment], facts)
        )
      }
      if (link.kind === "veth" && link.peer !== undefined && link.peer !== end.index) {
        return found(
          `${name} is the other end of another link than ${ifname}`,
          Repair.reattach([seen.attachment], facts)
        )
      }
      if (!end.isUp) return found(`the other end of its link, ${name}, is down`, upCommands(seen, name))
      const wanted = Roles.bridgeOf(facts.chain)
      if (wanted === undefined || bridge?.kind !== "bridge") return []
      if (end.master !== wanted) {
        return found(
          `${name} is ${
            end.master === undefined ? "not a port of any bridge" : `a port of ${end.master}`
          }, expected ${wanted}`,
          Fix.run(`make it a port of ${wanted}`, Fix.command("ip link set", name, "master", wanted))
        )
      }
      return bridge.isUp && link.isUp && end.portState !== undefined &&
          !["forwarding", "learning", "listening"].includes(end.portState)
        ? found(
          `the bridge ${wanted} does not forward to ${name}: its port is ${end.portState}`,
          Fix.run("let the port forward", Fix.command("bridge link set dev", name, "state", "3"))
        )
        : []
    })
  }
}

/** The command that deletes a route. */
export const deletionOf = ({ device, table, to, type }: Route.Route): Fix.Command =>
  Fix.command(
    "ip route del",
    ...(type === "unicast" ? [] : [type]),
    Cidr.text(to),
    ...(device === undefined ? [] : ["dev", device]),
    ...(table === "local" ? ["table", "local"] : [])
  )

/** The fix that leads to a subnet over a device, instead of by another route. */
export const correctionOf = (route: Route.Route | undefined, subnet: Cidr.Cidr, device: string): Found["fix"] => {
  const isMoreSpecific = route !== undefined &&
    (route.table === "local" || (route.table === "main" && route.to.length > subnet.length))
  if (!isMoreSpecific) {
    return Fix.run(`lead it over ${device}`, Fix.command("ip route replace", Cidr.text(subnet), "dev", device))
  }
  return route.protocol === "kernel"
    ? `use a subnet that ${route.device} does not have`
    : Fix.run("delete the route", deletionOf(route))
}

export const wayBack: Check = {
  id: "host-route",
  phase: "attachment",
  stops: Flow.routed,
  find: (facts) => {
    if (!Roles.isRouted(facts.chain)) return { skipped: "the host is not the gateway of the network" }
    const all = AttachedContainer.of(facts)
    if (all.length === 0) return noAttachment
    const isVlan = Roles.hasVlan(facts.chain)
    const bridge = bridgeLink(facts)
    return all.flatMap((seen) => {
      const { hostEnd, outside, title } = seen
      const device = seen.maker === "bridge" ? bridge?.name : hostEnd
      const link = outside?.links.find(({ name }) => name === device)
      if (outside === undefined || device === undefined || link === undefined || !link.isUp || isVlan) return []
      if (seen.maker === "ptp" && lackedBy(seen, link).length > 0) return [] // its routes went with the address
      if (
        seen.maker === "bridge" &&
        !wantedGateways(facts).some((each) => link.addresses.some((address) => Cidr.isSameAddress(address, each)))
      ) return [] // no route without an address, which is reported already
      return AttachedContainer.addressesOf(seen).flatMap((address): ReadonlyArray<Found> => {
        const route = Namespace.routeTo(outside, address)
        const isLed = facts.host !== undefined && Tables.mayLead(facts.host, outside, address, device)
        if (route?.device === device || isLed) return []
        const to = Cidr.addressText(address)
        const single = address.family === 4 ? 32 : 128
        const strict = facts.host?.sysctls.get(`net.ipv4.conf.${device}.rp_filter`) === "1" ||
          facts.host?.sysctls.get("net.ipv4.conf.all.rp_filter") === "1"
        const subnet = Cidr.network({ ...address, length: seen.maker === "bridge" ? address.length : single })
        return [{
          level: "error",
          ...AttachedContainer.culprit(seen),
          message: route?.device === undefined || Cidr.isDefault(route.to)
            ? `${title}: the host has no route to ${to} over ${device}`
            : `${title}: the host sends what is for ${to} to ${route.device}, expected ${device}`,
          evidence: [
            ...(route === undefined ? [] : [`route ${Cidr.text(route.to)} dev ${route.device ?? "nothing"}`]),
            ...(strict ? [`rp_filter is 1: what comes from ${to} is dropped, too`] : [])
          ],
          fix: correctionOf(route, subnet, device)
        }]
      })
    })
  }
}

/** Why the host does not answer ARP requests of a container; undefined if nothing shows why. */
const silence = (
  { host }: Facts,
  { link: { name, hasArp } }: { readonly link: Link.Link },
  gateway: Cidr.Cidr,
  device: string
): { readonly reason: string; readonly evidence: string; readonly fix: Fix.Fix } | undefined => {
  if (!hasArp) {
    return {
      reason: "",
      evidence: `${name}: arp off`,
      fix: Fix.run("let the link answer ARP", Fix.command("ip link set", name, "arp", "on"))
    }
  }
  // The kernel takes the larger of the two.
  const ignoring = ["all", name].map((each) => `net.ipv4.conf.${each}.arp_ignore`)
    .find((each) => Number(host?.sysctls.get(each) ?? 0) >= 3)
  if (gateway.family === 4 && ignoring !== undefined) {
    return {
      reason: `: ${ignoring} is ${host?.sysctls.get(ignoring)}, so the host answers no ARP for it`,
      evidence: `${ignoring} = ${host?.sysctls.get(ignoring)}`,
      fix: Fix.sysctl("let the host answer", ignoring, 0)
    }
  }
  if (gateway.family === 4 || host === undefined || Result.isFailure(host.rules)) return undefined
  const rules = host.rules.success
  const asking = {
    family: 6,
    protocol: "ipv6-icmp",
    icmp: { type: 135, code: 0 },
    isForHost: true,
    isFromHost: false,
    inLink: device,
    state: "UNTRACKED"
  } as const
  const dropped = Iptables.inAll(rules, "filter", "INPUT", asking).find(({ end }) => end === "drop")
  if (dropped !== undefined) {
    const program = IptablesLines.commandOf(6, dropped.backend)
    return {
      reason: `: ${dropped.rule.startsWith("-P") ? "the policy" : "a rule"} of INPUT drops neighbour solicitations`,
      evidence: `${program} (${dropped.backend}): ${dropped.rule}`,
      fix: Fix.run(
        "let ICMPv6 in",
        Fix.command(`${program} -I INPUT -p ipv6-icmp -j ACCEPT`)
      )
    }
  }
  const [chain] = Nftables.dropping(rules, "input", asking)
  return chain === undefined ? undefined : {
    reason: `: ${Nftables.nameOf(chain)} drops neighbour solicitations`,
    evidence: `hook input, policy ${chain.policy ?? "accept"}`,
    fix: Fix.run("let ICMPv6 in", Nftables.accepting(chain, "meta", "l4proto", "ipv6-icmp"))
  }
}

export const gatewayAnswers: Check = {
  id: "gateway-answers",
  phase: "attachment",
  needs: ["host-route", "bridge-frames", "link", "link-up"],
  stops: Flow.routed,
  find: (facts) => {
    const all = AttachedContainer.of(facts)
    if (all.length === 0) return noAttachment
    const probed = all.filter(({ attachment }) => attachment.probes.length > 0)
    if (probed.length === 0) return { skipped: "no route of a container needs a gateway" }
    const bridge = bridgeLink(facts)
    return probed.flatMap((seen) => {
      const { attachment: { probes }, link, outside, title } = seen
      const end = outside?.links.find(({ name }) => name === seen.hostEnd)
      const isBroken = link === undefined || !link.isUp ||
        (seen.hostEnd !== undefined && (end === undefined || !end.isUp)) ||
        (seen.maker === "bridge" && (bridge === undefined || !bridge.isUp || end?.master !== bridge.name))
      if (isBroken) return [] // the cause is reported already
      return probes.filter(({ hasAnswered }) => hasAnswered === false).flatMap(
        ({ address, device }): ReadonlyArray<Found> => {
          const parsed = Cidr.parseAddress(address)
          const onHost = outside?.links.flatMap((link) => link.addresses.map((each) => ({ link, each })))
            .find(({ each }) => parsed !== undefined && Cidr.isSameAddress(each, parsed))
          if (onHost?.each.isTentative === true) return [] // too early to tell
          if (onHost === undefined && Roles.isRouted(facts.chain)) return [] // the bridge lacks it: reported already
          const maker = Roles.makerOf(facts.chain)
          const why = parsed === undefined || onHost === undefined
            ? undefined
            : silence(facts, onHost, parsed, onHost.link.name)
          const isForgotten = maker?.type === "bridge" && onHost === undefined && !Roles.isRouted(facts.chain)
          return [{
            level: "error",
            ...AttachedContainer.culprit(seen),
            message: `${title}: the gateway ${address} does not answer from inside${
              isForgotten ? ", and the bridge is not to be the gateway: isGateway is not set" : why?.reason ?? ""
            }`,
            evidence: [
              `asked on ${device} of the namespace, by ARP or neighbour discovery`,
              ...(why === undefined || why.reason === "" ? [] : [why.evidence])
            ],
            fix: isForgotten
              ? `set "isGateway": true, detach the containers, ip link del ${
                ShellQuote.word(Roles.bridgeOf(facts.chain) ?? "")
              }, ` +
                "and attach them again; or name a gateway that is there"
              : why !== undefined
              ? why.fix
              : `see where the packets end: tcpdump -ni ${ShellQuote.word(seen.hostEnd ?? device)} arp or icmp6`
          }]
        }
      )
    })
  }
}
