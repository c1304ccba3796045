/** Network configuration files: all of a folder, or a single one. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as ConfFolder from "../../conf/ConfFolder.ts"
import { isObject } from "../../json/Json.ts"
import * as JsonSource from "../../json/JsonSource.ts"
import * as ConfigFile from "../ConfigFile.ts"

/** The readable files of the plugins that runtimes add to the list in a file. */
const besideOf = Effect.fnUntraced(function*(file: string, text: string) {
  const outcome = JsonSource.parse(text)
  const value = JsonSource.isSource(outcome) ? outcome.value : undefined
  if (!isObject(value) || (value["plugins"] === undefined && value["type"] !== undefined)) return []
  const paths = yield* Effect.orElseSucceed(ConfFolder.filesBeside(file, value), () => [])
  const [files] = yield* Effect.partition(
    paths,
    (each) => Effect.map(ConfFolder.readText(each), (text) => ConfigFile.make(each, text))
  )
  return files
})

/** The most bytes of a configuration: far more than plugins have a use for. */
const longest = 1_048_576

/** Reads one file and what runtimes add to it. */
export const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(file))
  if (info._tag === "Some" && info.value.size > longest) {
    const reason = `found ${info.value.size} bytes, expected at most ${longest}`
    return yield* new ConfFolder.Unreadable({ path: file, reason })
  }
  const text = yield* ConfFolder.readText(file)
  return ConfigFile.make(file, text, yield* Effect.orElseSucceed(besideOf(file, text), () => []))
})

/** The files of a folder, lists first, as libcni looks for a name, and why others cannot be read. */
export const readAll = Effect.fnUntraced(function*(folder: string) {
  const [files, unread] = yield* Effect.partition(yield* ConfFolder.files(folder), read, { concurrency: 8 })
  return { files, unread: unread.map(({ message }) => message) }
})

/** The readable files of a folder. */
export const readFolder = (folder: string) => Effect.map(readAll(folder), ({ files }) => files)

/** Sorts files by name. */
export const inOrder = (files: ReadonlyArray<ConfigFile.ConfigFile>): ReadonlyArray<ConfigFile.ConfigFile> =>
  files.toSorted((left, right) => left.path < right.path ? -1 : 1)

/** The file that a runtime uses by default. */
export const firstOf = (files: ReadonlyArray<ConfigFile.ConfigFile>): ConfigFile.ConfigFile | undefined =>
  inOrder(files)[0]

/** The file of a network. A file that is not JSON counts if it seems to contain the name. */
export const named = (
  files: ReadonlyArray<ConfigFile.ConfigFile>,
  name: string
): ConfigFile.ConfigFile | undefined => {
  const pattern = new RegExp(`"name"\\s*:\\s*${JSON.stringify(name).replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`)
  return files.find((file) => ConfigFile.nameOf(file) === name) ??
    files.find((file) => !JsonSource.isSource(file.outcome) && pattern.test(file.text))
}
