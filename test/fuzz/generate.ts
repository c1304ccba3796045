/** Requests for the fuzzer: half of them right, the others mutated. Everything follows from a seed. */
import * as Fs from "node:fs"
import * as Path from "node:path"

/** Random choices that can be repeated. */
export interface Dice {
  /** A whole number below `limit`. */
  readonly below: (limit: number) => number
  readonly pick: <A>(from: ReadonlyArray<A>) => A
  readonly chance: (probability: number) => boolean
}

/** Dice of a seed (mulberry32). */
export const dice = (seed: number): Dice => {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    pick: (from) => from[below(from.length)] as (typeof from)[number],
    chance: (probability) => next() < probability
  }
}

/** What the plugin is started with. */
export interface Case {
  readonly env: { readonly [name: string]: string }
  readonly stdin: Uint8Array
  /** The text of prevResult, where the document is one of ours and nothing was done to it afterwards. */
  readonly prevResult?: string
}

const fixtures = Path.join(import.meta.dirname, "../fixtures/captures")

/** Documents of real runtimes, without the commands and paths of the hosts that they come from. */
const documents: ReadonlyArray<string> = Fs.readdirSync(fixtures).sort().map((name) => {
  const { stdin } = JSON.parse(Fs.readFileSync(Path.join(fixtures, name), "utf8"))
  const config = JSON.parse(stdin)
  return JSON.stringify(
    Object.fromEntries(Object.entries(config).filter(([key]) => !key.startsWith("hook") && !key.startsWith("log")))
  )
})

const scalars = [
  "0",
  "-0",
  "1.0",
  "1e400",
  "12345678901234567890",
  "true",
  "null",
  `""`,
  `"\\u0000"`,
  `"\\ud800"`,
  `"é世😀"`
]
const wrong = ["null", "3", "-1.5", "true", "[]", "{}", `""`, `["x",3]`, `{"command":[]}`, `[[[]]]`, `"\\u001b[2J"`]

const json = (roll: Dice, depth: number): string => {
  if (depth === 0 || roll.chance(0.4)) return roll.pick(scalars)
  const members = Array.from({ length: roll.below(4) }, () => json(roll, depth - 1))
  if (roll.chance(0.5)) return `[${members.join(roll.pick([",", " ,\n"]))}]`
  const keys = ["a", "a", "__proto__", "prevResult", "ips", "2", "\\u0061", ""]
  return `{${members.map((member) => `"${roll.pick(keys)}":${member}`).join(",")}}`
}

const commands = [
  `"true"`,
  `"exit 3"`,
  `"cat"`,
  `"echo $CNI_ARGS"`,
  `"printf '\\\\377\\\\0'"`,
  `{"command":["/no/such"]}`
]
const hooks = (roll: Dice) => `[${Array.from({ length: roll.below(3) }, () => roll.pick(commands)).join(",")}]`

const sink = (roll: Dice, folder: string): string =>
  roll.pick([
    `{"type":"file","path":"${folder}/json","format":"json"}`,
    `{"type":"file","path":"${folder}/\${CNI_ARGS}/$X.log"}`,
    `{"type":"stderr","format":"${roll.pick(["text", "json"])}"}`,
    `{"type":"syslog","address":"${folder}/no.sock"}`,
    `{"type":"syslog","address":"tcp://127.0.0.1:1"}`,
    `{"type":"${roll.pick(["", "kafka", "file"])}"}`
  ])

/** Fields of ours, by how a right value of each is made. */
const fields: { readonly [name: string]: (roll: Dice, folder: string) => string } = {
  logFile: (_, folder) => `"${folder}/text"`,
  logFormat: () => `"text"`,
  logSinks: (roll, folder) => `[${Array.from({ length: roll.below(3) }, () => sink(roll, folder)).join(",")}]`,
  logTimeout: () => `"1s"`,
  hookADD: hooks,
  hookDEL: hooks,
  hookCHECK: hooks,
  hookSTATUS: hooks,
  hookTimeout: (roll) => roll.pick([`"5s"`, "0", `"1m0.5s"`]),
  hookNetns: (roll) => roll.pick([`"host"`, `"container"`]),
  onLogFailure: (roll) => roll.pick([`"fail"`, `"ignore"`]),
  onHookFailure: (roll) => roll.pick([`"fail"`, `"ignore"`]),
  label: (roll) => roll.pick(scalars.filter((scalar) => scalar.startsWith(`"`))),
  redact: (roll) => roll.pick([`[]`, `["a"]`, `["/prevResult"]`, `[""]`])
}

const ourDocument = (roll: Dice, folder: string): { readonly text: string; readonly prevResult?: string } => {
  const members: Array<string> = []
  const versions = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", "1.1.0", "1.1.0", "1.1.0"]
  if (roll.chance(0.95)) {
    members.push(`"cniVersion":${roll.chance(0.9) ? `"${roll.pick(versions)}"` : roll.pick(wrong)}`)
  }
  if (roll.chance(0.95)) members.push(`"name":${roll.chance(0.9) ? `"net-1"` : roll.pick(wrong)}`)
  for (const [name, make] of Object.entries(fields)) {
    if (roll.chance(0.3)) members.push(`"${name}":${roll.chance(0.97) ? make(roll, folder) : roll.pick(wrong)}`)
  }
  if (roll.chance(0.3)) members.push(`"other":${json(roll, 4)}`)
  const prevResult = roll.chance(0.6) ? `{"x":${json(roll, 5)}}` : undefined
  if (prevResult !== undefined) members.push(`"prevResult":${prevResult}`)
  const space = roll.pick(["", " ", "\n\t"])
  const text = `{${space}${members.join(`${space},`)}${space}}`
  return prevResult === undefined ? { text } : { text, prevResult }
}

/** Changes some bytes. Only for documents that name no file and no command. */
const mutate = (roll: Dice, bytes: Buffer): Buffer => {
  let out = Buffer.from(bytes)
  for (let times = 1 + roll.below(4); times > 0; times--) {
    const at = roll.below(out.length + 1)
    switch (roll.below(5)) {
      case 0:
        out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + roll.below(8))])
        break
      case 1:
        out = Buffer.concat([out.subarray(0, at), Buffer.from([roll.below(256)]), out.subarray(at)])
        break
      case 2:
        out = Buffer.concat([
          out.subarray(0, at),
          Buffer.from(roll.pick(["{", "}", "[", "\"", "\\", ",", ":", "\uFEFF"])),
          out.subarray(at)
        ])
        break
      case 3:
        out = Buffer.concat([out, out.subarray(at)])
        break
      default:
        out = out.subarray(0, at)
    }
  }
  return out
}

const values = [
  "",
  "eth0",
  "a b",
  "..",
  "x".repeat(300),
  "é世",
  "\u001b[31m",
  "a\nb",
  "$(touch /x)",
  "/proc/self/ns/net",
  "-1"
]

const environment = (roll: Dice): { readonly [name: string]: string } => {
  const env: { [name: string]: string } = {
    CNI_COMMAND: roll.chance(0.9)
      ? roll.pick(["ADD", "ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION"])
      : roll.pick(values),
    CNI_CONTAINERID: "container-1",
    CNI_NETNS: "/run/netns/none",
    CNI_IFNAME: "eth0",
    CNI_PATH: "/opt/cni/bin",
    CNI_ARGS: "IgnoreUnknown=1;K8S_POD_NAME=web-0"
  }
  for (
    const name of [
      "CNI_CONTAINERID",
      "CNI_NETNS",
      "CNI_IFNAME",
      "CNI_PATH",
      "CNI_ARGS",
      "CNI_NETNS_OVERRIDE",
      "TRACEPARENT"
    ]
  ) {
    if (roll.chance(0.1)) env[name] = roll.pick(values)
  }
  if (roll.chance(0.05)) delete env[roll.pick(Object.keys(env))]
  return env
}

/** A request that may write below `folder`, and nowhere else. */
export const generate = (seed: number, folder: string): Case => {
  const roll = dice(seed)
  const env = environment(roll)
  if (roll.chance(0.7)) {
    const { text, prevResult } = ourDocument(roll, folder)
    return { env, stdin: Buffer.from(text), ...(prevResult === undefined ? {} : { prevResult }) }
  }
  const captured = Buffer.from(roll.pick(documents))
  return { env, stdin: roll.chance(0.3) ? captured : mutate(roll, captured) }
}
