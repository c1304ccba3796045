/** `cni-passthrough candidates`: the names that shells offer. Only completion scripts call it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as ConfigFile from "../../doctor/ConfigFile.ts"
import * as Attachment from "../../doctor/facts/Attachment.ts"
import * as Files from "../../doctor/facts/Files.ts"
import * as Plugins from "../../doctor/facts/Plugins.ts"
import * as Flags from "../Flags.ts"

/** The kinds of names. */
export const kinds = ["networks", "containers", "pods", "plugins"] as const

export type Kind = (typeof kinds)[number]

const input = {
  kind: Argument.Literals("kind", kinds).pipe(Argument.withDescription("What to name")),
  cniPath: Flags.cniPath,
  confDir: Flags.confDir,
  cacheDir: Flags.cacheDir
}

const namesOf = Effect.fnUntraced(
  function*({ cacheDir, cniPath, confDir, kind }: Command.Command.Config.Infer<typeof input>) {
    switch (kind) {
      case "networks":
        return (yield* Files.readFolder(confDir)).map(ConfigFile.nameOf)
      case "containers":
        return (yield* Attachment.list(cacheDir)).map(({ containerId }) => containerId)
      case "pods":
        return (yield* Attachment.list(cacheDir)).map(({ pod }) => pod)
      case "plugins":
        return yield* Plugins.namesIn(cniPath)
    }
  }
)

/** Whether every shell reads a name as one word with nothing to run or expand in it. */
const isPlain = (name: string | undefined): name is string => name !== undefined && /^[\w.:/@+-]+$/.test(name)

/** `candidates KIND` */
export const candidates = Command.make(
  "candidates",
  input,
  Effect.fnUntraced(function*(flags) {
    const names = yield* Effect.orElseSucceed(namesOf(flags), () => [])
    for (const name of [...new Set(names.filter(isPlain))].toSorted()) yield* Console.log(name)
  })
).pipe(
  Command.withDescription("Print the names that shells complete, one a line"),
  Command.unlisted
)
