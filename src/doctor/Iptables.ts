/** How rules of iptables treat a packet, as far as we can interpret them. */
import type { Chain, Rule, Ruleset } from "../network/IptablesRule.ts"
import type { Rules } from "../network/PacketFilter.ts"
import { both, deepest, inSubnet, isFrom, isLink, type Match, negated, type Packet } from "./Packet.ts"

/** Where a packet ends. `unknown`: we cannot interpret the rule that decides. */
export interface Verdict {
  readonly end: "accept" | "drop" | "unknown"
  /** The target that it ends at, such as `MASQUERADE` or `DNAT`; empty at the policy of a chain. */
  readonly target: string
  /** The new destination that DNAT sets, or the new source that SNAT sets. */
  readonly to: string | undefined
  /** The rule that decides, or the policy. */
  readonly rule: string
}

const isPort = (port: number | undefined, text: string): Match =>
  port === undefined ? "unknown" : text.split(",").some((part) => {
    const [from = "", to = from] = part.split(":")
    return port >= Number(from || 0) && port <= Number(to || 65535)
  })

/** Whether a mark matches a text such as `0x2000/0x2000`, whose second number says which bits count. */
const isMark = (mark: number | undefined, text: string): Match => {
  const [value, mask = 0xffffffff] = text.split("/").map(Number)
  return mark === undefined || value === undefined ? "unknown" : ((mark & mask) >>> 0) === value
}

/** Whether an ICMP message matches a text such as `3/4` or `3`. */
const isIcmp = ({ icmp, protocol }: Packet, text: string): Match => {
  if (protocol === undefined || icmp === undefined) return protocol?.includes("icmp") === false ? false : "unknown"
  const [type, code = icmp.code] = text.split("/").map(Number)
  return Number.isNaN(type) ? text === "any" || "unknown" : type === 255 || (type === icmp.type && code === icmp.code)
}

/** Options that test nothing about the packet, with the number of words after them. */
const silent: { readonly [option: string]: number } = { "-m": 1, "--comment": 1, "--wait": 0 }

/** Targets that end a packet's traversal. */
const ends: { readonly [target: string]: Verdict["end"] } = {
  ACCEPT: "accept",
  DROP: "drop",
  REJECT: "drop",
  MASQUERADE: "accept",
  SNAT: "accept",
  DNAT: "accept",
  REDIRECT: "accept"
}

/** Targets that end the traversal if the only question is whether a packet is tracked. */
const untracking: { readonly [target: string]: Verdict["end"] } = { NOTRACK: "accept", "CT --notrack": "accept" }

/** Targets after which the traversal goes on. */
const passing = new Set([
  "NOTRACK",
  "CT --notrack",
  "MARK",
  "CONNMARK",
  "LOG",
  "NFLOG",
  "TCPMSS",
  "CHECKSUM",
  "SET",
  "CT",
  "CLASSIFY",
  "TRACE"
])

interface Reading {
  readonly match: Match
  readonly target: string | undefined
  readonly isGoto: boolean
  readonly to: string | undefined
}

const read = ({ words }: Rule, packet: Packet): Reading => {
  let match: Match = true
  let target: string | undefined
  let to: string | undefined
  let isGoto = false
  for (let index = 0; index < words.length; index++) {
    const isNegated = words[index] === "!"
    if (isNegated) index++
    const option = words[index] ?? ""
    const value = words[index + 1] ?? ""
    const matches = (found: Match) => {
      match = both(match, isNegated ? negated(found) : found)
      index++
    }
    if (option in silent) index += silent[option] ?? 0
    else if (option === "-s") matches(isFrom(packet, value))
    else if (option === "-d") matches(inSubnet(packet.destination, value))
    else if (option === "-i") matches(isLink(packet.inLink, value))
    else if (option === "-o") matches(isLink(packet.outLink, value))
    else if (option === "-p") {
      matches(value === "all" || (packet.protocol === undefined ? "unknown" : packet.protocol === value))
    } else if (option === "--ctstate" || option === "--state") {
      const states = value.split(",")
      matches(states.includes(packet.state) || (states.includes("DNAT") && packet.isMapped === true))
    } else if (option === "--dport" || option === "--dports" || option === "--ports") {
      matches(isPort(packet.port, value))
    } else if (option === "--icmp-type" || option === "--icmpv6-type") matches(isIcmp(packet, value))
    else if (option === "--mark") matches(isMark(packet.mark, value))
    else if (option === "--dst-type" && value === "LOCAL") matches(packet.isForHost ?? "unknown")
    else if (option === "--src-type" && value === "LOCAL") matches(packet.isFromHost ?? "unknown")
    else if (option === "--mac-source") {
      matches(packet.mac === undefined ? "unknown" : packet.mac.toLowerCase() === value.toLowerCase())
    } else if (option === "--to-destination" || option === "--to-source") {
      to = value
      index++
    } else if (option === "-j" || option === "-g") {
      target = value === "CT" && words[index + 2] === "--notrack" ? "CT --notrack" : value
      isGoto = option === "-g"
      index++
    } else if (target !== undefined) break // options of the target
    else {
      match = both(match, "unknown")
      while (index + 1 < words.length && !/^(?:-|!)/.test(words[index + 1] ?? "")) index++
    }
  }
  return { match, target, isGoto, to }
}

/** A verdict within a chain. */
interface Inner extends Verdict {
  /** Every end that is possible if the end is unknown; contains `unknown` if there may be others. */
  readonly possible: ReadonlySet<Verdict["end"]>
  /** Whether the packet may also reach the end of the chain. */
  readonly mayPass: boolean
}

/** Targets that do nothing else to a packet, so that it does not matter which of several equal ones it meets. */
const plain = new Set(["ACCEPT", "DROP", "REJECT"])

/** Where a packet ends in a chain; undefined if it reaches the end of the chain. */
const inChain = (
  chains: ReadonlyMap<string, Chain>,
  name: string,
  packet: Packet,
  depth: number,
  ending: typeof ends
): Inner | undefined => {
  /** The first rule that may decide, but cannot be evaluated. */
  let uncertain: string | undefined
  const possible = new Set<Verdict["end"]>()
  const leaveOpen = (rule: string, ends: Iterable<Verdict["end"]> = ["unknown"]) => {
    uncertain ??= rule
    for (const end of ends) possible.add(end)
  }
  const unknown = (mayPass = false): Inner => ({
    end: "unknown",
    target: "",
    to: undefined,
    rule: uncertain ?? "",
    possible,
    mayPass
  })
  const certain = (end: Verdict["end"], target: string, rule: string, to?: string): Inner => ({
    end,
    target,
    to,
    rule,
    possible: new Set([end]),
    mayPass: false
  })
  const endsOf = ({ end, possible, target }: Inner): Iterable<Verdict["end"]> =>
    end === "unknown" ? possible : [plain.has(target) ? end : "unknown"]
  for (const rule of depth > deepest ? [] : chains.get(name)?.rules ?? []) {
    const { isGoto, match, target, to } = read(rule, packet)
    if (match === false || target === undefined || (passing.has(target) && ending[target] === undefined)) continue
    if (target === "RETURN") {
      if (match === true && uncertain === undefined) {
        return depth === 0 ? certain("accept", "RETURN", rule.text) : undefined
      }
      leaveOpen(rule.text)
      if (match === true) return unknown()
      continue
    }
    const end = ending[target]
    const reached = end !== undefined
      ? certain(end, target, rule.text, to)
      : chains.has(target)
      ? inChain(chains, target, packet, depth + 1, ending)
      : certain("unknown", "", rule.text)
    if (reached === undefined) {
      if (!isGoto) continue
      if (match === true && uncertain === undefined) return undefined
      leaveOpen(rule.text)
      if (match === true) return unknown()
      continue
    }
    if (match === true && reached.end !== "unknown" && uncertain === undefined) return reached
    leaveOpen(match === "unknown" ? rule.text : reached.rule, endsOf(reached))
    if (isGoto && reached.mayPass) leaveOpen(rule.text)
    if (match === true && reached.end !== "unknown") return unknown()
  }
  return uncertain === undefined ? undefined : unknown(true)
}

/** Where a packet ends in a built-in chain of a table; undefined if the ruleset has no such chain. */
export const follow = (
  { tables }: Ruleset,
  table: string,
  chain: string,
  packet: Packet,
  ending = ends
): Verdict | undefined => {
  const chains = tables.get(table)
  const builtIn = chains?.get(chain)
  if (chains === undefined || builtIn === undefined) return undefined
  const inner = inChain(chains, chain, packet, 0, ending)
  const policy = builtIn.policy === "DROP" ? "drop" : "accept"
  // A rule that returns from a built-in chain leaves the packet to the policy.
  if (inner === undefined || (inner.target === "RETURN" && policy === "drop")) {
    return { end: policy, target: "", to: undefined, rule: `-P ${chain} ${builtIn.policy}` }
  }
  const { mayPass, possible, ...verdict } = inner
  if (verdict.end !== "unknown") return verdict
  // Whichever rule decides, the packet ends in the same way.
  const [end = "unknown", ...others] = new Set(mayPass ? [...possible, policy] as const : possible)
  return others.length === 0 ? { ...verdict, end } : verdict
}

/** The rule that keeps the kernel from tracking a packet's connection. Rules of nat never see such a packet. */
export const untrackedBy = ({ rulesets }: Rules, chain: "PREROUTING" | "OUTPUT", packet: Packet) =>
  rulesets.filter(({ family }) => family === packet.family).flatMap((ruleset) => {
    const verdict = follow(ruleset, "raw", chain, packet, untracking)
    return verdict?.end === "accept" && untracking[verdict.target] !== undefined
      ? [{ ...verdict, backend: ruleset.backend }]
      : []
  })[0]

/** Where a packet ends in each backend of iptables. It has to pass all of them. */
export const inAll = ({ rulesets }: Rules, table: string, chain: string, packet: Packet) =>
  rulesets.filter(({ family }) => family === packet.family).flatMap((ruleset) => {
    const verdict = follow(ruleset, table, chain, packet)
    return verdict === undefined ? [] : [{ ...verdict, backend: ruleset.backend }]
  })

/** Whether rules may mark packets before they reach the table nat. */
export const areMarked = ({ nft, rulesets }: Rules): boolean =>
  nft.some(({ rules }) => rules.flat().some((expression) => "mangle" in expression)) ||
  rulesets.some(({ tables }) =>
    ["raw", "mangle"].some((table) =>
      [...tables.get(table)?.values() ?? []].some(({ rules }) =>
        rules.some(({ words }) => words.includes("MARK") || words.includes("CONNMARK"))
      )
    )
  )

const marking: typeof ends = { ...ends, MARK: "accept", CONNMARK: "accept" }

/** Whether rules may mark a packet before the kernel looks for its route. */
export const mayMark = ({ nft, rulesets }: Rules, packet: Packet): boolean =>
  nft.some(({ rules }) => rules.flat().some((expression) => "mangle" in expression)) ||
  rulesets.filter(({ family }) => family === packet.family).some((ruleset) =>
    ["raw", "mangle"].some((table) => {
      const verdict = follow(ruleset, table, "PREROUTING", packet, marking)
      return verdict?.end === "unknown" || verdict?.target === "MARK" || verdict?.target === "CONNMARK"
    })
  )
