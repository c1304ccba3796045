/** A host that is not there: its programs, files and namespaces are what a test says. */
import * as NodePath from "@effect/platform-node/NodePath"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { systemError, type SystemErrorTag } from "effect/PlatformError"
import type { Execution, Invocation } from "../../src/exec/Execution.ts"
import * as HostTools from "../../src/exec/HostTools.ts"
import { ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { named } from "../support/hostTools.ts"

/** How a program ends that printed this. */
export const ended = (stdout: string, fields: Partial<Execution> = {}): Execution => ({
  argv: ["tool"],
  stdin: "",
  stdout: new TextEncoder().encode(stdout),
  stderr: new Uint8Array(),
  truncated: false,
  exitCode: 0,
  signal: null,
  timedOut: false,
  durationMs: 1,
  ...fields
})

/** How a program ends that complains. */
export const complaint = (stderr: string, exitCode = 1): Partial<Execution> => ({
  exitCode,
  stderr: new TextEncoder().encode(stderr)
})

/** What a program does: what it prints, or how it ends. */
export type Answer = string | Partial<Execution>

/** A file that is not a regular one with a text, or that cannot be read. */
export interface Special {
  readonly type?: FileSystem.File.Type
  readonly ino?: number
  readonly dev?: number
  readonly mode?: number
  /** Where it leads as a link. */
  readonly link?: string
  readonly error?: SystemErrorTag
}

/** The files that there are, by path; a link is a text with `-> ` before where it leads. */
export type Files = { readonly [path: string]: string | Special }

export interface Fake {
  /** What each program does, by how its command line begins. */
  readonly programs?: {
    readonly [start: string]: Answer | ((argv: ReadonlyArray<string>, stdin: string, env: Invocation["env"]) => Answer)
  }
  readonly files?: Files
}

const failure = (tag: SystemErrorTag, path: string) =>
  systemError({ _tag: tag, module: "FileSystem", method: "read", pathOrDescriptor: path, description: "of a test" })

/** The file of a namespace with this number. */
export const namespace = (ino: number): Special => ({ ino, dev: 4, link: `net:[${ino}]` })

/** A host of these programs and files, the command lines that were run on it, and its files as they are then. */
export const host = ({ files: given = {}, programs = {} }: Fake) => {
  const commands: Array<string> = []
  const files: { [path: string]: string | Special } = { ...given }
  const entryOf = (path: string) => {
    const entry = files[path]
    if (entry === undefined) return Effect.fail(failure("NotFound", path))
    return typeof entry !== "string" && entry.error !== undefined
      ? Effect.fail(failure(entry.error, path))
      : Effect.succeed(entry)
  }
  const textOf = (path: string) => Effect.map(entryOf(path), (entry) => typeof entry === "string" ? entry : "")
  const runner = ProcessRunner.of({
    run: ({ argv, env, stdin = "" }) => {
      const command = argv.join(" ")
      commands.push(command)
      const answer = Object.entries(programs).find(([start]) => command.startsWith(start))?.[1] ?? { exitCode: 127 }
      const outcome = typeof answer === "function" ? answer(argv, String(stdin), env) : answer
      return Effect.succeed(typeof outcome === "string" ? ended(outcome) : ended("", outcome))
    }
  })
  const namesIn = (folder: string) => [
    ...new Set(
      Object.keys(files).filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1).split("/")[0] ?? "")
    )
  ]
  const fs = FileSystem.layerNoop({
    readFileString: textOf,
    writeFileString: (path, text) => Effect.sync(() => void (files[path] = text)),
    remove: (path) => Effect.sync(() => void delete files[path]),
    realPath: Effect.succeed,
    open: (path) =>
      Effect.map(textOf(path), (text) => {
        const chunks = [new TextEncoder().encode(text)]
        return { readAlloc: () => Effect.sync(() => Option.fromUndefinedOr(chunks.pop())) } as never
      }),
    readLink: (path) =>
      Effect.flatMap(entryOf(path), (entry) => {
        const link = typeof entry !== "string" ? entry.link : /^-> (.*)$/.exec(entry)?.[1]
        return link === undefined ? Effect.fail(failure("Unknown", path)) : Effect.succeed(link)
      }),
    stat: (path) =>
      Effect.map(entryOf(path), (entry) => {
        const { dev = 1, ino, mode = 0o755, type = "File" } = typeof entry === "string" ? {} : entry
        const size = BigInt(typeof entry === "string" ? entry.length : 0)
        return { type, size, dev, mode, ino: Option.fromUndefinedOr(ino) } as unknown as FileSystem.File.Info
      }),
    exists: (path) => Effect.succeed(files[path] !== undefined || namesIn(path).length > 0),
    readDirectory: (folder) => {
      const names = namesIn(folder)
      return names.length === 0 ? Effect.andThen(entryOf(folder), Effect.succeed(names)) : Effect.succeed(names)
    }
  })
  return {
    commands,
    files: files as Files,
    layer: Layer.mergeAll(
      fs,
      NodePath.layer,
      Layer.succeed(ProcessRunner, runner),
      Layer.succeed(HostTools.HostTools, named)
    )
  }
}

/** A namespace as `ip` tells it. */
export interface Told {
  readonly links?: ReadonlyArray<object>
  readonly routes?: ReadonlyArray<object>
  readonly neighbours?: ReadonlyArray<object>
}

/** What `ip -j -batch` prints of a namespace for the requests of its stdin. */
export const tells =
  ({ links = [], neighbours = [], routes = [] }: Told) => (_: ReadonlyArray<string>, stdin: string) =>
    stdin.trim().split("\n").map((request) =>
      JSON.stringify(request.startsWith("addr") ? links : request.startsWith("route") ? routes : neighbours)
    ).join("\n")
