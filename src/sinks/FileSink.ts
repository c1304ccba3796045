/** Appends records to a file. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as PathTemplate from "../cni/PathTemplate.ts"
import type { FileTarget } from "../cni/Settings.ts"
import type { LogRecord } from "../record/LogRecord.ts"
import { render } from "../record/render.ts"
import { LogSink, SinkFailed } from "../services/LogSink.ts"

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_WRONLY } = Fs.constants

// Never through a symbolic link that somebody put there, and never waiting for the reader of a FIFO.
const openFlags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK

const defaultMode = 0o600

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** Whoever may read the files of a folder has to get into it. */
const folderMode = (fileMode: number): number => 0o700 | (fileMode & 0o044) | ((fileMode & 0o044) >> 2)

/** Makes a folder and those above it. The `recursive` of the runtimes never comes back where that is impossible (/proc). */
const makeFolder = (path: string, mode: number, isLastTry = false): void => {
  try {
    Fs.mkdirSync(path, mode)
  } catch (error) {
    if (codeOf(error) === "EEXIST") return
    if (codeOf(error) !== "ENOENT" || isLastTry || Path.dirname(path) === path) throw error
    makeFolder(Path.dirname(path), mode)
    makeFolder(path, mode, true)
  }
}

const create = (path: string, mode: number): number => {
  makeFolder(Path.dirname(path), folderMode(mode))
  try {
    const fd = Fs.openSync(path, openFlags | O_CREAT | O_EXCL, mode)
    Fs.fchmodSync(fd, mode) // the umask may have taken bits away that the configuration asks for
    return fd
  } catch (error) {
    if (codeOf(error) === "EEXIST") return Fs.openSync(path, openFlags) // another run made it meanwhile
    throw error
  }
}

const open = (path: string, mode: number): number => {
  try {
    return Fs.openSync(path, openFlags)
  } catch (error) {
    if (codeOf(error) === "ENOENT") return create(path, mode)
    throw error
  }
}

/**
 * Turns the part of a record that did fit on the disk into a line of spaces, so that it never stands in front of the
 * next record. Overwriting needs no space. Others may have appended since, so the file cannot just be cut; where our
 * part ends is what the descriptor's position says.
 */
const blankOut = (fd: number, path: string, length: number): void => {
  const position = /^pos:\s*(\d+)/m.exec(Fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]
  if (length === 0 || position === undefined) return
  const again = Fs.openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const blank = Buffer.alloc(length, " ")
    blank.write("\n", length - 1)
    if (Fs.fstatSync(again).ino === Fs.fstatSync(fd).ino) {
      Fs.writeSync(again, blank, 0, length, Number(position) - length)
    }
  } finally {
    Fs.closeSync(again)
  }
}

const explain = (error: unknown): string => {
  switch (codeOf(error)) {
    case "ELOOP":
      return "is a symbolic link, which is not followed"
    case "EISDIR":
      return "is a folder, expected a file"
    case "ENXIO":
      return "is a FIFO that nobody reads, or a socket"
    case "EAGAIN":
      return "is a FIFO whose reader does not keep up"
    default:
      return (error as Error).message
  }
}

/** Appends with one `write`, so that the records of runs at the same time never mix. */
const append = (path: string, mode: number, record: string): void => {
  if (path === "") throw new Error("the path is empty once its variables are filled in")
  const fd = open(path, mode)
  try {
    const stat = Fs.fstatSync(fd)
    if (stat.isFile() && stat.nlink > 1) {
      throw new Error("has a second name (hard link), which may be somebody else's file")
    }
    const length = Buffer.byteLength(record)
    const written = Fs.writeSync(fd, record)
    if (written < length) {
      if (stat.isFile()) blankOut(fd, path, written)
      throw new Error(`no space for the record: ${written} of ${length} bytes could be written`)
    }
  } finally {
    Fs.closeSync(fd)
  }
}

/** Writes records to the file that `target` names. Its path is filled in from each record's own request. */
export const make = (target: FileTarget): LogSink["Service"] => {
  return LogSink.of({
    write: Effect.fnUntraced(function*(record: LogRecord) {
      const path = PathTemplate.expand(target.path, record.request.environment)
      yield* Effect.try({
        try: () => append(path, target.mode ?? defaultMode, render(record, target.format)),
        catch: (error) => new SinkFailed({ sink: `file ${JSON.stringify(path)}`, reason: explain(error) })
      })
    })
  })
}

/** A file as the sink of all records. */
export const layer = (target: {
  /** May have names of variables in it, such as `/var/log/cni/${CNI_CONTAINERID}.log`. */
  readonly path: string
  readonly format?: FileTarget["format"]
  /** Permissions of the file where it has to be made. Default: 0o600. */
  readonly mode?: number
}): Layer.Layer<LogSink> =>
  Layer.succeed(LogSink, make({ type: "file", path: target.path, format: target.format ?? "text", mode: target.mode }))
