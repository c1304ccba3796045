/** Whether rules at either end of the way, in the container or in the host's INPUT, drop traffic. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import * as Namespace from "../../network/Namespace.ts"
import type { Rules } from "../../network/PacketFilter.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Iptables from "../Iptables.ts"
import * as IptablesLines from "../IptablesLines.ts"
import * as Nftables from "../Nftables.ts"
import type { Packet } from "../Packet.ts"
import * as Routed from "../Routed.ts"

export const insideRules: Check = {
  id: "inside-rules",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const all = AttachedContainer.of(facts).filter(({ link }) => link !== undefined)
    if (all.length === 0) return { skipped: "there is no attachment whose namespace could be looked into" }
    return all.flatMap((seen) => {
      const { attachment: { filter, ifname, netns, nft }, title } = seen
      const found = new Map<string, Found>()
      for (const address of AttachedContainer.addressesOf(seen)) {
        const { family } = address
        const [own, peer] = [Cidr.single(address), Routed.elsewhere[family]]
        if (peer === undefined) continue
        const directions = [
          ["OUTPUT", `what ${title} sends`, { source: own, destination: peer, outLink: ifname, state: "NEW" }],
          ["INPUT", `what answers ${title}`, { source: peer, destination: own, inLink: ifname, state: "ESTABLISHED" }]
        ] as const
        for (const [chain, what, packet] of directions) {
          const verdicts = Iptables.inAll({ rulesets: filter, nft: [] }, "filter", chain, { family, ...packet })
          const { destination: _to, source: _from, ...ofAny } = packet
          const isOfAny = Iptables.inAll({ rulesets: filter, nft: [] }, "filter", chain, { family, ...ofAny })
            .some(({ end }) => end === "drop")
          for (const { backend, end, rule } of verdicts) {
            if (end !== "drop" || found.has(rule)) continue
            const program = IptablesLines.commandOf(family, backend)
            found.set(rule, {
              level: "error",
              // A rule may be about the world alone.
              ...(isOfAny ? {} : { stops: ["world", "world-large", "port-world"] as const }),
              message: `${what} is dropped in its own namespace, by ${
                rule.startsWith("-P") ? "the policy" : "a rule"
              } of ${chain}`,
              evidence: [`${program} in ${netns}: ${rule}`],
              fix: Fix.run(
                "let it through",
                Fix.inside(netns, program, ...IptablesLines.undoing(filter, "filter", rule))
              )
            })
          }
          for (const each of Nftables.dropping({ rulesets: [], nft }, chain.toLowerCase(), { family, ...packet })) {
            found.set(Nftables.nameOf(each), {
              level: "error",
              message: `${what} is dropped in its own namespace, by ${Nftables.nameOf(each)}`,
              evidence: [`${netns}: hook ${each.hook}, policy ${each.policy ?? "accept"}, ${each.rules.length} rules`],
              fix: Fix.run(
                "let it through",
                Fix.inside(netns, ...Nftables.accepting(each, chain === "OUTPUT" ? "oifname" : "iifname", ifname))
              )
            })
          }
        }
      }
      return [...found.values()]
    })
  }
}

/** What drops a packet for the host itself. */
interface Drop {
  readonly by: string
  readonly evidence: string
  /** The command that lets a protocol in to a port, from a link. */
  readonly accept: (protocol: string, port: number, link: string | undefined) => Fix.Command
}

/** The rule of iptables, or the chain of nftables, that drops a packet for the host. */
const droppedAtInput = (rules: Rules, packet: Packet): Drop | undefined => {
  const dropped = Iptables.inAll(rules, "filter", "INPUT", packet).find(({ end }) => end === "drop")
  if (dropped !== undefined) {
    const program = IptablesLines.commandOf(packet.family, dropped.backend)
    return {
      by: `${dropped.rule.startsWith("-P") ? "the policy" : "a rule"} of INPUT`,
      evidence: `${program} (${dropped.backend}): ${dropped.rule}`,
      accept: (protocol, port, link) =>
        Fix.command(
          `${program} -I INPUT`,
          ...(link === undefined ? [] : ["-i", link]),
          "-p",
          protocol,
          "--dport",
          String(port),
          "-j",
          "ACCEPT"
        )
    }
  }
  const [chain] = Nftables.dropping(rules, "input", packet)
  return chain === undefined ? undefined : {
    by: `${Nftables.nameOf(chain)}, at INPUT`,
    evidence: `hook input, policy ${chain.policy ?? "accept"}, ${chain.rules.length} rules`,
    accept: (protocol, port, link) =>
      Nftables.accepting(chain, ...(link === undefined ? [] : ["iifname", link]), protocol, "dport", String(port))
  }
}

/** Name servers of containers that are the host itself: queries to them have to pass its INPUT. */
export const inputRules: Check = {
  id: "input-rules",
  phase: "host",
  stops: ["host-name-server"],
  find: (facts) => {
    const routed = Routed.of(facts)
    const { host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    const rules = host.rules.success
    const found = new Map<string, Found>()
    for (const { address, device, seen } of routed) {
      for (const server of seen.result.dns?.nameservers ?? []) {
        const destination = Cidr.parseAddress(server ?? "")
        const isOurs = destination?.family === address.family && seen.outside !== undefined &&
          Namespace.hasAddress(seen.outside, destination)
        if (destination === undefined || !isOurs || Cidr.isLoopback(destination)) continue
        const dropped = droppedAtInput(rules, {
          family: address.family,
          source: Cidr.single(address),
          destination,
          isForHost: true,
          isFromHost: false,
          inLink: device,
          protocol: "udp",
          port: 53,
          state: "NEW"
        })
        if (dropped === undefined || found.has(dropped.evidence)) continue
        found.set(dropped.evidence, {
          level: "warning",
          message:
            `${seen.title}: what it asks the name server ${server}, which is the host, is dropped by ${dropped.by}`,
          evidence: [dropped.evidence],
          fix: Fix.run(
            "let queries for names through",
            ...["udp", "tcp"].map((protocol) => dropped.accept(protocol, 53, device))
          )
        })
      }
    }
    return [...found.values()]
  }
}

/** Tunnels to containers of other hosts: packets that arrive in them have to pass INPUT. */
export const tunnelRules: Check = {
  id: "tunnel-rules",
  phase: "host",
  find: (facts) => {
    const { host } = facts
    if (host === undefined || Result.isFailure(host.network)) {
      return { skipped: "the links of the host are not known", isUnknown: true }
    }
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    const { links, routes } = host.network.success
    const rules = host.rules.success
    const used = links.filter(({ name }) => routes.some(({ device, table }) => device === name && table !== "local"))
    return used.flatMap(({ kind, name, tunnel }): ReadonlyArray<Found> => {
      if (tunnel === undefined) return []
      const { family, port } = tunnel
      const { below = Routed.uplinksOf(facts, family)[0] } = tunnel
      const arriving = { family, isForHost: true, isFromHost: false, protocol: "udp", port, state: "NEW" } as const
      const dropped = droppedAtInput(rules, below === undefined ? arriving : { ...arriving, inLink: below })
      return dropped === undefined ? [] : [{
        level: "error",
        message:
          `what other hosts send through the tunnel ${name} (${kind}, UDP port ${port}) is dropped by ${dropped.by}`,
        evidence: [dropped.evidence],
        fix: Fix.run("let it in", dropped.accept("udp", port, below))
      }]
    })
  }
}
