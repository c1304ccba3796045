/** `cni-passthrough wrap --status`: what is wrapped. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Stub from "../../../host/Stub.ts"
import * as Survey from "../../../host/Survey.ts"
import * as Escape from "../../../record/Escape.ts"
import * as LocalTime from "../../../report/LocalTime.ts"
import * as Style from "../../../report/Style.ts"
import * as Table from "../../Table.ts"
import * as Config from "./Config.ts"

/** A plugin, as `--json` has it. */
interface Row {
  readonly folder: string
  readonly plugin: string
  readonly state: Survey.State
  /** When it was wrapped; where another program wrote over it, when that file was written. */
  readonly since: string | null
  /** The size of the file that runtimes find, in bytes; null where that is a stub or nothing. */
  readonly size: number | null
  /** Where it logs to. */
  readonly logs: ReadonlyArray<string>
}

const rowsOf = Effect.fnUntraced(function*(at: Stub.Places) {
  const fs = yield* FileSystem.FileSystem
  const config = yield* Effect.option(fs.readFileString(at.config))
  const logs = Option.match(config, { onNone: () => [], onSome: (text) => Config.read(text).sinks.map(Config.place) })
  const { plugins } = yield* Survey.make(at)
  return plugins.map(({ info, name, state }): Row => {
    const isStub = state === "wrapped" || state === "lost"
    const time = Option.flatMap(info, ({ mtime }) => mtime)
    return {
      folder: at.folder,
      plugin: name,
      state,
      since: state === "not wrapped" ? null : Option.getOrNull(Option.map(time, (date) => date.toISOString())),
      size: isStub ? null : Option.getOrNull(Option.map(info, ({ size }) => Number(size))),
      logs: isStub ? logs : []
    }
  })
})

const cells = ({ folder, logs, plugin, since, size, state }: Row, style: Style.Style): ReadonlyArray<string> => [
  Escape.inLine(folder),
  Escape.inLine(plugin),
  state,
  since === null ? "" : LocalTime.ofRecord(since, style.minutesEast),
  state === "written over" ? `a file of ${size} bytes` : logs.map(Escape.inLine).join(", ")
]

/** Prints the state of each plugin. */
export const print = Effect.fnUntraced(
  function*(folders: ReadonlyArray<Stub.Places>, names: ReadonlyArray<string> | undefined, asJson: boolean) {
    const style = yield* Style.current()
    const rows = (yield* Effect.forEach(folders, rowsOf)).flat()
      .filter(({ plugin }) => names?.includes(plugin) ?? true)
    if (asJson) return yield* Console.log(JSON.stringify(rows))
    const [head = "", ...lines] = Table.lines([
      ["FOLDER", "PLUGIN", "STATE", "SINCE", "LOGS TO"],
      ...rows.map((row) => cells(row, style))
    ])
    const paint = { "wrapped": style.green, "written over": style.yellow, "gone": style.yellow, "lost": style.red }
    yield* Console.log(style.bold(head))
    yield* Effect.forEach(lines, (line, index) => {
      const state = rows[index]?.state ?? "not wrapped"
      return Console.log(state === "not wrapped" ? line : paint[state](line))
    })
    if (rows.some(({ state }) => state === "written over")) {
      yield* Console.log("A plugin that was written over runs as it is: wrap it again, or let unwrap forget it")
    }
  }
)
