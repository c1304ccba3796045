/** Remembers in files how STATUS around a plugin ended last, so that only changes are logged. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as WrapFolder from "../../exec/WrapFolder.ts"
import type { InvokedAs } from "../InvokedAs.ts"
import type { LastOutcomes } from "../LastOutcomes.ts"

/** Where outcomes are remembered: until the next start of the host, out of reach of other users. */
const defaultFolder = "/run/cni-passthrough"

/** How long an outcome counts, in milliseconds. A log that was rotated or removed since gets the next one. */
const lifetime = 3_600_000

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = Fs.constants

/** Failures are undefined: what cannot be remembered is logged. */
const attempt = <A>(io: () => A): A | undefined => {
  try {
    return io()
  } catch {
    return undefined
  }
}

const hash = (parts: ReadonlyArray<unknown>): string =>
  process.getBuiltinModule("node:crypto").createHash("sha256").update(JSON.stringify(parts)).digest("hex")

/** A folder, or a regular file, of root that no other user may use. */
const folderMode = 0o040700
const fileMode = 0o100600

const isOwn = ({ mode, uid }: Fs.Stats, expected: number): boolean => uid === 0 && mode === expected

/** Whether a file is ours, has this text, and is not too old. */
const hasText = (file: string, text: string): boolean => {
  const fd = Fs.openSync(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stat = Fs.fstatSync(fd)
    // A clock that was set back makes files of the future, which would never get too old.
    return isOwn(stat, fileMode) && Math.abs(Date.now() - stat.mtimeMs) < lifetime &&
      Fs.readFileSync(fd, "latin1") === text
  } finally {
    Fs.closeSync(fd)
  }
}

/** The outcomes of a wrapped plugin on this host. */
export const make = ({ folder, name }: InvokedAs, memory = defaultFolder): LastOutcomes => {
  const plugin = Path.join(folder, name)

  /**
   * The file for a question. There are 4096 at most, because others choose the names in requests. Two questions with
   * the same file are both logged. Throws unless we are root, and the folder is root's alone.
   */
  const fileOf = (question: string): string => {
    attempt(() => Fs.mkdirSync(memory, folderMode & 0o777))
    if (!isOwn(Fs.lstatSync(memory), folderMode)) throw new Error(memory)
    return Path.join(memory, hash([plugin, question]).slice(0, 3))
  }

  /**
   * The text for an outcome. A plugin that is wrapped again has a new stub, so its outcomes are logged again. Throws
   * unless `wrap` has wrapped it: `run` has stubs of its own for the plugins of a single operation.
   */
  const textOf = (question: string, answer: string): string => {
    Fs.statSync(Path.join(folder, WrapFolder.ownFolder, WrapFolder.plugins))
    const { ctimeMs, ino } = Fs.statSync(plugin)
    return hash([plugin, ino, ctimeMs, question, answer])
  }

  return {
    isTold: (question, answer) =>
      Effect.sync(() => attempt(() => hasText(fileOf(question), textOf(question, answer))) === true),
    forget: (question) => Effect.sync(() => attempt(() => Fs.unlinkSync(fileOf(question)))),
    remember: (question, answer) =>
      Effect.sync(() =>
        attempt(() => {
          const [file, text] = [fileOf(question), textOf(question, answer)]
          try {
            // A run that is killed while it writes leaves another text, which matches no answer.
            Fs.writeFileSync(file, text, { flag: "wx", mode: fileMode & 0o777 })
          } catch {
            // A concurrent run has remembered another outcome, and it is not known which one was logged last.
            if (!hasText(file, text)) Fs.unlinkSync(file)
          }
        })
      )
  }
}
