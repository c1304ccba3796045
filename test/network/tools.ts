/** Tools that print what a test says, instead of those of the host. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as HostTools from "../../src/exec/HostTools.ts"
import { NotStarted, ProcessRunner } from "../../src/exec/ProcessRunner.ts"
import { collect } from "../../src/network/SnapshotCollector.ts"
import type { Kind } from "../../src/network/StateKind.ts"
import { named } from "../support/hostTools.ts"

/** What a tool prints; with an exit status and a complaint where it fails. It is `stuck` where it never ends. */
export type Output = string | { readonly status: number; readonly complaint: string } | "stuck"

/**
 * What tools print, by the beginning of their command lines, and what is in files. Those that are not among them are
 * missing.
 */
export type Tools = { readonly [commandLine: string]: Output }

/** What a real tool printed. */
export const captured = (name: string): string =>
  Fs.readFileSync(Path.join(import.meta.dirname, "captured", `${name}.txt`), "utf8")

/** Tools of a host and a container in which nothing is set. */
export const nothing: Tools = {
  "ip -j": "[]\n",
  "ip -o": "",
  "bridge": "[]\n",
  "nft": "",
  "grep": "",
  "ipset": ""
}

/** The commands of the shell's script, each with the file without which it is not run. */
const commandsOf = (script: string): ReadonlyArray<readonly [command: string, file: string | undefined]> =>
  script.split("printf '\\0' >&2\n").slice(0, -1).map((part) => {
    const [line = ""] = part.split("\n")
    const [, file, command = ""] = /^(?:! 2>\/dev\/null read -r _ <(\S+) \|\| )?(.*)$/.exec(line) ?? []
    return [command.replace(/ <<'END'$/, "").replace(/'([^']*)'/g, "$1"), file]
  })

/** Runs none of the programs that it is asked to run. `asked` gets the command lines, with the namespace they are for. */
export const runner = (host: Tools, container: Tools, asked: Array<string> = []) =>
  ProcessRunner.of({
    run: ({ argv }) => {
      const isContainer = argv[0] === "nsenter"
      const tools = isContainer ? container : host
      const started = tools[argv[0]]
      if (typeof started === "object") {
        asked.push("container: nsenter")
        return Effect.succeed(execution(argv, ["", started.complaint], started.status, false))
      }
      if (started === "stuck") {
        return new NotStarted({
          program: argv[0],
          code: "ENOENT",
          reason: "no such file or directory",
          cause: undefined
        })
      }
      let [stdout, stderr] = ["", ""]
      for (const [command, file] of commandsOf(argv.at(-1) ?? "")) {
        if (file !== undefined && !(file in tools)) {
          stdout += `\0${0}\0`
          stderr += "\0"
          continue
        }
        asked.push(`${isContainer ? "container" : "host"}: ${command}`)
        const key = Object.keys(tools).filter((key) => command.startsWith(key)).sort((a, b) => b.length - a.length)[0]
        const output = key === undefined ? { status: 127, complaint: "not found" } : tools[key] ?? ""
        if (output === "stuck") return Effect.succeed(execution(argv, [stdout, stderr], null, true))
        stdout += typeof output === "string" ? `${output}\0${0}\0` : `\0${output.status}\0`
        stderr += `${typeof output === "string" ? "" : output.complaint}\0`
      }
      return Effect.succeed(execution(argv, [stdout, stderr], 0, false))
    }
  })

const execution = (
  argv: ReadonlyArray<string>,
  [stdout, stderr]: readonly [string, string],
  exitCode: number | null,
  timedOut: boolean
) => ({
  argv,
  stdin: "",
  stdout: Buffer.from(stdout),
  stderr: Buffer.from(stderr),
  truncated: false,
  exitCode,
  signal: timedOut ? "SIGKILL" : null,
  timedOut,
  durationMs: 1
})

/** What is found on such a host, and in such a container. */
export const look = (wanted: ReadonlyArray<Kind>, host: Tools, container?: Tools, asked: Array<string> = []) =>
  collect(wanted, { netns: container === undefined ? undefined : "/run/netns/c", ipamFolders: [] }).pipe(
    Effect.provideService(ProcessRunner, runner(host, container ?? nothing, asked)),
    Effect.provideService(HostTools.HostTools, named)
  )

/** The facts of one kind on a host on which, but for these tools, nothing is set. */
export const factsOf = Effect.fnUntraced(function*(kind: Kind, host: Tools) {
  const { host: facts, notes } = yield* look([kind], { ...nothing, ...host })
  assert.deepStrictEqual(notes, [])
  return [...facts.get(kind) ?? []]
})
