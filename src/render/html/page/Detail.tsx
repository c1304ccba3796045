/** All details of one step. */
import type { ComponentChildren } from "preact"
import { useMemo } from "preact/hooks"
import * as Escape from "../../../record/Escape.ts"
import type { Hook, Step } from "../PageData.ts"
import { Changes } from "./Changes.tsx"
import { Copy, Document, Fold } from "./Document.tsx"
import * as Runs from "./Runs.ts"
import { duration, joined, plural } from "./Texts.ts"
import { nameOf, signOf, states } from "./Waterfall.tsx"

const Part = ({ children, title }: { readonly title: string; readonly children: ComponentChildren }) => (
  <section class="part">
    <h6>{title}</h6>
    {children}
  </section>
)

const HookDetail = ({ hook, output }: { readonly hook: Hook; readonly output: Runs.Output | undefined }) => {
  const { command, difference, durationMs, failure } = hook
  const { stderr = "", stdout = "" } = output ?? {}
  return (
    <Fold title={`$ ${command}`} more={joined([failure, duration(durationMs)], ", ")} isOpen={failure !== undefined}>
      {() => (
        <>
          {difference === undefined || stdout === "" ? null : difference.length === 0
            ? <p class="quiet">stdout is as at the step before</p>
            : <Changes list={difference} />}
          {stdout === "" ? null : <Document name="stdout" text={stdout} isOpen={difference === undefined} />}
          {stderr === "" ? null : <Document name="stderr" text={stderr} isOpen />}
          {stdout === "" && stderr === "" ? <p class="quiet">it wrote nothing</p> : null}
        </>
      )}
    </Fold>
  )
}

const Environment = ({ list }: { readonly list: Runs.Run["environment"] }) => (
  <Fold title="environment" more={plural(list.length, "variable")}>
    {() => (
      <div class="document">
        <Copy name="environment" text={list.map(([name, value]) => `${name}=${value}\n`).join("")} />
        <dl class="variables">
          {list.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{Escape.inLines(value)}</dd>
            </div>
          ))}
        </dl>
      </div>
    )}
  </Fold>
)

/** Shows a step. `around` is the step that contains it, `told` is the text that already stands above it. */
export const Detail = ({ around, step, told }: {
  readonly step: Step
  readonly around: Step | undefined
  readonly told: string
}) => {
  const run = useMemo(() => Runs.of(step), [step])
  const { changes = [], changesBefore = [], hooks = [], notes = [], othersChanges = [], stateChanges } = step
  const failure = (step.failure ?? []).filter((text) => !told.endsWith(text))
  const isBad = step.state !== "done" && step.state !== "unseen"
  const facts = [step.ending ?? states[step.state], duration(step.durationMs), run.file && Escape.inLine(run.file)]
  return (
    <div class="detail">
      <h5 class={isBad ? "bad" : ""}>
        <span aria-hidden="true">{signOf(step)}{" "}</span>
        {nameOf(step)}
        {around === undefined ? null : <span class="quiet">{` in ${around.title}`}</span>}
      </h5>
      <p class="facts">{joined(facts, " · ")}</p>
      {failure.length === 0 ? null : <div class="failure">{failure.map((text, at) => <p key={at}>{text}</p>)}</div>}
      {run.stderr === "" ? null : <Document name="stderr" text={run.stderr} isOpen />}
      {run.stdout === "" ? null : <Document name="stdout" text={run.stdout} isOpen />}
      {run.isTruncated ? <p class="quiet">more output was not logged</p> : null}
      {changesBefore.length === 0 ? null : (
        <Part title="Changed before it">
          <Changes list={changesBefore} />
        </Part>
      )}
      {changes.length === 0 ? null : (
        <Part title="What it changed in the result">
          <Changes list={changes} />
        </Part>
      )}
      {stateChanges === undefined ? null : (
        <Part title="What it changed in the host and the container">
          {stateChanges.length === 0 ? <p class="quiet">nothing</p> : <Changes list={stateChanges} />}
          {othersChanges.length === 0 ?
            null :
            (
              <Fold title="what others changed meanwhile" more={plural(othersChanges.length, "change")}>
                {() => <Changes list={othersChanges} />}
              </Fold>
            )}
          {notes.map((note, at) => <p key={at} class="quiet">{note}</p>)}
        </Part>
      )}
      {hooks.length === 0 ? null : (
        <Part title="Hooks">
          {hooks.map((hook, at) => <HookDetail key={at} hook={hook} output={run.hooks[at]} />)}
        </Part>
      )}
      {step.records === undefined ?
        <p class="quiet">It left no records: this is what the taps beside it saw.</p> :
        (
          <Part title="What went in and came out">
            {run.documents.map(({ isJson, name, text }) => (
              <Document key={name} name={name} text={text} isJson={isJson} />
            ))}
            {run.environment.length === 0 ? null : <Environment list={run.environment} />}
            <Document name="records" text={run.lines} staysFolded />
          </Part>
        )}
    </div>
  )
}
