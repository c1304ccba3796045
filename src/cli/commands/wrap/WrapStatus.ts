/** `cni-passthrough wrap --status`: lists what is wrapped. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Escape from "../../../record/Escape.ts"
import * as LineWrap from "../../../render/terminal/LineWrap.ts"
import * as LocalTime from "../../../render/terminal/LocalTime.ts"
import * as Style from "../../../render/terminal/Style.ts"
import * as Table from "../../../render/terminal/Table.ts"
import * as PluginInstallation from "../../../wrap/PluginInstallation.ts"
import type * as Stub from "../../../wrap/Stub.ts"
import * as Survey from "../../../wrap/Survey.ts"
import * as Config from "./Config.ts"
import * as SinkPreflight from "./SinkPreflight.ts"

/** A plugin in the output of `--json`. */
interface Row {
  readonly folder: string
  readonly plugin: string
  readonly state: Survey.State
  /** When it was wrapped; if another program overwrote it, when it did so. */
  readonly since: string | null
  /** The size of the file that runtimes find, in bytes; null if that is a stub or there is none. */
  readonly size: number | null
  /** The version of the executable that runs around it; null if none does, or if that one does not run. */
  readonly version: string | null
  /** Where it logs to. */
  readonly logs: ReadonlyArray<string>
}

/** The plugins of a folder, and what keeps them from logging. */
const look = Effect.fnUntraced(function*(at: Stub.Places, names: ReadonlyArray<string> | undefined) {
  const fs = yield* FileSystem.FileSystem
  const config = Option.map(yield* Effect.option(fs.readFileString(at.config)), Config.read)
  const logs = Option.match(config, { onNone: () => [], onSome: ({ sinks }) => sinks.map(Config.place) })
  const { plugins } = yield* Survey.make(at)
  const isAnyWrapped = plugins.some(({ state }) => Survey.hasStub(state))
  const version = isAnyWrapped ? (yield* PluginInstallation.versionOf(at.executable)) ?? null : null
  const rows = plugins.filter(({ name }) => names?.includes(name) ?? true).map(({ info, name, state }): Row => {
    const isStub = Survey.hasStub(state)
    const time = Option.flatMap(info, ({ mtime }) => mtime)
    return {
      folder: at.folder,
      plugin: name,
      state,
      since: state === "not wrapped" ? null : Option.getOrNull(Option.map(time, (date) => date.toISOString())),
      size: isStub ? null : Option.getOrNull(Option.map(info, ({ size }) => Number(size))),
      version: isStub ? version : null,
      logs: isStub ? logs : []
    }
  })
  const problems = Option.isSome(config) ? yield* SinkPreflight.problems(at, config.value) : []
  return { folder: at.folder, rows, problems }
})

type Looked = Effect.Success<ReturnType<typeof look>>

const cells = ({ plugin, since, size, state }: Row, style: Style.Style): ReadonlyArray<string> => [
  `  ${Escape.inLine(plugin)}`,
  state,
  since === null ? "" : LocalTime.ofRecord(since, style.minutesEast),
  state === "written over" ? `${size} bytes` : ""
]

/** Prints the state of each plugin of a folder, and once where they log to. */
const printFolder = Effect.fnUntraced(function*({ folder, problems, rows }: Looked, style: Style.Style) {
  const stubs = rows.filter(({ state }) => Survey.hasStub(state))
  const fitting = (line: string, paint: (text: string) => string = (text) => text) =>
    Effect.forEach(LineWrap.lines(line, style.width), (each) => Console.log(paint(each)))
  yield* fitting(Escape.inLine(folder), style.bold)
  if (stubs.length > 0) {
    yield* fitting(`  by passthrough ${Escape.inLine(stubs[0]?.version ?? "that does not run")}`)
    yield* fitting(`  logs to ${Escape.inLine(stubs[0]?.logs.join(", ") || "nothing")}`)
    for (const problem of problems) yield* Console.error(problem)
  }
  const { green, red, yellow } = style
  const paint = { "wrapped": green, "written over": yellow, "gone": yellow, "moved": red, "lost": red }
  yield* Effect.forEach(Table.lines(rows.map((row) => cells(row, style))), (line, index) => {
    const state = rows[index]?.state ?? "not wrapped"
    return fitting(line, state === "not wrapped" ? undefined : paint[state])
  })
})

/** Prints the state of each plugin. */
export const print = Effect.fnUntraced(
  function*(folders: ReadonlyArray<Stub.Places>, names: ReadonlyArray<string> | undefined, asJson: boolean) {
    const style = yield* Style.current()
    const all = yield* Effect.forEach(folders, (at) => look(at, names))
    const rows = all.flatMap(({ rows }) => rows)
    if (asJson) return yield* Console.log(JSON.stringify(rows))
    for (const looked of all) yield* printFolder(looked, style)
    if (rows.some(({ state }) => state === "written over")) {
      yield* Console.log("A plugin that was written over runs as it is: wrap it again, or unwrap it")
    }
    if (rows.some(({ state }) => state === "moved")) {
      yield* Console.log("A stub that was moved names another folder, or this one by another path: unwrap it here")
    }
  }
)
