/** The plugin that was probably meant by a name that no folder has. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as NearMiss from "../doctor/NearMiss.ts"
import * as Escape from "../record/Escape.ts"

/** Says which plugin of these folders was probably meant; empty where none was. */
export const question = Effect.fnUntraced(function*(name: string, folders: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.forEach(folders, (folder) => Effect.orElseSucceed(fs.readDirectory(folder), () => []))
  const near = NearMiss.nearest(name, names.flat().filter((each) => each !== name && !each.startsWith(".")))
  return near === undefined ? "" : `did you mean ${Escape.inLine(near)}?`
})

/** No folder has a plugin of this name. */
export class NotThere extends Data.TaggedError("NotThere")<{
  readonly name: string
  readonly folders: ReadonlyArray<string>
  /** See {@link question}. */
  readonly question: string
}> {
  override readonly message = Escape.inLine(
    `${this.name} is not in ${this.folders.join(":")}${this.question === "" ? "" : `: ${this.question}`}`
  )
}

/** Says that no folder has a plugin of this name, and which one was probably meant. */
export const notThere = (name: string, folders: ReadonlyArray<string>) =>
  Effect.map(question(name, folders), (question) => new NotThere({ name, folders, question }))
