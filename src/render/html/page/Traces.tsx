/** The packets that trace followed. */
import type { Trace } from "../PageData.ts"
import { Copy } from "./Document.tsx"

const levels = { good: "", bad: "error", unknown: "warning" } as const

const TraceView = ({ trace: { end, path, state, title } }: { readonly trace: Trace }) => {
  const [first = "", ...more] = end
  return (
    <article class={`finding ${levels[state]}`}>
      <h3>{title}</h3>
      <p class={state === "unknown" ? "quiet" : state}>{first}</p>
      {more.map((line) => <p key={line} class="quiet">{line}</p>)}
      {path.length === 0 ? null : (
        <>
          <Copy name="the path" text={path.join("\n")} />
          <pre tabIndex={0} role="group" aria-label="path">{path.join("\n")}</pre>
        </>
      )}
    </article>
  )
}

export const Traces = ({ list }: { readonly list: ReadonlyArray<Trace> }) => (
  <section class="findings" aria-labelledby="traces">
    <h2 id="traces">
      Trace <span class="count">{list.length}</span>
    </h2>
    {list.map((trace, at) => <TraceView key={at} trace={trace} />)}
  </section>
)
