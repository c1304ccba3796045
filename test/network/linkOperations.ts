/** Links are made, changed and put into bridges. */
import type { Operation, Scene } from "./operations.ts"
import { keyOf, type Thing } from "./World.ts"

interface About {
  readonly type: string
  readonly isUp: boolean
  readonly mtu: number
  readonly qlen: number
  readonly mac: string
  readonly details: string
  readonly flags: string
  readonly parent?: string
  readonly master?: string
  readonly hairpin?: boolean
  readonly isolated?: boolean
  readonly promisc?: boolean
  readonly alias?: string
}

const about = (link: Thing): About => link.about as unknown as About

const line = (name: string, link: About): string =>
  [
    `${name} ${link.type} ${link.isUp ? "up" : "down"} mtu ${link.mtu}`,
    link.qlen !== 1000 && `qlen ${link.qlen}`,
    `mac ${link.mac}`,
    link.parent !== undefined && `link ${link.parent}`,
    link.master !== undefined && `master ${link.master}`,
    link.details,
    link.hairpin === true && "hairpin on",
    link.isolated === true && "isolated on",
    link.flags,
    link.promisc === true && "promisc",
    link.alias !== undefined && `alias "${link.alias}"`
  ].filter(Boolean).join(" ")

const put = (
  { place, world }: Pick<Scene, "place" | "world">,
  name: string,
  link: About,
  parents: ReadonlyArray<string>
) => {
  const isAlone = link.type === "bridge" // its ports would be without it
  world.add({
    place,
    sort: "link",
    name,
    facts: [["links", line(name, link)]],
    parents,
    about: { ...link, remove: `ip link del ${name}`, isAlone }
  })
}

const change = (scene: Scene, link: Thing, to: Partial<About>) =>
  put(scene, link.name, { ...about(link), ...to }, link.parents)

const fresh = ({ world }: Scene, type: string, to: Partial<About> = {}) => {
  const number = world.fresh()
  const [high, low] = [number >> 8, number & 255].map((part) => part.toString(16).padStart(2, "0"))
  const link: About = {
    type,
    isUp: false,
    mtu: 1500,
    qlen: 1000,
    mac: `02:00:00:00:${high}:${low}`,
    details: "",
    flags: "",
    ...to
  }
  return { name: `${type.slice(0, 3)}${number}`, number, link }
}

const leaves = ({ place, world }: Scene) => world.find(place, "link", (link) => world.childrenOf(link).length === 0)

const pickOne = <A>({ dice }: Scene, from: ReadonlyArray<A>): A | undefined =>
  from.length === 0 ? undefined : dice.pick(from)

const veth: Operation = (scene) => {
  const [one, two] = [fresh(scene, "veth"), fresh(scene, "veth")]
  const there = scene.place === "host" && scene.dice.chance(0.5) ? "container" : scene.place
  const [here, peer] = [
    { place: scene.place, sort: "link", name: one.name },
    { place: there, sort: "link", name: two.name }
  ] as const
  put(scene, one.name, one.link, [keyOf(peer)])
  put({ ...scene, place: there }, two.name, two.link, [keyOf(here)])
  const netns = there === scene.place ? "" : ` netns ${scene.namespaces.container}`
  return [
    `ip link add ${one.name} address ${one.link.mac} type veth peer name ${two.name} address ${two.link.mac}${netns}`
  ]
}

const bridge: Operation = (scene) => {
  const { link, name } = fresh(scene, "bridge", { mtu: 1400 })
  put(scene, name, link, [])
  // What is set by hand does not follow the ports.
  return [`ip link add ${name} address ${link.mac} type bridge`, `ip link set ${name} mtu 1400`]
}

const macvlan: Operation = (scene) => {
  const parent = pickOne(
    scene,
    scene.world.find(scene.place, "link", (link) => about(link).type === "veth" && about(link).master === undefined)
  )
  if (parent === undefined) return undefined
  const mode = scene.dice.pick(["bridge", "private", "vepa"])
  const { link, name } = fresh(scene, "macvlan", {
    parent: parent.name,
    details: `mode ${mode}`,
    mtu: about(parent).mtu
  })
  put(scene, name, link, [keyOf(parent)])
  return [`ip link add ${name} link ${parent.name} address ${link.mac} type macvlan mode ${mode}`]
}

const vxlan: Operation = (scene) => {
  const made = fresh(scene, "vxlan")
  put(scene, made.name, { ...made.link, details: `id ${made.number} port 4789` }, [])
  return [`ip link add ${made.name} address ${made.link.mac} type vxlan id ${made.number} dstport 4789`]
}

const ifb: Operation = (scene) => {
  const { link, name } = fresh(scene, "ifb", { qlen: 32, flags: "noarp" })
  put(scene, name, link, [])
  return [`ip link add ${name} address ${link.mac} type ifb`]
}

const tap: Operation = (scene) => {
  const { link, name } = fresh(scene, "tun", { details: "type tap" })
  put(scene, name, link, [])
  return [`ip tuntap add ${name} mode tap`, `ip link set ${name} address ${link.mac}`]
}

const up: Operation = (scene) => {
  const isUp = (name: string | undefined) =>
    name === undefined ||
    scene.world.find(scene.place, "link", (link) => link.name === name && about(link).isUp).length > 0
  const link = pickOne(
    scene,
    scene.world.find(scene.place, "link", (link) => !about(link).isUp && isUp(about(link).parent))
  )
  if (link === undefined) return undefined
  change(scene, link, { isUp: true })
  return [`ip link set ${link.name} up`]
}

const set: Operation = (scene) => {
  const link = pickOne(scene, leaves(scene).filter((link) => about(link).parent === undefined))
  if (link === undefined) return undefined
  const mtu = 1300 + scene.dice.below(200)
  const qlen = 400 + scene.dice.below(3)
  const promisc = about(link).promisc !== true
  const alias = `of ${scene.world.fresh()}`
  const [to, command] = scene.dice.pick<readonly [Partial<About>, string]>([
    [{ mtu }, `mtu ${mtu}`],
    [{ qlen }, `txqueuelen ${qlen}`],
    [{ promisc }, `promisc ${promisc ? "on" : "off"}`],
    [{ alias }, `alias '${alias}'`],
    [{ isUp: false }, "down"]
  ])
  change(scene, link, to)
  return [`ip link set ${link.name} ${command}`]
}

const enslave: Operation = (scene) => {
  const { place, world } = scene
  const bridge = pickOne(scene, world.find(place, "link", (link) => about(link).type === "bridge"))
  const port = pickOne(scene, leaves(scene).filter((link) => /veth|tun/.test(about(link).type)))
  if (bridge === undefined || port === undefined) return undefined
  const { master, ...link } = about(port)
  const without = { ...link, hairpin: false, isolated: false }
  if (master !== undefined) {
    world.things.delete(`${place} port ${port.name}`)
    put(scene, port.name, without, port.parents)
    return [`ip link set ${port.name} nomaster`]
  }
  const isolated = scene.dice.chance(0.3)
  const hairpin = scene.dice.chance(0.5)
  put(scene, port.name, { ...link, master: bridge.name, hairpin, isolated }, port.parents)
  world.add({ place, sort: "port", name: port.name, facts: [], parents: [keyOf(port), keyOf(bridge)], about: {} })
  const word = (flag: boolean) => flag ? "on" : "off"
  return [
    `ip link set ${port.name} master ${bridge.name}`,
    `ip link set ${port.name} type bridge_slave hairpin ${word(hairpin)} isolated ${word(isolated)}`
  ]
}

export const linkOperations: ReadonlyArray<Operation> = [
  veth,
  veth,
  bridge,
  macvlan,
  vxlan,
  ifb,
  tap,
  up,
  up,
  up,
  set,
  set,
  enslave,
  enslave
]
