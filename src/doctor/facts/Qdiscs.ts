/** Queues of links that drop packets larger than their bucket. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ToolOutput from "../../exec/ToolOutput.ts"
import { isObject } from "../../json/Json.ts"
import * as ToolJson from "../../json/ToolJson.ts"
import type { Link } from "../../network/Link.ts"

/** A token bucket filter (tbf). */
export interface Queue {
  readonly device: string
  /** The size of its bucket in bytes. Larger packets are dropped. */
  readonly burst: number
}

/** Reads what `tc -j qdisc show` prints. */
export const parse = (output: string): ReadonlyArray<Queue> => {
  const all = ToolJson.parse(output)
  return (Array.isArray(all) ? all.filter(isObject) : []).flatMap(({ dev, kind, options }) => {
    const burst = isObject(options) ? options["burst"] : undefined
    return kind === "tbf" && typeof dev === "string" && typeof burst === "number" ? [{ device: dev, burst }] : []
  })
}

/** All queues of the host. If no link has one, does not run the tool. */
export const collect = Effect.fnUntraced(function*(links: ReadonlyArray<Link>) {
  if (!links.some(({ queue }) => queue === "tbf")) return []
  return parse(Result.getOrElse(yield* ToolOutput.of(["tc", "-j", "qdisc", "show"]), () => ""))
})
