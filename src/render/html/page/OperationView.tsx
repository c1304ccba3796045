/** One operation: a line, and its details when it is open. */
import { useContext, useMemo, useState } from "preact/hooks"
import type { Operation, Step } from "../PageData.ts"
import { Detail } from "./Detail.tsx"
import { type Entry, mostTelling } from "./Model.ts"
import * as Network from "./Network.ts"
import { Picture } from "./Picture.tsx"
import { Search } from "./Search.tsx"
import { duration, joined, moment, plural } from "./Texts.ts"
import { Waterfall } from "./Waterfall.tsx"

const aroundOf = (steps: ReadonlyArray<Step>, inner: Step, around?: Step): Step | undefined => {
  for (const step of steps) {
    if (step === inner) return around
    const found = aroundOf(step.nested ?? [], inner, step)
    if (found !== undefined) return found
  }
  return undefined
}

const Facts = ({ operation }: { readonly operation: Operation }) => {
  const { args, containerId, netns } = operation
  const facts = [["container", containerId], ["namespace", netns], ["arguments", args]] as const
  return (
    <dl class="facts">
      {facts.map(([name, value]) =>
        value === undefined ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        )
      )}
    </dl>
  )
}

const Body = ({ entry: { id, operation } }: { readonly entry: Entry }) => {
  const search = useContext(Search)
  const [selected, select] = useState(() => mostTelling(operation.steps, search))
  const { leftovers = [] } = operation
  const network = useMemo(() => Network.of(operation), [operation])
  return (
    <div class="body" id={`body-${id}`}>
      {operation.failure === undefined ? null : <p class="failure">{operation.failure}</p>}
      {leftovers.length === 0 ? null : (
        <div class="left">
          <p>Left behind of what its ADD made:</p>
          <ul>{leftovers.map((what, at) => <li key={at}>{what}</li>)}</ul>
        </div>
      )}
      <Facts operation={operation} />
      <Waterfall operation={operation} selected={selected} onSelect={select} />
      <div class={network === undefined ? "columns one" : "columns"}>
        {selected === undefined ? null : (
          <Detail
            key={selected.records?.join() ?? selected.title}
            step={selected}
            around={aroundOf(operation.steps, selected)}
            told={operation.failure ?? ""}
          />
        )}
        {network === undefined ? null : <Picture network={network} />}
      </div>
    </div>
  )
}

export const OperationView = ({ entry, isOpen, onToggle }: {
  readonly entry: Entry
  readonly isOpen: boolean
  readonly onToggle: (id: number) => void
}) => {
  const { id, operation } = entry
  const { command, durationMs, failure, hasFailed, ifname, leftovers = [], network, time } = operation
  return (
    <article class={`operation ${hasFailed ? "bad" : "good"}`}>
      <h4>
        <button
          type="button"
          id={`operation-${id}`}
          data-operation={id}
          aria-expanded={isOpen}
          onClick={() => onToggle(id)}
        >
          <span class="sign" aria-hidden="true">{hasFailed ? "✗" : "✓"}</span>
          <span class="unseen">{hasFailed ? "failed: " : ""}</span>
          <span class="who">
            <b>{command}</b> {joined([ifname, network && `on ${network}`])}
          </span>
          <span class={failure === undefined ? "why left" : "why"}>
            {failure ??
              (leftovers.length === 0 ? "" : `left ${plural(leftovers.length, "thing")} of what its ADD made`)}
          </span>
          <span class="when">{moment(time)}</span>
          <span class="time">{duration(durationMs)}</span>
        </button>
      </h4>
      {isOpen ? <Body entry={entry} /> : null}
    </article>
  )
}
