/** Finds what a plugin changes: collects state before and after it, if requested. */
import * as Effect from "effect/Effect"
import * as Json from "../json/Json.ts"
import type * as Record from "../record/Record.ts"
import * as Reservation from "./Reservation.ts"
import type { Snapshot } from "./Snapshot.ts"
import * as SnapshotCollector from "./SnapshotCollector.ts"
import * as StateDiff from "./StateDiff.ts"
import { type Kind, kinds } from "./StateKind.ts"

/** State at one moment, and how long it took to collect, in milliseconds. */
export interface Look {
  readonly snapshot: Snapshot
  readonly durationMs: number
}

/** A call of a plugin. */
export interface Call {
  readonly verb: string
  /** The path of the container's network namespace; empty if there is none. */
  readonly netns: string
  /** Its network configuration. */
  readonly config: unknown
}

/** What the log records about two looks. */
export type Found = Pick<Record.ChangesRecord, "changes" | "notes" | "durationMs">

/** The verbs that change something, or could. */
const changing: ReadonlySet<string> = new Set(["ADD", "DEL", "CHECK", "GC"])

/** The kinds of state to inspect around a call. */
export const kindsFor = ({ verb }: Call, asked: ReadonlyArray<Kind>): ReadonlyArray<Kind> =>
  changing.has(verb) ? asked : []

const ipamFolders = (config: unknown): ReadonlyArray<string> => {
  const ipam = Json.isObject(config) ? config["ipam"] : undefined
  const folder = Json.isObject(ipam) ? ipam["dataDir"] : undefined
  return [typeof folder === "string" && folder !== "" ? folder : Reservation.defaultFolder]
}

/** Inspects what a call could change. Never fails: the notes list what could not be inspected. */
export const look = Effect.fnUntraced(function*(
  { config, netns }: Call,
  kinds: ReadonlyArray<Kind>,
  containerKinds: ReadonlyArray<Kind> = kinds
) {
  const started = performance.now()
  const snapshot = yield* SnapshotCollector.collect(kinds, {
    containerKinds,
    netns,
    ipamFolders: ipamFolders(config)
  })
  return { snapshot, durationMs: performance.now() - started } satisfies Look
})

/**
 * Inspects again what could be inspected before. A tool that did not answer then would only cost the same time again.
 */
export const lookAgain = (call: Call, { snapshot: { container, host } }: Look) =>
  look(call, kinds.filter((kind) => host.has(kind)), kinds.filter((kind) => container.has(kind)))

/** The differences between two looks. */
export const between = (before: Look, after: Look): Found => ({
  ...StateDiff.between(before.snapshot, after.snapshot),
  durationMs: Math.round((before.durationMs + after.durationMs) * 10) / 10
})
