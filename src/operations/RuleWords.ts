/** Rules of packet filters in a person's words: `tcp dport 8080 → 10.88.0.2:8080`. */

/** The words of a line, without the quotes and backslashes that iptables-save puts around them. */
export const split = (text: string): ReadonlyArray<string> =>
  (text.match(/"(?:\\.|[^"\\])*"|\S+/g) ?? []).map((word) =>
    word.startsWith("\"") && word.length > 1 && word.endsWith("\"") ? word.slice(1, -1).replace(/\\(.)/g, "$1") : word
  )

/** An address alone, where a prefix stands for one. */
const single = (address: string): string => address.replace(/(?<=\.\d+)\/32$|(?<=:[\da-f]*)\/128$/, "")

/** What an option says about a packet, given its value. */
const matches: { readonly [option: string]: (value: string) => string } = {
  "-s": (value) => `from ${single(value)}`,
  "-d": (value) => `to ${single(value)}`,
  "-i": (value) => `in ${value}`,
  "-o": (value) => `out ${value}`,
  "-p": (value) => value,
  "--dport": (value) => `dport ${value}`,
  "--dports": (value) => `dport ${value}`,
  "--sport": (value) => `sport ${value}`,
  "--sports": (value) => `sport ${value}`,
  "--dst-type": (value) => `to ${value.toLowerCase()} addresses`,
  "--src-type": (value) => `from ${value.toLowerCase()} addresses`,
  "--ctstate": (value) => `state ${value.toLowerCase()}`,
  "--state": (value) => `state ${value.toLowerCase()}`,
  "--mark": (value) => `mark ${value.replace(/^(0x[\da-f]+)\/\1$/, "$1")}`
}

/** Options that say nothing about a packet, each with a value. */
const silent = new Set(["-m", "--comment"])

/** What becomes of a packet. */
const target = (name: string, options: ReadonlyArray<string>, verb: string): string => {
  const [option, value = ""] = options
  if (name === "DNAT" && option === "--to-destination") return ["→", value, ...options.slice(2)].join(" ")
  if (name === "SNAT" && option === "--to-source") return ["source →", value, ...options.slice(2)].join(" ")
  if (name === "MARK" && option === "--set-xmark") return `set mark ${value.replace(/^(0x[\da-f]+)\/\1$/, "$1")}`
  if (/^(?:ACCEPT|DROP|REJECT|RETURN|MASQUERADE)$/.test(name)) return [name.toLowerCase(), ...options].join(" ")
  return options.length === 0 ? `${verb} ${name}` : [name, ...options].join(" ")
}

/** A rule as iptables-save has it, after `-A CHAIN`. Its comment is left out. */
export const iptables = (rule: string): string => {
  // A rule that is there twice has a number after it.
  const [, once = rule, number] = /^(.*)( #\d+)$/s.exec(rule) ?? []
  const words = split(once)
  const protocol: Array<string> = []
  const said: Array<string> = []
  for (let index = 0; index < words.length; index++) {
    const isNegated = words[index] === "!"
    if (isNegated) index++
    const option = words[index] ?? ""
    const value = words[index + 1] ?? ""
    if (silent.has(option)) index++
    else if (option === "-j" || option === "-g") {
      said.push(target(value, words.slice(index + 2), option === "-j" ? "jump" : "goto"))
      break
    } else {
      const say = matches[option]
      const text = (isNegated ? "not " : "") + (say === undefined ? option : say(value))
      // Ports are said after the protocol that they are of.
      if (option === "-p" || /^--[ds]ports?$/.test(option)) protocol.push(text)
      else said.push(text)
      if (say !== undefined) index++
    }
  }
  return `${[...protocol, ...said].join(" ")}${number ?? ""}`
}

/** A rule as nft lists it. */
export const nftables = (rule: string): string =>
  rule.replace(/\bcounter\b(?! name)(?: packets \d+ bytes \d+)? ?/g, "")
    .replace(/ comment "[^"]*"/, "")
    .replace(/\bdnat (?:ip6? )?to /, "→ ")
    .replace(/\bsnat (?:ip6? )?to /, "source → ")
    .replace(/ {2,}/g, " ")
    .trim()
