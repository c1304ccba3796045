/** Arguments of capabilities that reach no plugin. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NearMiss from "../../../doctor/NearMiss.ts"
import { isObject } from "../../../json/Json.ts"
import * as Escape from "../../../record/Escape.ts"
import type { Attachment } from "../../../runtime/Attachments.ts"
import type { Chain } from "../../../runtime/Chain.ts"

/** Says which of the arguments no plugin of the chain receives, because none declares their capability. */
export const warn = Effect.fnUntraced(
  function*({ list: { name, plugins } }: Chain, given: Attachment["capabilityArgs"]) {
    const declared = plugins.flatMap(({ config: { capabilities } }) =>
      isObject(capabilities) ? Object.keys(capabilities).filter((each) => capabilities[each] === true) : []
    )
    for (const capability of Object.keys(given).filter((each) => !declared.includes(each))) {
      const near = NearMiss.nearest(capability, declared)
      yield* Console.error(Escape.inLine(
        `no plugin of ${name} has the capability ${capability}, so none gets its argument` +
          (near === undefined ? "" : `: did you mean ${near}?`)
      ))
    }
  }
)
