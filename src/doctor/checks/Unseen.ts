/** What could not be inspected, so that nothing is known to be right there. */
import * as Result from "effect/Result"
import type { Check } from "../Check.ts"
import type { Facts } from "../Facts.ts"
import * as Rights from "../facts/Rights.ts"
import * as Names from "../Names.ts"

const reasonsOf = ({ attachments, host, store, trial, unseen }: Facts): ReadonlyArray<string> => [
  ...unseen,
  // If nothing was attached, there are no flows, and the check of the failed plugin says why.
  ...(trial === undefined || trial.sent.problem === undefined || trial.sent.flows.length === 0
    ? []
    : [`whether the flows of the trial arrive: packets were not sent over all of them: ${trial.sent.problem}`]),
  ...new Set(
    (store?.reservations ?? []).flatMap(({ unknown }) =>
      unknown === undefined ? [] : [`which addresses are reserved for containers that are gone: ${unknown}`]
    )
  ),
  ...(host !== undefined && Result.isFailure(host.network) ? [host.network.failure] : []),
  ...(host !== undefined && Result.isFailure(host.rules) ? [host.rules.failure] : []),
  ...attachments.flatMap((each) =>
    each.netns !== "" && each.sight._tag === "Unseen"
      ? [`the namespace of ${Names.attachment(each)}: ${each.sight.reason}`]
      : []
  )
]

const fixOf = ({ host }: Facts): string => {
  const lacking = host?.lacking ?? []
  return lacking.length === 0
    ? "run doctor as root, or fix what is named above"
    : `run doctor as root with all capabilities: this process lacks ${Rights.list(lacking)}`
}

export const everythingSeen: Check = {
  id: "everything-seen",
  phase: "host",
  find: (facts) => {
    const reasons = reasonsOf(facts)
    return reasons.length === 0 ? [] : [{
      level: "note",
      message: "some checks could not run, so problems there would be missed",
      evidence: reasons,
      fix: fixOf(facts)
    }]
  }
}
