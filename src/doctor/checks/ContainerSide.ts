/** The container's side: its link, addresses, routes, name servers. */
import * as Cidr from "../../network/Cidr.ts"
import type * as Link from "../../network/Link.ts"
import * as Namespace from "../../network/Namespace.ts"
import type * as Route from "../../network/Route.ts"
import * as AttachedContainer from "../AttachedContainer.ts"
import type { Check } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import { interfacesOf } from "../facts/Attachment.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Flow from "../flow/Flow.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"

const noAttachment = { skipped: "there is no attachment whose namespace could be looked into" }

/** Runs a check on each attachment. */
const ofEach = (facts: Facts, find: (seen: AttachedContainer.AttachedContainer) => ReadonlyArray<Found>) => {
  const all = AttachedContainer.of(facts)
  return all.length === 0 ? noAttachment : all.flatMap(find)
}

/** Runs a check on each attachment whose link exists. */
const ofLinked = (
  facts: Facts,
  find: (seen: AttachedContainer.AttachedContainer, link: Link.Link) => ReadonlyArray<Found>
) => ofEach(facts, (seen) => seen.link === undefined ? [] : find(seen, seen.link))

/**
 * Whether the container itself made the link a port of a bridge, as virtual machines do. The bridge then has what the
 * link had.
 */
const isHandedOn = ({ inside }: AttachedContainer.AttachedContainer, { master }: Link.Link): boolean =>
  master !== undefined && inside.links.some(({ kind, name }) => name === master && kind === "bridge")

/** A command of `ip` in the namespace of an attachment. */
const ip = (
  { attachment: { netns } }: AttachedContainer.AttachedContainer,
  first: string,
  ...rest: ReadonlyArray<string>
): Fix.Command => Fix.inside(netns, `ip ${first}`, ...rest)

export const link: Check = {
  id: "link",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) =>
    ofEach(
      facts,
      (seen) =>
        seen.link === undefined && interfacesOf(seen.result).length + AttachedContainer.addressesOf(seen).length > 0
          ? [{
            level: "error",
            ...AttachedContainer.culprit(seen),
            message: `${seen.title}: the namespace ${seen.attachment.netns} has no such link`,
            evidence: seen.inside.links.map(AttachedContainer.linkText),
            fix: Repair.reattach([seen.attachment], facts)
          }]
          : []
    )
}

export const linkUp: Check = {
  id: "link-up",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) =>
    ofLinked(facts, (seen, link) =>
      link.isUp ? [] : [{
        level: "error",
        ...AttachedContainer.culprit(seen),
        message: `${seen.title} is down`,
        evidence: [AttachedContainer.linkText(link)],
        fix: Fix.run(
          "set the link up, with the addresses and routes that it lost",
          ip(seen, "link set", link.name, "up"),
          ...AttachedContainer.addressesOf(seen).map(({ text }) => ip(seen, "addr replace", text, "dev", link.name)),
          ...Repair.routes(seen.attachment)
        )
      }])
}

export const mac: Check = {
  id: "mac",
  phase: "attachment",
  find: (facts) =>
    ofLinked(facts, (seen, link) => {
      const said = interfacesOf(seen.result).find(({ name, sandbox }) => sandbox !== "" && name === link.name)?.mac ??
        ""
      return said === "" || said.toLowerCase() === link.mac.toLowerCase() || isHandedOn(seen, link) ? [] : [{
        level: "warning",
        ...AttachedContainer.culprit(seen),
        message: `${seen.title} has the MAC ${link.mac}, expected ${said}, which its ADD gave it`,
        evidence: [AttachedContainer.linkText(link)],
        fix: Fix.run("set the MAC of its ADD", ip(seen, "link set", link.name, "address", said))
      }]
    })
}

const routesText = (routes: ReadonlyArray<Route.Route>): ReadonlyArray<string> =>
  routes.filter(({ table, type }) => table !== "local" && type === "unicast").slice(0, 20).map((
    { device, gateway, table, to }
  ) =>
    `${Cidr.isDefault(to) ? "default" : Cidr.text(to)}${gateway === undefined ? "" : ` via ${gateway}`} dev ${device}${
      table === "main" ? "" : ` table ${table}`
    }`
  )

export const addresses: Check = {
  id: "addresses",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const ipam = Roles.ipamOf(facts.chain)?.type
    return ofLinked(
      facts,
      (seen, link) =>
        isHandedOn(seen, link) ? [] : AttachedContainer.addressesOf(seen).flatMap((expected): ReadonlyArray<Found> => {
          const actual = link.addresses.find((each) => Cidr.isSameAddress(each, expected))
          const blame = actual?.isDuplicate === true && ipam !== undefined
            ? { plugin: ipam }
            : AttachedContainer.culprit(seen)
          const base = {
            level: "error",
            ...blame,
            evidence: link.addresses.map(({ text }) => `${link.name} has ${text}`)
          } as const
          if (actual === undefined) {
            // Otherwise, each link that is up has a link-local address.
            const isDisabled = expected.family === 6 && link.isUp &&
              link.addresses.every(({ family }) => family !== 6)
            const enable = Fix.inside(
              seen.attachment.netns,
              "sysctl",
              "-w",
              `net/ipv6/conf/${link.name}/disable_ipv6=0`
            )
            return [{
              ...base,
              message: `${seen.title} has no address ${expected.text}, which its ADD gave it${
                isDisabled ? ": IPv6 seems to be disabled on it (disable_ipv6)" : ""
              }`,
              fix: Fix.run(
                `${isDisabled ? "enable IPv6, " : ""}add the address, and the routes that went with it`,
                ...(isDisabled ? [enable] : []),
                ip(seen, "addr add", expected.text, "dev", link.name),
                ...Repair.routes(seen.attachment)
              )
            }]
          }
          if (actual.isDuplicate) {
            return [{
              ...base,
              message: `${seen.title}: another host of the link has ${expected.text} too, so that it is not used`,
              fix: Repair.reattach([seen.attachment], facts, { keepsAddress: false })
            }]
          }
          return actual.length === expected.length ? [] : [{
            ...base,
            message: `${seen.title} has ${actual.text}, expected ${expected.text}, which its ADD gave it`,
            fix: Fix.run(
              "replace the address, and add the routes that went with it",
              ip(seen, "addr del", actual.text, "dev", link.name),
              ip(seen, "addr add", expected.text, "dev", link.name),
              ...Repair.routes(seen.attachment)
            )
          }]
        })
    )
  }
}

export const routes: Check = {
  id: "routes",
  phase: "attachment",
  stops: Flow.outgoing,
  find: (facts) =>
    ofLinked(facts, (seen, link) => {
      if (!link.isUp || isHandedOn(seen, link)) return [] // its routes are gone with it
      return (seen.result.routes ?? []).flatMap((route): ReadonlyArray<Found> => {
        const to = Cidr.parse(route?.dst ?? "")
        if (to === undefined) return []
        const expected = Cidr.network(to)
        const all = seen.inside.routes.filter((each) =>
          Cidr.isSameAddress(each.to, expected) && each.to.length === expected.length &&
          each.to.family === expected.family
        )
        const via = Repair.gatewayOf(seen.attachment, to, route?.gw)
        const wanted = via === undefined ? "" : ` via ${Cidr.addressText(via)}`
        const name = Cidr.isDefault(to) ? "default route" : `route to ${Cidr.text(expected)}`
        const evidence = routesText(seen.inside.routes)
        const fix = Fix.run("set the route of its ADD", Repair.route(seen.attachment, to, via))
        if (!all.some(({ type }) => type === "unicast")) {
          return [{
            level: "error",
            ...AttachedContainer.culprit(seen),
            message: `${seen.title}: the namespace has no ${name}${wanted}, which its ADD gave it`,
            evidence,
            fix
          }]
        }
        const own = all.filter(({ device }) => device === link.name)
        const isRight = own.length === 0 || via === undefined ||
          own.some(({ gateway }) => {
            const actual = Cidr.parseAddress(gateway ?? "")
            return actual === undefined || Cidr.isSameAddress(actual, via)
          })
        return isRight ? [] : [{
          level: "error",
          ...AttachedContainer.culprit(seen),
          message: `${seen.title}: the ${name} goes via ${own[0]?.gateway}, expected${wanted}`,
          evidence,
          fix
        }]
      })
    })
}

export const nameServers: Check = {
  id: "name-servers",
  phase: "attachment",
  stops: ["name-server", "host-name-server"],
  find: (facts) =>
    ofLinked(
      facts,
      (seen) =>
        [...new Set(seen.result.dns?.nameservers ?? [])].flatMap((server): ReadonlyArray<Found> => {
          const address = Cidr.parseAddress(server ?? "")
          const base = { ...AttachedContainer.culprit(seen), evidence: [`nameserver ${server}`] }
          if (address === undefined) {
            return [{
              ...base,
              level: "error",
              message: `${seen.title}: the name server ${JSON.stringify(server)} is not an IP address`,
              fix: "correct \"dns\", or the file of \"resolvConf\", and restart the container"
            }]
          }
          if (Cidr.isLoopback(address)) {
            return [{
              ...base,
              level: "warning",
              message: `${seen.title}: the name server ${server} is the container itself, and not the host`,
              fix: "name a server that containers reach, in hosts of systemd-resolved with the \"resolvConf\" " +
                "/run/systemd/resolve/resolv.conf, and restart the container"
            }]
          }
          return Namespace.routeTo(seen.inside, address) !== undefined ? [] : [{
            ...base,
            level: "error",
            message: `${seen.title}: no route from inside leads to the name server ${server}`,
            evidence: [`nameserver ${server}`, ...routesText(seen.inside.routes)],
            fix: "add a route to it to \"routes\", or name a server that is reached, and restart the container"
          }]
        })
    )
}

/**
 * The MTU that a configuration asks for: that of tuning, which comes last, or that of the plugin that makes the link.
 */
const askedMtu = (facts: Facts): { readonly mtu: number; readonly plugin: string } | undefined =>
  facts.chain.filter((plugin) => plugin.type === "tuning" || plugin === Roles.makerOf(facts.chain))
    .flatMap(({ config: { mtu }, type }) => typeof mtu === "number" && mtu > 0 ? [{ mtu, plugin: type }] : []).at(-1)

export const mtu: Check = {
  id: "mtu",
  phase: "attachment",
  stops: ["world-large"],
  find: (facts) => {
    const asked = askedMtu(facts)
    const bridge = Roles.bridgeOf(facts.chain)
    return ofLinked(facts, (seen, link) => {
      const end = seen.outside?.links.find(({ name }) => name === seen.hostEnd)
      const port = bridge === undefined ? undefined : seen.outside?.links.find(({ name }) => name === bridge)
      const evidence = [link, end, port].flatMap((each) => each === undefined ? [] : [AttachedContainer.linkText(each)])
      const warning = (
        plugin: string | undefined,
        message: string,
        ...commands: ReadonlyArray<Fix.Command>
      ): ReadonlyArray<Found> => [{
        level: "warning",
        ...(plugin === undefined ? {} : { plugin }),
        message: `${seen.title}: ${message}: larger packets are lost`,
        evidence,
        fix: Fix.run("set the MTU of both ends", ...commands)
      }]
      if (asked !== undefined && asked.mtu !== link.mtu) {
        return warning(
          asked.plugin,
          `its MTU is ${link.mtu}, expected ${asked.mtu}, which ${asked.plugin} is to set`,
          ip(seen, "link set", link.name, "mtu", String(asked.mtu))
        )
      }
      if (end !== undefined && end.mtu !== link.mtu && asked?.plugin !== "tuning") {
        const wanted = asked?.mtu ?? Math.max(end.mtu, link.mtu)
        return warning(
          seen.maker,
          `its MTU is ${link.mtu}, and that of its other end ${end.name} is ${end.mtu}`,
          ip(seen, "link set", link.name, "mtu", String(wanted)),
          Fix.command("ip link set", end.name, "mtu", String(wanted))
        )
      }
      if (port !== undefined && end !== undefined && port.mtu !== end.mtu && asked?.plugin !== "tuning") {
        return warning(
          seen.maker,
          `its MTU is ${link.mtu}, and that of the bridge ${port.name} is ${port.mtu}`,
          Fix.command("ip link set", port.name, "mtu", String(end.mtu))
        )
      }
      return []
    })
  }
}
