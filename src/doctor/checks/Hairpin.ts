/**
 * Whether a container reaches itself by its published port: its bridge has to send the frames back out of the port that
 * they came from.
 */
import * as Result from "effect/Result"
import type { Link } from "../../network/Link.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import * as BridgeNetfilter from "../BridgeNetfilter.ts"
import type { Check } from "../Check.ts"
import type { Host } from "../Facts.ts"
import * as Fix from "../Fix.ts"
import * as Roles from "../Roles.ts"
import * as Routed from "../Routed.ts"

/**
 * Whether rules of nat rewrite frames inside the bridge, so that the bridge takes them back, and not the host's routes.
 */
const isRewritten = (host: Host, { filters }: Link, family: 4 | 6): boolean =>
  BridgeNetfilter.isOn(host, family) || filters[family]

export const hairpin: Check = {
  id: "hairpin",
  phase: "host",
  stops: ["port-itself"],
  find: (facts) => {
    const { chain, host } = facts
    const portmap = Roles.ofType(chain, "portmap")
    const name = Roles.bridgeOf(chain)
    if (host === undefined || portmap === undefined || name === undefined) {
      return { skipped: "no ports are mapped to a bridge" }
    }
    if (Result.isFailure(host.network)) return { skipped: "the links of the host are not known", isUnknown: true }
    const { links } = host.network.success
    const bridge = links.find((link) => link.name === name)
    return bridge === undefined ? [] : AttachedContainer.of(facts).flatMap((seen) => {
      const end = links.find((link) => link.name === seen.hostEnd)
      const [mapping] = seen.attachment.portMappings
      const families = new Set(AttachedContainer.addressesOf(seen).map(({ family }) => family))
      const family = [...families].find((each) =>
        isRewritten(host, bridge, each) && Routed.uplinksOf(facts, each).length > 0
      )
      if (mapping === undefined || end?.port === undefined || end.port.isHairpin || family === undefined) return []
      const { hostPort, protocol } = mapping
      return [{
        level: "warning" as const,
        plugin: "bridge",
        message:
          `${seen.title}: it does not reach itself by its published port ${hostPort}/${protocol}: hairpin mode of ` +
          `${end.name} is off, so ${name} does not send frames back by the port that they came in by`,
        evidence: [
          `${end.name}: hairpin off, port of ${name}`,
          BridgeNetfilter.isOn(host, family)
            ? `${BridgeNetfilter.sysctls[family]} = 1: rules of nat rewrite frames within the bridge`
            : `${name}: nf_call_ip${family === 4 ? "" : "6"}tables 1: rules of nat rewrite frames within the bridge`
        ],
        fix: Fix.run(
          "turn it on, and set \"hairpinMode\": true, or the next container lacks it",
          Fix.command("bridge link set dev", end.name, "hairpin", "on")
        )
      }]
    })
  }
}
