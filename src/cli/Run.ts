/** `cni-passthrough run`: a container runtime for people. Source: CNI specification, section 3. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Crypto from "node:crypto"
import * as CniVersion from "../cni/CniVersion.ts"
import * as GoDuration from "../cni/GoDuration.ts"
import type { Verb } from "../cni/Verb.ts"
import * as escape from "../record/escape.ts"
import * as Attachment from "./Attachment.ts"
import * as Chain from "./Chain.ts"
import * as Conflist from "./Conflist.ts"
import { cniPath, folders, text, toggle } from "./flags.ts"
import * as LinkRecord from "./LinkRecord.ts"
import { Problem } from "./Problem.ts"
import * as ResultCache from "./ResultCache.ts"
import { CurrentStyle } from "./Style.ts"
import * as Timeline from "./Timeline.ts"

const env = (name: string): string => process.env[name] ?? ""

/** The arguments and flags of all operations. */
const input = {
  network: Argument.String("network").pipe(
    Argument.withDescription("A conflist file, or the name of a network in --conf-dir")
  ),
  netns: text("netns", "Network namespace: a path, or a name in /run/netns", ""),
  newNetns: text("new-netns", "Like --netns with a name, but add makes the namespace and del removes it", ""),
  ifname: text("ifname", "Name of the interface in the namespace", env("CNI_IFNAME") || "eth0"),
  containerId: text(
    "container-id",
    "Identifier of the attachment (default: the one cnitool derives from the namespace)",
    ""
  ),
  cniPath,
  confDir: text("conf-dir", "Folder of network configurations", env("NETCONFPATH") || "/etc/cni/net.d"),
  args: text("args", "CNI_ARGS, such as \"IgnoreUnknown=1;K8S_POD_NAME=web\"", env("CNI_ARGS")),
  capabilityArgs: text(
    "capability-args",
    "Arguments of capabilities as JSON, such as '{\"portMappings\":[…]}'",
    env("CAP_ARGS")
  ),
  cacheDir: text("cache-dir", "Folder of libcni's results", ResultCache.defaultFolder),
  timeout: text("timeout", "How long each plugin may take, as a Go duration; 0 for no limit", "60s"),
  tap: Flag.Boolean("tap").pipe(
    Flag.withDescription(
      "Show what went into and came out of every plugin (default on a terminal; --no-tap for the result alone)"
    ),
    Flag.optional
  ),
  full: toggle("full", "With --tap, also environment, stdin, stdout and exit status of every plugin"),
  json: toggle("json", "Print the records of all plugins, one JSON object a line"),
  log: text("log", "Append those records to a file", "")
}

type Input = Command.Command.Config.Infer<typeof input>

const parsePairs = (args: string): ReadonlyArray<readonly [string, string]> =>
  args.split(";").filter((pair) => pair !== "").map((pair) => {
    const [name = "", ...value] = pair.split("=")
    return [name, value.join("=")]
  })

const parseCapabilities = Effect.fnUntraced(function*(json: string) {
  if (json === "") return {}
  return yield* Effect.try({
    try: () => JSON.parse(json) as { readonly [capability: string]: unknown },
    catch: (error) => new Problem({ message: `--capability-args is no JSON: ${(error as Error).message}`, status: 2 })
  })
})

const netnsOf = ({ netns, newNetns }: Input): string => {
  const name = newNetns || netns
  return name === "" || name.includes("/") ? name : `/run/netns/${name}`
}

/** What cnitool calls an attachment, so that either can go on where the other began. */
const defaultContainerId = (netns: string): string =>
  netns === "" ? "" : `cnitool-${Crypto.createHash("sha512").update(netns).digest("hex").slice(0, 20)}`

const ip = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner
  const command = ChildProcess.make("ip", args, { stdout: "ignore" })
  const failed = (reason: string) => new Problem({ message: `ip ${args.join(" ")}: ${reason}`, status: 2 })
  const status = yield* Effect.mapError(spawner.exitCode(command), (error) => failed(error.message))
  if (Number(status) !== 0) return yield* failed(`exit status ${status}; this needs root`)
})

/** Says on a terminal what is waited for, once that takes longer than a second. */
const withProgress = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  if (process.stderr.isTTY !== true) return effect
  const text = `waiting for ${what} …`
  const notice = Effect.gen(function*() {
    yield* Effect.sleep(1000)
    process.stderr.write(text)
    return yield* Effect.onInterrupt(
      Effect.never,
      () => Effect.sync(() => process.stderr.write(`\r${" ".repeat(text.length)}\r`))
    )
  })
  return Effect.raceFirst(effect, notice)
}

/** Everything that an operation needs, out of flags and environment. */
const prepare = Effect.fnUntraced(function*(flags: Input, verb: Verb) {
  const conflist = yield* Conflist.load(flags.network, flags.confDir)
  const netns = netnsOf(flags)
  const containerId = flags.containerId || defaultContainerId(netns)
  if (containerId === "" && (verb === "ADD" || verb === "DEL" || verb === "CHECK")) {
    return yield* new Problem({
      message: `${verb.toLowerCase()} needs --netns, --new-netns or --container-id`,
      status: 2
    })
  }
  if (verb === "ADD" && netns === "") {
    return yield* new Problem({ message: "add needs --netns or --new-netns", status: 2 })
  }
  if (!GoDuration.pattern.test(flags.timeout)) {
    return yield* new Problem({
      message: `--timeout: found ${flags.timeout}, expected a duration such as 30s`,
      status: 2
    })
  }
  const identity = { network: conflist.name, containerId, ifname: flags.ifname }
  const cached = yield* ResultCache.read(flags.cacheDir, identity)
  const capabilityArgs = yield* parseCapabilities(flags.capabilityArgs)
  const attachment: ResultCache.Attachment = {
    ...identity,
    netns: netns || (cached?.netns ?? ""),
    args: flags.args === "" && verb !== "ADD" ? cached?.args ?? [] : parsePairs(flags.args),
    capabilityArgs: flags.capabilityArgs === "" && verb !== "ADD" ? cached?.capabilityArgs ?? {} : capabilityArgs
  }
  const links: Array<Chain.Link> = []
  const options: Chain.Options = {
    conflist,
    attachment,
    cniPath: folders(flags.cniPath),
    timeout: GoDuration.toMillis(flags.timeout) || Number.POSITIVE_INFINITY,
    tell: (link) => Effect.sync(() => void links.push(link)),
    during: withProgress
  }
  return { cached, links, options }
})

/** The records of the plugins that were called. */
const recordsOf = (links: ReadonlyArray<Chain.Link>, { conflist }: Chain.Options): ReadonlyArray<string> =>
  links.flatMap((link) =>
    LinkRecord.render(link, {
      invocation: Crypto.randomBytes(8).toString("hex"),
      network: conflist.name,
      cniVersion: conflist.cniVersion
    })
  )

/** Prints what the flags ask for. */
const present = Effect.fnUntraced(function*(
  flags: Input,
  links: ReadonlyArray<Chain.Link>,
  options: Chain.Options,
  result: string | undefined
) {
  const fs = yield* FileSystem.FileSystem
  const style = yield* CurrentStyle
  const records = recordsOf(links, options)
  if (flags.log !== "" && records.length > 0) {
    yield* Effect.mapError(
      fs.writeFileString(flags.log, `${records.join("\n")}\n`, { flag: "a", mode: 0o600 }),
      (error) => new Problem({ message: `cannot write ${flags.log}: ${error.message}`, status: 2 })
    )
  }
  if (flags.json) {
    for (const record of records) yield* Console.log(record)
  } else if (Option.getOrElse(flags.tap, () => style.isTerminal)) {
    const entries = records.flatMap((record) => Attachment.readLine(record) ?? [])
    for (const operation of Attachment.operations(entries)) {
      for (const line of Timeline.render(operation, style, flags.full)) yield* Console.log(line)
    }
  } else if (result !== undefined) yield* Console.log(result)
})

/** Says which plugin failed and how, and what can be done. */
const explain = (link: Chain.Link, advice: string): Problem => {
  const { call, error, type, verb } = link
  const how = call.exitCode === undefined ? "" : `, exit status ${call.exitCode}`
  const stderr = call.stderr.trim() === ""
    ? []
    : call.stderr.trim().split("\n").slice(-5).map((line) => `  stderr: ${line}`)
  const message = [
    `${verb} failed in ${type}: code ${error?.code}: ${error?.msg}${how}, after ${call.durationMs} ms`,
    ...(error?.details ? [`  details: ${error.details}`] : []),
    ...stderr,
    ...(advice === "" ? [] : [`  ${advice}`])
  ].join("\n")
  return new Problem({ message: escape.inLines(message), status: 1 })
}

/** Prints what an operation without a result did, and fails where one of its plugins did. */
const conclude = Effect.fnUntraced(function*(
  flags: Input,
  links: ReadonlyArray<Chain.Link>,
  options: Chain.Options,
  failed: Chain.Link | undefined
) {
  yield* present(flags, links, options, undefined)
  if (failed !== undefined) return yield* explain(failed, "")
})

const quoted = (word: string): string => /^[\w./:=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** The command that undoes what an add has done so far. */
const delCommand = (flags: Input): string => {
  const words = ["cni-passthrough", "run", "del", flags.network]
  const given = {
    netns: flags.netns,
    "new-netns": flags.newNetns,
    "container-id": flags.containerId,
    "cni-path": flags.cniPath
  }
  for (const [name, value] of Object.entries(given)) if (value !== "") words.push(`--${name}`, value)
  if (flags.ifname !== "eth0") words.push("--ifname", flags.ifname)
  if (flags.cacheDir !== ResultCache.defaultFolder) words.push("--cache-dir", flags.cacheDir)
  return words.map(quoted).join(" ")
}

const add = Command.make(
  "add",
  input,
  Effect.fnUntraced(function*(flags) {
    const { links, options } = yield* prepare(flags, "ADD")
    if (flags.newNetns !== "") yield* ip("netns", "add", flags.newNetns)
    const { failed, result } = yield* Chain.add(options)
    yield* present(flags, links, options, result)
    if (result !== undefined) {
      yield* Effect.mapError(
        ResultCache.write(flags.cacheDir, options.attachment, options.conflist.text, result),
        (error) =>
          new Problem({
            message: `it is attached, but no check and no del will know its result: ${error.message}`,
            status: 2
          })
      )
    }
    if (failed !== undefined) {
      return yield* explain(
        failed,
        `What the plugins before it did is still there. To undo it:\n    ${delCommand(flags)}`
      )
    }
  })
).pipe(
  Command.withDescription("Attach a namespace to a network: ADD of every plugin, in order"),
  Command.withExamples([
    {
      command: "cni-passthrough run add conf/10-chained.conflist --new-netns demo",
      description: "Make the namespace demo and attach it"
    },
    {
      command: "cni-passthrough run add podman --netns demo --log chain.jsonl",
      description: "A network of /etc/cni/net.d, with records for `show`"
    }
  ])
)

const del = Command.make(
  "del",
  input,
  Effect.fnUntraced(function*(flags) {
    const { cached, links, options } = yield* prepare(flags, "DEL")
    const knowsResult = CniVersion.isAtLeast(options.conflist.cniVersion, "0.4.0")
    const failed = yield* Chain.del(options, knowsResult ? cached?.result : undefined)
    if (failed === undefined) yield* ResultCache.remove(flags.cacheDir, options.attachment)
    yield* conclude(flags, links, options, failed)
    if (flags.newNetns !== "") yield* ip("netns", "del", flags.newNetns)
  })
).pipe(
  Command.withDescription("Detach it: DEL of every plugin, backwards, with the result of the ADD"),
  Command.withExamples([
    {
      command: "cni-passthrough run del conf/10-chained.conflist --new-netns demo",
      description: "Detach the namespace demo and remove it"
    }
  ])
)

const check = Command.make(
  "check",
  input,
  Effect.fnUntraced(function*(flags) {
    const { cached, links, options } = yield* prepare(flags, "CHECK")
    const { cniVersion, disableCheck } = options.conflist
    if (!CniVersion.isAtLeast(cniVersion, "0.4.0")) {
      return yield* new Problem({ message: `version ${cniVersion} has no CHECK: it needs 0.4.0 or newer`, status: 2 })
    }
    if (disableCheck) return yield* Console.error("disableCheck is set in the configuration: nothing to check")
    if (cached?.result === undefined) {
      return yield* new Problem({
        message: `no result of an add in ${flags.cacheDir} for ${options.attachment.containerId}`,
        status: 2
      })
    }
    const failed = yield* Chain.each(options, "CHECK", cached.result)
    yield* conclude(flags, links, options, failed)
  })
).pipe(
  Command.withDescription("See whether it is still as the add left it: CHECK of every plugin"),
  Command.withExamples([
    {
      command: "cni-passthrough run check conf/10-chained.conflist --netns demo",
      description: "Check the namespace demo"
    }
  ])
)

const gc = Command.make(
  "gc",
  input,
  Effect.fnUntraced(function*(flags) {
    const fs = yield* FileSystem.FileSystem
    const { links, options } = yield* prepare(flags, "GC")
    if (options.conflist.disableGC) return yield* Console.error("disableGC is set in the configuration: nothing to do")
    const valid: Array<{ readonly containerID: string; readonly ifname: string }> = []
    let failed: Chain.Link | undefined
    for (const cached of yield* ResultCache.list(flags.cacheDir, options.conflist.name)) {
      if (cached.netns !== "" && (yield* Effect.orElseSucceed(fs.exists(cached.netns), () => false))) {
        valid.push({ containerID: cached.containerId, ifname: cached.ifname })
        continue
      }
      const stale = yield* Chain.del({ ...options, attachment: cached }, cached.result)
      if (stale === undefined) yield* ResultCache.remove(flags.cacheDir, cached)
      else failed ??= stale
    }
    if (CniVersion.isAtLeast(options.conflist.cniVersion, "1.1.0")) {
      const more = { "cni.dev/valid-attachments": valid, "cni.dev/attachments": valid }
      failed = (yield* Chain.each(options, "GC", undefined, more)) ?? failed
    }
    yield* conclude(flags, links, options, failed)
  })
).pipe(
  Command.withDescription("Clean up after attachments whose namespace is gone: DEL of each, then GC of every plugin"),
  Command.withExamples([{ command: "cni-passthrough run gc podman", description: "Clean up the network podman" }])
)

const status = Command.make(
  "status",
  input,
  Effect.fnUntraced(function*(flags) {
    const { links, options } = yield* prepare(flags, "STATUS")
    if (!CniVersion.isAtLeast(options.conflist.cniVersion, "1.1.0")) {
      return yield* new Problem({
        message: `version ${options.conflist.cniVersion} has no STATUS: it needs 1.1.0`,
        status: 2
      })
    }
    const failed = yield* Chain.each(options, "STATUS")
    yield* conclude(flags, links, options, failed)
  })
).pipe(
  Command.withDescription("Ask every plugin whether an ADD could succeed now"),
  Command.withExamples([{
    command: "cni-passthrough run status pods",
    description: "Ask the plugins of the network pods"
  }])
)

const version = Command.make(
  "version",
  input,
  Effect.fnUntraced(function*(flags) {
    const { links, options } = yield* prepare(flags, "VERSION")
    const failed = yield* Chain.each(options, "VERSION")
    if (flags.json) yield* present(flags, links, options, undefined)
    else {
      const width = Math.max(...links.map(({ type }) => type.length))
      for (const { error, result, type } of links) {
        const answer: unknown = result === undefined ? undefined : JSON.parse(result)
        const versions = (answer as { readonly supportedVersions?: ReadonlyArray<string> })?.supportedVersions ?? []
        yield* Console.log(`${type.padEnd(width)}  ${error === undefined ? versions.join(", ") : error.msg}`)
      }
    }
    if (failed !== undefined) return yield* explain(failed, "")
  })
).pipe(
  Command.withDescription("Ask every plugin which versions it speaks"),
  Command.withExamples([{
    command: "cni-passthrough run version podman",
    description: "Ask the plugins of the network podman"
  }])
)

/** `run`, with one subcommand for each operation. */
export const run = Command.make("run").pipe(
  Command.withDescription("Run a chain of plugins the way a container runtime does, and see what each plugin did"),
  Command.withExamples([
    {
      command: "cni-passthrough run add conf/10-chained.conflist --new-netns demo",
      description: "Make the namespace demo and attach it"
    },
    {
      command: "cni-passthrough run check conf/10-chained.conflist --netns demo --full",
      description: "Check it, and see what went into and came out of each plugin"
    },
    {
      command: "cni-passthrough run del conf/10-chained.conflist --new-netns demo",
      description: "Detach it and remove the namespace"
    }
  ]),
  Command.withSubcommands([add, del, check, gc, status, version])
)
