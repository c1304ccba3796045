/** What the plugins of a network configuration are on this host. */
import * as Effect from "effect/Effect"
import * as PluginExec from "../exec/PluginExec.ts"
import * as PluginVersion from "../exec/PluginVersion.ts"

/** What is known of the plugin of one type. */
export type PluginFact =
  | { readonly _tag: "Missing"; readonly folders: ReadonlyArray<string> }
  | { readonly _tag: "Silent"; readonly file: string; readonly reason: string }
  | { readonly _tag: "Versions"; readonly file: string; readonly versions: ReadonlyArray<string> }

/** What is known of plugins, by their type. */
export type PluginFacts = ReadonlyMap<string, PluginFact>

const collectOne = (type: string, folders: ReadonlyArray<string>, cniVersion: string) =>
  PluginExec.find(type, folders).pipe(
    Effect.flatMap((file) =>
      Effect.map(
        PluginVersion.ask(file, cniVersion),
        (versions): PluginFact => ({ _tag: "Versions", file, versions })
      )
    ),
    Effect.catchTags({
      PluginNotFound: () => Effect.succeed<PluginFact>({ _tag: "Missing", folders }),
      NoVersions: ({ file, reason }) => Effect.succeed<PluginFact>({ _tag: "Silent", file, reason })
    })
  )

/** Looks for plugins in the folders of a CNI path, and asks each of them which versions it speaks. */
export const collect = Effect.fnUntraced(function*(
  types: Iterable<string>,
  folders: ReadonlyArray<string>,
  cniVersion: string
) {
  const facts = new Map<string, PluginFact>()
  for (const type of new Set(types)) facts.set(type, yield* collectOne(type, folders, cniVersion))
  return facts as PluginFacts
})
