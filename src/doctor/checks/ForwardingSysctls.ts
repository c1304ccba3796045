/** Whether the host is set up to forward what containers send and receive. */
import * as Result from "effect/Result"
import * as Cidr from "../../network/Cidr.ts"
import type { Check } from "../Check.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"
import * as Tables from "../Tables.ts"
import { correctionOf } from "./HostSide.ts"

export const ipForward: Check = {
  id: "ip-forward",
  phase: "host",
  stops: Flow.forwarded,
  find: (facts) => {
    const routed = Routed.of(facts)
    const { host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    const found: Array<Found> = []
    for (const family of [4, 6] as const) {
      const devices = new Set(routed.filter(({ address }) => address.family === family).map(({ device }) => device))
      if (devices.size === 0) continue
      // The link on which answers arrive, if there is only one way.
      const [uplink, ...others] = Routed.uplinksOf(facts, family)
      if (uplink !== undefined && others.length === 0) devices.add(uplink)
      const names = family === 4
        ? ["net.ipv4.ip_forward", ...[...devices].map((device) => `net.ipv4.conf.${device}.forwarding`)]
        : ["net.ipv6.conf.all.forwarding"]
      const off = names.find((name) => host.sysctls.get(name) === "0")
      if (off === undefined) continue
      const isOfUplink = uplink !== undefined && off.endsWith(`.${uplink}.forwarding`)
      found.push({
        level: "error",
        // The kernel asks the link by which a packet comes in.
        ...(isOfUplink ? { stops: [...Flow.outgoing, "port-world"] as const } : {}),
        message: `the host does not forward IPv${family}: ${off} is 0, expected 1`,
        evidence: names.map((name) => `${name} = ${host.sysctls.get(name) ?? "not there"}`),
        fix: Fix.sysctl("turn forwarding on", off, 1)
      })
    }
    return found
  }
}

export const bridgeNetfilter: Check = {
  id: "bridge-netfilter",
  phase: "host",
  stops: ["port-container", "port-itself"],
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
      fix: Fix.run(
        "let iptables see the packets of bridges, or remove \"snat\": false and restart the containers",
        ...(value === undefined ? [Fix.command("modprobe br_netfilter")] : []),
        Fix.command("sysctl -w net.bridge.bridge-nf-call-iptables=1")
      )
    }]
  }
}

export const reversePath: Check = {
  id: "rp-filter",
  phase: "host",
  stops: Flow.forwarded,
  find: (facts) => {
    const routed = Routed.of(facts).filter(({ address: { family } }) => family === 4)
    const { chain, host } = facts
    if (host === undefined || routed.length === 0) return Routed.none
    if (Roles.hasVlan(chain)) {
      return { skipped: "a separate link leads to the VLAN of the bridge" }
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
      const isLed = seen.outside !== undefined && Tables.mayLead(host, seen.outside, address, device)
      return !isStrict || best === undefined || best.device === device || isLed ? [] : [{
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
