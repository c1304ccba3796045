/**
 * What logs show: what failed last, what was never taken down, and what was taken down with less input than it was made
 * with.
 */
import { type Check, skipped } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import type { History, LoggedOperation } from "../facts/History.ts"
import type { Found } from "../Finding.ts"
import * as Fix from "../Fix.ts"
import * as Names from "../Names.ts"
import * as Repair from "../Repair.ts"
import * as Roles from "../Roles.ts"

const noLog = skipped("no log was named")

/** Runs a check on the logged operations of the selected attachments. */
const ofHistory = (
  facts: Facts,
  find: (operations: ReadonlyArray<LoggedOperation>, history: History) => ReadonlyArray<Found>
) => {
  const { history } = facts
  if (history === undefined) return noLog
  return history.operations.length === 0
    ? skipped("the logs have no operation of these attachments")
    : find(history.operations, history)
}

const inWords = ({ end, time, verb }: LoggedOperation): string => `${time} ${verb} ended ${end}`

/** Identifies an attachment. */
const keyOf = ({ containerId, ifname }: Pick<LoggedOperation, "containerId" | "ifname">): string =>
  `${containerId} ${ifname}`

/** The plugin at the beginning of a failure's line, if the network has it. */
const blame = ({ failure }: LoggedOperation, { chain }: Facts): Pick<Found, "plugin"> => {
  const [word = ""] = failure.split(/[\s:]/)
  return chain.some(({ type }) => type === word) ? { plugin: word } : {}
}

export const lastFailure: Check = {
  id: "last-failure",
  phase: "history",
  find: (facts) =>
    ofHistory(facts, (operations, { logs }) => {
      const last = ["ADD", "DEL", "CHECK", "STATUS", "GC"].flatMap((verb) =>
        operations.findLast((each) => each.verb === verb) ?? []
      )
      return last.filter(({ end }) => end === "badly").map((past): Found => ({
        level: past.verb === "CHECK" ? "warning" : "error",
        ...blame(past, facts),
        message: `the last ${past.verb} of ${Names.attachment(past)}, at ${past.time}, failed: ${past.failure}`,
        evidence: past.stderr.map((line) => `stderr: ${line}`),
        fix: `fix what the error names. To see all of it: ${
          Fix.line([
            ..."cni-passthrough show --failed --full".split(" "),
            ...(past.containerId === "" ? [] : ["--container", past.containerId]),
            ...logs
          ])
        }`
      }))
    })
}

/** The operations of each attachment. */
const byAttachment = (operations: ReadonlyArray<LoggedOperation>): ReadonlyArray<ReadonlyArray<LoggedOperation>> => {
  const groups = new Map<string, Array<LoggedOperation>>()
  for (const past of operations) {
    const key = keyOf(past)
    groups.set(key, [...groups.get(key) ?? [], past])
  }
  return [...groups.values()]
}

export const addWithoutDel: Check = {
  id: "add-without-del",
  phase: "history",
  find: (facts) =>
    ofHistory(facts, (operations, { gone }) => {
      const cached = new Set(facts.all.map(keyOf))
      const lost = byAttachment(operations).flatMap((own) => {
        const add = own.findLast(({ verb }) => verb === "ADD")
        const isDeleted = own.slice(add === undefined ? 0 : own.indexOf(add)).some(({ verb }) => verb === "DEL")
        // The checks of attachments report those in the cache.
        return add === undefined || isDeleted || !gone.has(add.netns) || cached.has(keyOf(add)) ? [] : [add]
      })
      const [first] = lost
      return first === undefined ? [] : [{
        level: "warning",
        message: lost.length === 1
          ? `${Names.attachment(first)} had an ADD at ${first.time}, and no DEL after it, and its namespace is gone`
          : `${lost.length} attachments had an ADD, and no DEL after it, and their namespaces are gone`,
        evidence: lost.map((add) => `${inWords(add)}: ${Names.attachment(add)}, ${add.netns}`),
        fix: Fix.run(
          "name the logs after these too, if there are any; then detach what is left",
          ...lost.map(({ containerId, ifname }) =>
            Fix.command(
              "cni-passthrough run del",
              Repair.networkOf(facts),
              "--container-id",
              containerId,
              ...(ifname === "eth0" ? [] : ["--ifname", ifname]),
              ...Repair.foldersOf(facts)
            )
          )
        )
      }]
    })
}

/** The input of an ADD that no later DEL had. Without CNI_NETNS, plugins that masquerade leave their rules behind. */
const missing = (add: LoggedOperation, dels: ReadonlyArray<LoggedOperation>, facts: Facts): ReadonlyArray<string> => {
  const isMasquerading = Roles.makerOf(facts.chain)?.config["ipMasq"] === true
  return [...add.given].filter((each) =>
    !dels.some(({ given }) => given.has(each)) && (each !== "CNI_NETNS" || isMasquerading)
  )
}

export const delWithLess: Check = {
  id: "del-with-less",
  phase: "history",
  find: (facts) =>
    ofHistory(facts, (operations) => {
      // The operation before the last may date from a different configuration.
      const del = operations.findLast(({ verb }) => verb === "DEL")
      const own = operations.filter((past) => del !== undefined && keyOf(past) === keyOf(del))
      const add = own.findLast(({ end, verb }) => verb === "ADD" && end === "well")
      const dels = add === undefined ? [] : own.slice(own.indexOf(add)).filter(({ verb }) => verb === "DEL")
      // A DEL that ended badly did not reach all plugins, and is reported as that.
      if (add === undefined || dels.length === 0 || dels.some(({ end }) => end !== "well")) return []
      const less = missing(add, dels, facts)
      return less.length === 0 ? [] : [{
        level: "warning",
        message: `${Names.attachment(add)} was detached with less than it was attached with, without ${
          less.join(", ")
        }`,
        evidence: [add, ...dels].map(inWords),
        fix: less.some((each) => each.startsWith("the plugin "))
          ? "detach containers before a network is changed; what is left: cni-passthrough leaks"
          : "let the runtime give a DEL what its ADD had, as libcni does from its cache; what is left: cni-passthrough leaks"
      }]
    })
}
