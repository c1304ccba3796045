/** Packet filters: nftables, iptables of both families and backends, and ipsets. */
import type { Operation } from "./operations.ts"
import { keyOf } from "./World.ts"

const nftTable: Operation = ({ dice, place, world }) => {
  const family = dice.pick(["inet", "ip", "ip6", "bridge"])
  const name = `${family} t${world.fresh()}`
  world.add({
    place,
    sort: "nft",
    name,
    facts: [["nftables", `table ${name}`]],
    parents: [],
    about: { remove: `nft delete table ${name}` }
  })
  return [`nft add table ${name}`]
}

const nftObject: Operation = ({ dice, place, world }) => {
  const tables = world.find(place, "nft")
  if (tables.length === 0) return undefined
  const table = dice.pick(tables)
  const name = `${table.name} o${world.fresh()}`
  const [sort, words] = dice.pick(
    [
      ["chain", ""],
      ["chain", "type filter hook forward priority filter; policy accept;"],
      ["set", "type ipv4_addr"],
      ["map", "type inet_service : ipv4_addr"],
      ["counter", ""],
      ["quota", "over 10 mbytes"]
    ] as const
  )
  world.add({
    place,
    sort: `nft ${sort}`,
    name,
    facts: [["nftables", `${sort} ${name} ${words}`.trim()]],
    parents: [keyOf(table)],
    about: { remove: `nft delete ${sort} ${name}`, isAlone: true }
  })
  const definition = sort === "chain" || sort === "quota" ? words : words === "" ? "" : `${words};`
  return [`nft 'add ${sort} ${name}${definition === "" ? "" : ` { ${definition} }`}'`]
}

const nftRule: Operation = ({ dice, place, world }) => {
  const chains = world.find(place, "nft chain")
  if (chains.length === 0) return undefined
  const chain = dice.pick(chains)
  const number = world.fresh()
  const words = dice.pick([
    `tcp dport ${number} accept`,
    `iifname "eth${number}" counter drop`,
    `tcp dport { ${number}, ${number + 1} } drop comment "of { ${number}"`,
    `log prefix "x, y ${number}" accept`
  ])
  world.add({
    place,
    sort: "nft rule",
    name: String(number),
    facts: [["nftables", `rule ${chain.name} ${words}`]],
    parents: [keyOf(chain)],
    about: {}
  })
  return [`nft 'add rule ${chain.name} ${words}'`]
}

const nftFlush: Operation = ({ dice, place, world }) => {
  const chains = world.find(place, "nft chain", (chain) => world.childrenOf(chain).length > 0)
  if (chains.length === 0) return undefined
  const chain = dice.pick(chains)
  for (const rule of world.childrenOf(chain)) world.remove(keyOf(rule))
  return [`nft flush chain ${chain.name}`]
}

const nftElement: Operation = ({ dice, place, world }) => {
  const sets = [...world.find(place, "nft set"), ...world.find(place, "nft map")]
  if (sets.length === 0) return undefined
  const set = dice.pick(sets)
  const number = world.fresh()
  const key = set.sort === "nft map" ? String(number) : `10.9.${number >> 8}.${number & 255}`
  const comment = dice.chance(0.3) ? ` comment "a, b"` : ""
  const element = set.sort === "nft map" ? `${key} : 10.0.0.1` : `${key}${comment}`
  world.add({
    place,
    sort: "nft element",
    name: `${set.name} ${key}`,
    facts: [["nftables", `element ${set.name} ${element}`]],
    parents: [keyOf(set)],
    about: { remove: `nft 'delete element ${set.name} { ${key} }'` }
  })
  return [`nft 'add element ${set.name} { ${element} }'`]
}

const tableChains = { filter: "FORWARD", nat: "POSTROUTING", mangle: "OUTPUT" } as const

const iptablesOf = ({ dice, hasLegacy }: Parameters<Operation>[0]) => {
  const isLegacy = hasLegacy && dice.chance(0.3)
  const isV6 = dice.chance(0.3)
  return {
    tool: `ip${isV6 ? "6" : ""}tables${isLegacy ? "-legacy" : "-nft"}`,
    prefix: `${isLegacy ? "legacy " : ""}ip${isV6 ? "6" : ""}`,
    table: dice.pick(["filter", "nat", "mangle"] as const)
  }
}

const iptablesChain: Operation = (scene) => {
  const { place, world } = scene
  const { prefix, table, tool } = iptablesOf(scene)
  const name = `CNI-${world.fresh()}`
  world.add({
    place,
    sort: `${tool} ${table}`,
    name,
    facts: [["iptables", `${prefix} ${table} -N ${name}`]],
    parents: [],
    about: { remove: `${tool} -w -t ${table} -X ${name}`, isAlone: true }
  })
  return [`${tool} -w -t ${table} -N ${name}`]
}

const iptablesRule: Operation = (scene) => {
  const { dice, place, world } = scene
  const { prefix, table, tool } = iptablesOf(scene)
  const chains = world.find(place, `${tool} ${table}`)
  const chain = chains.length > 0 && dice.chance(0.7) ? dice.pick(chains) : undefined
  const name = chain?.name ?? tableChains[table]
  const number = dice.below(4) // so that some are there twice
  const words = dice.pick([
    `-p tcp -m tcp --dport ${8000 + number} -j RETURN`,
    `-m comment --comment "name: \\"x\\" ${number}" -j RETURN`,
    `-o eth${number} -j RETURN`
  ])
  world.add({
    place,
    sort: "iptables rule",
    name: String(world.fresh()),
    facts: [["iptables", `${prefix} ${table} -A ${name} ${words}`]],
    parents: chain === undefined ? [] : [keyOf(chain)],
    about: { remove: `${tool} -w -t ${table} -D ${name} ${words}` }
  })
  return [`${tool} -w -t ${table} ${dice.pick(["-A", "-I"])} ${name} ${words}`]
}

const iptablesPolicy: Operation = (scene) => {
  const { place, world } = scene
  const { prefix, tool } = iptablesOf(scene)
  const thing = { place, sort: "iptables policy", name: tool }
  const isDrop = world.things.has(keyOf(thing))
  if (isDrop) world.remove(keyOf(thing))
  else world.add({ ...thing, facts: [["iptables", `${prefix} filter -P FORWARD DROP`]], parents: [], about: {} })
  return [`${tool} -w -P FORWARD ${isDrop ? "ACCEPT" : "DROP"}`]
}

const ipset: Operation = ({ dice, place, world }) => {
  const number = world.fresh()
  const sets = world.find(place, "ipset")
  if (sets.length === 0 || dice.chance(0.3)) {
    const [name, words] = [`set${number}`, "hash:ip family inet maxelem 65536 timeout 300 counters comment"]
    world.add({
      place,
      sort: "ipset",
      name,
      facts: [["ipsets", `create ${name} ${words}`]],
      parents: [],
      about: { remove: `ipset destroy ${name}` }
    })
    return [`ipset create ${name} ${words}`]
  }
  const set = dice.pick(sets)
  const address = `10.7.${number >> 8}.${number & 255}`
  const comment = dice.chance(0.5) ? ` comment "timeout 3 of ${number}"` : ""
  world.add({
    place,
    sort: "ipset entry",
    name: `${set.name} ${address}`,
    facts: [["ipsets", `add ${set.name} ${address}${comment}`]],
    parents: [keyOf(set)],
    about: { remove: `ipset del ${set.name} ${address}` }
  })
  return [`ipset add ${set.name} ${address}${comment}`]
}

export const filterOperations: ReadonlyArray<Operation> = [
  nftTable,
  nftObject,
  nftObject,
  nftRule,
  nftRule,
  nftFlush,
  nftElement,
  iptablesChain,
  iptablesRule,
  iptablesRule,
  iptablesPolicy,
  ipset,
  ipset
]
