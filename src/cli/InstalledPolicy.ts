/** The policy file beside an installed plugin. With it, an administrator restricts network configurations. */
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as AtomicFile from "../host/AtomicFile.ts"
import * as JsonText from "../json/JsonText.ts"
import * as Policy from "../plugin/Policy.ts"

/** The existing policy cannot be read, so nothing can be added to it. */
class UnusablePolicy extends Data.TaggedError("UnusablePolicy")<{ readonly file: string; readonly problem: string }> {
  override readonly message = `${this.file} cannot be used: ${this.problem}.\nFix or remove it, and install again`
}

/** What `install --no-hooks` writes if there is no policy yet. */
const written = "{ \"hooks\": false }\n"

const fileIn = (folder: string) => Effect.map(Path.Path, (path) => path.join(folder, Policy.fileName))

/** The text of a policy, or undefined if there is none. */
const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* Effect.option(fs.readFileString(file))
  if (text._tag === "Some") return text.value
  const isThere = yield* Effect.isSuccess(fs.lstat(file))
  return isThere ? yield* new UnusablePolicy({ file, problem: "it cannot be read" }) : undefined
})

/** Forbids hooks, and keeps what the folder's policy already forbids. */
export const forbidHooks = Effect.fnUntraced(function*(folder: string) {
  const file = yield* fileIn(folder)
  yield* AtomicFile.makeFolder(folder)
  yield* AtomicFile.checkOwner(file)
  const text = yield* read(file)
  const policy = text === undefined ? undefined : Policy.parse(file, text)
  if (policy !== undefined && "problem" in policy) return yield* new UnusablePolicy(policy)
  if (policy?.hooks === false) return
  yield* AtomicFile.replaceText(
    file,
    text === undefined ? written : `${JsonText.withMembers(text.trimEnd(), { hooks: "false" })}\n`
  )
})

/** Prints what a folder's policy forbids. */
export const print = Effect.fnUntraced(function*(folder: string) {
  const file = yield* fileIn(folder)
  const text = yield* Effect.orElseSucceed(read(file), () => "")
  if (text === undefined) return
  const policy = Policy.parse(file, text)
  if ("problem" in policy) {
    return yield* Console.error(`every ADD fails until ${file} is fixed: ${policy.problem}`)
  }
  if (!policy.hooks) yield* Console.log(`hooks are forbidden by ${file}`)
  if (policy.logFolders !== undefined) yield* Console.log(`log files are limited to folders by ${file}`)
})

/** Removes a policy that {@link forbidHooks} wrote. One that a person edited stays. */
export const remove = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const file = yield* fileIn(folder)
  const text = yield* Effect.orElseSucceed(read(file), () => "")
  if (text === undefined) return
  if (text !== written) return yield* Console.error(`kept ${file}: it was edited since install wrote it`)
  yield* Effect.mapError(fs.remove(file), AtomicFile.failed(file))
  yield* Console.log(`removed ${file}`)
})
