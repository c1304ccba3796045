/** `cni-passthrough show`: the records of taps as timelines. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as ChildProcess from "effect/process/ChildProcess"
import { ChildProcessSpawner } from "effect/process/ChildProcessSpawner"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as GoDuration from "../cni/GoDuration.ts"
import * as Attachment from "./Attachment.ts"
import { text, toggle } from "./flags.ts"
import { Problem } from "./Problem.ts"
import { CurrentStyle } from "./Style.ts"
import * as Timeline from "./Timeline.ts"

const input = {
  logs: Argument.String("log").pipe(
    Argument.withDescription(
      "Files with JSON records, or patterns such as '/var/log/cni/*.jsonl'; - or nothing for stdin"
    ),
    Argument.variadic()
  ),
  journald: toggle("journald", "Read the journal of this host instead"),
  follow: toggle("follow", "Go on with what is appended, until it is interrupted").pipe(Flag.withAlias("f")),
  failed: toggle("failed", "Only operations in which something failed"),
  full: toggle("full", "Also configuration and result of every tap"),
  container: text("container", "Only containers whose ID starts so"),
  pod: text("pod", "Only this pod: NAME or NAMESPACE/NAME, as in CNI_ARGS"),
  network: text("network", "Only this network"),
  command: text("command", "Only this operation, such as ADD"),
  label: text("label", "Only operations that this tap saw"),
  since: text("since", "Only what began at this time or later: RFC 3339, or a duration such as 10m before now"),
  until: text("until", "Only what began before this time")
}

type Input = Command.Command.Config.Infer<typeof input>

/** Milliseconds since 1970. */
const parseTime = Effect.fnUntraced(function*(flag: string, value: string) {
  const time = GoDuration.pattern.test(value) ? Date.now() - GoDuration.toMillis(value) : Date.parse(value)
  return Number.isNaN(time)
    ? yield* new Problem({
      message: `--${flag}: found ${value}, expected a time such as 2026-11-24T10:00:00Z, or 10m`,
      status: 2
    })
    : time
})

const isPod = (args: string, pod: string): boolean => {
  const pairs = new Set(args.split(";"))
  const [namespace, name] = pod.includes("/") ? pod.split("/") : [undefined, pod]
  return pairs.has(`K8S_POD_NAME=${name}`) && (namespace === undefined || pairs.has(`K8S_POD_NAMESPACE=${namespace}`))
}

/** Says of an operation whether it is one that was asked for. */
const makeFilter = Effect.fnUntraced(function*(flags: Input) {
  const since = flags.since === "" ? Number.NEGATIVE_INFINITY : yield* parseTime("since", flags.since)
  const until = flags.until === "" ? Number.POSITIVE_INFINITY : yield* parseTime("until", flags.until)
  return (operation: Attachment.Operation): boolean => {
    const { request, steps } = operation
    const time = Date.parse(request.time)
    return (request.containerId ?? "").startsWith(flags.container) &&
      (flags.pod === "" || isPod(request.args ?? "", flags.pod)) &&
      (flags.network === "" || request.network === flags.network) &&
      (flags.command === "" || request.command === flags.command.toUpperCase()) &&
      (flags.label === "" || steps.some((step) => step.request.label === flags.label)) &&
      (!flags.failed || Attachment.hasFailed(operation)) &&
      time >= since && time < until
  }
})

/** The records among the lines of a log. Others are told by their number, and passed over. */
const readLines = Effect.fnUntraced(function*(name: string, lines: ReadonlyArray<string>, first = 1) {
  const entries: Array<Attachment.Entry> = []
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue
    const entry = Attachment.readLine(line)
    if (entry === undefined) yield* Console.error(`${name}:${first + index}: no record of a tap, passed over`)
    else entries.push(entry)
  }
  return entries
})

/** The files that arguments stand for. A shell may have expanded patterns already; a quoted one is expanded here. */
const filesOf = (logs: ReadonlyArray<string>): ReadonlyArray<string> =>
  logs.flatMap((log) => /[*?[]/.test(log) && !Fs.existsSync(log) ? Fs.globSync(log).sort() : [log])

const readStdin = Effect.gen(function*() {
  const stdio = yield* Stdio.Stdio
  return yield* Stream.mkString(Stream.decodeText(stdio.stdin))
})

const journal = Effect.fnUntraced(function*() {
  const spawner = yield* ChildProcessSpawner
  const events = ["request", "hook", "result", "error"].map((event) => `CNI_EVENT=${event}`)
  const lines = yield* spawner.lines(
    ChildProcess.make("journalctl", ["--output=json", "--all", "--no-pager", ...events])
  ).pipe(
    Effect.mapError((error) => new Problem({ message: `cannot read the journal: ${error.message}`, status: 2 }))
  )
  return lines.filter((line) => line !== "").map((line) => {
    // What is not plain text comes as a list of bytes.
    const { CNI_RECORD: record } = JSON.parse(line) as { readonly CNI_RECORD: string | ReadonlyArray<number> }
    return typeof record === "string" ? record : Buffer.from(record).toString()
  })
})

const print = Effect.fnUntraced(function*(operations: ReadonlyArray<Attachment.Operation>, isFull: boolean) {
  const style = yield* CurrentStyle
  for (const operation of operations) {
    for (const line of Timeline.render(operation, style, isFull)) yield* Console.log(line)
    yield* Console.log("")
  }
})

/** How long an operation has to be quiet before it is shown, in milliseconds. */
const quiet = 1000

/** What was appended to a file since it was last asked for, in whole lines. A file that was rotated begins anew. */
const makeTail = (file: string) => {
  let offset = 0
  let line = 1
  return Effect.sync(() => {
    if (!Fs.existsSync(file)) return { first: line, lines: [] }
    const fd = Fs.openSync(file, "r")
    const { size } = Fs.fstatSync(fd)
    if (size < offset) {
      offset = 0
      line = 1
    }
    const buffer = Buffer.alloc(size - offset)
    Fs.readSync(fd, buffer, 0, buffer.length, offset)
    Fs.closeSync(fd)
    const end = buffer.lastIndexOf("\n") + 1 // what is behind it is still being written
    const lines = buffer.subarray(0, end).toString().split("\n").slice(0, -1)
    const first = line
    offset += end
    line += lines.length
    return { first, lines }
  })
}

/** Shows operations as they end, for ever. */
const follow = Effect.fnUntraced(
  function*(files: ReadonlyArray<string>, isWanted: (operation: Attachment.Operation) => boolean, isFull: boolean) {
    const tails = files.map((file) => [file, makeTail(file)] as const)
    let entries: Array<Attachment.Entry> = []
    while (true) {
      for (const [file, tail] of tails) {
        const { first, lines } = yield* tail
        for (const entry of yield* readLines(file, lines, first)) entries.push(entry)
      }
      const ended = Attachment.operations(entries).filter(({ steps }) =>
        steps.every(({ end }) => end !== undefined && Date.now() - Date.parse(end.time) > quiet)
      )
      yield* print(ended.filter(isWanted), isFull)
      const shown = new Set(ended.flatMap(({ steps }) => steps.map(({ request }) => request.invocation)))
      entries = entries.filter(({ invocation }) => !shown.has(invocation))
      yield* Effect.sleep(250)
    }
  }
)

/** `show LOG…` */
export const show = Command.make(
  "show",
  input,
  Effect.fnUntraced(function*(flags) {
    const fs = yield* FileSystem.FileSystem
    const isWanted = yield* makeFilter(flags)
    if (flags.follow) {
      if (flags.journald || flags.logs.length === 0) {
        return yield* new Problem({ message: "--follow needs files", status: 2 })
      }
      return yield* follow(filesOf(flags.logs), isWanted, flags.full)
    }
    const entries: Array<Attachment.Entry> = []
    if (flags.journald) {
      entries.push(...(yield* readLines("journal", yield* journal())))
    } else {
      const files = filesOf(flags.logs)
      if (files.length === 0 && flags.logs.length > 0) {
        return yield* new Problem({ message: `no file is called ${flags.logs.join(" ")}`, status: 2 })
      }
      for (const file of files.length === 0 ? ["-"] : files) {
        const content = file === "-" ? yield* Effect.orDie(readStdin) : yield* Effect.mapError(
          fs.readFileString(file),
          (error) => new Problem({ message: `cannot read ${file}: ${error.message}`, status: 2 })
        )
        for (const entry of yield* readLines(file === "-" ? "stdin" : file, content.split("\n"))) entries.push(entry)
      }
    }
    yield* print(Attachment.operations(entries).filter(isWanted), flags.full)
  })
).pipe(
  Command.withDescription("Draw what taps logged: a timeline for each operation, with what changed between the taps"),
  Command.withExamples([
    { command: "cni-passthrough show /var/log/cni/*.jsonl --failed", description: "What went wrong" },
    {
      command: "cni-passthrough show --journald --pod default/web --since 10m",
      description: "One pod, from the journal"
    },
    { command: "ssh node cat /var/log/cni/all.jsonl | cni-passthrough show", description: "The log of another host" },
    { command: "cni-passthrough show -f /var/log/cni/all.jsonl", description: "Operations as they end" }
  ])
)
