/** Appends records to a file. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Environment } from "../cni/Environment.ts"
import { ProcessRunner } from "../exec/ProcessRunner.ts"
import * as Field from "../json/Field.ts"
import type { Record } from "../record/Record.ts"
import { limited } from "./CombinedSink.ts"
import * as FileSystemProbe from "./FileSystemProbe.ts"
import { type LogSink, SinkFailed } from "./LogSink.ts"
import * as PathTemplate from "./PathTemplate.ts"
import * as RecordText from "./RecordText.ts"
import * as SinkKind from "./SinkKind.ts"
import type { FileTarget } from "./SinkTarget.ts"
import * as TrustedPath from "./TrustedPath.ts"

/** The fields of a file sink. */
export const fields = () =>
  Schema.Struct({
    type: Schema.Literal("file"),
    /** The path may contain variables: `/var/log/cni/${CNI_CONTAINERID}.log`. */
    path: Field.filled().pipe(Schema.annotateKey({ messageMissingKey: "the path of a file" })),
    format: Schema.optionalKey(RecordText.format()),
    /** The permissions of a new file. */
    mode: Schema.optionalKey(Field.matching(/^0?[0-7]{3}$/u, "an octal mode such as \"0640\""))
  })

type Fields = Omit<ReturnType<typeof fields>["Type"], "type">

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = Fs.constants

// Never follow a symbolic link that another user created, and never wait for the reader of a FIFO.
const openFlags = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

/** Users who may read the file may also list and enter its folder. */
const folderMode = (fileMode: number): number => 0o700 | (fileMode & 0o044) | ((fileMode & 0o044) >> 2)

/**
 * Creates a folder and its parents. The `recursive` option of Bun and Node.js hangs where that is impossible, as in
 * /proc.
 */
const makeFolder = (path: string, mode: number, isLastTry = false): void => {
  try {
    Fs.mkdirSync(path, mode)
    Fs.chmodSync(path, mode) // the umask may have cleared bits
  } catch (error) {
    if (codeOf(error) === "EEXIST") return
    if (codeOf(error) !== "ENOENT" || isLastTry) throw error
    makeFolder(Path.dirname(path), mode)
    makeFolder(path, mode, true)
  }
}

/** Thrown before the first write to a file system that has not been seen to respond. */
const notKnownToRespond = Symbol("notKnownToRespond")

const create = (path: string, mode: number, hasResponded: boolean): number => {
  const folder = Path.dirname(path)
  TrustedPath.checkFolder(folder)
  if (!hasResponded && !FileSystemProbe.folderResponds(folder)) throw notKnownToRespond
  makeFolder(folder, folderMode(mode))
  TrustedPath.checkFolder(folder) // another user may have created it in between
  try {
    const fd = Fs.openSync(path, openFlags | O_CREAT | O_EXCL, mode)
    Fs.fchmodSync(fd, mode) // the umask may have cleared bits that the configuration asks for
    return fd
  } catch (error) {
    if (codeOf(error) === "EEXIST") return Fs.openSync(path, openFlags) // another run has created it
    throw error
  }
}

const open = (path: string, mode: number, hasResponded: boolean): number => {
  try {
    return Fs.openSync(path, openFlags)
  } catch (error) {
    if (codeOf(error) === "ENOENT") return create(path, mode, hasResponded)
    throw error
  }
}

/**
 * Overwrites a partially written record with a line of spaces, so that it does not corrupt the next record. Overwriting
 * needs no disk space. The file cannot be truncated, because others may have appended since. The descriptor's position
 * shows where our part ends.
 */
const blankOut = (fd: number, path: string, length: number): void => {
  const position = /^pos:\s*(\d+)/m.exec(Fs.readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]
  if (position === undefined) return
  const writer = Fs.openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const blank = Buffer.alloc(length, " ")
    blank.write("\n", length - 1)
    if (Fs.fstatSync(writer).ino === Fs.fstatSync(fd).ino) {
      Fs.writeSync(writer, blank, 0, length, Number(position) - length)
    }
  } finally {
    Fs.closeSync(writer)
  }
}

const explain = (error: unknown): string => {
  switch (codeOf(error)) {
    case "ELOOP":
      return "is a symbolic link, which is not followed"
    case "EISDIR":
      return "is a folder, expected a file"
    case "ENXIO":
      return "is a FIFO without a reader, or a socket"
    case "EAGAIN":
      return "is a FIFO whose reader does not keep up"
    default:
      return (error as Error).message
  }
}

const lastByte = (fd: number, size: number): number | undefined => {
  const byte = Buffer.alloc(1)
  return Fs.readSync(fd, byte, 0, 1, Math.max(0, size - 1)) === 0 ? undefined : byte[0]
}

/** Opens the same file for reading. Returns undefined if that fails, for example because no descriptors are left. */
const openForReading = (fd: number): number | undefined => {
  try {
    return Fs.openSync(`/proc/self/fd/${fd}`, O_RDONLY)
  } catch {
    return undefined
  }
}

/**
 * Whether the last line of a file is permanently incomplete. A run that was killed during a large write leaves half a
 * line, which must not swallow the next record. A run that is still writing also leaves half a line, but then the file
 * has grown once fchmod(2) returns: the kernel makes fchmod wait for the write.
 */
const isTorn = (fd: number, reader: number): boolean => {
  try {
    for (let before: number | undefined;;) {
      const { mode, size } = Fs.fstatSync(fd)
      if (size === 0 || lastByte(reader, size) === 0x0a) return false
      if (size === before) return true
      before = size
      Fs.fchmodSync(fd, mode & 0o7777)
    }
  } catch {
    return false // we may not change the file
  }
}

/** Whether the next record needs a line break before it. Throws {@link notKnownToRespond} if the file system may hang. */
const needsLineEnd = (fd: number, path: string, stat: Fs.Stats, hasResponded: boolean): boolean => {
  const reader = openForReading(fd)
  try {
    if (!hasResponded) {
      if (reader !== undefined) lastByte(reader, stat.size) // a file system that responds updates the access time
      if (!FileSystemProbe.showsResponse(stat, Fs.fstatSync(fd), path)) throw notKnownToRespond
    }
    return reader !== undefined && isTorn(fd, reader)
  } finally {
    if (reader !== undefined) Fs.closeSync(reader)
  }
}

/** Appends with one write(2), so that records of concurrent runs never mix. */
const append = (path: string, mode: number, record: string, hasResponded: boolean): void => {
  if (path === "") throw new Error("the path is empty once its variables are filled in")
  const fd = open(path, mode, hasResponded)
  try {
    const stat = Fs.fstatSync(fd)
    TrustedPath.checkFolder(Path.dirname(path))
    TrustedPath.checkFile(path, stat.uid)
    if (stat.isFile() && stat.nlink > 1) {
      throw new Error("has a second name (hard link), which may be another user's file")
    }
    const line = stat.isFile() && needsLineEnd(fd, path, stat, hasResponded) ? `\n${record}` : record
    const length = Buffer.byteLength(line)
    const written = Fs.writeSync(fd, line)
    if (written < length) {
      if (stat.isFile()) blankOut(fd, path, written)
      throw new Error(`no space for the record: ${written} of ${length} bytes could be written`)
    }
  } finally {
    Fs.closeSync(fd)
  }
}

/** The sink `file`, which appends records to a file. */
export const kind = {
  fields,
  complete: (fields: Fields): FileTarget => ({ format: "text", mode: "0600", ...fields }),
  open: (target: FileTarget, environment: Environment, logTimeout: number) =>
    Effect.map(ProcessRunner, (runner) => {
      const path = PathTemplate.expand(target.path, environment)
      const folder = Path.dirname(path)
      const mode = Number.parseInt(target.mode, 8)
      const name = `file ${JSON.stringify(path)}`
      let isHanging = false
      let isRemote: boolean | undefined
      const failed = (cause: unknown) => new SinkFailed({ sink: name, reason: explain(cause), cause })

      /** Appends a record if the file system is known to respond. Returns whether it did. */
      const attempt = (record: Record, hasResponded: boolean) =>
        Effect.try({
          try: () => {
            isRemote ??= FileSystemProbe.isRemote(folder)
            if (isRemote && !hasResponded) return false
            try {
              append(path, mode, RecordText.render(record, target.format), hasResponded)
              return true
            } catch (error) {
              if (error === notKnownToRespond) return false
              throw error
            }
          },
          catch: failed
        })

      /** Waits up to `logTimeout` for the file system to respond. If it does not, later records fail at once. */
      const awaitResponse = Effect.suspend(() =>
        FileSystemProbe.wait(isRemote === true ? folder : FileSystemProbe.nearest(folder))
      ).pipe(
        Effect.provideService(ProcessRunner, runner),
        (waiting) => logTimeout === 0 ? waiting : limited(waiting, { left: logTimeout, limit: logTimeout, name }),
        Effect.tapError(() =>
          Effect.sync(() => {
            isHanging = true
          })
        )
      )

      return {
        name,
        neverWaits: true, // not longer than `logTimeout`
        write: (record: Record) =>
          isHanging
            ? Effect.fail(new SinkFailed({ sink: name, reason: "its file system does not respond" }))
            : Effect.flatMap(
              attempt(record, false),
              (isDone) => isDone ? Effect.void : Effect.andThen(awaitResponse, attempt(record, true))
            )
      }
    })
}

/** A {@link LogSink} that appends all records to one file. */
export const layer = (target: Fields): Layer.Layer<LogSink, never, ProcessRunner> => SinkKind.layer(kind, target)
