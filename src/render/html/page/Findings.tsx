/** The findings of doctor. */
import type { Finding } from "../PageData.ts"
import { Copy } from "./Document.tsx"
import { joined } from "./Texts.ts"

const FindingView = ({ finding }: { readonly finding: Finding }) => {
  const { check, evidence, file, fix, level, line, message, plugin } = finding
  const place = file === undefined ? undefined : joined([file, line === undefined ? undefined : String(line)], ":")
  return (
    <article class={`finding ${level}`}>
      <h3>{message}</h3>
      <p class="quiet">
        {joined([
          level,
          `${plugin === undefined ? "host" : `plugin ${plugin}`} (check ${check})`,
          place
        ], ", ")}
      </p>
      {evidence.length === 0 ? null : <pre tabIndex={0} role="group" aria-label="evidence">{evidence.join("\n")}</pre>}
      <p class="fix">
        <b>Fix:</b> {fix.text}
        {fix.commands.length === 0 ? null : <Copy name="the commands" text={fix.commands.join("\n")} />}
      </p>
      {fix.commands.length === 0
        ? null
        : <pre tabIndex={0} role="group" aria-label="commands">{fix.commands.join("\n")}</pre>}
      {fix.cuts === undefined ? null : <p class="quiet">This cuts {fix.cuts}.</p>}
    </article>
  )
}

export const Findings = ({ list }: { readonly list: ReadonlyArray<Finding> }) => (
  <section class="findings" aria-labelledby="findings">
    <h2 id="findings">
      Doctor <span class="count">{list.length}</span>
    </h2>
    {list.length === 0 ? <p>Nothing is wrong with the network and its attachments.</p> : null}
    {list.map((finding, at) => <FindingView key={at} finding={finding} />)}
  </section>
)
