/** The error message for failed plugins. */
import * as Data from "effect/Data"
import * as Execution from "../exec/Execution.ts"
import * as Escape from "../record/Escape.ts"
import * as Summary from "../record/Summary.ts"
import type { Call } from "./Chain.ts"

/** The maximum number of lines of an output to show, and of characters in each. */
const shown = { lines: 5, characters: 1000 }

const lastLines = (name: string, output: Uint8Array | undefined): ReadonlyArray<string> => {
  const text = output === undefined ? "" : Execution.text(output).trim()
  return text === ""
    ? []
    : text.split("\n").slice(-shown.lines).map((line) => `  ${name}: ${line.slice(0, shown.characters)}`)
}

const explain = ({ answer, env, execution, plugin, verb }: Call, isOneOfMany: boolean): ReadonlyArray<string> => {
  if (answer._tag === "Success") return []
  const ending = execution === undefined
    ? ""
    : `${answer.hasDocument ? `, ${Summary.ending(execution)}` : ""}, after ${execution.durationMs} ms`
  const whose = isOneOfMany && env.CNI_CONTAINERID !== ""
    ? ` of ${env.CNI_CONTAINERID} ${env.CNI_IFNAME}`
    : ""
  return [
    `${verb}${whose} failed in ${plugin.type}: ${
      Summary.failure({ ...(answer.code === undefined ? {} : { code: answer.code }), msg: answer.msg })
    }${ending}`,
    ...(answer.details === "" ? [] : [`  details: ${answer.details}`]),
    ...(answer.hasDocument ? [] : lastLines("stdout", execution?.stdout)),
    ...lastLines("stderr", execution?.stderr)
  ]
}

/** One or more plugins failed. */
export class PluginFailed extends Data.TaggedError("PluginFailed")<{
  readonly calls: ReadonlyArray<Call>
  /** The next step for the user, or empty if there is none. */
  readonly advice: string
}> {
  override readonly message = Escape.inLines(
    [
      ...this.calls.flatMap((call) => explain(call, this.calls.length > 1)),
      ...(this.advice === "" ? [] : [`  ${this.advice}`])
    ].join("\n")
  )
}
