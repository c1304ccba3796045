/** The steps of an operation in the order of time, each as long as it took. */
import type { Operation, Step } from "../PageData.ts"
import { duration, joined } from "./Texts.ts"

/** A step with its place. */
export interface Bar {
  readonly step: Step
  readonly depth: number
  /** In milliseconds after the beginning of the operation. */
  readonly start: number
  readonly length: number | undefined
}

/**
 * All steps, each followed by the steps inside it. A step without a known start begins where the previous one ended.
 */
export const barsOf = (steps: ReadonlyArray<Step>, depth = 0, from = 0): ReadonlyArray<Bar> => {
  let end = from
  return steps.flatMap((step) => {
    const start = Math.max(0, step.start ?? end)
    end = start + (step.durationMs ?? 0)
    return [{ step, depth, start, length: step.durationMs }, ...barsOf(step.nested ?? [], depth + 1, start)]
  })
}

const signs = { done: "✓", failed: "✗", unfinished: "✗", stopped: "✗", unseen: "·" } as const

/** How a step ended, for users who cannot see its sign. */
export const states = {
  done: "went well",
  failed: "failed",
  unfinished: "was killed, or is still running",
  stopped: "failed, or the runtime stopped",
  unseen: "no tap comes after it"
} as const

export const signOf = ({ kind, state }: Step): string => kind === "tap" && state === "done" ? "·" : signs[state]

const toneOf = ({ kind, state }: Step): string =>
  state === "done" ? (kind === "tap" ? "calm" : "good") : state === "unseen" ? "calm" : "bad"

/** Display name of a step, with what differs from its operation. */
export const nameOf = ({ command, ifname, network, title }: Step): string =>
  joined([title, command, ifname, network === undefined ? undefined : `on ${network}`])

/** Arrows move from step to step. */
const onKey = (event: KeyboardEvent & { readonly currentTarget: HTMLElement }): void => {
  const line = event.key === "ArrowDown"
    ? "nextElementSibling"
    : event.key === "ArrowUp"
    ? "previousElementSibling"
    : undefined
  const other = line && event.currentTarget.parentElement?.[line]?.querySelector("button")
  if (!other) return
  event.preventDefault()
  other.focus()
  other.click()
}

/** Draws the steps, with one selected. */
export const Waterfall = ({ onSelect, operation, selected }: {
  readonly operation: Operation
  readonly selected: Step | undefined
  readonly onSelect: (step: Step) => void
}) => {
  const bars = barsOf(operation.steps)
  const total = Math.max(operation.durationMs ?? 0, ...bars.map(({ length = 0, start }) => start + length), 1)
  const percent = (value: number) => `${Math.min(100, (value / total) * 100)}%`
  return (
    <div class="waterfall">
      <div class="scale" aria-hidden="true">
        <span />
        <span class="ticks">
          {[0, 0.25, 0.5, 0.75, 1].map((part) => <span key={part}>{duration(total * part) || "0"}</span>)}
        </span>
        <span />
      </div>
      <ol>
        {bars.map(({ depth, length, start, step }, index) => (
          <li key={index}>
            <button
              type="button"
              class={`step ${toneOf(step)}`}
              aria-pressed={step === selected}
              onClick={() => onSelect(step)}
              onKeyDown={onKey}
            >
              <span class="name" style={{ "--depth": String(depth) }}>
                <span class="sign" aria-hidden="true">{signOf(step)}</span>
                <span class="unseen">{states[step.state]}:{" "}</span>
                <span class="text">{nameOf(step)}</span>
              </span>
              <span class="track" aria-hidden="true">
                <span class="bar" style={{ left: percent(start), width: percent(length ?? 0) }} />
              </span>
              <span class="time">{duration(length)}</span>
            </button>
          </li>
        ))}
      </ol>
    </div>
  )
}
