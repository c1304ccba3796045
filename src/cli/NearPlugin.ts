/** The plugin that the user probably meant with a name that no folder has. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as NearMiss from "../doctor/NearMiss.ts"
import * as Escape from "../record/Escape.ts"

/** Asks whether the user meant a similar plugin of these folders; empty if there is none. */
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

/** Reports that no folder has a plugin of this name, and which one the user probably meant. */
export const notThere = (name: string, folders: ReadonlyArray<string>) =>
  Effect.map(question(name, folders), (question) => new NotThere({ name, folders, question }))
