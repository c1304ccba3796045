/** Changes, one line each. */
import type { Line } from "../../../operations/OutputDiff.ts"
import type { Change } from "../../../operations/ResultDiff.ts"

const signs = { added: "+", removed: "−", changed: "~", same: " ", leftOut: "…" } as const
const words = { added: "added", removed: "removed", changed: "changed", same: "", leftOut: "" } as const

export const Changes = ({ list }: { readonly list: ReadonlyArray<Change | Line> }) => (
  <ul class="changes">
    {list.map(({ kind, what }, index) => (
      <li key={index} class={kind}>
        <span class="sign" aria-hidden="true">{signs[kind]}</span>
        {words[kind] === "" ? null : <span class="unseen">{words[kind]}{" "}</span>}
        <span>{what}</span>
      </li>
    ))}
  </ul>
)
