/** Random changes to a host, each with the command that takes it back. */

export interface Change {
  readonly command: string
  readonly undo: string
}

/** Random numbers below a limit, always the same for a seed. */
const randomOf = (seed: number) => {
  let state = (seed * 2_654_435_761) >>> 0
  return (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let value = Math.imul(state ^ (state >>> 15), state | 1)
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61)
    return ((value ^ (value >>> 14)) >>> 0) % limit
  }
}

/** Takes back what rules of any kind were added, and forgets what neighbours and connections were. */
export const reset = `
iptables-restore < /run/saved4
ip6tables-restore < /run/saved6
for each in web api; do
  for tool in iptables ip6tables iptables-legacy ip6tables-legacy; do nsenter --net=/run/netns/$each -- $tool -t filter -F; done
done
ip neigh flush all
`

/** Makes random changes to a host whose network is of this kind. */
export const of = (kind: string, seed: number): ReadonlyArray<Change> => {
  const random = randomOf(seed)
  const pick = <A>(...all: ReadonlyArray<A>): A => all[random(all.length)]!
  const chance = (percent: number): boolean => random(100) < percent
  const isPtp = kind === "ptp"
  const family: 4 | 6 = kind === "dual" && chance(60) ? 6 : 4
  const of4 = <A>(four: A, six: A): A => family === 4 ? four : six
  const iptables = of4("iptables", "ip6tables")
  const ip = of4("ip", "ip -6")
  const web = of4("10.99.0.2", "fd99::2")
  const subnet = of4("10.99.0.0/24", "fd99::/64")
  const peer = of4("93.184.216.34", "2606:2800::1")
  const uplink = of4("192.0.2.2", "2001:db8::2")
  const link = () => pick("uplink", "lo", ...(isPtp ? ["$(end web)", "$(end api)"] : ["cni-n"]))
  const address = () =>
    pick(web, subnet, peer, uplink, of4("192.0.2.0/24", "2001:db8::/64"), of4("203.0.113.0/24", "2001:db8:1::/48"))
  const negated = () => chance(15) ? "! " : ""
  const port = () => pick("80", "443", "53", "8080", "8000:9000")

  /** Matches that a rule of a chain may have. */
  const matches = (chain: string): string => {
    const all: Array<string> = []
    if (chance(35) && chain !== "OUTPUT" && chain !== "POSTROUTING") all.push(`${negated()}-i ${link()}`)
    if (chance(35) && chain !== "INPUT" && chain !== "PREROUTING") all.push(`${negated()}-o ${link()}`)
    if (chance(35)) all.push(`${negated()}-s ${address()}`)
    if (chance(35)) all.push(`${negated()}-d ${address()}`)
    if (chance(30)) {
      const protocol = pick("tcp", "udp", of4("icmp", "ipv6-icmp"))
      all.push(`-p ${protocol}`)
      if (protocol.length === 3 && chance(60)) all.push(`--dport ${port()}`)
    }
    if (chance(20)) all.push(`-m conntrack --ctstate ${pick("NEW", "ESTABLISHED", "RELATED,ESTABLISHED", "INVALID")}`)
    if (chance(8)) all.push(`-m mark --mark ${pick("0x1", "0x2/0x2")}`)
    if (chance(6)) all.push(`-m conntrack --ctstate DNAT`)
    return all.join(" ")
  }

  const filterRule = (): Change => {
    const chain = pick("FORWARD", "FORWARD", "FORWARD", "INPUT", "OUTPUT")
    const target = pick("ACCEPT", "DROP", "DROP", "REJECT", "RETURN")
    return { command: `${iptables} -${pick("A", "I")} ${chain} ${matches(chain)} -j ${target}`, undo: "" }
  }
  const policy = (): Change => {
    const chain = pick("FORWARD", "FORWARD", "INPUT", "OUTPUT")
    return { command: `${iptables} -P ${chain} DROP`, undo: "" }
  }
  const ownChain = (): Change => {
    const name = `OWN-${random(1000)}`
    const inner = [
      `${matches("FORWARD")} -j ${pick("ACCEPT", "DROP", "RETURN")}`,
      `${matches("FORWARD")} -j ${pick("ACCEPT", "DROP", "RETURN")}`
    ]
    return {
      command: [
        `${iptables} -N ${name}`,
        ...inner.map((rule) => `${iptables} -A ${name} ${rule}`),
        `${iptables} -I FORWARD ${matches("FORWARD")} ${pick("-j", "-g")} ${name}`
      ].join("\n"),
      undo: ""
    }
  }
  const otherTable = (): Change => {
    const [table, chain] = pick(["raw", "PREROUTING"], ["mangle", "PREROUTING"], ["mangle", "FORWARD"], [
      "mangle",
      "POSTROUTING"
    ], ["security", "FORWARD"])
    return {
      command: `${iptables} -t ${table} -A ${chain} ${matches(chain!)} -j ${pick("DROP", "ACCEPT", "RETURN")}`,
      undo: ""
    }
  }
  const marked = (): Change => {
    const where = pick(
      "blackhole default",
      "unreachable default",
      "prohibit default",
      `default via ${of4("192.0.2.1", "2001:db8::1")}`,
      `${of4("203.0.113.0/24", "2001:db8:1::/48")} dev uplink`
    )
    return {
      command: [
        `${iptables} -t mangle -A PREROUTING ${matches("PREROUTING")} -j MARK --set-mark 0x1`,
        `${ip} rule add fwmark 0x1 table 111 pref ${pick("100", "40000")}`,
        `${ip} route add ${where} table 111`
      ].join("\n"),
      undo: `${ip} rule del fwmark 0x1 table 111\n${ip} route flush table 111`
    }
  }
  const policyRule = (): Change => {
    const selector = pick(
      `from ${web}`,
      `from ${subnet}`,
      `to ${peer}`,
      `to ${subnet}`,
      "iif uplink",
      isPtp ? "iif lo" : "iif cni-n"
    )
    const isBlackhole = chance(40)
    const action = isBlackhole ? pick("blackhole", "unreachable", "prohibit") : "table 112"
    const routes = isBlackhole
      ? []
      : [
        `${ip} route add ${
          pick(
            "blackhole default",
            `default via ${of4("192.0.2.1", "2001:db8::1")}`,
            `${pick(peer, subnet)} dev uplink`
          )
        } table 112`
      ]
    return {
      command: [`${ip} rule add ${selector} ${action} pref 200`, ...routes].join("\n"),
      undo: `${ip} rule del pref 200\n${ip} route flush table 112`
    }
  }
  const hostRoute = (): Change => {
    const [where, why] = [
      pick(peer, subnet, web, of4("192.0.2.1", "2001:db8::1")),
      pick("blackhole", "unreachable", "prohibit")
    ]
    return pick(
      {
        command: `${ip} route add ${why} ${where}${where.includes("/") ? "" : of4("/32", "/128")}`,
        undo: `${ip} route del ${why} ${where}`
      },
      { command: `${ip} route del default`, undo: `${ip} route add default via ${of4("192.0.2.1", "2001:db8::1")}` },
      { command: `${ip} route add ${where} dev uplink`, undo: `${ip} route del ${where} dev uplink` }
    )
  }
  const insideRoute = (): Change => {
    const inside = `${ip} -n ${pick("web", "api")}`.replace("ip -6 -n", "ip -6 -n")
    return pick(
      { command: `${inside} route add unreachable ${peer}`, undo: `${inside} route del unreachable ${peer}` },
      {
        command: `${inside} route add blackhole ${of4("192.0.2.0/24", "2001:db8::/64")}`,
        undo: `${inside} route del blackhole ${of4("192.0.2.0/24", "2001:db8::/64")}`
      },
      { command: `${inside} rule add to ${peer} prohibit pref 300`, undo: `${inside} rule del pref 300` }
    )
  }
  const insideRule = (): Change => {
    const tool = pick(iptables, `${iptables}-legacy`)
    const chain = pick("OUTPUT", "INPUT")
    const match = pick(
      "",
      `-p ${pick("tcp", "udp")}`,
      chain === "OUTPUT" ? `-d ${peer}` : `-s ${peer}`,
      "-p tcp --dport 80"
    )
    return {
      command: `nsenter --net=/run/netns/${pick("web", "api")} -- ${tool} -A ${chain} ${match} -j DROP`,
      undo: ""
    }
  }
  const nat = (): Change =>
    pick(
      {
        command: `${iptables} -t nat -I POSTROUTING ${matches("POSTROUTING")} -j ${pick("ACCEPT", "RETURN")}`,
        undo: ""
      },
      { command: `${iptables} -t nat -I PREROUTING ${matches("PREROUTING")} -j ${pick("ACCEPT", "RETURN")}`, undo: "" },
      { command: `${iptables} -t nat -I OUTPUT ${matches("OUTPUT")} -j ${pick("ACCEPT", "RETURN")}`, undo: "" }
    )
  const nft = (): Change => {
    const name = `own${random(1000)}`
    const kind = pick("inet", of4("ip", "ip6"))
    const hook = pick("forward", "forward", "prerouting", "postrouting", "input", "output")
    const which = () =>
      pick(
        `iifname "${isPtp ? "uplink" : pick("cni-n", "uplink")}"`,
        `${of4("ip", "ip6")} ${pick("saddr", "daddr")} ${pick("", "!= ")}${address()}`,
        `tcp dport ${pick("80", "443", "8080")}`,
        `tcp dport { 80, 443 }`,
        `ct state ${pick("new", "established,related", "invalid")}`,
        `meta l4proto ${pick("tcp", "udp", of4("icmp", "ipv6-icmp"))}`,
        `ct state vmap { ${pick("new : drop", "established : accept, related : accept")} }`
      )
    const rule = () => {
      const match = which()
      return match.includes("vmap")
        ? match
        : `${match} ${pick("accept", "drop", "reject")}`.replace(
          "reject",
          hook === "prerouting" || hook === "postrouting" ? "drop" : "reject"
        )
    }
    const rules = [rule(), ...(chance(50) ? [rule()] : [])]
    return {
      command: `nft -f - <<'END'\ntable ${kind} ${name} { chain c { type filter hook ${hook} priority ${
        pick("0", "-150", "10")
      }; policy ${pick("accept", "accept", "drop")}; ${rules.join("; ")}; }; }\nEND`,
      undo: `nft delete table ${kind} ${name}`
    }
  }
  const sysctl = (): Change => {
    const set = (name: string, value: string, before: string): Change => ({
      command: `echo ${value} > /proc/sys/net/${name}`,
      undo: `echo ${before} > /proc/sys/net/${name}`
    })
    return pick(
      set("ipv4/ip_forward", "0", "1"),
      set("ipv4/conf/uplink/forwarding", "0", "1"),
      set(`ipv4/conf/${isPtp ? "lo" : "cni-n"}/forwarding`, "0", "1"),
      set("ipv4/conf/uplink/rp_filter", "1", "0"),
      set("ipv4/conf/all/rp_filter", "1", "0"),
      set("bridge/bridge-nf-call-iptables", "0", "1"),
      set("bridge/bridge-nf-call-ip6tables", "0", "1"),
      ...(isPtp ? [] : [set("ipv4/conf/cni-n/route_localnet", "0", "1")])
    )
  }
  const kinds: ReadonlyArray<readonly [weight: number, make: () => Change]> = [
    [28, filterRule],
    [8, policy],
    [8, ownChain],
    [6, otherTable],
    [4, marked],
    [5, policyRule],
    [5, hostRoute],
    [4, insideRoute],
    [6, insideRule],
    [4, nat],
    [16, nft],
    [6, sysctl]
  ]
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0)
  return Array.from({ length: 1 + random(3) }, () => {
    let left = random(total)
    return (kinds.find(([weight]) => (left -= weight) < 0) ?? kinds[0]!)[1]()
  })
}
