/** What can be done to the world of a test: each operation tells the world, and returns the commands that do it. */
import type { Dice } from "../fuzz/generate.ts"
import { filterOperations } from "./filterOperations.ts"
import { linkOperations } from "./linkOperations.ts"
import { type Namespaces, type Place, places } from "./namespaces.ts"
import { routeOperations } from "./routeOperations.ts"
import type { World } from "./World.ts"

export interface Scene {
  readonly world: World
  readonly dice: Dice
  readonly place: Place
  readonly namespaces: Namespaces
  /** Whether the kernel has the legacy backend of iptables. */
  readonly hasLegacy: boolean
  /** Where host-local keeps its stores. */
  readonly ipamFolder: string
}

/** Commands for the namespace of the scene; undefined where there is nothing to be done it to. */
export type Operation = (scene: Scene) => ReadonlyArray<string> | undefined

const sysctl: Operation = ({ dice, place, world }) => {
  const link = dice.pick([
    "all",
    ...world.find(place, "link").filter((link) => place === "container" || link.about["type"] !== "veth").map((
      { name }
    ) => name)
  ])
  const name = dice.chance(0.3)
    ? "net.core.somaxconn"
    : `net.ipv4.conf.${link}.${dice.pick(["arp_filter", "arp_notify", "accept_local", "proxy_arp"])}`
  const value = name.startsWith("net.core") ? String(1000 + dice.below(9)) : String(dice.below(2))
  world.sysctls.set(`${place} ${name}`, value)
  return [`sysctl -qw ${name}=${value}`]
}

const ipam: Operation = ({ dice, ipamFolder, place, world }) => {
  if (place !== "host") return undefined
  const [network, address, owner] = [`net${dice.below(3)}`, `10.88.0.${world.fresh()}`, `id${dice.below(99)}`]
  world.add({
    place,
    sort: "lease",
    name: address,
    facts: [["ipam", `${network} ${address} ${owner} eth0`]],
    parents: [],
    about: { remove: `rm ${ipamFolder}/${network}/${address}` }
  })
  return [
    `sh -c 'mkdir -p ${ipamFolder}/${network}; printf "${owner}\\r\\neth0" > ${ipamFolder}/${network}/${address}'`
  ]
}

/** Takes something away that knows how. */
const remove: Operation = ({ dice, place, world }) => {
  const removable = [...world.things.values()].filter((thing) =>
    thing.place === place && typeof thing.about["remove"] === "string" &&
    (thing.about["isAlone"] !== true || world.childrenOf(thing).length === 0)
  )
  if (removable.length === 0) return undefined
  const thing = dice.pick(removable)
  world.remove(`${place} ${thing.sort} ${thing.name}`)
  return [String(thing.about["remove"])]
}

const operations: ReadonlyArray<Operation> = [
  ...linkOperations,
  ...routeOperations,
  ...filterOperations,
  sysctl,
  ipam
]

/** How many things there are at most. */
const crowd = 60

/** A script that does some of it, in both places. */
export const script = (scene: Omit<Scene, "place">): string => {
  const { dice, namespaces } = scene
  const parts: Array<{ readonly place: Place; readonly commands: Array<string> }> = []
  for (let left = 3 + dice.below(6); left > 0; left--) {
    const place = dice.pick(places)
    const operation = dice.chance(scene.world.things.size / crowd) ? remove : dice.pick(operations)
    const commands = operation({ ...scene, place }) ?? []
    const last = parts.at(-1)
    if (last?.place === place) last.commands.push(...commands)
    else parts.push({ place, commands: [...commands] })
  }
  return parts.map(({ commands, place }) =>
    `${namespaces.within(place, "sh -eu")} <<'END'\n${commands.join("\n")}\nEND`
  ).join("\n")
}
