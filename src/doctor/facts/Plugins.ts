/** The plugins of a network on this host: their files, and their answers. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type * as Result from "effect/Result"
import * as PluginVersion from "../../exec/PluginVersion.ts"

/** The format of a file. */
export type Format =
  | { readonly _tag: "Elf"; readonly machine: number; readonly interpreter: string | undefined }
  | { readonly _tag: "Script"; readonly interpreter: string; readonly argument: string }
  | { readonly _tag: "Other"; readonly start: string }

/** A file with the plugin's name in a folder. */
export interface Candidate {
  readonly path: string
  readonly kind: "file" | "folder" | "dangling" | "other"
}

/** The facts about the plugin of one type. */
export interface PluginFact {
  readonly type: string
  /** The files with its name, in the order of the folders. */
  readonly candidates: ReadonlyArray<Candidate>
  /** The file that runtimes use; undefined if there is none. */
  readonly file: string | undefined
  readonly isExecutable: boolean
  readonly format: Format | undefined
  /** Whether the program that runs it exists. */
  readonly hasInterpreter: boolean
  /** The versions that it supports, or why it does not answer; undefined if it was not asked. */
  readonly versions: Result.Result<ReadonlyArray<string>, string> | undefined
}

/** The ELF machine numbers of the processors that Node.js runs on. */
const machines: { readonly [arch: string]: number } = { x64: 62, arm64: 183, ia32: 3, arm: 40, ppc64: 21, s390x: 22 }

/** The ELF machine number of this host; undefined if it is unknown. */
export const ownMachine = machines[process.arch]

/**
 * Whether the kernel can start a file. libuv passes a file that the kernel rejects to a shell, which would run it as a
 * script.
 */
const canStart = (format: Format | undefined): boolean =>
  format !== undefined && format._tag !== "Other" &&
  (format._tag === "Script" || ownMachine === undefined || format.machine === ownMachine)

/** How many bytes of a file to read to determine its format. */
const headLength = 4096

/** Reads the start of a file as the kernel does. */
export const formatOf = (head: Uint8Array): Format => {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  const start = bytes.toString("latin1")
  if (start.startsWith("#!")) {
    const [line = ""] = start.slice(2).split("\n")
    const [, interpreter = "", argument = ""] = /^\s*(\S*)\s*(.*?)\s*$/.exec(line) ?? []
    return { _tag: "Script", interpreter, argument }
  }
  if (!start.startsWith("\u007fELF") || bytes.length < 64) return { _tag: "Other", start: start.slice(0, 40) }
  const isLittle = bytes[5] === 1
  const is64 = bytes[4] === 2
  const u16 = (at: number) => at + 2 > bytes.length ? 0 : isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at)
  const u32 = (at: number) => at + 4 > bytes.length ? 0 : isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at)
  const word = (at: number) => is64 ? u32(isLittle ? at : at + 4) : u32(at)
  const [table, size, count] = is64 ? [word(32), u16(54), u16(56)] : [word(28), u16(42), u16(44)]
  const interpreters = Array.from({ length: Math.min(count, 64) }, (_, index) => table + index * size)
    .filter((at) => u32(at) === 3) // PT_INTERP
    .map((at) => is64 ? [word(at + 8), word(at + 32)] : [word(at + 4), word(at + 16)])
    .map(([at = 0, length = 0]) => start.slice(at, at + length).replace(/\0.*/s, ""))
  return { _tag: "Elf", machine: u16(18), interpreter: interpreters[0] || undefined }
}

const kindOf = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const info = yield* Effect.option(fs.stat(path))
  if (Option.isSome(info)) {
    const kind = info.value.type === "File" ? "file" : info.value.type === "Directory" ? "folder" : "other"
    return { path, kind, mode: info.value.mode } as const
  }
  const link = yield* Effect.option(fs.readLink(path))
  return Option.isSome(link) ? { path, kind: "dangling", mode: 0 } as const : undefined
})

const readHead = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const handle = yield* fs.open(file)
  return Option.getOrElse(yield* handle.readAlloc(headLength), () => new Uint8Array())
}, Effect.scoped)

/** The program that runs a file, unless the kernel alone does. */
const interpreterOf = (format: Format | undefined): string | undefined =>
  format === undefined || format._tag === "Other" ? undefined : format.interpreter

const collectOne = Effect.fnUntraced(function*(
  type: string,
  folders: ReadonlyArray<string>,
  cniVersion: string,
  timeout: number
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const looked = yield* Effect.forEach(folders, (folder) => kindOf(path.join(folder, type)))
  const candidates = looked.filter((each) => each !== undefined)
  const chosen = candidates.find(({ kind }) => kind === "file")
  const nothing: PluginFact = {
    type,
    candidates: candidates.map(({ kind, path }) => ({ kind, path })),
    file: undefined,
    isExecutable: false,
    format: undefined,
    hasInterpreter: true,
    versions: undefined
  }
  if (chosen === undefined) return nothing
  const head = yield* Effect.option(readHead(chosen.path))
  const format = Option.isSome(head) ? formatOf(head.value) : undefined
  const interpreter = interpreterOf(format)
  const hasInterpreter = interpreter === undefined || (yield* Effect.orElseSucceed(fs.exists(interpreter), () => true))
  const isExecutable = (chosen.mode & 0o111) !== 0
  const versions = isExecutable && hasInterpreter && canStart(format)
    ? yield* Effect.result(Effect.mapError(PluginVersion.ask(chosen.path, cniVersion, timeout), ({ reason }) => reason))
    : undefined
  return { ...nothing, file: chosen.path, isExecutable, format, hasInterpreter, versions }
})

/** Looks for plugins in the folders of a CNI path, and asks all of them for their versions concurrently. */
export const collect = Effect.fnUntraced(function*(
  types: Iterable<string>,
  folders: ReadonlyArray<string>,
  cniVersion: string,
  timeout: number
) {
  const names = [...new Set(types)].filter((type) => /^[^/\s]+$/.test(type) && type !== "." && type !== "..")
  const facts = yield* Effect.forEach(names, (type) => collectOne(type, folders, cniVersion, timeout), {
    concurrency: 8
  })
  return new Map(facts.map((fact) => [fact.type, fact])) as ReadonlyMap<string, PluginFact>
})

/** The names of all files in these folders. */
export const namesIn = Effect.fnUntraced(function*(folders: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const lists = yield* Effect.forEach(
    folders,
    (folder) => Effect.orElseSucceed(fs.readDirectory(folder), () => [])
  )
  return [...new Set(lists.flat())].filter((name) => !name.startsWith(".")) as ReadonlyArray<string>
})
