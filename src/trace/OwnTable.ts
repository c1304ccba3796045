/**
 * The one table that a trace puts into a network namespace: it marks the packets of the flow, and has an empty chain at
 * the end of each hook, where the packet shows what nat made of it.
 */
import * as Selector from "./Selector.ts"

/** What a table needs to know. */
export interface Options {
  readonly name: string
  readonly selectors: ReadonlyArray<Selector.Selector>
  /** The links on whose arrival packets are marked, before rules of netdev and bridge tables see them. */
  readonly devices: ReadonlyArray<string>
  /** Whether the kernel tracks connections here. A rule that asks for them would make it do so. */
  readonly tracksConnections: boolean
}

/** Packets that belong to the flow are few; a flood of them must not load the host. */
const mark = "limit rate 50/second burst 50 packets meta nftrace set 1"

/** Before all other chains; after the connection is known; after all other chains. */
const priorities = { first: -500, tracked: -199, last: 500 } as const

/** Its chains, with the hook of each. */
export const chains = {
  arriving: { hook: "ingress", priority: priorities.first },
  before_routing: { hook: "prerouting", priority: priorities.first },
  from_here: { hook: "output", priority: priorities.first },
  tracked: { hook: "prerouting", priority: priorities.tracked },
  tracked_from_here: { hook: "output", priority: priorities.tracked },
  forwarded: { hook: "forward", priority: priorities.last },
  to_here: { hook: "input", priority: priorities.last },
  leaving: { hook: "postrouting", priority: priorities.last }
} as const

type ChainName = keyof typeof chains

const hookOf = (name: ChainName, devices: ReadonlyArray<string>): string => {
  const { hook, priority } = chains[name]
  const links = hook === "ingress" ? ` devices = { ${devices.map((each) => `"${each}"`).join(", ")} }` : ""
  return `type filter hook ${hook}${links} priority ${priority}; policy accept;`
}

/** The commands that make it, as one transaction on one line. */
export const commands = ({ devices, name, selectors, tracksConnections }: Options): string => {
  const table = `inet ${name}`
  const names = (Object.keys(chains) as ReadonlyArray<ChainName>).filter((each) =>
    (each !== "arriving" || devices.length > 0) && (!each.startsWith("tracked") || tracksConnections)
  )
  const rule = (chain: ChainName) => (condition: string) => `add rule ${table} ${chain} ${condition} ${mark}`
  const conditionsOf = (chain: ChainName): ReadonlyArray<string> => {
    switch (chain) {
      case "arriving":
      case "before_routing":
      case "from_here":
        return selectors.flatMap((each) =>
          [Selector.sent(each), Selector.answered(each), Selector.refused(each)].filter((one) => one !== undefined)
        )
      case "tracked":
      case "tracked_from_here":
        return selectors.map(Selector.tracked)
      default:
        return []
    }
  }
  return [
    `add table ${table} { flags owner; }`,
    ...names.map((each) => `add chain ${table} ${each} { ${hookOf(each, devices)} }`),
    ...names.flatMap((each) => conditionsOf(each).map(rule(each)))
  ].join("; ")
}
