/**
 * What a trial shows: which plugin fails, what a plugin does to the result of earlier ones, what a DEL leaves behind.
 */
import * as Execution from "../../exec/Execution.ts"
import { isObject, parse } from "../../json/Json.ts"
import * as Summary from "../../record/Summary.ts"
import type { Call } from "../../runtime/Chain.ts"
import { type Check, unknown } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import * as Trial from "../facts/Trial.ts"
import type { Found } from "../Finding.ts"
import type * as Fix from "../Fix.ts"
import type { Flow } from "../flow/Flow.ts"
import * as Roles from "../Roles.ts"

const firstLine = (text: string): string => text.split("\n")[0] ?? ""

const noTrial = { skipped: "no trial was requested" }

/** The last lines of a plugin's output. */
const lastLines = (name: string, output: Uint8Array | undefined): ReadonlyArray<string> =>
  (output === undefined ? "" : Execution.text(output.subarray(-4096))).trim().split("\n").slice(-5)
    .filter((line) => line !== "").map((line) => `${name}: ${line}`)

/** The plugin that failed: a nested one if that was seen, or if the error is its own. Source: libcni, `pkg/invoke`. */
const culpritOf = ({ answer, invocation, plugin: { type } }: Call, { chain, trial }: Facts): string => {
  const seen = trial?.innermost.get(invocation)
  if (seen !== undefined) return seen
  const said = answer._tag === "Failure" ? `${answer.msg} ${answer.details}` : ""
  const nested = chain.filter(({ caller }) => caller?.type === type).map((each) => each.type)
  const named = /plugin type="([^"]+)" failed/.exec(said)?.[1] ?? /failed to find plugin "([^"]+)"/.exec(said)?.[1]
  if (named !== undefined && nested.includes(named)) return named
  const isAllocation =
    /no IP addresses available|failed to allocate|requested IP|duplicate allocation|\/cni\/networks\/|dhcp\.sock/.test(
      said
    )
  return isAllocation && nested[0] !== undefined ? nested[0] : type
}

/**
 * The parts of a result, each as one text. Plugins that make an interface drop the answer of loopback, which is
 * harmless.
 */
const partsOf = (result: unknown): ReadonlyArray<string> => {
  if (!isObject(result)) return []
  const list = (name: string) => Array.isArray(result[name]) ? result[name].filter(isObject) : []
  return [
    ...list("interfaces").filter(({ name }) => name !== "lo").map(({ name, sandbox }) =>
      `interface ${String(name)}${sandbox ? ` in ${String(sandbox)}` : ""}`
    ),
    ...list("ips").map(({ address }) => String(address)).filter((address) => !/^(?:127\.|::1\/)/.test(address))
      .map((address) => `address ${address}`),
    ...list("routes").map(({ dst }) => `route ${String(dst)}`)
  ]
}

/** The addresses in the result that a plugin received. */
const addressesBefore = (call: Call): ReadonlyArray<string> =>
  partsOf(Trial.prevResultOf(call)).filter((part) => part.startsWith("address"))

/**
 * Whether a failure says nothing about the network: the CHECK of portmap looks for IPv6 rules on any host with
 * ip6tables, even for a container without an IPv6 address. Source: portmap, `checkPorts`.
 */
const isMeaningless = (call: Call): boolean => {
  const { answer, plugin: { type }, verb } = call
  return verb === "CHECK" && type === "portmap" && answer._tag === "Failure" &&
    answer.msg.startsWith("could not check ipv6 dnat") && !addressesBefore(call).some((part) => part.includes(":"))
}

const failures =
  (verb: Call["verb"], level: Found["level"], fix: (call: Call, culprit: string) => string) => (facts: Facts) => {
    const { trial } = facts
    if (trial === undefined) return noTrial
    const calls = trial.calls.filter((call) => call.verb === verb)
    if (calls.length === 0) return { skipped: `no plugin was called for ${verb}` }
    return calls.flatMap((call): ReadonlyArray<Found> => {
      const { answer, execution, plugin: { type } } = call
      if (answer._tag === "Success" || isMeaningless(call)) return []
      const culprit = culpritOf(call, facts)
      return [{
        level,
        plugin: culprit,
        message: `${verb} fails in ${culprit === type ? type : `${culprit} in ${type}`}: ${
          Summary.failure({ ...(answer.code === undefined ? {} : { code: answer.code }), msg: firstLine(answer.msg) })
        }`,
        evidence: [
          ...(answer.details === "" ? [] : [`details: ${answer.details}`]),
          ...(answer.hasDocument ? [] : lastLines("stdout", execution?.stdout)),
          ...lastLines("stderr", execution?.stderr)
        ],
        fix: fix(call, culprit)
      }]
    })
  }

/** The fix for a plugin that says why it fails, and for one that does not. */
const againstFailure = ({ answer }: Call, culprit: string): string =>
  answer._tag === "Failure" && answer.hasDocument
    ? `mend what ${culprit} names, and try again: cni-passthrough doctor --trial`
    : `use another version of ${culprit}, or see what it does before it ends: it gives no answer that runtimes know`

export const trialAdd: Check = { id: "trial-add", phase: "trial", find: failures("ADD", "error", againstFailure) }

export const trialCheck: Check = {
  id: "trial-check",
  phase: "trial",
  find: failures(
    "CHECK",
    "warning",
    () => "set \"disableCheck\": true where runtimes call CHECK, or use a newer plugin"
  )
}

export const trialDel: Check = { id: "trial-del", phase: "trial", find: failures("DEL", "error", againstFailure) }

export const trialResult: Check = {
  id: "trial-result",
  phase: "trial",
  find: ({ trial }) => {
    if (trial === undefined) return noTrial
    const added = trial.calls.filter(({ verb }) => verb === "ADD")
    if (added.every(({ answer }) => answer._tag === "Failure")) return { skipped: "no plugin gave a result" }
    return added.flatMap((call): ReadonlyArray<Found> => {
      const { answer, plugin: { type } } = call
      if (answer._tag === "Failure") return []
      const before = partsOf(Trial.prevResultOf(call))
      const after = partsOf(parse(answer.document ?? ""))
      const lost = before.filter((part) => !after.includes(part))
      const had = before.filter((part) => part.startsWith("address"))
      const changed = after.filter((part) => part.startsWith("address") && had.length > 0 && !had.includes(part))
      return lost.length === 0 ? [] : [{
        level: "error",
        plugin: type,
        message: `${type} ${changed.length === 0 ? "drops" : "changes"} what the plugins before it answered: ${
          lost.join(", ")
        }`,
        evidence: [...before.map((part) => `before: ${part}`), ...after.map((part) => `after: ${part}`)],
        fix: `put ${type} before the plugins whose result it drops, or use another version of it`
      }]
    })
  }
}

/** The plugin that leaves an object of this kind behind. */
const leaverOf = ({ kind, text }: Trial.Left, { chain }: Facts): string | undefined => {
  if (kind === "reservation") return "host-local"
  const isPort = /CNI-(?:DN|HOSTPORT)|dnat name:/.test(text)
  if (kind === "rule" && isPort && Roles.ofType(chain, "portmap") !== undefined) return "portmap"
  if (kind === "rule" && text.includes("-t filter")) return Roles.ofType(chain, "firewall")?.type
  return Roles.makerOf(chain)?.type
}

export const trialLeft: Check = {
  id: "trial-left",
  phase: "trial",
  find: (facts) => {
    if (facts.trial === undefined) return noTrial
    const groups = new Map<string, Array<Trial.Left>>()
    for (const each of facts.trial.left) {
      const leaver = leaverOf(each, facts) ?? ""
      groups.set(leaver, [...groups.get(leaver) ?? [], each])
    }
    return [...groups].map(([leaver, left]): Found => ({
      level: "error",
      ...(leaver === "" ? {} : { plugin: leaver }),
      message: `after DEL there is still ${
        left.map(({ kind }) => kind).filter((kind, index, all) => all.indexOf(kind) === index).join(", ")
      } of the trial`,
      evidence: left.map(({ kind, text }) => `${kind}: ${text}`),
      fix: "it was removed; use a version of the plugin whose DEL works"
    }))
  }
}

/**
 * The flows whose packets were dropped, grouped by what dropped them, except those that an earlier check explains, which
 * found the same problem with living attachments.
 */
const lostFlows = (
  { flows }: Trial.Sent,
  failed: ReadonlySet<string>
): ReadonlyArray<readonly [Flow, ...ReadonlyArray<Flow>]> => {
  const lost = new Map<string, [Flow, ...Array<Flow>]>()
  const isNew = ({ check = "", status, verified }: Flow) => verified && status === "dropped" && !failed.has(check)
  for (const flow of flows.filter(isNew)) {
    const by = reasonOf(flow)
    const known = lost.get(by)
    if (known === undefined) lost.set(by, [flow])
    else known.push(flow)
  }
  return [...lost.values()]
}

/** Why a flow is lost, without the words of the flow. */
const reasonOf = ({ reason, words }: Flow): string => reason.replace(`${words}: `, "")

const sentText = ({ from, port, protocol, size, to }: Flow): string =>
  `sent: ${protocol} from ${from} to ${to}${port === undefined ? "" : ` port ${port}`}, ${size} bytes`

/** Whether commands are about a throwaway namespace, which is gone. */
const areGone = (fix: Fix.Fix): boolean =>
  fix.commands.some((words) => words.some((word) => word.includes(Trial.prefix)))

/**
 * Whether only flows between the two throwaway containers are lost, on a network with at most one live container. A
 * firewall that lets containers reach the world, but not each other, may be meant so.
 */
const areBetweenContainersOnly = (flows: ReadonlyArray<Flow>, { all, network }: Facts): boolean =>
  flows.every(({ kind }) => kind === "peer" || kind === "routed-peer") &&
  all.filter((attachment) => attachment.network === network?.name).length < 2

export const trialFlows: Check = {
  id: "trial-flows",
  phase: "trial",
  find: (facts, failed) => {
    const { trial } = facts
    if (trial === undefined) return noTrial
    const { findings, problem } = trial.sent
    const lost = lostFlows(trial.sent, failed)
    if (problem !== undefined && lost.length === 0) return unknown(`packets were not sent: ${problem}`)
    return lost.map((flows): Found => {
      const [first] = flows
      const cause = findings.find(({ check }) => check === first.check)
      const areUnused = areBetweenContainersOnly(flows, facts)
      return {
        level: areUnused ? "note" : cause?.level ?? "error",
        ...(cause?.plugin === undefined ? {} : { plugin: cause.plugin }),
        message: `${flows.map(({ words }) => words).join("; ")}: ${reasonOf(first)}`,
        evidence: [
          ...flows.map(sentText),
          ...cause?.evidence ?? [],
          ...(areUnused ? ["no two live containers of this network need this flow"] : [])
        ],
        fix: cause === undefined || areGone(cause.fix)
          ? "correct what the finding names, and try again: cni-passthrough doctor --trial"
          : cause.fix
      }
    })
  }
}
