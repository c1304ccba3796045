/** The kinds of flags that several subcommands have. */
import * as Flag from "effect/cli/Flag"

/** A flag with a text behind it. */
export const text = (name: string, description: string, fallback = ""): Flag.Flag<string> =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withDefault(fallback))

/** A flag that is off unless it is given. */
export const toggle = (name: string, description: string): Flag.Flag<boolean> =>
  Flag.Boolean(name).pipe(Flag.withDescription(description), Flag.withDefault(false))

/** Where plugins are looked for. */
export const cniPath = text(
  "cni-path",
  "Folders of plugins, separated by colons",
  process.env["CNI_PATH"] || "/opt/cni/bin:/usr/lib/cni"
)

/** The folders of a path. */
export const folders = (path: string): ReadonlyArray<string> => path.split(":").filter((folder) => folder !== "")
