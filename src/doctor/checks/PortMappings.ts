/** Ports of the host that are mapped to containers. */
import * as Result from "effect/Result"
import { isObject } from "../../json/Json.ts"
import * as Cidr from "../../network/Cidr.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { PortMapping } from "../facts/Attachment.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Iptables from "../Iptables.ts"
import * as IptablesLines from "../IptablesLines.ts"
import * as Names from "../Names.ts"
import * as Nftables from "../Nftables.ts"
import * as PublishedAt from "../PublishedAt.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"

const noPorts = { skipped: "no attachment has mapped ports" }

const text = ({ hostIP, hostPort, protocol }: PortMapping): string =>
  `${hostIP === "" || hostIP === "0.0.0.0" ? "" : `${hostIP}:`}${hostPort}/${protocol}`

export const portMappings: Check = {
  id: "port-mappings",
  phase: "host",
  stops: Flow.ports,
  find: (facts) => {
    const { chain, host } = facts
    const portmap = Roles.ofType(chain, "portmap")
    const { capabilities } = portmap?.config ?? {}
    const isAsked = isObject(capabilities) && capabilities["portMappings"] === true
    const seen = AttachedContainer.of(facts).filter(({ attachment }) => attachment.portMappings.length > 0)
    if (host === undefined || portmap === undefined || !isAsked || seen.length === 0) return noPorts
    if (Result.isFailure(host.rules)) return { skipped: host.rules.failure, isUnknown: true }
    const rules = host.rules.success
    return seen.flatMap((each) =>
      each.attachment.portMappings.flatMap((mapping): ReadonlyArray<Found> => {
        const at = PublishedAt.hostAddress(mapping)
        const targets = PublishedAt.targets(AttachedContainer.addressesOf(each))
        return targets.filter(({ family }) => at === undefined || at.family === family).flatMap(
          (address): ReadonlyArray<
            Found
          > => {
            const { family } = address
            const target = Cidr.addressText(address)
            const packet = {
              family,
              ...(at === undefined ? {} : { destination: at }),
              isForHost: true,
              protocol: mapping.protocol,
              port: mapping.hostPort,
              state: "NEW"
            } as const
            const verdicts = Iptables.inAll(rules, "nat", "PREROUTING", packet)
            const expected = Cidr.endpoint(target, mapping.containerPort)
            const reached = verdicts.find(({ target }) => target === "DNAT")
            if (verdicts.some(({ end }) => end === "unknown") || reached?.to === expected) return []
            if (reached === undefined && Nftables.isNamed(rules, target)) return []
            const base = { level: "error", plugin: portmap.type } as const
            if (reached !== undefined) {
              return [{
                ...base,
                message: `${each.title}: port ${text(mapping)} of the host goes to ${reached.to}, expected ${expected}`,
                evidence: [reached.rule],
                fix: Fix.run("delete the rule that sends it there", [
                  IptablesLines.commandOf(family, reached.backend),
                  ...IptablesLines.undoing(rules.rulesets, "nat", reached.rule)
                ])
              }]
            }
            // What the host itself sends passes OUTPUT.
            const isLedAtOutput = Iptables.inAll(rules, "nat", "OUTPUT", { ...packet, isFromHost: true, outLink: "lo" })
              .some(({ target }) => target === "DNAT")
            return [{
              ...base,
              ...(isLedAtOutput ? { stops: ["port-world", "port-container", "port-itself"] as const } : {}),
              message: `${each.title}: no rule leads from port ${text(mapping)} of the host to ${expected}`,
              evidence: verdicts.length === 0 ? ["the table nat has no rules"] : verdicts.map(({ rule }) => rule),
              fix: Repair.reattach([each.attachment], facts)
            }]
          }
        )
      })
    )
  }
}

/** Programs of runtimes that listen on a mapped port on purpose, to reserve it. */
const keepers = /^(?:conmon|podman|rootlessport|docker-proxy|containerd-shim|crio|netavark|slirp4netns|pasta)/

export const portsTaken: Check = {
  id: "ports-taken",
  phase: "host",
  stops: Flow.ports,
  find: ({ all, attachments, chain, host }) => {
    const portmap = Roles.ofType(chain, "portmap")
    const mapped = attachments.flatMap((attachment) =>
      attachment.portMappings.map((mapping) => ({ attachment, mapping }))
    )
    if (host === undefined || portmap === undefined || mapped.length === 0) return noPorts
    const clashes = (left: PortMapping, right: PortMapping) =>
      left.hostPort === right.hostPort && left.protocol === right.protocol &&
      (left.hostIP === right.hostIP ||
        [left.hostIP, right.hostIP].some((ip) => ip === "" || ip === "0.0.0.0" || ip === "::"))
    const found: Array<Found> = []
    for (const { attachment, mapping } of mapped) {
      const rival = AttachedContainer.attachmentsAfter(attachment, { all, attachments }).find((other) =>
        other.sight?._tag !== "Missing" && other.portMappings.some((each) => clashes(mapping, each))
      )
      if (rival !== undefined) {
        found.push({
          level: "error",
          plugin: portmap.type,
          message:
            `port ${text(mapping)} of the host is mapped to two containers, ${Names.container(attachment)} and ` +
            `${Names.container(rival)}: one of them gets nothing`,
          evidence: [attachment.file, rival.file],
          fix: "start one of them with another port"
        })
      }
      const listener = Result.isSuccess(host.listeners)
        ? host.listeners.success.find(({ owner, port, protocol }) =>
          port === mapping.hostPort && protocol === mapping.protocol && owner !== undefined && !keepers.test(owner.name)
        )
        : undefined
      if (listener?.owner !== undefined) {
        found.push({
          level: "warning",
          plugin: portmap.type,
          message:
            `port ${text(mapping)} of the host is mapped to ${
              Names.container(attachment)
            }, and ${listener.owner.name} ` +
            `(process ${listener.owner.pid}) listens on it: nothing reaches it from outside any more`,
          evidence: [
            `${listener.protocol} port ${listener.port}: ${listener.owner.name} (process ${listener.owner.pid})`
          ],
          fix: `let ${listener.owner.name} use another port, or start the container with another port`
        })
      }
    }
    return found
  }
}
