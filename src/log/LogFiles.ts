/** Resolves arguments to log files. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import { IsFolder, NoMatch, Unreadable } from "./LogError.ts"

/** Where a node keeps its logs by default. */
export const defaultPattern = "/var/log/cni/*.jsonl"

/** Whether an argument is a pattern, provided that no file has this name. */
const looksLikePattern = (argument: string): boolean => /[*?[{]/.test(argument)

/** The files that an argument matches. The shell expands unquoted patterns; this expands quoted ones. */
export const matching = Effect.fnUntraced(function*(argument: string) {
  const fs = yield* FileSystem.FileSystem
  if (!looksLikePattern(argument)) return [argument]
  if (yield* Effect.orElseSucceed(fs.exists(argument), () => false)) return [argument]
  const folder = argument.slice(0, argument.search(/[*?[{]/)).replace(/[^/]*$/, "") || "."
  const found = yield* Effect.mapError(fs.glob(argument), (cause) => new Unreadable({ name: folder, cause }))
  const isFolder = (path: string) =>
    Effect.map(Effect.option(fs.stat(path)), Option.exists((it) => it.type === "Directory"))
  return yield* Effect.filter(found, (path) => Effect.map(isFolder(path), (is) => !is))
})

/** The files that the arguments match, each once. A pattern must match at least one file. */
export const resolve = Effect.fnUntraced(function*(logs: ReadonlyArray<string>) {
  const files = new Set<string>()
  for (const log of logs) {
    const found = yield* matching(log)
    if (found.length === 0) return yield* new NoMatch({ pattern: log })
    for (const file of found) files.add(file)
  }
  return [...files]
})

/** The type of a file. A folder is an error. */
export const kindOf = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const { type } = yield* Effect.mapError(fs.stat(file), (cause) => new Unreadable({ name: file, cause }))
  return type === "Directory" ? yield* new IsFolder({ path: file }) : type
})
