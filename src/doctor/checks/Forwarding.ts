/** Whether the host forwards what containers send and get. */
import * as Result from "effect/Result"
import type { Check } from "../Check.ts"
import * as Cidr from "../Cidr.ts"
import type { Facts } from "../Facts.ts"
import type { Rules, Ruleset } from "../facts/Rules.ts"
import type { Found } from "../Finding.ts"
import * as Netfilter from "../Netfilter.ts"
import * as Roles from "../Roles.ts"
import * as RuleLines from "../RuleLines.ts"
import * as Seen from "../Seen.ts"
import * as Shell from "../Shell.ts"
import { correctionOf } from "./Outside.ts"

/** An address of a container that others reach through the host, and the link of the host that it is behind. */
export interface Routed {
  readonly seen: Seen.Seen
  readonly address: Cidr.Cidr & { readonly text: string }
  readonly device: string
}

/** Addresses of attachments that have a way out: those with routes to more than their subnet. */
export const routedOf = (facts: Facts): ReadonlyArray<Routed> => {
  if (!Roles.isRouted(facts.chain)) return []
  return Seen.of(facts).flatMap((seen) => {
    const device = Roles.bridgeOf(facts.chain) ?? seen.hostEnd
    if (device === undefined || seen.link === undefined) return []
    const hasWayOut = (family: 4 | 6) =>
      seen.inside.routes.some(({ gateway, to, type }) =>
        to.family === family && gateway !== undefined && type === "unicast"
      )
    return Seen.addressesOf(seen).filter(({ family }) => hasWayOut(family)).map((address) => ({
      seen,
      address,
      device
    }))
  })
}

/** The answer where no attachment has a way out. */
export const notRouted = { skipped: "no attachment has a way out through the host" }

export const ipForward: Check = {
  id: "ip-forward",
  phase: "host",
  find: (facts) => {
    const routed = routedOf(facts)
    const { host } = facts
    if (host === undefined || routed.length === 0) return notRouted
    const found: Array<Found> = []
    for (const family of [4, 6] as const) {
      const devices = [
        ...new Set(routed.filter(({ address }) => address.family === family).map(({ device }) => device))
      ]
      if (devices.length === 0) continue
      const names = family === 4
        ? ["net.ipv4.ip_forward", ...devices.map((device) => `net.ipv4.conf.${device}.forwarding`)]
        : ["net.ipv6.conf.all.forwarding"]
      const off = names.find((name) => host.sysctls.get(name) === "0")
      if (off === undefined) continue
      found.push({
        level: "error",
        message: `the host does not forward IPv${family}: ${off} is 0, expected 1`,
        evidence: names.map((name) => `${name} = ${host.sysctls.get(name) ?? "not there"}`),
        fix: `sysctl -w ${Shell.word(`${off}=1`)}, and keep it in /etc/sysctl.d`
      })
    }
    return found
  }
}

/** A peer far away, to ask the rules about. */
export const elsewhere = { 4: Cidr.parseAddress("198.51.100.1"), 6: Cidr.parseAddress("2001:db8:ffff::1") } as const

/** The links that the host reaches the world by; a made-up one where it has no default route. */
export const uplinkOf = ({ host }: Facts, family: 4 | 6): string => {
  const routes = host !== undefined && Result.isSuccess(host.network) ? host.network.success.routes : []
  return routes.find(({ device, table, to }) =>
    table === "main" && Cidr.isDefault(to) && to.family === family && device !== undefined
  )?.device ?? "eth0"
}

/** Whether there are rules in another backend than this one, so that one more rule in this one makes it worse. */
const isUsedBeside = ({ rulesets }: Rules, backend: Ruleset["backend"]): boolean =>
  rulesets.some((other) =>
    other.backend !== backend &&
    [...other.tables.values()].some((chains) => [...chains.values()].some(({ rules }) => rules.length > 0))
  )

export const forwardRules: Check = {
  id: "forward-rules",
  phase: "host",
  find: (facts) => {
    const routed = routedOf(facts)
    const { chain, host } = facts
    if (host === undefined || routed.length === 0) return notRouted
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure }
    const rules = host.rules.success
    const firewall = Roles.ofType(chain, "firewall")
    const found = new Map<string, Found>()
    for (const { address, device, seen } of routed) {
      const { family } = address
      const peer = elsewhere[family]
      const outLink = uplinkOf(facts, family)
      const self = Cidr.single(address)
      const directions = [
        {
          what: `what ${seen.title} sends`,
          packet: {
            family,
            source: self,
            ...(peer === undefined ? {} : { destination: peer }),
            inLink: device,
            outLink,
            state: "NEW"
          }
        },
        {
          what: `answers to ${seen.title}`,
          packet: {
            family,
            destination: self,
            ...(peer === undefined ? {} : { source: peer }),
            inLink: outLink,
            outLink: device,
            state: "ESTABLISHED"
          }
        }
      ] as const
      for (const { packet, what } of directions) {
        const isNf = host.sysctls.get("net.bridge.bridge-nf-call-iptables") === "1" && seen.maker === "bridge"
        for (const { backend, end, rule } of Netfilter.inAll(rules, "filter", "FORWARD", packet)) {
          if (end !== "drop") continue
          const isPolicy = rule.startsWith("-P")
          const key = `${rule} ${backend} ${what.split(" ")[0]}`
          if (found.has(rule) || found.has(key)) continue
          found.set(rule, {
            level: "error",
            ...(isPolicy && firewall !== undefined ? { plugin: firewall.type } : {}),
            message: `${what} is dropped by ${isPolicy ? "the policy of FORWARD" : "a rule of FORWARD"}${
              isPolicy && firewall !== undefined ? ": the rules of the plugin firewall are not there" : ""
            }`,
            evidence: [
              `${family === 4 ? "iptables" : "ip6tables"} (${backend}): ${rule}`,
              ...(isNf
                ? ["bridge-nf-call-iptables is 1: packets between containers of the bridge meet these rules too"]
                : [])
            ],
            fix: isPolicy
              ? isUsedBeside(rules, backend)
                ? `${commandOf(family, backend)} -P FORWARD ACCEPT`
                : firewall !== undefined
                ? Seen.again(seen)
                : `add { "type": "firewall" } to the chain, or: ${commandOf(family, backend)} -I FORWARD -i ${
                  Shell.word(device)
                } -j ACCEPT; ` +
                  `${commandOf(family, backend)} -I FORWARD -o ${Shell.word(device)} -j ACCEPT`
              : `${commandOf(family, backend)} ${RuleLines.undoing(rules.rulesets, "filter", rule)}`
          })
        }
        for (const each of Netfilter.droppedByNft(rules, "forward", packet)) {
          const key = `${each.family} ${each.table} ${each.name}`
          if (found.has(key)) continue
          found.set(key, {
            level: "error",
            message: `${what} is dropped by the chain ${each.name} of the nftables table ${each.family} ${each.table}`,
            evidence: [`hook forward, policy ${each.policy ?? "accept"}, ${each.rules.length} rules`],
            fix: `nft insert rule ${each.family} ${each.table} ${each.name} iifname ${Shell.word(device)} accept; ` +
              `nft insert rule ${each.family} ${each.table} ${each.name} oifname ${Shell.word(device)} accept`
          })
        }
      }
    }
    return [...found.values()]
  }
}

/** The command that sets rules of a family and a backend. */
export const commandOf = (family: 4 | 6, backend: "nf_tables" | "legacy"): string =>
  `${family === 4 ? "iptables" : "ip6tables"}${backend === "legacy" ? "-legacy" : ""}`

export const masquerade: Check = {
  id: "masquerade",
  phase: "host",
  find: (facts) => {
    const routed = routedOf(facts)
    const { chain, host } = facts
    const maker = Roles.makerOf(chain)
    if (host === undefined || maker?.config["ipMasq"] !== true) return { skipped: "no plugin is to masquerade" }
    if (routed.length === 0) return notRouted
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure }
    const rules = host.rules.success
    const unclear: Array<string> = []
    const found = routed.flatMap(({ address, seen }): ReadonlyArray<Found> => {
      const { family } = address
      const to = Cidr.addressText(address)
      const peer = elsewhere[family]
      const packet = {
        family,
        source: Cidr.single(address),
        ...(peer === undefined ? {} : { destination: peer }),
        outLink: uplinkOf(facts, family),
        ...(Netfilter.areMarked(rules) ? {} : { mark: 0 }),
        state: "NEW"
      } as const
      const verdicts = Netfilter.inAll(rules, "nat", "POSTROUTING", packet)
      const isDone = verdicts.some(({ end, target }) =>
        end === "accept" && (target === "MASQUERADE" || target === "SNAT")
      ) || Netfilter.isNamedInNft(rules, to)
      if (isDone) return []
      if (verdicts.some(({ end }) => end === "unknown")) {
        unclear.push(to)
        return []
      }
      return [{
        level: "error",
        plugin: maker.type,
        message:
          `${seen.title}: no rule masquerades ${to}, which ipMasq asks for: answers from outside do not come back`,
        evidence: verdicts.length === 0 ? ["the table nat has no rules"] : verdicts.map(({ rule }) => rule),
        fix: Seen.again(seen)
      }]
    })
    return found.length === 0 && unclear.length > 0
      ? { skipped: `rules that cannot be understood decide whether ${unclear.join(", ")} is masqueraded` }
      : found
  }
}

export const bridgeNetfilter: Check = {
  id: "bridge-netfilter",
  phase: "host",
  find: ({ attachments, chain, host }) => {
    const portmap = Roles.ofType(chain, "portmap")
    if (host === undefined || portmap === undefined || Roles.bridgeOf(chain) === undefined) {
      return { skipped: "no ports are mapped to a bridge" }
    }
    const value = host.sysctls.get("net.bridge.bridge-nf-call-iptables")
    const isNeeded = portmap.config["snat"] === false && attachments.some(({ portMappings }) => portMappings.length > 0)
    return !isNeeded || value === "1" ? [] : [{
      level: "warning",
      plugin: portmap.type,
      message: `bridge-nf-call-iptables is ${value ?? "not there"}, and portmap has "snat": false: ` +
        "containers of the bridge do not reach each other by mapped ports",
      evidence: [`net.bridge.bridge-nf-call-iptables = ${value ?? "not there"}`],
      fix: `${value === undefined ? "modprobe br_netfilter && " : ""}sysctl -w net.bridge.bridge-nf-call-iptables=1, ` +
        "or remove \"snat\": false and attach the containers anew"
    }]
  }
}

export const reversePath: Check = {
  id: "rp-filter",
  phase: "host",
  find: (facts) => {
    const routed = routedOf(facts).filter(({ address: { family } }) => family === 4)
    const { chain, host } = facts
    if (host === undefined || routed.length === 0) return notRouted
    if (Number(Roles.makerOf(chain)?.config["vlan"] ?? 0) > 0) {
      return { skipped: "a link of its own leads to the VLAN of the bridge" }
    }
    return routed.flatMap(({ address, device, seen }): ReadonlyArray<Found> => {
      const value = (name: string) => Number(host.sysctls.get(`net.ipv4.conf.${name}.rp_filter`) ?? 0)
      const isStrict = Math.max(value("all"), value(device)) === 1
      const routes = seen.outside?.routes.filter(({ table, to }) =>
        table === "main" && Cidr.contains(to, Cidr.single(address))
      ) ??
        []
      const [best] = routes.toSorted((left, right) => right.to.length - left.to.length)
      const subnet = Cidr.network({ ...address, length: seen.maker === "bridge" ? address.length : 32 })
      return !isStrict || best === undefined || best.device === device ? [] : [{
        level: "error",
        message: `rp_filter of ${device} is 1, and the host would send what is for ${Cidr.addressText(address)} to ` +
          `${best.device}: what the container sends is dropped`,
        evidence: [
          `net.ipv4.conf.all.rp_filter = ${value("all")}`,
          `net.ipv4.conf.${device}.rp_filter = ${value(device)}`
        ],
        fix: correctionOf(best, subnet, device)
      }]
    })
  }
}

export const backends: Check = {
  id: "iptables-backends",
  phase: "host",
  find: ({ host }) => {
    if (host === undefined || Result.isFailure(host.rules)) return { skipped: "the rules of the host are not known" }
    const rules = host.rules.success.rulesets.flatMap(({ backend, tables }) =>
      [...tables].flatMap(([table, chains]) =>
        [...chains].flatMap(([name, chain]) => [
          ...chain.rules.map(({ text }) => ({ backend, text: `${table}: ${text}` })),
          ...(chain.policy === "DROP" ? [{ backend, text: `${table}: -P ${name} DROP` }] : [])
        ])
      )
    )
    const legacy = rules.filter(({ backend }) => backend === "legacy")
    const modern = rules.filter(({ backend }) => backend === "nf_tables")
    const samples = [...legacy.slice(0, 5), ...modern.slice(0, 5)].map(({ backend, text }) => `${backend}: ${text}`)
    return legacy.length === 0 || modern.length === 0 ? [] : [{
      level: "warning",
      message:
        `iptables has rules in both its backends, ${legacy.length} in legacy and ${modern.length} in nf_tables: ` +
        "a packet has to get through both, and no tool shows both",
      evidence: samples,
      fix: "choose one for all programs, update-alternatives --config iptables, and flush the other: " +
        "iptables-legacy -F; iptables-legacy -t nat -F"
    }]
  }
}
