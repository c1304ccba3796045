/** Whether the network namespace of each attachment is there. */
import * as Result from "effect/Result"
import type { Check } from "../Check.ts"
import type { Found } from "../Finding.ts"
import * as Shell from "../Shell.ts"

export const attachmentKnown: Check = {
  id: "attachment-known",
  phase: "attachment",
  find: ({ attachments, history, isOneAsked, network, unseen }) => {
    if (!isOneAsked) return { skipped: "nobody asked for one attachment" }
    if (unseen.length > 0) return { skipped: "not all could be looked at" }
    const last = history?.operations.at(-1)
    if (last?.verb === "ADD" && last.end === "badly") return { skipped: "the logs tell what became of it" }
    return attachments.length > 0 ? [] : [{
      level: "error",
      message: `libcni's cache has no such attachment to ${network?.name ?? "the network"}: ${
        last === undefined
          ? "its ADD failed or never came, or its DEL has been"
          : `the last of it in the logs is its ${last.verb} at ${last.time}, which ended ${last.end}`
      }`,
      evidence: [],
      fix: "see what the runtime says of its ADD, or try one: cni-passthrough doctor --trial"
    }]
  }
}

export const namespace: Check = {
  id: "namespace",
  phase: "attachment",
  find: ({ attachments, isOneAsked, network }) => {
    if (attachments.length === 0) return { skipped: "there is no attachment" }
    return attachments.flatMap(({ containerId, file, ifname, netns, sight }): ReadonlyArray<Found> => {
      switch (sight._tag) {
        case "Missing":
          return [{
            level: isOneAsked ? "error" : "warning",
            message: `${ifname} of ${containerId}: its network namespace ${netns} is gone, and it was never detached`,
            evidence: [file],
            fix: `cni-passthrough leaks ${Shell.word(network?.name ?? "")} --fix`
          }]
        case "Foreign":
          return [{
            level: "error",
            message: `${ifname} of ${containerId}: ${netns} is there, and is not a network namespace`,
            evidence: [sight.reason],
            fix: `remove the file ${netns}, and start the container anew`
          }]
        case "There":
          return sight.isHost
            ? [{
              level: "error",
              message: `${ifname} of ${containerId}: ${netns} is the namespace of the host itself`,
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
  find: ({ attachments }) => {
    if (attachments.length === 0) return { skipped: "there is no attachment" }
    return attachments.flatMap(({ containerId, file, ifname, result }): ReadonlyArray<Found> =>
      Result.isSuccess(result) ? [] : [{
        level: "warning",
        message: `${ifname} of ${containerId}: the result of its ADD cannot be used: ${result.failure}`,
        evidence: [file],
        fix: "start the container anew"
      }]
    )
  }
}
