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

/** How a program runs, by its words. */
export type Run = (argv: ReadonlyArray<string>, stdin: string, env: Invocation["env"]) => Execution

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** What follows each command of a script of NamespaceTools. */
const separator = "printf '\\0%d\\0' $?\nprintf '\\0' >&2\n"

/** Runs a program, and each command of a script of NamespaceTools as if it had been run by itself. */
export const running = (run: Run) => ({ argv, env, stdin = "" }: Invocation) =>
  Effect.sync((): Execution => {
    const at = argv.indexOf("/bin/sh")
    const script = argv[at + 2] ?? ""
    if (at < 0 || !script.includes(separator)) return run(argv, String(stdin), env)
    const ran = script.split(separator).slice(0, -1).map((command) => {
      const [, line = "", input = ""] = /^([^\n]*?)(?: <<'END'\n([^]*)END)?\n$/.exec(command) ?? []
      return run([...argv.slice(0, at), ...line.split(" ").map((word) => word.replace(/^'(.*)'$/, "$1"))], input, env)
    })
    const refused = ran.find(({ stderr }) => decode(stderr).startsWith("nsenter:"))
    if (refused !== undefined) return { ...refused, stdout: new Uint8Array() }
    return ended(ran.map(({ exitCode, stdout }) => `${decode(stdout)}\0${exitCode}\0`).join(""), {
      stderr: new TextEncoder().encode(ran.map(({ stderr }) => `${decode(stderr)}\0`).join(""))
    })
  })

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
  const runOne = (argv: ReadonlyArray<string>, stdin: string, env: Invocation["env"]): Execution => {
    const command = argv.join(" ")
    commands.push(command)
    const answer = Object.entries(programs).find(([start]) => command.startsWith(start))?.[1] ?? { exitCode: 127 }
    const outcome = typeof answer === "function" ? answer(argv, stdin, env) : answer
    return typeof outcome === "string" ? ended(outcome) : ended("", outcome)
  }
  const runner = ProcessRunner.of({ run: running(runOne) })
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
