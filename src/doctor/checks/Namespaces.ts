/** Whether the network namespace of each attachment exists. */
import * as Result from "effect/Result"
import * as ShellQuote from "../../exec/ShellQuote.ts"
import type { Check } from "../Check.ts"
import type { LoggedOperation } from "../facts/History.ts"
import type { Found } from "../Finding.ts"
import * as Flow from "../flow/Flow.ts"
import * as Names from "../Names.ts"
import * as NearMiss from "../NearMiss.ts"
import * as Repair from "../Repair.ts"

/** The most attachments to name one by one. */
const shown = 20

const endings = {
  well: "which succeeded",
  badly: "which failed",
  open: "which has not ended"
} satisfies { readonly [end in LoggedOperation["end"]]: string }

export const attachmentKnown: Check = {
  id: "attachment-known",
  phase: "attachment",
  find: ({ all, attachments: current, earlier, elsewhere, history, linksThere, network, selected, unseen }) => {
    if (selected === undefined) return { skipped: "no single attachment was selected" }
    if (unseen.length > 0) return { skipped: "not everything could be looked at" }
    const attachments = [...current, ...earlier.flatMap((each) => each.attachments)]
    const last = history?.operations.at(-1)
    // Runtimes call DEL after a failed ADD.
    const lastAdd = history?.operations.findLast(({ verb }) => verb === "ADD")
    if (lastAdd?.end === "badly") return { skipped: "the logs tell what became of it" }
    const known = all.filter((each) => each.network === network?.name)
    const [other] = elsewhere
    if (attachments.length === 0 && other !== undefined) {
      return [{
        level: "error",
        message: `libcni's cache has no attachment of ${selected.words} to ${network?.name ?? "the network"}: ` +
          `it is attached to ${elsewhere.join(", ")}`,
        evidence: all.filter((each) => elsewhere.includes(each.network)).slice(0, shown).map((each) => each.file),
        fix: `ask about that network: cni-passthrough doctor ${ShellQuote.word(other)}`
      }]
    }
    const taken = linksThere !== undefined && Result.isSuccess(linksThere) ? linksThere.success : []
    if (attachments.length === 0 && taken.includes("eth0")) {
      return [{
        level: "error",
        message: `${selected.words} has a link eth0 already, and libcni's cache has no attachment of it to ` +
          `${network?.name ?? "the network"}: an ADD with this name fails`,
        evidence: [`links there: ${taken.join(", ")}`],
        fix: "remove the link, which its maker may need, or attach with another --ifname"
      }]
    }
    const near = NearMiss.nearest(selected.value, known.flatMap(({ containerId, pod }) => [containerId, pod ?? ""]))
    return attachments.length > 0 ? [] : [{
      level: "error",
      message: `libcni's cache has no attachment of ${selected.words} to ${network?.name ?? "the network"}: ${
        near !== undefined
          ? `did you mean ${known.some(({ pod }) => pod === near) ? "--pod" : "--container-id"} ${near}?`
          : last === undefined
          ? "it was never attached, or is detached already"
          : `its last operation in the logs is a ${last.verb} at ${last.time}, ${endings[last.end]}`
      }`,
      evidence: [
        ...known.slice(0, shown).map((each) => `attached: ${Names.attachment(each)}, ${each.netns}`),
        ...(known.length > shown ? [`and ${known.length - shown} more`] : [])
      ],
      fix: "restart the container, or attach it with cni-passthrough run add. If that fails, cni-passthrough doctor " +
        "--trial shows why"
    }]
  }
}

export const namespace: Check = {
  id: "namespace",
  phase: "attachment",
  stops: Flow.kinds,
  find: (facts) => {
    const { attachments, selected } = facts
    if (attachments.length === 0) return { skipped: "there is no attachment" }
    return attachments.flatMap((each): ReadonlyArray<Found> => {
      const { file, netns, sight } = each
      const title = Names.attachment(each)
      switch (sight._tag) {
        case "Missing":
          return [{
            level: selected !== undefined ? "error" : "warning",
            message: `${title}: its network namespace ${netns} is gone, and it was never detached`,
            evidence: [file],
            fix: Repair.removeLeaks(facts)
          }]
        case "Foreign":
          return [{
            level: "error",
            message: `${title}: ${netns} is there, and is not a network namespace`,
            evidence: [sight.reason],
            fix: `remove the file ${netns}, and start the container anew`
          }]
        case "There":
          return sight.isHost
            ? [{
              level: "error",
              message: `${title}: ${netns} is the namespace of the host itself`,
              evidence: [],
              fix: "start the container with a network namespace of its own"
            }]
            : []
        case "Unseen":
          return []
      }
    })
  }
}

export const cachedResult: Check = {
  id: "cached-result",
  phase: "attachment",
  find: (facts) => {
    const { attachments } = facts
    if (attachments.length === 0) return { skipped: "there is no attachment" }
    return attachments.flatMap((attachment): ReadonlyArray<Found> => {
      const { file, result } = attachment
      return Result.isSuccess(result) ? [] : [{
        level: "warning",
        message: `${Names.attachment(attachment)}: the result of its ADD cannot be used: ${result.failure}`,
        evidence: [file],
        fix: Repair.reattach([attachment], facts)
      }]
    })
  }
}
