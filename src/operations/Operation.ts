/**
 * What happened to an attachment: the runs of a chain of plugins, and the runs that these started. Only what is shown
 * is kept of a record, since the logs of a node may not fit into memory.
 */
import type { Ending } from "../exec/Execution.ts"
import type { ErrorDocument, Removal } from "../record/Record.ts"
import type * as Excerpt from "./Excerpt.ts"

/** What the runs of an operation have in common. */
export const names = ["containerId", "command", "ifname", "network", "netns", "args", "path", "cniVersion"] as const

/** What a run was asked to do, and for which container. */
export type Request = { readonly [name in (typeof names)[number]]: string | undefined }

/** A program that ended, with the last lines of its output. */
export interface Program extends Ending {
  /** The command of a hook, or the type of a plugin. */
  readonly name: string
  /** The file of a plugin; undefined for a hook, or if it was not found. */
  readonly file: string | undefined
  /** When it ended, as in the record. */
  readonly time: string
  /** In milliseconds. */
  readonly durationMs: number
  readonly stdout: Excerpt.Excerpt
  readonly stderr: Excerpt.Excerpt
  /** All of stdout, if it is kept for comparison. */
  readonly whole: string | undefined
  /** Whether it wrote more than its record holds. */
  readonly truncated: boolean
}

/** How a run ended. */
export interface End {
  /** In milliseconds since 1970; NaN if the record has no date. */
  readonly time: number
  /** In milliseconds. */
  readonly durationMs: number
  /** Undefined if it succeeded. */
  readonly error: ErrorDocument | undefined
}

/** One run of one plugin. */
export interface Step {
  readonly invocation: string
  /** The invocation of the run around it, for a plugin that another plugin started. */
  readonly parent: string | undefined
  readonly title: string
  /** Distinguishes the plugins of a chain. */
  readonly identity: string
  /** Whether it is one of our taps, which stand between plugins and run none. */
  readonly isTap: boolean
  /** Whether its configuration is its own, as for a plugin of a chain, and not that of its starter. */
  readonly hasOwnConfig: boolean
  /** When it began, as in the record. */
  readonly time: string
  readonly request: Request
  /** As in the record. */
  readonly label: string | undefined
  /** The W3C trace context of its request, as in the record. */
  readonly traceparent: string | undefined
  readonly tracestate: string | undefined
  readonly hooks: ReadonlyArray<Program>
  /** The plugin that ran; undefined for a tap, which runs none. */
  readonly plugin: Program | undefined
  /** What it changed in network namespaces, as the JSON text of a `StateChanges.Found`; undefined if not inspected. */
  readonly changes: string | undefined
  /** What `leaks` removed of a container that is gone; only if `leaks` ran instead of a plugin. */
  readonly removed: ReadonlyArray<Removal>
  /** Undefined if it was not recorded, for instance after a SIGKILL. */
  readonly end: End | undefined
  /** The network configuration as JSON text; only with `full`. */
  readonly config: string | undefined
  /** The result that went in, and the one that came out, as JSON text. */
  readonly before: string | undefined
  readonly result: string | undefined
  /** The runs that it started, in the order of time. */
  readonly nested: ReadonlyArray<Step>
}

/** One operation on an attachment: the runs of all its plugins, in their order. */
export interface Operation {
  /** When it began, as in the record. */
  readonly time: string
  readonly request: Request
  readonly steps: ReadonlyArray<Step>
  /** The plugin in which the chain ended, if only a tap that was not reached shows this. */
  readonly stoppedIn: string | undefined
  /** The plugin in which the ADD before this DEL ended, if that ADD reached no tap. */
  readonly addStoppedIn: string | undefined
  /**
   * What this DEL left of what its ADD made, in words; empty if not inspected. Computed on demand, since it is slow.
   */
  readonly leftovers: () => ReadonlyArray<string>
}

/** The type of the plugin that ran. */
export const typeOf = ({ isTap, plugin, title }: Step): string => isTap ? "passthrough" : plugin?.name ?? title

/** Whether a program failed. */
export const hasProgramFailed = ({ exitCode }: Pick<Program, "exitCode">): boolean => exitCode !== 0

/** Whether a run ended with an error, a signal killed its plugin, or it never ended. */
export const hasEndedBadly = ({ end, plugin }: Step): boolean =>
  end === undefined || end.error !== undefined || (plugin !== undefined && plugin.signal !== null)

/** Whether a run failed, one of its hooks, or a run that it started. */
export const hasStepFailed = (step: Step): boolean =>
  hasEndedBadly(step) || step.hooks.some(hasProgramFailed) || step.nested.some(hasStepFailed)

/** Whether anything in an operation failed. */
export const hasFailed = ({ addStoppedIn, steps, stoppedIn }: Operation): boolean =>
  stoppedIn !== undefined || addStoppedIn !== undefined || steps.some(hasStepFailed)

/** Whether this holds for one of these runs, or for a run inside them. */
export const some = (steps: ReadonlyArray<Step>, holds: (step: Step) => boolean): boolean =>
  steps.some((step) => holds(step) || some(step.nested, holds))

/** These runs, and all runs inside them. */
export function* runsOf(steps: ReadonlyArray<Step>): Generator<Step> {
  for (const step of steps) {
    yield step
    yield* runsOf(step.nested)
  }
}

/** A text that identifies the attachment of a request. */
export const attachmentOf = ({ containerId, ifname, network }: Request): string =>
  JSON.stringify([network, containerId, ifname])
