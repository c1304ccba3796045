/** Addresses, routes, rules, neighbours, and what bridges forward. */
import type { Operation, Scene } from "./operations.ts"
import { keyOf, type Thing } from "./World.ts"

const upLink = ({ dice, place, world }: Scene): Thing | undefined => {
  const links = world.find(place, "link", (link) => link.about["isUp"] === true)
  return links.length === 0 ? undefined : dice.pick(links)
}

/** A network that nothing has, of each family. */
const network = ({ world }: Scene) => {
  const number = world.fresh()
  return { v4: `10.${number >> 8}.${number & 255}`, v6: `fd00:0:0:${number.toString(16)}` }
}

const address: Operation = (scene) => {
  const { dice, place, world } = scene
  const link = upLink(scene)
  if (link === undefined) return undefined
  const { v4, v6 } = network(scene)
  const [words, shown, route] = dice.pick([
    [`${v4}.1/24 brd +`, `${v4}.1/24 brd ${v4}.255`, `${v4}.0/24 dev ${link.name} proto kernel scope link src ${v4}.1`],
    [
      `${v4}.1/24 scope link`,
      `${v4}.1/24 scope link`,
      `${v4}.0/24 dev ${link.name} proto kernel scope link src ${v4}.1`
    ],
    [
      `${v4}.1 peer ${v4}.2/32`,
      `${v4}.1/32 peer ${v4}.2`,
      `${v4}.2 dev ${link.name} proto kernel scope link src ${v4}.1`
    ],
    [`${v4}.1/32`, `${v4}.1/32`, undefined],
    [`${v6}::1/64 nodad`, `${v6}::1/64 nodad`, `${v6}::/64 dev ${link.name} proto kernel metric 256`],
    [`${v6}::1/128 nodad`, `${v6}::1/128 nodad`, `${v6}::1 dev ${link.name} proto kernel metric 256`]
  ])
  const [own = ""] = words?.split(" ") ?? []
  world.add({
    place,
    sort: "address",
    name: own,
    facts: [["addresses", `${link.name} ${shown}`], ...(route === undefined ? [] : [["routes", route] as const])],
    parents: [keyOf(link)],
    about: { link: link.name }
  })
  return [`ip addr add ${words} dev ${link.name}`]
}

/** Takes an address away, but not the last thing that keeps routes and neighbours of a link. */
const noAddress: Operation = ({ dice, place, world }) => {
  const removable = world.find(
    place,
    "address",
    ({ about }) =>
      world.find(place, "link", ({ name }) => name === about["link"]).every((link) =>
        world.childrenOf(link).every(({ sort }) => sort === "address" || sort === "link")
      )
  )
  if (removable.length === 0) return undefined
  const gone = dice.pick(removable)
  world.remove(keyOf(gone))
  return [`ip addr del ${gone.name} dev ${String(gone.about["link"])}`]
}

const route: Operation = (scene) => {
  const { dice, place, world } = scene
  const link = upLink(scene)
  if (link === undefined) return undefined
  const { v4, v6 } = network(scene)
  const dev = `dev ${link.name}`
  const [family, words, fact = words] = dice.pick<readonly [number, string, string?]>([
    [4, `${v4}.0/24 ${dev} scope link`],
    [4, `${v4}.0/24 via 10.255.0.1 ${dev} proto static metric 7 onlink`],
    [4, `${v4}.0/24 via 10.255.0.1 ${dev} table 100 onlink mtu 1400`],
    [4, `blackhole ${v4}.0/24`],
    [
      4,
      `${v4}.0/24 nexthop via 10.255.0.1 ${dev} onlink nexthop via 10.255.0.2 ${dev} weight 3 onlink`,
      `${v4}.0/24 nexthop via 10.255.0.1 ${dev} onlink nexthop via 10.255.0.2 ${dev} weight 3 onlink`
    ],
    [4, `default via 10.255.0.1 ${dev} metric ${world.fresh()} onlink`],
    [6, `${v6}::/64 ${dev} metric 1024`],
    [6, `${v6}::/64 via fe80::9 ${dev} proto static metric 7`],
    [6, `blackhole ${v6}::/64`, `blackhole ${v6}::/64 dev lo metric 1024`],
    [6, `default via fe80::9 ${dev} table 100 metric ${world.fresh()}`, ""]
  ])
  const shown = fact === "" ? words.replace("default", "::/0") : fact
  world.add({
    place,
    sort: "route",
    name: words,
    facts: [["routes", shown]],
    parents: words.startsWith("blackhole") ? [] : [keyOf(link)],
    about: { remove: `ip -${family} route del ${words}` }
  })
  return [`ip -${family} route add ${words}`]
}

const rule: Operation = (scene) => {
  const { dice, place, world } = scene
  const { v4, v6 } = network(scene)
  const priority = 1000 + world.fresh()
  const [family, words, fact = words] = dice.pick<readonly [number, string, string?]>([
    [4, `from ${v4}.1 lookup 100`],
    [4, `from all to ${v4}.0/24 fwmark 0x1/0xf iif eth9 lookup 100`],
    [4, `not from ${v4}.0/24 ipproto tcp dport 80 lookup main`],
    [4, `from ${v4}.9 blackhole`],
    [6, `from ${v6}::1 lookup 101`],
    [6, `from all fwmark 0x3 lookup main suppress_prefixlength 0`]
  ])
  world.add({
    place,
    sort: "rule",
    name: String(priority),
    facts: [["rules", `ip${family === 4 ? "" : "6"} ${priority}: ${fact}`]],
    parents: [],
    about: { remove: `ip -${family} rule del priority ${priority}` }
  })
  return [`ip -${family} rule add priority ${priority} ${words}`]
}

const neighbour: Operation = (scene) => {
  const { dice, place, world } = scene
  const link = upLink(scene)
  if (link === undefined) return undefined
  const { v4, v6 } = network(scene)
  const address = dice.pick([`${v4}.7`, `${v6}::7`])
  const mac = "02:99:00:00:00:07"
  const isProxy = dice.chance(0.3)
  const words = isProxy
    ? `proxy ${address} dev ${link.name}`
    : `${address} lladdr ${mac} dev ${link.name} nud permanent`
  const shown = `${address} dev ${link.name} ${isProxy ? "proxy" : `lladdr ${mac} PERMANENT`}`
  world.add({
    place,
    sort: "neighbour",
    name: address,
    facts: [["neighbours", shown]],
    parents: [keyOf(link)],
    about: { remove: `ip neigh del ${isProxy ? "proxy " : ""}${address} dev ${link.name}` }
  })
  return [`ip neigh add ${words}`]
}

const forwarding: Operation = (scene) => {
  const { dice, place, world } = scene
  const links = world.find(place, "link", ({ about }) => about["master"] !== undefined || about["type"] === "vxlan")
  if (links.length === 0) return undefined
  const link = dice.pick(links)
  const number = world.fresh()
  const mac = `02:88:00:00:${(number >> 8).toString(16).padStart(2, "0")}:${
    (number & 255).toString(16).padStart(2, "0")
  }`
  const { master } = link.about
  const [words, shown] = master === undefined
    ? [`dst 10.255.0.3`, `dst 10.255.0.3 self permanent`]
    : [`master static`, `master ${String(master)} static`]
  world.add({
    place,
    sort: "fdb",
    name: mac,
    facts: [["bridge", `fdb ${mac} dev ${link.name} ${shown}`]],
    parents: [keyOf(link)],
    about: { remove: `bridge fdb del ${mac} dev ${link.name} ${words}` }
  })
  return [`bridge fdb add ${mac} dev ${link.name} ${words}`]
}

export const routeOperations: ReadonlyArray<Operation> = [
  address,
  address,
  noAddress,
  route,
  route,
  rule,
  neighbour,
  forwarding
]
