/** How the kernel would run a file: as a program, as a script, or not at all. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** How much of a script the kernel reads for its first line, in bytes. Source: Linux, `BINPRM_BUF_SIZE`. */
const headLength = 256

/** A kind of file, and the interpreter of a script. */
export interface ProgramKind {
  readonly kind: "program" | "script" | "other"
  readonly interpreter?: string | undefined
}

/** The kind of a file that starts with these bytes. */
const fromHead = (head: string): ProgramKind => {
  if (head.startsWith("\x7fELF")) return { kind: "program" }
  if (!head.startsWith("#!")) return { kind: "other" }
  return { kind: "script", interpreter: /^#![ \t]*(\/[^\s]*)/.exec(head)?.[1] }
}

/** The kind of a file. */
export const of = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const handle = yield* fs.open(file)
  const bytes = new Uint8Array(headLength)
  const length = yield* handle.read(bytes)
  return fromHead(Buffer.from(bytes.subarray(0, Number(length))).toString("latin1"))
}, Effect.scoped)
